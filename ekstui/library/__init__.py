"""The answers that both the commands and the app ask for, each a function of the library.

- `library.Library` has the policies of all families, from the cache or the corpus; `own_account.Account` what AWS says.
- `catalog` finds policies; `maintenance` fills the cache, `syncing` updates it.
- An answer is in the module of its question: start reading with `attachments` (who has a policy), then `comparing`,
  `who_can`, `searching` (which policies allow it), `feed` (what changed), `explaining`, `cluster_answers`, `reviewing`.
"""

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
