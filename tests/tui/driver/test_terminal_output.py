"""What waits goes out in order, merges while the terminal is busy, and never holds up the app."""

import os
import threading
from collections.abc import Iterator
from time import monotonic

import pytest

from ekstui.tui.driver import terminal_output
from ekstui.tui.driver.terminal_output import Output
from tests.support.patience import PATIENCE


class Line:
    """An output that writes to a pipe, and the pipe's other end."""

    def __init__(self, encoding: str = "utf-8") -> None:
        self.reader, self.writer = os.pipe()
        self.lost = 0
        self.output = Output(self.writer, encoding, (20, 4), self._count)

    def _count(self) -> None:
        self.lost += 1

    def sent(self, *data: str) -> str:
        """Send this and return what comes out."""
        for item in data:
            self.output.send(item)
        self.output.write("")
        os.set_blocking(self.reader, False)
        try:
            return os.read(self.reader, 1 << 16).decode()
        except BlockingIOError:
            return ""

    def close(self) -> None:
        for fileno in (self.reader, self.writer):
            try:
                os.close(fileno)
            except OSError:
                continue


@pytest.fixture
def line() -> Iterator[Line]:
    line = Line()
    yield line
    line.close()


def frame(text: str, sgr: str = "") -> str:
    return f"\x1b[1;1H\x1b[{sgr}m{text}\x1b[0m\x1b[1;1H"


def test_frames_merge_while_the_terminal_is_busy(line: Line) -> None:
    assert line.sent(*(frame(f"number {number}") for number in range(100))) == "\x1b[Hnumber 99\r"


def test_the_writer_is_called_once_for_all_that_waits(line: Line) -> None:
    assert [line.output.send(frame(text)) for text in ("one", "two", "three")] == [True, False, False]
    line.output.write("")
    assert line.output.send(frame("four"))


def test_nothing_is_sent_for_the_same_frame_again(line: Line) -> None:
    line.sent("\x1b[?2026h", frame("text"), "\x1b[?2026l")
    assert line.sent("\x1b[?2026h", frame("text"), "\x1b[?2026l") == ""


def test_a_mode_or_a_copy_changes_nothing_that_is_known(line: Line) -> None:
    line.sent(frame("text"))
    clipboard_sequence = "\x1b]52;c;dGV4dA==\x07"
    assert line.sent("\x1b[?1004h", clipboard_sequence, "\x07", frame("text")) == f"\x1b[?1004h{clipboard_sequence}\x07"


def test_what_is_not_known_is_passed_through_in_its_place_and_forgets_all(line: Line) -> None:
    assert line.sent(frame("text", "31"), "\x1bPimage\x1b\\") == "\x1b[H\x1b[31mtext\r\x1b[m\x1bPimage\x1b\\"
    assert line.sent(frame("te", "31")) == "\x1b[H\x1b[31mte\r"


def test_the_screen_is_sent_again_when_it_is_entered_again(line: Line) -> None:
    line.sent("\x1b[?1049h", frame("text"))
    assert line.sent(frame("last"), "\x1b[?1049l") == "\x1b[?1049l"
    assert line.sent("\x1b[?1049h") == "\x1b[?1049h\x1b[Hlast\r"


def test_once_closed_it_takes_frames_only_and_shows_them_when_open_again(line: Line) -> None:
    line.sent("\x1b[?1049h", frame("text"), "\x1b[?1049l")
    line.output.close_soon()
    assert not line.output.send("\x07")
    line.output.send(frame("TEXT"))
    line.output.open()
    assert line.sent("\x1b[?1049h") == "\x1b[?1049h\x1b[HTEXT\r"


def test_a_character_that_the_encoding_lacks_keeps_its_width() -> None:
    line = Line("ascii")
    assert line.sent(frame("a漢\ud800z")) == "\x1b[Ha???\x1b[1;5Hz\r"
    line.close()


def test_a_sign_that_the_encoding_lacks_is_one_that_looks_like_it() -> None:
    line = Line("ascii")
    assert line.sent(frame("╭──╮▸●○×│…")) == "\x1b[H+--+>*ox|~\x1b[H"
    line.close()


def test_a_terminal_that_takes_no_more_is_given_up(line: Line) -> None:
    os.set_blocking(line.writer, False)
    line.output.send("\x1b]52;c;" + "A" * 200_000 + "\x07")
    line.output.close_soon()
    writer = threading.Thread(target=line.output.write, args=("",), daemon=True)
    writer.start()
    writer.join(PATIENCE)
    assert not writer.is_alive(), "it waits for the terminal"
    assert line.lost == 0


def test_a_writer_whose_turn_comes_late_still_restores_the_terminal(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    line.output.send("\x1b[?1049l")
    line.output.close_soon()
    monkeypatch.setattr(terminal_output, "monotonic", lambda: monotonic() + 3600)
    assert line.sent() == "\x1b[?1049l"


def test_a_terminal_that_is_gone_is_told_once(line: Line) -> None:
    os.close(line.reader)
    for _ in range(3):
        line.output.send("\x07")
        line.output.write("")
    assert line.lost == 1
