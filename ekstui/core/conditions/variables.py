"""Policy variables: what `${aws:username}` stands for in one request (IAM User Guide, "Variables and tags").

Text that is matched never confuses wildcards with literal `*`, `?` and `$`: literals are private-use characters, both
in the pattern and in the text that it is held against.
"""

from functools import lru_cache
from typing import NamedTuple

from ekstui.core.conditions.context import Context

_LITERALS = str.maketrans({"*": "\ue02a", "?": "\ue03f", "$": "\ue024"})
_PLAIN = str.maketrans({"\ue02a": "*", "\ue03f": "?", "\ue024": "$"})
_DOLLAR = str.maketrans({"$": "\ue024"})
_UNKNOWN = "\ue010"

VARIABLES_SINCE = "2012-10-17"
"""The `Version` of a document whose variables are replaced; in an older one they are literal text."""


class Variable(NamedTuple):
    """A policy variable in a value."""

    key: str
    """The condition key in lower case."""
    default: str | None
    """The value where the request lacks the key, such as `Shared` in `${aws:PrincipalTag/team, 'Shared'}`."""
    name: str
    """The key as written."""


Template = tuple[str | Variable, ...]
"""A value of a policy: text with literals as private-use characters, and the variables between."""


class Resolved(NamedTuple):
    """A value of a policy with its variables replaced as far as they are known."""

    encoded: str
    resolvable: bool
    """False if the request lacks a key that has no default here: nothing equals such a value."""
    unknown_keys: tuple[str, ...]
    """Keys whose values decide but were not given."""

    def pattern(self) -> str:
        """The value as a wildcard pattern; a part that is not known matches anything."""
        return self.encoded.replace(_UNKNOWN, "*") if self.unknown_keys else self.encoded

    def exact(self) -> str:
        """The value as a pattern in which `*` and `?` of the policy are literal, as under StringEquals."""
        return self.encoded.translate(_LITERALS).replace(_UNKNOWN, "*")

    def text(self) -> str:
        """The value as plain text; only of use where nothing is unknown."""
        return plain(self.encoded)


def literal(text: str) -> str:
    """Return text of a request as it must be written to be matched against `Resolved.pattern` or `.exact`."""
    return text.translate(_LITERALS)


def plain(text: str) -> str:
    """Return text that `literal` wrote as a request has it."""
    return text.translate(_PLAIN)


def literally(value: str) -> str:
    """Return a value as `Version` 2012-10-17 writes what an older version, which knows no variables, means by it."""
    return value.replace("${", "${$}{")


@lru_cache(maxsize=16384)
def template(value: str, *, has_variables: bool = True) -> Template:
    """Return a value taken apart; `has_variables` says whether the document's version knows variables."""
    if not has_variables or "${" not in value:
        return (value.translate(_DOLLAR),)
    parts: list[str | Variable] = []
    position = 0
    while (start := value.find("${", position)) >= 0:
        end = _end_of_variable(value, start + 2)
        if end < 0:
            break
        parts.append(value[position:start].translate(_DOLLAR))
        position = end + 1
        name, comma, rest = value[start + 2 : end].partition(",")
        name = name.strip()
        if name in ("*", "?", "$"):
            parts.append(name.translate(_LITERALS))
            continue
        default = rest.strip().removeprefix("'").removesuffix("'") if comma else None
        parts.append(Variable(name.lower(), default, name))
    parts.append(value[position:].translate(_DOLLAR))
    return _joined(parts)


def exactly(parts: Template) -> Template:
    """Return a template whose `*` and `?` are literal, as under StringEquals."""
    return tuple(part.translate(_LITERALS) if isinstance(part, str) else part for part in parts)


def variables_of(parts: Template) -> tuple[Variable, ...]:
    """Return the variables of a template."""
    return tuple(part for part in parts if not isinstance(part, str))


def resolve(value: str, context: Context, *, has_variables: bool) -> Resolved:
    """Return `value` with its variables replaced; `has_variables` says whether the document's version knows them."""
    return resolved(template(value, has_variables=has_variables), context)


def resolved(parts: Template, context: Context) -> Resolved:
    """Return a template with its variables replaced as far as they are known."""
    if len(parts) == 1 and isinstance(parts[0], str):
        return Resolved(parts[0], resolvable=True, unknown_keys=())
    pieces: list[str] = []
    unknown: list[str] = []
    resolvable = True
    for part in parts:
        if isinstance(part, str):
            pieces.append(part)
            continue
        given = context.values(part.name)
        if given is None or len(given) > 1:
            # Which of several values a variable takes is not documented.
            unknown.append(part.name)
            pieces.append(_UNKNOWN)
        elif given:
            pieces.append(literal(given[0]))
        elif part.default is not None:
            pieces.append(literal(part.default))
        else:
            resolvable = False
    return Resolved("".join(pieces), resolvable, tuple(unknown))


def _joined(parts: list[str | Variable]) -> Template:
    """Return the parts with neighbouring texts as one."""
    joined: list[str | Variable] = []
    for part in parts:
        if isinstance(part, str) and joined and isinstance(joined[-1], str):
            joined[-1] += part
        elif part != "" or not joined:
            joined.append(part)
    if len(joined) > 1 and joined[0] == "":
        del joined[0]
    return tuple(joined)


def _end_of_variable(value: str, start: int) -> int:
    """Return where the brace of a variable closes, or -1; a quoted default may hold a brace itself."""
    end = value.find("}", start)
    quote = value.find("'", start, end) if end >= 0 else -1
    if quote < 0:
        return end
    closing = value.find("'", quote + 1)
    return value.find("}", closing) if closing >= 0 else end
