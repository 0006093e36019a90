"""The driver in a pseudo-terminal: what it asks the terminal for, what it survives, and that no text becomes a command."""

import re
import sys

import pytest
from pyte.screens import Char

from tests.support.terminal import Terminal, as_seen
from tests.tui.driver.demo import READY

DEMO = (sys.executable, "-m", "tests.tui.driver.demo")

MODES_AND_QUERIES = re.compile(
    rb"\x1b\[\?[\d;]+(?:[hl]|\$p)|\x1b\[[<>]\d*u|\x1b\]22;\w+\x07|\x1b\]2;%s\x07" % READY.encode()
)
PICTURE = re.compile(rb"\x1b\[[\d;]*m|\x1b\[\d*(?:;\d+)?[HABCDJ]|[\r\x08]|[\x20-\x7e\x80-\xff]")


def started(terminal: Terminal) -> Terminal:
    terminal.wait_for(lambda: READY.encode() in terminal.raw)
    terminal.settle(0.3)
    return terminal


def test_no_control_character_of_a_text_reaches_the_terminal() -> None:
    with Terminal(DEMO, forked=True) as terminal:
        started(terminal)
        terminal.send("I")
        terminal.wait_for(lambda: terminal.text.count("TITLE") >= 3)
        terminal.settle(0.5)
        raw = bytes(terminal.raw)
        # C1 controls as UTF-8; pyte would obey them.
        assert re.findall(rb"\xc2[\x80-\x9f]|\xe2\x80[\xaa-\xae]", raw) == []
        assert PICTURE.sub(b"", MODES_AND_QUERIES.sub(b"", raw)) == b""
        terminal.send("q")
        assert terminal.wait_exit().code == 0


JUNK = {
    "no UTF-8": b"\xff\xfe\x80",
    "a mouse report past column 95": b"\x1b[M \xff\xff",
    "a key release": b"\x1b[113;1:3u",
    "a sequence without an end": b"\x1b[" + b"1;" * 500,
    "a size that cannot be": b"\x1b[48;99999999;99999999;1;1t",
    "beginnings": b"\x00\x1b\x1b\x1b[\x1b]x\x9b\x1bP",
    "a long paste": b"\x1b[200~" + b"x" * 50_000 + b"\x1b[201~",
}


def counted(terminal: Terminal) -> str:
    return "".join(re.findall(r"said \d+", terminal.text))


def test_bad_input_does_no_harm() -> None:
    with Terminal(DEMO, forked=True) as terminal:
        started(terminal)
        for name, junk in JUNK.items():
            before = counted(terminal)
            terminal.send(junk)
            # What has begun in the junk may take the first key with it.
            assert any(terminal.press(".", 0.3) and counted(terminal) != before for _ in range(20)), name
        terminal.send("q")
        assert terminal.wait_exit().code == 0


def test_the_mouse_is_asked_for_clicks_only() -> None:
    with Terminal(DEMO, forked=True) as terminal:
        started(terminal)
        assert terminal.modes[1000]
        assert terminal.modes[1006]
        assert not {1002, 1003} & terminal.modes.keys()


def test_long_frames_are_marked_where_the_terminal_knows_how() -> None:
    with Terminal(DEMO, forked=True, knows_sync=True) as terminal:
        started(terminal)
        terminal.send("c")
        terminal.wait_for(lambda: terminal.raw.count(b"\x1b[?2026h") == terminal.raw.count(b"\x1b[?2026l") > 0)
        # On a busy machine the last long frame may come only now: one short frame without the mark is proof enough.
        assert any(b"?2026" not in frames_of(terminal, "\x1b[B") for _ in range(5))


def frames_of(terminal: Terminal, key: str) -> bytes:
    """Return what the terminal receives for a key, until it is quiet."""
    start = terminal.received
    terminal.send(key)
    terminal.wait_for(lambda: terminal.received > start)
    terminal.settle(0.3)
    return bytes(terminal.raw[start:])


def test_repaint_makes_good_what_others_wrote_over() -> None:
    with Terminal(DEMO, forked=True) as terminal:
        text = started(terminal).text
        terminal.screen.reset()
        assert terminal.text != text
        terminal.send("\x0c")
        terminal.wait_for(lambda: terminal.text == text)


def test_another_program_may_have_the_terminal_for_a_while() -> None:
    with Terminal(DEMO, forked=True) as terminal:
        text = started(terminal).text
        start = terminal.received
        terminal.send("O")
        terminal.wait_for(lambda: re.search(rb"\x1b\[\?1049l.*outside.*\x1b\[\?1049h", terminal.raw[start:], re.DOTALL))
        terminal.wait_for(lambda: terminal.text == text)
        terminal.send(".")
        terminal.wait_for("said")


def test_the_picture_is_that_of_the_stock_driver() -> None:
    with Terminal(DEMO, forked=True, env={"EKSTUI_DRIVER": "plain"}) as plain, Terminal(DEMO, forked=True) as ours:
        for terminal in (plain, ours):
            started(terminal)
            for keys in ("\x1b[B\x1b[B", "\x1b[6~", "t", "c", "m", "m", "\t"):
                terminal.press(keys, 0.4)
            terminal.send(".")
            terminal.wait_for("said 1")
        # What either has still to paint comes.
        ours.wait_for(lambda: not plain.pump(0.1) and picture(ours) == picture(plain))
        print(f"{plain.received:,} bytes become {ours.received:,}")
        assert ours.received < plain.received / 3


def picture(terminal: Terminal) -> list[Char]:
    """Return the cells of the screen as they are seen."""
    screen = terminal.screen
    return [as_seen(screen.buffer[y][x]) for y in range(screen.lines) for x in range(screen.columns)]


def test_a_new_size_is_followed_and_the_old_one_again() -> None:
    with Terminal(DEMO, forked=True) as terminal:
        text = started(terminal).text
        for columns, rows in ((100, 30), (40, 10)):
            start = terminal.received
            terminal.resize(columns, rows)
            terminal.wait_for(lambda start=start: terminal.received > start)  # type: ignore[misc]
            terminal.settle(0.5)
        terminal.resize(80, 24)
        terminal.wait_for(lambda: terminal.text == text)


def test_nothing_is_done_where_nothing_happens() -> None:
    with Terminal(DEMO, forked=True) as terminal:
        started(terminal)
        # On a busy machine the end of the start comes late; after it nothing comes, however long one waits.
        terminal.wait_for(lambda: is_at_rest(terminal))


def is_at_rest(terminal: Terminal) -> bool:
    """Return whether for three seconds nothing is sent, and hardly any processor time used."""
    seconds_before = terminal.cpu_seconds()
    return not terminal.pump(3) and terminal.cpu_seconds() - seconds_before <= 0.1


@pytest.mark.parametrize(
    "env", [{"EKSTUI_DRIVER": "plain"}, {"TEXTUAL_DRIVER": "textual.drivers.linux_driver:LinuxDriver"}]
)
def test_it_stays_out_of_the_way(env: dict[str, str]) -> None:
    with Terminal(DEMO, forked=True, env=env) as terminal:
        started(terminal)
        assert terminal.modes[1003], "Textual's own driver asks for every move of the mouse"
        terminal.send("q")
        assert terminal.wait_exit().code == 0
