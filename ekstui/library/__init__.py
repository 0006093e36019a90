"""The one facade that both front ends call: read the cache, refresh it from a source, compare, search."""

from ekstui.library.facade import Library
from ekstui.library.values import ComparedSide, Comparison, DataStatus, PolicyEntry

__all__ = ["ComparedSide", "Comparison", "DataStatus", "Library", "PolicyEntry"]
