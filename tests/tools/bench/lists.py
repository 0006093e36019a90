"""The list widget against Textual's own, each with 1,600 names alone on the screen and behind the same driver.

`python -m tests.tools.bench.lists KIND` runs one of the apps.
"""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import median

from textual.app import App, ComposeResult
from textual.widgets import DataTable, OptionList

from ekstui.present.blocks import Column
from ekstui.present.rendering import Row
from ekstui.present.styled import styled
from ekstui.tui.driver import driver_class
from ekstui.tui.widgets.rows import RowList
from tests.tools.bench.subject import PYTHON, Subject
from tests.tools.bench.traffic import DOWN, GAP, PAGE_DOWN

NAMES = tuple(f"AmazonPolicyNumber{number:04}ForTheBenchmark" for number in range(1600))
KINDS = ("RowList", "OptionList", "DataTable")


class ListApp(App[None]):
    """An app with one list."""

    def __init__(self, kind: str) -> None:
        super().__init__(driver_class=driver_class())
        self._kind = kind

    def compose(self) -> ComposeResult:
        if self._kind == "OptionList":
            yield OptionList(*NAMES)
        elif self._kind == "DataTable":
            yield DataTable(cursor_type="row", show_header=False)
        else:
            yield RowList((Column("", 10, share=1), Column("", 4, right=True)))

    def on_mount(self) -> None:
        if self._kind == "DataTable":
            table = self.query_one(DataTable)
            table.add_columns("name", "version")
            table.add_rows((name, "v1") for name in NAMES)
        elif self._kind == "RowList":
            self.query_one(RowList).set_rows([Row(name, (styled(name), styled("v1")), name) for name in NAMES])
        self.set_focus(self.screen.children[0])


@dataclass(frozen=True, slots=True)
class Taken:
    """What one of the lists takes."""

    kind: str
    first: float
    """Seconds to the first paint, the median of the starts."""
    bytes: int
    """To the first paint."""
    move: float
    """Bytes of a cursor move."""
    page: float
    """Bytes of a page down."""
    seconds: float
    """From the key of a page down to its last byte."""


def measure(rounds: int, env: Mapping[str, str]) -> Iterator[Taken]:
    """Yield the figures of each list."""
    for kind in KINDS:
        subject = Subject(kind, (PYTHON, "-m", "tests.tools.bench.lists", kind), (NAMES[0],))
        firsts: list[float] = []
        for _ in range(rounds):
            with subject.open(env) as terminal:
                firsts.append(terminal.wait_for(lambda: subject.is_ready(terminal)) - terminal.started)  # noqa: B023
        with subject.started(env) as terminal:
            bytes_before = terminal.received
            moves = [terminal.press(DOWN, GAP).bytes for _ in range(6)]
            pages = [terminal.press(PAGE_DOWN, GAP) for _ in range(4)]
        yield Taken(
            kind,
            median(firsts),
            bytes_before,
            median(moves),
            median(page.bytes for page in pages),
            median(page.seconds for page in pages),
        )


if __name__ == "__main__":
    ListApp(sys.argv[1]).run()
