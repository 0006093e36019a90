"""Commands for scripts and for a quick look."""

from ekstui.cli.main import main

__all__ = ["main"]
