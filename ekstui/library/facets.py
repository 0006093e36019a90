"""What is typed to filter the list of policies: words, and facets such as `action:ec2:CreateTags` or `changed:30d`."""

from ekstui.named_tuples import NamedTuple

_KINDS = ("action", "service", "level", "changed")


class Facet(NamedTuple):
    """A part of a filter that needs more than the list itself, such as `action:ec2:CreateTags` or `changed:30d`."""

    kind: str
    text: str


def parse_filter(text: str) -> tuple[tuple[str, ...], tuple[Facet, ...]]:
    """Return the words to look for, in lower case, and the facets; incomplete facets are left out."""
    words: list[str] = []
    facets: list[Facet] = []
    for word in text.split():
        kind, colon, value = word.partition(":")
        if not colon or kind.casefold() not in _KINDS:
            words.append(word.casefold())
        elif value:
            facets.append(Facet(kind.casefold(), value))
    return tuple(words), tuple(facets)
