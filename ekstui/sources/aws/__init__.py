"""The live account, through boto3: the only place that calls AWS.

- `connection` has one set of credentials and the one method of every call (`Connection`), `credentials` tells whether
  they are the same as last time, `answers` limits and checks what AWS returns, and `failures` puts what goes wrong into
  words.
- `iam` reads the account into an `AccountSnapshot`, with what `clusters` reads of EKS and EC2; start with
  `iam.sweep_account`. A part that cannot be read is an error in the snapshot, not an exception.
- `managed` reads AWS's own policies, `last_accessed` what was used, `aggregator` many accounts by AWS Config.
- `sdk` is what is used of boto3. It is imported when AWS is first asked: it takes 100 ms, and the last snapshot answers
  without it.
"""

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ekstui.sources.aws import sdk

__all__ = ["sdk"]


def __getattr__(name: str) -> ModuleType:
    """Import the SDK; from then on it is an attribute of this package, as any module that was imported."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module(f"{__name__}.{name}")
