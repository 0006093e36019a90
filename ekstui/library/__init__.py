"""What both front ends call: policies, the account, and answers about them."""

from typing import TYPE_CHECKING

from ekstui.library.account_choice import AccountChoice

if TYPE_CHECKING:
    from ekstui.library.library import Library

__all__ = ["AccountChoice", "Library"]


def __getattr__(name: str) -> object:
    """Return `Library`, imported on first use: choosing an account takes 40 ms less without it."""
    if name != "Library":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from ekstui.library.library import Library

    return Library
