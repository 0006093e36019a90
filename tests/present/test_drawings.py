"""What is drawn: versions on a line of time, in signs that have a form in ASCII."""

import sys
from datetime import UTC, datetime, timedelta
from io import BytesIO, TextIOWrapper
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

import ekstui
import ekstui.tui.driver.terminal_output
from ekstui.change.steps import Step, StepCounts
from ekstui.cli.streams import prepare_streams
from ekstui.present.permissions import EIGHTHS
from ekstui.present.styled import cells, plain
from ekstui.present.time_line import SIGNS, legend, time_line

PACKAGE = Path(ekstui.__file__).parent
START = datetime(2024, 7, 1, tzinfo=UTC)
UNTIL = datetime(2026, 7, 1, tzinfo=UTC)


def step(version: int, days: int | None, reach: str | None = "widened", *, default: bool = False) -> Step:
    change = None if reach is None else StepCounts("none" if reach == "same" else "scope", reach, 1, 0, 0)  # type: ignore[arg-type]
    return Step(version, None if days is None else START + timedelta(days), default, (), change)


YEARS = [step(1, 0, None), step(2, 184), step(3, 365, "narrowed"), step(4, 549, "same"), step(5, 550, default=True)]


def test_the_line_is_to_scale_and_each_step_has_its_sign() -> None:
    line, years = map(plain, time_line(YEARS, UNTIL, 73))
    assert [line.index(sign) for sign in "○▲▼"] == [0, 18, 36]
    assert line[54:56] == "○●"
    assert (years.index("25"), years.index("26")) == (18, 54)
    assert years.startswith("24")
    assert len(line) == len(years) == 73


def test_the_version_under_the_cursor_is_shown_on_the_line() -> None:
    for version, sign in ((2, "▲"), (4, "○"), (5, "●")):
        line, _ = time_line(YEARS, UNTIL, 40, version)
        assert [text for text, style in line if style == "cursor"] == [sign]


def test_the_legend_explains_the_signs_that_are_used() -> None:
    assert legend(YEARS, "in force") == "▲ wider ▼ narrower ○ same ● in force"
    assert legend([step(1, 0, None), step(2, 3, "mixed"), step(3, 4, "unknown")], "newest") == "◆ both ○ same ? unknown"


@given(
    st.lists(st.one_of(st.none(), st.integers(0, 800)), min_size=1, max_size=60),
    st.lists(st.sampled_from([*SIGNS]), min_size=60, max_size=60),
    st.integers(6, 70),
)
def test_every_version_has_its_own_cell_if_there_are_enough(
    days: list[int | None], reaches: list[str], width: int
) -> None:
    days.sort(key=lambda day: -1 if day is None else day)
    steps = [step(number, day, reaches[number]) for number, day in enumerate(days)]
    for shown_version in (None, steps[-1].version):
        lines = time_line(steps, UNTIL, width, shown_version)
        if not any(day is not None for day in days):
            assert lines == ()
            return
        assert [cell_len(plain(line)) for line in lines] == [width, width]
        signs = plain(lines[0]).replace("─", "")
        if len(steps) <= width:
            assert signs == "".join(SIGNS[reach] for reach in reaches[: len(steps)])


@pytest.mark.parametrize("width", [8, 20, 60])
def test_a_narrow_line_has_fewer_cells_and_the_same_order(width: int) -> None:
    signs = [plain(time_line(YEARS, UNTIL, width)[0]).replace("─", "") for width in (width, 120)]
    assert signs[0] == signs[1]


def test_years_never_run_together() -> None:
    long_history = [step(1, -3650, None), step(2, 0)]
    for width in range(6, 80):
        years = plain(time_line(long_history, UNTIL, width)[1])
        numbers = [int(year) for year in years.split()]
        assert all(before < after for before, after in pairwise(numbers))
        assert numbers[0] == 14


def test_all_that_is_drawn_has_one_cell_and_a_form_in_ascii() -> None:
    signs = [*EIGHTHS, *SIGNS.values(), "●", "─"]
    plain_signs = ["".join(signs).encode("ascii", "cells").decode()]
    assert len(plain_signs[0]) == len(signs) == cells("".join(signs))
    assert len(set(plain_signs[0][: len(EIGHTHS)])) == len(EIGHTHS)
    assert len(set(plain_signs[0][len(EIGHTHS) :])) == len(signs) - len(EIGHTHS)
    # Before a count, neither is part of a number.
    assert not set(plain_signs[0][: len(EIGHTHS)]) & set("0123456789.,+-*<>")


def test_no_sign_that_is_written_anywhere_becomes_a_question_mark_or_an_escape(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn_signs, printed_signs = signs_in("tui") | signs_in("present"), signs_in("present")
    assert "✗" in printed_signs and "⇄" in drawn_signs
    assert {sign for sign in drawn_signs if sign.encode("ascii", "cells") == b"?"} == set()
    out = TextIOWrapper(BytesIO(), "ascii")
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", None)
    prepare_streams()
    for sign in printed_signs:
        out.write(f"{sign}\n")
    out.seek(0)
    assert [line for line in out.read().splitlines() if "\\" in line] == []


def signs_in(package: str) -> set[str]:
    """Return the signs that stand in the modules of a package, and the space that holds words together."""
    texts = (
        path.read_text(encoding="utf-8") for path in (PACKAGE / package).rglob("*.py") if path.parent.name != "driver"
    )
    return {sign for text in texts for sign in text if not sign.isascii()} | {"\N{NO-BREAK SPACE}"}
