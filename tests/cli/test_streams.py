"""Where answers go: full disks, closed streams, encodings that lack a character, and remarks on stderr."""

import os
import subprocess
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest

from ekstui.cli.main import main, with_command
from ekstui.cli.parser import build_parser, commands_of
from ekstui.cli.streams import ProgressLine, form, remark, remark_progress
from ekstui.sources.corpus import Corpus
from tests.support.bundled import newest
from tests.support.command import ekstui, ekstui_process
from tests.support.corpus import small_corpus
from tests.support.patience import PATIENCE
from tests.support.terminal import Terminal, environment


@pytest.mark.parametrize("arguments", ["list --scope all", "list --json", "show AmazonEKS_CNI_Policy", "--version"])
@pytest.mark.parametrize("redirection", [">/dev/full", ">&-"])
def test_an_answer_that_cannot_be_written_is_an_error_in_one_line(arguments: str, redirection: str) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    process = subprocess.run(
        ["sh", "-c", f'exec "$0" -m ekstui {arguments} {redirection}', sys.executable],
        stderr=subprocess.PIPE,
        text=True,
        timeout=PATIENCE,
        check=False,
        env=environment,
    )
    assert process.returncode == 74
    assert process.stderr.count("\n") == 1
    assert "Standard output " in process.stderr


def test_a_name_in_an_error_starts_no_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    """The runner of GitHub's actions obeys lines that start with `::`, on stderr as well."""
    assert main(["diff", "./x\n::error::y", "AmazonEKS_CNI_Policy"]) == 2
    error = capsys.readouterr().err
    assert "::error::y" in error
    assert not any(line.startswith("::") for line in error.splitlines())


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_an_encoding_that_lacks_a_sign_spells_it(encoding: str) -> None:
    process = ekstui_process(
        "diff", "AmazonEKSClusterPolicy@v7..v8", environment={"PYTHONUTF8": "0", "PYTHONIOENCODING": encoding}
    )
    assert process.returncode == 0, process.stderr
    assert process.stdout.splitlines()[0] == "AmazonEKSClusterPolicy  v7 (2024-11-01) > v8 (2025-04-17)"


def test_closed_standard_streams_stop_nothing() -> None:
    process = subprocess.run(
        ["sh", "-c", 'exec "$0" -m ekstui versions AmazonEKSClusterPolicy <&- 2>&-', sys.executable],
        stdout=subprocess.PIPE,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert process.returncode == 0
    assert process.stdout.startswith(f"AmazonEKSClusterPolicy: {newest('AmazonEKSClusterPolicy')} known versions")


@pytest.mark.parametrize("command", ["list", "show AmazonEKS_CNI_Policy", "who-can ec2:RunInstances --scope eks"])
def test_a_damaged_cache_is_reported_and_the_corpus_answers(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = {"EKSTUI_CACHE": str(tmp_path)}
    result = ekstui(*command.split())
    (tmp_path / "small").mkdir()
    corpus = small_corpus(tmp_path / "small")
    monkeypatch.setattr(Corpus, "bundled", staticmethod(lambda: corpus))
    (tmp_path / "policies.db").write_bytes(b"no database" * 500)
    process = (ekstui_process if command == "list" else ekstui)(*command.split(), environment=cache)
    assert (process.returncode, process.stdout) == (0, result.stdout)
    assert "policies.db is damaged" in process.stderr
    assert len(list(tmp_path.glob("policies.db.aside-*"))) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        "versions AmazonEKSServiceRolePolicy",
        "who-can ec2:DescribeSecurityGroups --scope eks",
        "diff AmazonEKS_CNI_Policy@v5..v6",
        "explain --action ec2:CreateVolume --resource arn:aws:ec2:a::snapshot/s --policy AmazonEBSCSIDriverPolicy@v2",
        "show AmazonEKS_CNI_Policy",
    ],
)
def test_sentences_fit_80_columns(arguments: str) -> None:
    lines = ekstui(*arguments.split()).stdout.splitlines()
    # A row of a table may be longer in a pipe; its columns are two spaces apart.
    assert lines
    assert [line for line in lines if len(line) > 80 and "  " not in line.strip()] == []


def test_options_that_choose_the_account_change_nothing_where_none_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    for command in (
        ["list"],
        ["trim", "AmazonEKSClusterPolicy"],
        ["versions", "AmazonEKS_CNI_Policy"],
        ["cache", "info"],
    ):
        assert main(command) == 0
        output = capsys.readouterr()
        assert main(["--profile", "none", "--region", "all", "--offline", "--account-file", "none.json", *command]) == 0
        assert capsys.readouterr() == output
        with pytest.raises(SystemExit):
            main([*command, "--help"])
        assert "--profile" not in capsys.readouterr().out


def test_every_option_with_a_value_may_stand_before_its_command() -> None:
    for name, command in commands_of(build_parser()).items():
        for option in (action for action in command._actions if action.option_strings and action.nargs is None):
            arguments = [option.option_strings[-1], "list"]
            assert with_command([*arguments, name]) == [name, *arguments]


