"""What is known about the context of a request: condition keys with values, and keys known to be absent."""

from collections.abc import Mapping

from ekstui.core import wildcard


class Context:
    """Values of condition keys by name, ignoring case."""

    __slots__ = ("_absent", "_absent_patterns", "_values")

    def __init__(self, values: Mapping[str, tuple[str, ...]], absent: frozenset[str]) -> None:
        self._values = {key.lower(): tuple(entries) for key, entries in values.items()}
        names = {name.lower() for name in absent}
        self._absent_patterns = tuple(sorted(name for name in names if name.endswith("/*")))
        self._absent = names.difference(self._absent_patterns)

    def values(self, key: str) -> tuple[str, ...] | None:
        """Return the values of `key`: empty if the request lacks it, None if unknown."""
        name = key.lower()
        if name in self._values:
            return self._values[name]
        if name in self._absent or any(wildcard.matches(pattern, name) for pattern in self._absent_patterns):
            return ()
        return None


class WholeContext(Context):
    """A context in which every key is known: those that are not among `values`, in lower case, are absent."""

    __slots__ = ()

    def __init__(self, values: Mapping[str, tuple[str, ...]]) -> None:
        self._values = dict(values)
        self._absent_patterns = ()
        self._absent = set()

    def values(self, key: str) -> tuple[str, ...]:
        """Return the values of `key`; empty if the request lacks it."""
        return self._values.get(key.lower(), ())


NOTHING_KNOWN = Context({}, frozenset())
"""The context of a request about which nothing is known."""
