"""What both front ends call: policies, the account, and answers about them."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ekstui.library.choice import AccountChoice
    from ekstui.library.cluster_answers import ClusterAnswer, ClusterRole, RecentChange
    from ekstui.library.library import Library
    from ekstui.library.results import (
        AttachedAnswer,
        CacheInfo,
        ChangesFeed,
        ComparedSide,
        Comparison,
        DataStatus,
        PolicyEntry,
    )
    from ekstui.library.roles import RoleAnswer
    from ekstui.library.syncing import SyncReport

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
    "AccountChoice": "choice",
    "CacheInfo": "results",
    "ChangesFeed": "results",
    "ComparedSide": "results",
    "Comparison": "results",
    "DataStatus": "results",
    "Library": "library",
    "PolicyEntry": "results",
    "AttachedAnswer": "results",
    "ClusterAnswer": "cluster_answers",
    "ClusterRole": "cluster_answers",
    "RecentChange": "cluster_answers",
    "RoleAnswer": "roles",
    "SyncReport": "syncing",
}
"""The module of each name, imported on first use: the app's first paint needs none of them, a command few."""


def __getattr__(name: str) -> object:
    """Return a name from its module."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value
