"""`NamedTuple` as in typing, in a tenth of the time: a short command defines 60 of them, `explain` 220.

Typing checks every annotation and has Python compile every constructor, which took a tenth of a command. Here the constructors
of one length share their code, with other names for its arguments. Python 3.14 reads annotations in another way, so there
(and for type checkers) it is typing's own.
"""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING or sys.version_info >= (3, 14):
    from typing import NamedTuple
else:
    from _collections import _tuplegetter
    from functools import cache
    from types import FunctionType

    @cache
    def _code_of(length):
        """Return the code of a constructor with so many arguments."""
        names = ", ".join(f"_{index}" for index in range(length))
        return eval(f"lambda _cls, {names}: _new(_cls, ({names},))").__code__  # noqa: S307 (only those names)

    @cache
    def _getter(index):
        return _tuplegetter(index, None)

    class _Methods(tuple):
        __slots__ = ()

        @classmethod
        def _make(cls, values):
            fields = tuple.__new__(cls, values)
            if len(fields) != len(cls._fields):
                raise TypeError(f"Expected {len(cls._fields)} arguments, got {len(fields)}")
            return fields

        def _replace(self, /, **values):
            replaced = tuple.__new__(type(self), map(values.pop, self._fields, self))
            if values:
                raise ValueError(f"Got unexpected field names: {list(values)!r}")
            return replaced

        def _asdict(self):
            return dict(zip(self._fields, self, strict=True))

        def __getnewargs__(self):
            return tuple(self)

        def __repr__(self):
            fields = (f"{name}={value!r}" for name, value in self._asdict().items())
            return f"{type(self).__name__}({', '.join(fields)})"

    class _Definition(type):
        """Makes a class statement's names into a named tuple, whose type is not this one but `type`."""

        def __new__(cls, name, bases, namespace):
            if bases == (_Methods,):
                return super().__new__(cls, name, bases, namespace)
            fields = tuple(namespace.get("__annotations__", ()))
            defaults = {field: namespace[field] for field in fields if field in namespace}
            if tuple(defaults) != fields[len(fields) - len(defaults) :]:
                raise TypeError(f"a field of {name} without a default follows one with a default")
            code = _code_of(len(fields)).replace(co_varnames=("_cls", *fields), co_name="__new__")
            constructor = FunctionType(code, {"_new": tuple.__new__}, "__new__", tuple(defaults.values()))
            constructor.__qualname__ = f"{name}.__new__"
            return type(
                name,
                (_Methods,),
                {
                    "__slots__": (),
                    "__new__": constructor,
                    "__match_args__": fields,
                    "_fields": fields,
                    "_field_defaults": defaults,
                    **namespace,
                    **{field: _getter(index) for index, field in enumerate(fields)},
                },
            )

    class NamedTuple(_Methods, metaclass=_Definition):
        """The base of a class statement that defines a named tuple."""


__all__ = ["NamedTuple"]
