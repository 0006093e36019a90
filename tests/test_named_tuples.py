"""`NamedTuple` does as typing's does, without a check of every annotation."""

import copy
import pickle
import re
import typing
from pathlib import Path

import pytest

import ekstui
from ekstui import named_tuples


class Theirs(typing.NamedTuple):
    """One of typing."""

    name: str
    size: "int | None" = None
    parts: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The name and the size."""
        return f"{self.name} {self.size}"


class Ours(named_tuples.NamedTuple):
    """The same."""

    name: str
    size: "int | None" = None
    parts: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The name and the size."""
        return f"{self.name} {self.size}"


class Special(Ours):
    """Has a method of its own."""

    def twice(self) -> str:
        """Return the name twice."""
        return self.name * 2


def test_what_a_class_has_is_what_typing_gives_it() -> None:
    for name in ("_fields", "_field_defaults", "__match_args__", "__slots__"):
        assert getattr(Ours, name) == getattr(Theirs, name)
    assert typing.get_type_hints(Ours) == typing.get_type_hints(Theirs)
    assert type(Ours) is type
    assert (Ours.__module__, Ours.__qualname__, Ours.__doc__) == (__name__, "Ours", "The same.")


def test_values_do_what_those_of_typing_do() -> None:
    ours, theirs = Ours("a", parts=("b",)), Theirs("a", parts=("b",))
    assert tuple(ours) == tuple(theirs) == ("a", None, ("b",))
    assert hash(ours) == hash(theirs)
    assert (ours.name, ours.size, ours.parts, ours.label) == ("a", None, ("b",), "a None")
    assert repr(ours) == repr(theirs).replace("Theirs", "Ours")
    assert ours._asdict() == theirs._asdict()
    assert ours._replace(size=3) == Ours("a", 3, ("b",))
    assert Ours._make(["a", 1, ()]) == Ours(name="a", size=1)
    assert Special("a").twice() == "aa"
    assert Special("a")._replace(name="b").twice() == "bb"
    for copied_value in (copy.copy(ours), copy.deepcopy(ours), pickle.loads(pickle.dumps(ours))):
        assert (copied_value, type(copied_value)) == (ours, Ours)
    assert not hasattr(ours, "__dict__")
    with pytest.raises(AttributeError):
        setattr(ours, "name", "b")  # noqa: B010


@pytest.mark.parametrize("arguments", [(), ("a", 1, (), 2)])
def test_a_wrong_number_of_arguments_is_refused_as_by_typing(arguments: tuple[typing.Any, ...]) -> None:
    with pytest.raises(TypeError) as theirs:
        Theirs(*arguments)
    with pytest.raises(TypeError) as ours:
        Ours(*arguments)
    assert str(ours.value) == str(theirs.value).replace("Theirs", "Ours")
    with pytest.raises(TypeError):
        Ours._make(arguments)


def test_a_name_that_is_no_field_is_refused() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
        Ours("a", colour=1)  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="colour"):
        Ours("a")._replace(colour=1)  # type: ignore[call-arg]


def test_the_package_defines_no_others() -> None:
    package = Path(ekstui.__file__).parent
    users = {
        path.name for path in package.rglob("*.py") if re.search(r"from typing import .*NamedTuple", path.read_text())
    }
    assert users == {"named_tuples.py"}
