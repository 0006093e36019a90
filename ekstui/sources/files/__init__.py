"""Documents of AWS managed policies that other tools have written."""

from ekstui.sources.files.collection import Archive, read_collection

__all__ = ["Archive", "read_collection"]
