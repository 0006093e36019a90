"""Documents of AWS managed policies that other tools have written."""

from ekstui.sources.files.collection import read_collection

__all__ = ["read_collection"]
