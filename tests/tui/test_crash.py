"""An error in a handler is shown where it occurred; a fatal one prints a sentence without secrets, and exits with a code."""

import logging
import os
import re
import stat
import sys
from importlib.metadata import version
from inspect import getsource
from pathlib import Path

import pytest
from textual.app import App
from textual.message_pump import MessagePump
from textual.screen import Screen
from textual.timer import Timer

from ekstui import logbook
from ekstui.cli.main import main
from ekstui.errors import EkstuiError, InputError
from ekstui.library import Library
from ekstui.tui import driver
from tests.rig.isolation import isolated
from tests.support.bundled import CNI, newest
from tests.support.terminal import Terminal, assert_restored
from tests.tui.crashing import broken

FILLED = pytest.mark.usefixtures("own_filled_cache")
"""The app would fill and index a cache, 2 s of the processor, half a second after its first paint."""

SECRETS = ("999988887777", "secret-", ":role/")


def started(own_home: Path, scenario: str, **variables: str) -> Terminal:
    names = [name for name in os.environ if name.startswith(("EKSTUI_", "AWS_"))]
    env = {name: os.environ[name] for name in names} | {"HOME": str(own_home)} | variables
    return Terminal((sys.executable, "-m", "tests.tui.crashing", scenario), columns=120, rows=40, env=env, forked=True)


def log_of(own_home: Path) -> str:
    path = own_home / "state" / "ekstui.log"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    return path.read_text()


@FILLED
@pytest.mark.slow
@pytest.mark.parametrize(
    ("scenario", "keys"),
    [("pane", ""), ("key", " "), ("timer", "j"), ("paint", "j"), ("background", "")],
    ids=["in a pane", "for a key", "in a timer", "while it paints", "in the background"],
)
def test_a_bug_is_told_where_it_happened_and_the_app_goes_on(own_home: Path, scenario: str, keys: str) -> None:
    with started(own_home, scenario, EKSTUI_LOG="1") as terminal:
        terminal.wait_for("AmazonEKSClusterPolicy")
        terminal.settle(0.4)
        terminal.send(keys)
        terminal.wait_for("Something went wrong inside ekstui")
        terminal.settle(0.4)
        if scenario == "pane":
            assert "Something went wrong" in terminal.text.partition("3 Versions")[2], "it stands in the pane"
        terminal.press("?")
        terminal.wait_for("What may it do?")
        terminal.press("\x1b")
        terminal.send("q")
        assert terminal.wait_exit().code == 0
        assert_restored(terminal)
    log = log_of(own_home)
    assert "KeyError" in log
    assert "broken" in log
    for secret in SECRETS:
        assert secret not in log + terminal.raw.decode()


@FILLED
@pytest.mark.slow
@pytest.mark.parametrize(
    ("scenario", "keys", "log_setting"),
    [("always", "", "1"), ("always", "", ""), ("mount", "?", "1"), ("compose", "", ""), ("exit", "q", "1")],
)
def test_a_bug_that_ends_the_app_is_one_sentence(own_home: Path, scenario: str, keys: str, log_setting: str) -> None:
    with started(own_home, scenario, EKSTUI_LOG=log_setting) as terminal:
        if keys:
            terminal.wait_for("AmazonEKSClusterPolicy")
            terminal.settle(0.4)
            terminal.send(keys)
        end = terminal.wait_exit()
        assert (end.code, end.by_signal) == (70, False)
        assert_restored(terminal)
        last_words = terminal.raw.rpartition(b"\x1b[?1049l")[2].decode()
        words = " ".join(re.sub(r"\x1b\[[<>?\d;]*[a-zA-Z]", "", last_words).split())
        log_hint = f"the log is {own_home}/state/ekstui.log" if log_setting else "set EKSTUI_LOG=1 to log such errors"
        assert re.fullmatch(rf"ekstui: internal error \(KeyError[^()]*\); {log_hint}\.", words), words
        for secret in SECRETS:
            assert secret not in terminal.raw.decode()
    if log_setting:
        assert "KeyError" in log_of(own_home)
        assert not any(secret in log_of(own_home) for secret in SECRETS)
    else:
        assert not (own_home / "state" / "ekstui.log").exists()


@FILLED
def test_at_debug_too_the_log_has_nothing_of_what_other_libraries_say(own_home: Path) -> None:
    with started(own_home, "pane", EKSTUI_LOG=str(own_home / "mine.log"), EKSTUI_LOG_LEVEL="debug") as terminal:
        terminal.wait_for("Something went wrong inside ekstui")
    log = (own_home / "mine.log").read_text()
    assert "KeyError" in log
    assert "999988887777" not in log
    assert "\x1b" not in log


def test_at_debug_the_log_has_what_errors_of_its_own_say_and_no_control_characters(tmp_path: Path) -> None:
    handler = logbook.log_file(tmp_path / "log", with_messages=True)
    for error in (EkstuiError("for 999988887777\x1b[2J"), KeyError("another's secret")):
        try:
            raise error
        except (EkstuiError, KeyError):
            handler.handle(
                logging.makeLogRecord({"msg": "x", "levelno": 40, "levelname": "ERROR", "exc_info": sys.exc_info()})
            )
    handler.close()
    log = (tmp_path / "log").read_text()
    assert "EkstuiError: for 999988887777" in log
    assert "another's secret" not in log
    assert "\x1b" not in log


