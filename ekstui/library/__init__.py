"""The one facade that both front ends call: read the cache, refresh it from a source, compare, search."""

from importlib import import_module
from typing import TYPE_CHECKING

from ekstui.library.choice import AccountChoice
from ekstui.library.facade import Library
from ekstui.library.values import CacheInfo, ChangesFeed, ComparedSide, Comparison, DataStatus, PolicyEntry

if TYPE_CHECKING:
    from ekstui.library.attached import AttachedAnswer
    from ekstui.library.clusters import ClusterAnswer, ClusterRole, RecentChange
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
    "AttachedAnswer": "attached",
    "ClusterAnswer": "clusters",
    "ClusterRole": "clusters",
    "RecentChange": "clusters",
    "RoleAnswer": "roles",
    "SyncReport": "syncing",
}
"""Where the values live whose modules take long to import (see facade)."""


def __getattr__(name: str) -> object:
    """Import a value's module when the value is first asked for."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
