"""The one facade that both front ends call: read the cache, refresh it from a source, compare, search."""

from ekstui.library.account import AccountChoice
from ekstui.library.attached import AttachedAnswer
from ekstui.library.clusters import ClusterAnswer, ClusterRole, RecentChange
from ekstui.library.facade import Library
from ekstui.library.roles import RoleAnswer
from ekstui.library.values import ComparedSide, Comparison, DataStatus, PolicyEntry

__all__ = [
    "AccountChoice",
    "AttachedAnswer",
    "ClusterAnswer",
    "ClusterRole",
    "ComparedSide",
    "Comparison",
    "DataStatus",
    "Library",
    "PolicyEntry",
    "RecentChange",
    "RoleAnswer",
]
