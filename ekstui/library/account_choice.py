"""Which account to ask, and how: cheap to import, since every command chooses one."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from ekstui import files
from ekstui.named_tuples import NamedTuple

if TYPE_CHECKING:
    from ekstui.settings import Layers
    from ekstui.sources.aws.credentials import MfaPrompt

LIMITED = "AWS limits the rate of calls; trying again"
"""Reported as progress while AWS refuses calls because there are too many."""

FRESH = timedelta(minutes=15)
"""How old a snapshot may be to answer in place of AWS."""


class AccountChoice(NamedTuple):
    """Which account to ask, and how."""

    profile: str | None = None
    """None leaves it to the environment."""
    regions: tuple[str, ...] = ()
    """Regions to search for clusters, or `all`; empty means those that the account itself points to."""
    offline: bool = False
    """Whether to answer from the last snapshot only."""
    file: Path | None = None
    """Output of `aws iam get-account-authorization-details` to read instead of asking AWS, or a folder of its pages."""
    demo: bool = False
    """Whether to use the demo account that ships with ekstui: AWS is not asked, and nothing is written."""
    mfa_prompt: MfaPrompt | None = None
    """Asks the user for a code; without it a profile that needs one raises MfaNeededError."""
    share_role_cache: bool = False
    """Whether to use the AWS CLI's cache of role sessions."""
    layers: Layers = MappingProxyType({})
    """Files with policies of further layers, by account."""

    @property
    def asks_aws(self) -> bool:
        """Whether AWS is asked, rather than a snapshot, an account file or the demo."""
        return not (self.offline or self.demo or self.file)

    @property
    def may_name_account(self) -> bool:
        """Whether there may be an account to ask; False only if no option, variable, file or snapshot names one."""
        if self.demo or self.profile or self.file or any(name.startswith("AWS_") for name in os.environ):
            return True
        home = Path("~/.aws").expanduser()
        return any(map(os.path.exists, (home / "config", home / "credentials", files.cache_dir() / "accounts")))
