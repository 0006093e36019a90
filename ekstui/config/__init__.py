"""The user's settings: a file, then the environment, then the command line; what comes later wins."""

from ekstui.config.effective import Effective, effective
from ekstui.config.settings import SETTINGS, Setting, Settings

__all__ = ["SETTINGS", "Effective", "Setting", "Settings", "effective"]
