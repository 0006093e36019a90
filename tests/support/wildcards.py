"""IAM's wildcards as regular expressions, without ekstui's own code."""

import re
from functools import cache


@cache
def as_regex(pattern: str, flags: re.RegexFlag = re.NOFLAG) -> re.Pattern[str]:
    """Return the expression of a pattern in which `*` is any run and `?` one character."""
    pieces = {"*": ".*", "?": "."}
    return re.compile("".join(pieces.get(letter) or re.escape(letter) for letter in pattern), flags | re.DOTALL)
