"""What is measured: the app, the commands it is compared with, and what on the screen says that it is ready."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

from tests.support.bundled import POLICIES
from tests.support.terminal import Link, Terminal

PYTHON = sys.executable
EKSTUI = (PYTHON, "-m", "ekstui")

FIRST_ROWS = ("1 Policies", "AmazonEKS_CNI_Policy", "AmazonEKSClusterPolicy")
"""Texts that stand on the screen when the list is filled; the other panes follow, and count as settled."""

FIRST_KEY, EFFECT = "s", f"all {POLICIES:,}"
"""A key, and what stands on the screen once it has taken effect: the list shows all policies."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A command in a terminal of some size."""

    name: str
    command: tuple[str, ...]
    ready: tuple[str, ...] = ()
    """Texts that are all on the screen at the first full paint; none if the command ends by itself."""
    columns: int = 80
    rows: int = 24
    env: Mapping[str, str] = field(default_factory=dict)

    def open(self, env: Mapping[str, str], link: Link | None = None) -> Terminal:
        """Start the command in a new terminal."""
        return Terminal(self.command, columns=self.columns, rows=self.rows, env={**env, **self.env}, link=link)

    def is_ready(self, terminal: Terminal) -> bool:
        """Say whether all the texts are on the screen."""
        screen_text = terminal.text
        return all(text in screen_text for text in self.ready)

    @contextmanager
    def started(self, env: Mapping[str, str], link: Link | None = None) -> Iterator[Terminal]:
        """Start the command, wait until it is ready and quiet, and end it afterwards."""
        with self.open(env, link) as terminal:
            terminal.wait_for(lambda: self.is_ready(terminal))
            terminal.settle(0.6)
            yield terminal


BLANK = Subject("blank Textual app", (PYTHON, "-m", "tests.tools.bench.blank"), ("blank",))
NARROW = Subject("ekstui, 80×24", EKSTUI, FIRST_ROWS)
WIDE = Subject("ekstui, 120×40", EKSTUI, FIRST_ROWS, columns=120, rows=40)


def warm(cache: Path) -> None:
    """Fill the cache in this folder, as the app does behind its first paint."""
    with NARROW.started({"EKSTUI_CACHE": str(cache), "EKSTUI_STATE": str(cache)}) as terminal:
        size, since = -1, perf_counter()
        while perf_counter() - since < 2:
            terminal.pump(0.2)
            now = sum(file.stat().st_size for file in cache.rglob("*") if file.is_file())
            if now != size or "indexing" in terminal.text:
                size, since = now, perf_counter()
