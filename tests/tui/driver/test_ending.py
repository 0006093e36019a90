"""However the app is ended, it ends at once, says why in its exit code and leaves the terminal as it was."""

import ctypes
import os
import signal
import sys
import termios
from pathlib import Path
from time import perf_counter

import pytest

from ekstui.tui.driver.terminal import GRACE
from tests.support.terminal import LEFT_OFF, Terminal, assert_restored
from tests.tui.driver.demo import READY

DEMO = (sys.executable, "-m", "tests.tui.driver.demo")


def started(*, ignoring: tuple[signal.Signals, ...] = ()) -> Terminal:
    terminal = Terminal(DEMO, forked=True, ignoring=ignoring)
    terminal.wait_for(lambda: READY.encode() in terminal.raw)
    terminal.wait_for(lambda: all(text in terminal.text for text in ("Demo", "filter", "row 0", "Quit")))
    terminal.settle(0.3)
    return terminal


def test_quit_restores_the_terminal() -> None:
    with started() as terminal:
        assert terminal.modes[1049]
        assert not terminal.termios[3] & termios.ECHO
        terminal.send("q")
        assert terminal.wait_exit().code == 0
        assert_restored(terminal)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT])
def test_a_signal_ends_the_app_with_its_number(number: signal.Signals) -> None:
    with started() as terminal:
        terminal.signal(number)
        end = terminal.wait_exit()
        assert (end.code, end.by_signal) == (128 + number, False)
        assert_restored(terminal)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="signals for a thread are sent by way of Linux")
def test_a_signal_that_another_thread_gets_ends_the_idle_app() -> None:
    """The system chooses the thread, which is not always the one that runs Python's handlers."""
    with started() as terminal:
        process = terminal.process.pid
        threads = {int(path.name) for path in Path(f"/proc/{process}/task").iterdir()} - {process}
        assert ctypes.CDLL(None).tgkill(process, min(threads), signal.SIGTERM) == 0
        assert terminal.wait_exit().code == 128 + signal.SIGTERM


@pytest.mark.parametrize(
    ("key", "signs"),
    [("S", b"stuck"), ("W", b"works"), ("L", b"held")],
    ids=["the loop is stuck", "a thread works on", "the writer has not sent the resets"],
)
def test_an_app_that_cannot_exit_is_ended(key: str, signs: bytes) -> None:
    with started() as terminal:
        terminal.send(key)
        terminal.wait_for(lambda: signs in terminal.raw)
        started_at = perf_counter()
        terminal.signal(signal.SIGTERM)
        end = terminal.wait_exit()
        assert (end.code, end.by_signal) == (143, False)
        assert perf_counter() - started_at >= GRACE, "it exited by itself"
        assert_restored(terminal)


def test_signals_that_come_together_end_the_app_once() -> None:
    with started() as terminal:
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGCONT, signal.SIGTERM):
            terminal.signal(number)
        assert terminal.wait_exit().code in {129, 143}
        assert_restored(terminal)


@pytest.mark.parametrize("ignoring", [(), (signal.SIGHUP,)], ids=["as usual", "SIGHUP ignored"])
def test_a_hang_up_ends_the_app(ignoring: tuple[signal.Signals, ...]) -> None:
    with started(ignoring=ignoring) as terminal:
        terminal.hang_up()
        end = terminal.wait_exit()
        assert (end.code, end.by_signal) == (129, False)


def test_the_end_of_the_input_ends_the_app() -> None:
    with Terminal(("sh", "-c", '"$0" -m tests.tui.driver.demo </dev/null; exit $?', sys.executable)) as terminal:
        assert terminal.wait_exit().code == 129
        assert [mode for mode in LEFT_OFF if terminal.modes.get(mode)] == []


def test_a_terminal_that_does_not_read_does_not_hold_the_app() -> None:
    with started() as terminal:
        for _ in range(40):
            terminal.send("\x1b[6~")
            os.sched_yield()
        terminal.signal(signal.SIGTERM)
        assert terminal.wait_exit(reading=False).code == 143


def test_suspended_it_gives_the_terminal_back_and_continued_it_takes_it_again() -> None:
    with started() as terminal:
        text = terminal.text
        for _ in range(2):
            terminal.signal(signal.SIGTSTP)
            terminal.wait_for(lambda: terminal.state() == "T")
            terminal.settle(0.1)
            assert_restored(terminal)
            terminal.screen.reset()
            terminal.signal(signal.SIGCONT)
            terminal.wait_for(lambda: terminal.text == text)
            assert terminal.modes[1049]
            # The picture may be there before the driver has set the modes of the line.
            terminal.wait_for(lambda: not terminal.termios[3] & termios.ECHO)
        terminal.press("\x1b[B")
        terminal.send("q")
        assert terminal.wait_exit().code == 0
        assert_restored(terminal)


@pytest.mark.parametrize("is_stopped", [True, False])
def test_sigcont_paints_again_where_the_terminal_was_not_given_back(is_stopped: bool) -> None:
    with started() as terminal:
        text = terminal.text
        if is_stopped:
            terminal.signal(signal.SIGSTOP)
            terminal.wait_for(lambda: terminal.state() == "T")
        terminal.screen.reset()
        terminal.signal(signal.SIGCONT)
        terminal.wait_for(lambda: terminal.text == text)
        terminal.send("q")
        assert terminal.wait_exit().code == 0
        assert_restored(terminal)
