"""The context of a request, and what policy variables such as `${aws:username}` stand for in it.

IAM User Guide, "IAM policy elements: Variables and tags".

Literal `*`, `?` and `$` are written as private-use characters, both in patterns and in the text matched against them,
so that they cannot be confused with wildcards.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

from ekstui.iam import wildcard
from ekstui.named_tuples import NamedTuple

_LITERALS = str.maketrans({"*": "\ue02a", "?": "\ue03f", "$": "\ue024"})
_PLAIN = str.maketrans({"\ue02a": "*", "\ue03f": "?", "\ue024": "$"})
_DOLLAR = str.maketrans({"$": "\ue024"})
_UNKNOWN = "\ue010"
_FIRST_VARIABLE = 0xF0000
"""The first of the private-use characters that stand for policy variables."""

VARIABLE = re.compile(r"\$\{([^}']*'[^']*'[^}]*|[^}]*)\}")
"""A policy variable, or a literal `*`, `?` or `$`; a quoted default may contain a brace."""

VARIABLES_SINCE = "2012-10-17"
"""The `Version` of documents in which variables are replaced; in older ones they are literal text."""


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


class Variable(NamedTuple):
    """A policy variable in a value."""

    key: str
    """The condition key in lower case."""
    default: str | None
    """The value if the request lacks the key, such as `Shared` in `${aws:PrincipalTag/team, 'Shared'}`."""
    name: str
    """The key as written."""


Template = tuple[str | Variable, ...]
"""A value in a policy: text with literals as private-use characters, and variables in between."""


class ResolvedValue(NamedTuple):
    """A value in a policy with its known variables replaced."""

    encoded: str
    resolvable: bool
    """False if the request lacks the key of a variable without a default; nothing equals such a value."""
    unknown_keys: tuple[str, ...]
    """Keys of variables whose values are not known."""

    def pattern(self) -> str:
        """Return the value as a wildcard pattern, in which unknown variables match anything."""
        return self.encoded.replace(_UNKNOWN, "*") if self.unknown_keys else self.encoded

    def text(self) -> str:
        """Return the value as plain text; meaningful only if no variable is unknown."""
        return without_encoding(self.encoded)


def literal(text: str) -> str:
    """Return text of a request, encoded to be matched against `ResolvedValue.pattern`."""
    return text.translate(_LITERALS)


def without_encoding(text: str) -> str:
    """Return the text that `literal` encoded."""
    return text.translate(_PLAIN)


def literally(value: str) -> str:
    """Return a value of an older document, which has no variables, as `Version` 2012-10-17 would write it."""
    return value.replace("${", "${$}{")


@lru_cache(maxsize=16384)
def template(value: str, *, has_variables: bool = True) -> Template:
    """Return the parts of a value; `has_variables` tells whether the document's version has policy variables."""
    if not has_variables or "${" not in value:
        return (value.translate(_DOLLAR),)
    parts: list[str | Variable] = []
    text = ""
    position = 0
    for match in VARIABLE.finditer(value, 0, value.rfind("}") + 1):
        text += value[position : match.start()].translate(_DOLLAR)
        position = match.end()
        name, comma, default_text = match[1].partition(",")
        name = name.strip()
        if name in ("*", "?", "$"):
            text += name.translate(_LITERALS)
            continue
        default = default_text.strip().removeprefix("'").removesuffix("'") if comma else None
        parts += (text, Variable(name.lower(), default, name))
        text = ""
    parts.append(text + value[position:].translate(_DOLLAR))
    return tuple(filter(None, parts))


def exactly(parts: Template) -> Template:
    """Return a template with literal `*` and `?`, as under StringEquals."""
    return tuple(part.translate(_LITERALS) if isinstance(part, str) else part for part in parts)


def variables_of(parts: Template) -> tuple[Variable, ...]:
    """Return the variables of a template."""
    return tuple(part for part in parts if not isinstance(part, str))


def opened(parts: Template) -> str:
    """Return a template as a wildcard pattern with `*` for each variable."""
    return "".join(part if isinstance(part, str) else "*" for part in parts)


def aligned(general: Template, special: Template) -> tuple[str, str] | None:
    """Return two templates as wildcard patterns that cover each other only if the templates do; None if none can.

    A variable that both have becomes a character of its own; one that only `special` has becomes `*`. If `special`
    needs a key, the default of a variable with that key makes no difference.
    """
    of_general, of_special = variables_of(general), variables_of(special)
    if not of_general and not of_special:
        return opened(general), opened(special)
    if of_general and "?" in opened(general):
        return None  # a `?` would stand for a variable of any length
    keys_without_default = {variable.key for variable in of_special if variable.default is None}
    signs: dict[tuple[str, str | None], str] = {}

    def meaning(variable: Variable) -> tuple[str, str | None]:
        return variable.key, None if variable.key in keys_without_default else variable.default

    for variable in of_general:
        signs.setdefault(meaning(variable), chr(_FIRST_VARIABLE + len(signs)))

    def written(parts: Template) -> str:
        return "".join(part if isinstance(part, str) else signs.get(meaning(part), "*") for part in parts)

    return written(general), written(special)


def resolved(parts: Template, context: Context) -> ResolvedValue:
    """Return a template with its known variables replaced."""
    if len(parts) == 1 and isinstance(parts[0], str):
        return ResolvedValue(parts[0], resolvable=True, unknown_keys=())
    pieces: list[str] = []
    unknown: list[str] = []
    resolvable = True
    for part in parts:
        if isinstance(part, str):
            pieces.append(part)
            continue
        values = context.values(part.name)
        if values is None or len(values) > 1:
            # It is not documented which of several values a variable takes.
            unknown.append(part.name)
            pieces.append(_UNKNOWN)
        elif values:
            pieces.append(literal(values[0]))
        elif part.default is not None:
            pieces.append(literal(part.default))
        else:
            resolvable = False
    return ResolvedValue("".join(pieces), resolvable, tuple(unknown))
