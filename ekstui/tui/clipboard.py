"""Text on its way out of the app: to the terminal's clipboard, wherever the terminal is.

OSC 52 goes through SSH, but tmux drops it by default, so inside tmux its own buffer is filled as well. Nobody answers
whether a terminal took the text, so the app never says that something was copied.
"""

import os
import shutil
import subprocess

from textual.app import App

from ekstui import paths
from ekstui.core.text import clean

TMUX_PATIENCE = 2.0
"""Seconds that tmux is given to take the text."""


def send_to_terminal(app: App[None], text: str) -> str:
    """Send text to the terminal's clipboard and return what was done, in a sentence."""
    safe = clean(text)
    app.copy_to_clipboard(safe)
    size = f"{len(safe):,} character{'' if len(safe) == 1 else 's'}"
    if paths.is_served():
        return f"Sent {size} to the browser. If it does not take them, e saves a file."
    if os.environ.get("TMUX") and shutil.which("tmux") and _load_tmux_buffer(safe):
        return f"Sent {size} to the terminal and to tmux's buffer."
    return f"Sent {size} to the terminal. If it does not take them, e writes a file."


def _load_tmux_buffer(text: str) -> bool:
    try:
        done = subprocess.run(
            ["tmux", "load-buffer", "-w", "-"],  # noqa: S607
            input=text.encode(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=TMUX_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
