"""`NamedTuple` as in typing, without its check of annotations: for 60 classes, a tenth of a short command.

mypy checks the annotations and the order of defaults. Python 3.14 keeps annotations in another way, so there (and for
type checkers) it is typing's own.
"""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING or sys.version_info >= (3, 14):
    from typing import NamedTuple
else:
    from collections import namedtuple

    class _Definition(type):
        """Makes what a class statement names into a named tuple."""

        def __new__(cls, name, bases, namespace):
            if not bases:
                return super().__new__(cls, name, bases, namespace)
            fields = namespace.get("__annotations__", ())
            defaults = [namespace.pop(field) for field in fields if field in namespace]
            tuple_class = namedtuple(name, fields, defaults=defaults, module=namespace["__module__"])
            for key, value in namespace.items():
                setattr(tuple_class, key, value)
            return tuple_class

    class NamedTuple(metaclass=_Definition):
        """The base of a class statement that defines a named tuple."""


__all__ = ["NamedTuple"]
