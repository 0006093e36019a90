"""Policy variables: what `${aws:username}` stands for in one request (IAM User Guide, "Variables and tags").

A resolved value is matched as text in which wildcards and literal `*`, `?`, `$` must not be confused: literals are
written as private-use characters, both in the pattern and in the text that it is held against.
"""

from dataclasses import dataclass
from typing import Literal

from ekstui.core.conditions.context import Context

_LITERALS = str.maketrans({"*": "\ue02a", "?": "\ue03f", "$": "\ue024"})
_DOLLAR = str.maketrans({"$": "\ue024"})

VARIABLES_SINCE = "2012-10-17"
"""The `Version` of a document whose variables are replaced; in an older one they are literal text."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a value: text as the policy has it, text that is literal, or a value that is not known."""

    kind: Literal["pattern", "literal", "unknown"]
    text: str


@dataclass(frozen=True, slots=True)
class Resolved:
    """A value of a policy with its variables replaced as far as they are known."""

    segments: tuple[Segment, ...]
    resolvable: bool
    """False if the request lacks a key that has no default here: nothing equals such a value."""
    unknown_keys: tuple[str, ...]
    """Keys whose values decide but were not told."""

    def pattern(self) -> str:
        """The value as a wildcard pattern; a part that is not known matches anything."""
        return "".join(
            "*" if kind == "unknown" else text.translate(_DOLLAR if kind == "pattern" else _LITERALS)
            for kind, text in ((segment.kind, segment.text) for segment in self.segments)
        )

    def exact(self) -> str:
        """The value as a pattern in which `*` and `?` of the policy are literal, as under StringEquals."""
        return "".join(
            "*" if segment.kind == "unknown" else segment.text.translate(_LITERALS) for segment in self.segments
        )

    def text(self) -> str:
        """The value as plain text; only of use where nothing is unknown."""
        return "".join(segment.text for segment in self.segments)


def literal(text: str) -> str:
    """Return text of a request as it must be written to be matched against `Resolved.pattern` or `.exact`."""
    return text.translate(_LITERALS)


def resolve(value: str, context: Context, *, has_variables: bool) -> Resolved:
    """Return `value` with its variables replaced; `has_variables` says whether the document's version knows them."""
    if not has_variables or "${" not in value:
        return Resolved((Segment("pattern", value),), resolvable=True, unknown_keys=())
    segments: list[Segment] = []
    unknown: list[str] = []
    resolvable = True
    position = 0
    while (start := value.find("${", position)) >= 0:
        end = _end_of_variable(value, start + 2)
        if end < 0:
            break
        segments.append(Segment("pattern", value[position:start]))
        position = end + 1
        name, comma, rest = value[start + 2 : end].partition(",")
        name = name.strip()
        if name in ("*", "?", "$"):
            segments.append(Segment("literal", name))
            continue
        given = context.values(name)
        if given is None or len(given) > 1:
            # Which of several values a variable takes is not documented.
            unknown.append(name)
            segments.append(Segment("unknown", value[start:position]))
        elif given:
            segments.append(Segment("literal", given[0]))
        elif comma:
            segments.append(Segment("literal", rest.strip().removeprefix("'").removesuffix("'")))
        else:
            resolvable = False
            segments.append(Segment("literal", value[start:position]))
    segments.append(Segment("pattern", value[position:]))
    return Resolved(tuple(segments), resolvable, tuple(unknown))


def _end_of_variable(value: str, start: int) -> int:
    """Return where the brace of a variable closes, or -1; a quoted default may hold a brace itself."""
    end = value.find("}", start)
    quote = value.find("'", start, end) if end >= 0 else -1
    if quote < 0:
        return end
    closing = value.find("'", quote + 1)
    return value.find("}", closing) if closing >= 0 else end
