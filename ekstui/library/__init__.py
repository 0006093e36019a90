"""What both front ends call: policies, the account, and answers about them."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ekstui.library.attachments import AttachedAnswer
    from ekstui.library.catalog import ComparedSide, PolicyEntry
    from ekstui.library.choice import AccountChoice
    from ekstui.library.cluster_answers import ClusterAnswer, ClusterRole, RecentChange
    from ekstui.library.comparing import Comparison
    from ekstui.library.library import DataStatus, Library
    from ekstui.library.maintenance import CacheInfo
    from ekstui.library.roles import RoleAnswer
    from ekstui.library.searching import ChangesFeed
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


def __getattr__(name: str) -> object:
    """Return a name from its module."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value