@pytest.mark.parametrize(
    ("function", "pattern"),
    [
        (MessagePump._process_messages_loop, r"await self\._dispatch_message\(message\)"),
        (
            MessagePump._process_messages_loop,
            r"except Exception as error:\s+self\.app\._handle_exception\(error\)\s+break",
        ),
        (MessagePump._pre_process, r"await self\._dispatch_message\(events\.Mount\(\)\)"),
        (MessagePump._flush_next_callbacks, r"self\.app\._handle_exception\(error\)"),
        (Timer._tick, r"app\._handle_exception\(error\)"),
        (Screen._refresh_layout, r"self\.app\._handle_exception\(error\)\s+return"),
        (App._display, r"except Exception as error:\s+self\._handle_exception\(error\)"),
        (App._handle_exception, r"self\._return_code = 1"),
        (App._print_error_renderables, r"self\._exit_renderables"),
        (App._register, r"self\._register_child\(parent, widget, before, after\)[\s\S]*widget\._start_messages\(\)"),
    ],
    ids=lambda value: getattr(value, "__qualname__", None),
)
def test_the_hook_meets_textual_8_2_8_as_it_was_read(function: object, pattern: str) -> None:
    assert version("textual").startswith("8.2.")
    assert re.search(pattern, getsource(function))  # type: ignore[arg-type]  # functions, all of them


ON_RENAMED = """
import sys
from importlib.machinery import SourceFileLoader

whole = SourceFileLoader.get_code

def renamed(loader, name):
    if not name.startswith("textual."):
        return whole(loader, name)
    source = loader.get_source(name)
    for private in ("_flush_next_callbacks", "_must_signal_resume", "_dispatch_message"):
        source = source.replace(private, private + "_now")
    return compile(source, loader.path, "exec")

SourceFileLoader.get_code = renamed
from tests.tui.crashing import main
sys.exit(main())
"""
"""Starts the app on a Textual in which three private names are others."""


@FILLED
@pytest.mark.slow
@pytest.mark.parametrize(("scenario", "code"), [("none", 0), ("key", 70)])
def test_a_textual_with_other_private_names_draws_itself(own_home: Path, scenario: str, code: int) -> None:
    command = (sys.executable, "-c", ON_RENAMED, scenario)
    with Terminal(command, columns=120, rows=40, env=isolated(own_home)) as terminal:
        terminal.wait_for("AmazonEKSClusterPolicy")
        before = terminal.raw.partition(b"\x1b[?1049h")[0].decode()
        assert "this Textual lacks LinuxDriver._must_signal_resume, MessagePump._flush_next_callbacks, " in before
        assert before.count("\n") == 1
        terminal.settle(0.4)
        terminal.send(" ")
        if scenario == "none":
            terminal.wait_for(f"A CNI v{newest(CNI)}")
            terminal.send("q")
        end = terminal.wait_exit()
        assert (end.code, end.by_signal) == (code, False)
        assert not any(secret in terminal.raw.decode() for secret in SECRETS)
        assert_restored(terminal)


@pytest.mark.parametrize("name", ["_get_terminal_size", "_writer_thread"])
def test_one_missing_name_is_enough(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delenv("EKSTUI_DRIVER", raising=False)
    assert driver.driver_class() is not None
    monkeypatch.setattr(driver, "_OF_DRIVER", (f"{name}_now",))
    driver.missing_from_textual.cache_clear()
    assert driver.missing_from_textual() == (f"LinuxDriver.{name}_now",)
    assert driver.driver_class() is None
    driver.missing_from_textual.cache_clear()


def test_a_bug_in_a_command_is_one_sentence_as_well(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Library, "policies", broken)
    assert main(["list"]) == 70
    out, err = capsys.readouterr()
    assert out == ""
    assert re.fullmatch(r"ekstui: internal error \(KeyError[^()]*\); set EKSTUI_LOG=1 .*\.\n", err)


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_the_log_is_the_users_own_and_does_not_grow_without_end(own_home: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        logbook.open_log("1", "info")
        for _ in range(8):
            logbook.unexpected(KeyError("x"), "y" * (logbook.MAX_LOG_BYTES // 2))
    finally:
        logbook.close_log()
        os.umask(before)
    folder = own_home / "state"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {path.name for path in folder.iterdir()} == {"ekstui.log", "ekstui.log.1", "ekstui.log.2"}
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.stat().st_size <= logbook.MAX_LOG_BYTES


def test_a_log_that_is_a_link_or_no_file_is_refused(own_home: Path) -> None:
    (own_home / "link").symlink_to(own_home / "target")
    (own_home / "pipe").parent.mkdir(exist_ok=True)
    os.mkfifo(own_home / "pipe")
    for name in ("link", "pipe", "."):
        with pytest.raises(InputError, match="cannot be written"):
            logbook.open_log(str(own_home / name), "info")
    assert not (own_home / "target").exists()


def test_the_log_on_the_terminal_has_no_text_of_others(capsys: pytest.CaptureFixture[str]) -> None:
    """What --debug and --verbose print: where an unexpected error came from, and not what it says."""
    logger = logging.getLogger("ekstui")
    before = list(logger.handlers), logger.level
    logbook.log_to_stderr("debug")
    try:
        try:
            raise KeyError("secret-\x1b]0;x\x07")
        except KeyError as error:
            logbook.unexpected(error, "reading")
    finally:
        logger.handlers, _ = before
        logger.setLevel(before[1])
    output = capsys.readouterr().err
    assert "KeyError" in output
    assert "test_crash.py" in output
    assert "secret-" not in output
    assert "\x1b" not in output