def test_without_credentials_the_public_archive_is_read_and_it_is_said(
    monkeypatch: pytest.MonkeyPatch, no_network: None, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("ekstui.library.syncing.MAMIP", (tmp_path / "none").as_uri().replace("file", "ftp"))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name)
    # Last comes moto, which pip cannot get either.
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    assert main(["sync"]) == 3
    stderr = capsys.readouterr().err
    assert "No AWS credentials are set up. Reading the public archive MAMIP." in stderr
    assert "starts with https" in stderr


OVER_A_SMALL_CORPUS = """
import os, pathlib, sys
from ekstui.cli import main
from ekstui.sources.corpus import Corpus
small = Corpus(pathlib.Path(os.environ["CORPUS"]))
Corpus.bundled = staticmethod(lambda: small)
sys.exit(main())
"""
"""A command whose first use takes a tenth of the time."""


def test_the_first_command_of_a_fresh_home_says_what_it_does_where_its_answer_is_piped(tmp_path: Path) -> None:
    fresh = {"EKSTUI_CACHE": str(tmp_path), "EKSTUI_STATE": str(tmp_path), "EKSTUI_CONFIG": str(tmp_path / "none")}
    (tmp_path / "small").mkdir()
    small_corpus(tmp_path / "small")
    command = f"{sys.executable} -c '{OVER_A_SMALL_CORPUS}' who-can ec2:CreateVolume --names | cat > {tmp_path}/answer"
    with Terminal(["sh", "-c", command], env=environment({**fresh, "CORPUS": str(tmp_path / "small")})) as terminal:
        terminal.wait_for(lambda: b"first use: caching" in terminal.raw)
        assert terminal.wait_exit().code == 0
        assert "AmazonEBSCSIDriverPolicy" in (tmp_path / "answer").read_text().splitlines()
        assert "first use" not in terminal.text


WAITING_FOR_A_FILE = """
import os, pathlib, sys, time
from ekstui.cli import main, streams
from ekstui.library import Library
streams.SLOW = 0
ask = Library.ask
def ask_later(*arguments):
    while not pathlib.Path(os.environ["GO"]).exists():
        time.sleep(0.01)
    return ask(*arguments)
Library.ask = ask_later
sys.exit(main())
"""
"""A command that is slow until a file exists, and says so at once."""


def test_a_slow_command_says_what_it_does_until_its_answer_is_printed(tmp_path: Path) -> None:
    fresh = {"EKSTUI_CACHE": str(tmp_path), "EKSTUI_STATE": str(tmp_path), "EKSTUI_CONFIG": str(tmp_path / "none")}
    command = [sys.executable, "-c", WAITING_FOR_A_FILE, "show", "AmazonEKS_CNI_Policy"]
    # So many rows that the answer does not push out what was said.
    with Terminal(command, rows=100, env=environment({**fresh, "GO": str(tmp_path / "go")})) as terminal:
        terminal.wait_for(lambda: b"first use: reading the policies" in terminal.raw)
        (tmp_path / "go").touch()
        assert terminal.wait_exit().code == 0
        assert "first use" not in terminal.text
        assert "AmazonEKS_CNI_Policy" in terminal.text


class _Screen(StringIO):
    def isatty(self) -> bool:
        return True


def a_screen(monkeypatch: pytest.MonkeyPatch) -> StringIO:
    """Return what takes the place of stderr, as a terminal; in a fixture, pytest would put its own there again."""
    monkeypatch.setattr("sys.stderr", screen := _Screen())
    monkeypatch.setattr(form, "quiet", False)
    return screen


def test_progress_that_reports_nothing_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = a_screen(monkeypatch)
    with remark_progress():
        pass
    assert screen.getvalue() == ""


def test_what_takes_long_is_said_whenever_no_progress_is_and_below_remarks(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = a_screen(monkeypatch)
    callbacks: list[Callable[[], None]] = []

    class AtMyWord:
        """A timer that fires when the test says so."""

        def __init__(self, _seconds: float, act: Callable[[str], None], words: list[str]) -> None:
            callbacks.append(lambda: act(*words))

        def start(self) -> None:
            """Do nothing yet."""

        def cancel(self) -> None:
            """Do nothing: a timer may fire while it is cancelled."""

    monkeypatch.setattr("ekstui.cli.streams.Timer", AtMyWord)
    line = ProgressLine()
    monkeypatch.setattr("ekstui.cli.streams.progress_line", line)

    def written() -> str:
        text = screen.getvalue().replace("\r\x1b[K", "<")
        screen.truncate(0)
        screen.seek(0)
        return text

    line.say_if_slow("at work")
    remark("before")
    assert written() == "ekstui: before\n"
    with remark_progress() as report:
        report("half done")
        callbacks[0]()
        assert written() == "<half done…"
    assert written() == "<<at work…"
    remark("by the way")
    assert written() == "<ekstui: by the way\n<at work…"
    line.end()
    assert written() == "<"
    callbacks[0]()
    remark("after")
    assert written() == "ekstui: after\n"
