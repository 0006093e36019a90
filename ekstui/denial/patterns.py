"""Regular expressions that are compiled when they are first used.

Denials have seventy, which take 12 ms to compile; a question about an action and a policy uses hardly any.
"""

import re
from typing import Any, cast


class _Pattern:
    def __init__(self, expression: str, flags: int) -> None:
        self._expression = expression
        self._flags = flags

    def __getattr__(self, name: str) -> Any:
        # Called once for each method: what is set here is found without it.
        value = getattr(re.compile(self._expression, self._flags), name)
        setattr(self, name, value)
        return value


def compiled_later(expression: str, flags: int = 0) -> re.Pattern[str]:
    """Return what `re.compile` returns, as far as its methods go."""
    return cast("re.Pattern[str]", _Pattern(expression, flags))
