"""A plugin of pytest for `make mutate`: each test begins without the values that functions kept for the tests before.

Else coverage would not show that a test runs a line whose result another test left in a cache, and the faults in it
would be tried without that test.
"""

import sys
from functools import _lru_cache_wrapper
from typing import Any

import ekstui


def pytest_runtest_setup() -> None:
    """Empty the caches of values; what is loaded once, such as the reference, stays."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] != ekstui.__name__:
            continue
        for owner in (module, *(kind for kind in vars(module).values() if isinstance(kind, type))):
            for value in vars(owner).values():
                if isinstance(value, _lru_cache_wrapper) and _has_many(value):
                    value.cache_clear()


def _has_many(function: "_lru_cache_wrapper[Any]") -> bool:
    most = function.cache_parameters()["maxsize"]
    return most is not None and most > 1
