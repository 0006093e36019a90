"""What both front ends call: policies, the account, and answers about them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from ekstui import paths

if TYPE_CHECKING:
    from ekstui.library.attachments import AttachedAnswer
    from ekstui.library.catalog import ComparedSide, PolicyEntry
    from ekstui.library.cluster_answers import ClusterAnswer, ClusterRole, RecentChange
    from ekstui.library.comparing import Comparison
    from ekstui.library.library import DataStatus, Library
    from ekstui.library.maintenance import CacheInfo
    from ekstui.library.roles import RoleAnswer
    from ekstui.library.searching import ChangesFeed
    from ekstui.library.syncing import SyncReport
    from ekstui.sources.aws.credentials import MfaPrompt

__all__ = [
    "AccountChoice",
    "AttachedAnswer",
    "CacheInfo",
    "ChangesFeed",
    "ClusterAnswer",
    "ClusterRole",
    "ComparedSide",
    "Comparison",
    "DataStatus",
    "Library",
    "PolicyEntry",
    "RecentChange",
    "RoleAnswer",
    "SyncReport",
]

_MODULES = {
    "CacheInfo": "maintenance",
    "ChangesFeed": "searching",
    "ComparedSide": "catalog",
    "Comparison": "comparing",
    "DataStatus": "library",
    "Library": "library",
    "PolicyEntry": "catalog",
    "AttachedAnswer": "attachments",
    "ClusterAnswer": "cluster_answers",
    "ClusterRole": "cluster_answers",
    "RecentChange": "cluster_answers",
    "RoleAnswer": "roles",
    "SyncReport": "syncing",
}
"""The module of each name, imported on first use: the app's first paint needs none of them, a command few."""


@dataclass(frozen=True, slots=True)
class AccountChoice:
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

    @property
    def may_name_account(self) -> bool:
        """Whether there may be an account to ask; False only if no option, variable, file or snapshot names one."""
        if self.demo or self.profile or self.file or any(name.startswith("AWS_") for name in os.environ):
            return True
        home = Path("~/.aws").expanduser()
        return any(map(os.path.exists, (home / "config", home / "credentials", paths.cache_dir() / "accounts")))


def __getattr__(name: str) -> object:
    """Return a name from its module."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value
