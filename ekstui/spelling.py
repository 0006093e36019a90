"""What a misspelt word may mean."""

from collections.abc import Iterable


def nearest(word: str, words: Iterable[str], limit: int = 1, alike: float = 0.6) -> tuple[str, ...]:
    """Return the words closest to a misspelt one in any case, the closest first; `alike` is from 0 to 1."""
    from difflib import get_close_matches  # only for a word that does not exist

    words_by_key = {candidate.casefold(): candidate for candidate in words}
    return tuple(words_by_key[match] for match in get_close_matches(word.casefold(), words_by_key, limit, alike))
