"""The row list: moving, cutting, wrapping, and keeping the cursor with its row."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.app import App, ComposeResult

from ekstui.iam.text import clean_line
from ekstui.present.blocks import Column
from ekstui.present.rendering import Row
from ekstui.present.styled import cut_middle, plain, styled, wrap
from ekstui.tui.widgets.rows import RowList


class ListApp(App[None]):
    def __init__(self, rows: list[Row]) -> None:
        super().__init__()
        self.initial_rows = rows

    def compose(self) -> ComposeResult:
        yield RowList((Column("Name", 4, share=1), Column("N", 3, right=True)), header=True)

    def on_mount(self) -> None:
        self.query_one(RowList).set_rows(self.initial_rows)
        self.query_one(RowList).focus()


def rows(count: int, *, headings: tuple[int, ...] = ()) -> list[Row]:
    return [
        Row(index, (styled(f"row {index}"), styled(str(index))), index, selectable=index not in headings)
        for index in range(count)
    ]


def current(app: App[None]) -> object:
    row = app.query_one(RowList).current
    return row.value if row else None


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (["down", "j", "k"], 2),
        (["G"], 99),
        (["G", "g"], 1),
        (["end", "up"], 98),
        (["up"], 1),
        (["pagedown"], 9),
        (["ctrl+d"], 5),
        (["ctrl+d", "ctrl+u"], 1),
        (["j"] * 49, 51),
    ],
)
def test_keys_move_the_cursor_over_rows_that_can_be_rested_on(keys: list[str], expected: int) -> None:
    async def run() -> None:
        app = ListApp(rows(100, headings=(0, 50)))
        async with app.run_test(size=(40, 10)) as pilot:
            assert current(app) == 1
            await pilot.press(*keys)
            assert current(app) == expected

    asyncio.run(run())


def test_the_cursor_stays_with_its_row_when_the_rows_are_set_anew() -> None:
    async def run() -> None:
        app = ListApp(rows(20))
        async with app.run_test(size=(40, 10)) as pilot:
            await pilot.press(*["j"] * 7)
            everything = app.query_one(RowList)
            everything.set_rows(rows(20)[5:])
            assert current(app) == 7
            everything.set_rows(rows(5))
            assert current(app) == 2
            everything.show_message(styled("nothing"))
            assert current(app) is None

    asyncio.run(run())


@pytest.mark.parametrize(
    ("keys", "top", "expected"),
    [
        ([], 0, 14),
        (["j"], 1, 14),
        # Eight rows are in view, so that row 14 is the last of those from row 7 on.
        (["pagedown"], 7, 14),
        (["j"] * 7, 7, 14),
        (["j"] * 8, 8, 15),
        (["pagedown", "k"], 6, 14),
        (["G"], 22, 29),
        (["G", "g"], 0, 14),
    ],
)
def test_rows_start_with_the_text_above_the_first_that_can_be_rested_on(
    keys: list[str], top: int, expected: int
) -> None:
    """An answer's first lines were out of view where they filled the list: nine lines here, of which one is the header."""

    async def run() -> None:
        app = ListApp(rows(30, headings=tuple(range(14))))
        async with app.run_test(size=(40, 20)) as pilot:
            # As when a bar above the list takes more lines once it has its text.
            await pilot.resize_terminal(40, 9)
            await pilot.press(*keys)
            assert (app.query_one(RowList).scroll_offset.y, current(app)) == (top, expected)

    asyncio.run(run())


def test_g_and_shift_g_show_the_top_and_the_end_whatever_can_have_the_cursor() -> None:
    async def run() -> None:
        app = ListApp(rows(60, headings=(*range(14), *range(40, 60))))
        async with app.run_test(size=(40, 10)) as pilot:
            await pilot.press("G")
            # Nine rows are in view.
            assert (app.query_one(RowList).scroll_offset.y, current(app)) == (51, 39)
            await pilot.press("g")
            assert (app.query_one(RowList).scroll_offset.y, current(app)) == (0, 14)

    asyncio.run(run())


def test_what_does_not_fit_ends_in_an_ellipsis_and_every_line_has_the_width() -> None:
    async def run() -> None:
        app = ListApp([Row(1, (styled("a name that is far too long for it"), styled("123456")))])
        async with app.run_test(size=(20, 4)) as pilot:
            await pilot.pause()
            strips = [app.query_one(RowList).render_line(y) for y in range(4)]
            # The scrollbar's column is always reserved, so that rows keep their width.
            assert {strip.cell_length for strip in strips} == {19}
            assert strips[0].text == "Name              N"
            assert strips[1].text == "a name that is… 12…"

    asyncio.run(run())


@given(st.text().map(clean_line), st.integers(2, 40))
def test_wrapping_keeps_every_word_and_the_width(text: str, width: int) -> None:
    lines = [plain(line) for line in wrap(styled(text), width)]
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(cell_len(line.rstrip(" ")) <= width for line in lines)


def test_a_name_is_cut_in_its_middle() -> None:
    assert plain(cut_middle(styled("AmazonEKSLocalOutpostServiceRolePolicy"), 20)) == "AmazonEKSL…olePolicy"
    assert plain(cut_middle(styled("short"), 20)) == "short"


def test_long_words_are_cut_after_punctuation() -> None:
    parts = wrap(styled("if RequestTag/topology.kubernetes.io/region"), 26)
    assert [plain(part) for part in parts] == ["if", "RequestTag/topology.", "kubernetes.io/region"]
