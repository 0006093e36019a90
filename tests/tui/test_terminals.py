"""One journey in a real terminal: at three sizes, inside tmux, and over a real sshd on loopback."""

import getpass
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.rig.isolation import isolated
from tests.support.bundled import CNI, FAMILY, counts
from tests.support.patience import PATIENCE
from tests.support.terminal import ROOT, Terminal

pytestmark = pytest.mark.usefixtures("own_filled_cache")

APP = (sys.executable, "-m", "ekstui")


def walk(terminal: Terminal) -> None:
    """Filter, mark two versions, compare, swap, walk, copy, go back and quit; the screen is read after each key."""
    terminal.wait_for("1 Policies")
    # All at once, as on a slow connection: the digit is for the panes, not for the filter.
    terminal.send("/EKS_CNI\r3")
    terminal.wait_for(f"1 of {FAMILY}" if terminal.screen.columns >= 90 else "3 Versions")
    terminal.wait_for("2024-03-04")
    # From the oldest, so that versions that are still to come change nothing: v4 and v6.
    terminal.send("Gkkk kk ")
    terminal.wait_for("B CNI v6")
    terminal.send("d")
    terminal.wait_for("widened: 2 actions added")
    terminal.send("o")
    terminal.wait_for("narrowed: 2 actions removed")
    terminal.send("[")
    terminal.wait_for("DescribeInstanceTypes")
    terminal.settle()
    terminal.send("y")
    terminal.wait_for("Copy")
    terminal.send("\r")
    terminal.wait_for("ent ")
    terminal.send("\x1b")
    terminal.wait_for("1 Policies" if terminal.screen.columns >= 90 else "3 Versions")
    terminal.send("q")


def copied(terminal: Terminal) -> bool:
    """Return whether the clipboard sequence OSC 52 has reached the terminal."""
    return re.search(rb"\x1b\]52;c;[A-Za-z0-9+/=]+", bytes(terminal.raw)) is not None


@pytest.mark.parametrize("theme", ["textual-dark", "ansi-light"])
def test_no_colour_reaches_a_terminal_that_wants_none(own_home: Path, theme: str) -> None:
    env = {**isolated(own_home), "NO_COLOR": "1", "EKSTUI_THEME": theme, "COLORTERM": "truecolor"}
    with Terminal(APP, env=env, forked=True) as terminal:
        terminal.wait_for("AmazonEKS_CNI_Policy")
        terminal.settle()
        # The cursor is visible anyway.
        (row,) = [y for y, line in enumerate(terminal.screen.display) if line[1:].startswith("  AmazonEKS_CNI_Policy")]
        assert terminal.screen.buffer[row][5].reverse
        assert not terminal.screen.buffer[row + 1][5].reverse
        terminal.send("\r")
        listing = counts(CNI, "ec2")["List"]
        terminal.wait_for(f"List ▏{listing.granted}/{listing.total}")
        colours = re.findall(rb"\x1b\[[0-9;:]*\b(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])\b[0-9;:]*m", bytes(terminal.raw))
        assert colours == []


def test_ctrl_z_gives_the_shell_back_and_fg_the_app(own_home: Path) -> None:
    if shutil.which("bash") is None:
        pytest.skip("needs bash")
    with Terminal(("bash", "--norc", "-i"), columns=90, env={**isolated(own_home), "PS1": "a shell> "}) as terminal:
        terminal.send(f"{shlex.join(APP)}\r")
        terminal.wait_for("1 Policies")
        terminal.send("j\x1a")
        terminal.wait_for("Stopped")
        terminal.send("echo back-$((40 + 2))\r")
        terminal.wait_for("back-42")
        terminal.send("fg\r")
        terminal.wait_for(lambda: terminal.modes[1049])
        prompts = terminal.raw.count(b"a shell> ")
        terminal.send("q")
        terminal.wait_for(lambda: terminal.raw.count(b"a shell> ") > prompts)
        terminal.send("echo left with $?\r")
        terminal.wait_for("left with 0")


def test_keys_behind_the_one_that_quits_do_no_harm(own_home: Path) -> None:
    with Terminal(APP, columns=120, rows=40, env=isolated(own_home), forked=True) as terminal:
        terminal.wait_for("2 Permissions")
        terminal.settle()
        terminal.send("q" + "qj" * 20)
        assert terminal.wait_exit().code == 0


@pytest.mark.slow
@pytest.mark.parametrize(("columns", "rows"), [(120, 40), (80, 24), (60, 15)])
def test_the_journey_at_every_size(own_home: Path, columns: int, rows: int) -> None:
    with Terminal(APP, columns=columns, rows=rows, env=isolated(own_home), forked=True) as terminal:
        walk(terminal)
        assert terminal.wait_exit().code == 0
        assert copied(terminal)


def test_what_is_typed_before_the_app_is_there_is_meant_for_it(own_home: Path) -> None:
    with Terminal(APP, columns=120, rows=40, env=isolated(own_home)) as terminal:
        # The shell still has the terminal, and turns enter into a line feed.
        terminal.send("/EKS_CNI\r3")
        terminal.wait_for("2024-03-04")
        terminal.wait_for(f"1 of {FAMILY}")
        terminal.send("q")
        assert terminal.wait_exit().code == 0


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
def test_the_journey_inside_tmux(own_home: Path) -> None:
    name = f"ekstui-{os.getpid()}-{own_home.name}"
    shell_command = f"{shlex.join(APP)}; echo left with $?; sleep 60"
    command = ("tmux", "-L", name, "-f", "/dev/null", "new-session", "-s", "app", shell_command)
    try:
        with Terminal(command, columns=100, rows=30, env=isolated(own_home)) as terminal:
            walk(terminal)
            terminal.wait_for("left with 0")
            buffer = subprocess.run(
                ("tmux", "-L", name, "show-buffer"), capture_output=True, text=True, timeout=PATIENCE, check=True
            )
            assert "ec2:DescribeInstanceTypes" in buffer.stdout
    finally:
        subprocess.run(("tmux", "-L", name, "kill-server"), capture_output=True, check=False)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("sshd") is None or shutil.which("ssh") is None, reason="OpenSSH is not installed")
def test_the_journey_over_ssh(own_home: Path) -> None:
    with sshd(own_home / "ssh") as reach:
        variables = shlex.join(f"{name}={value}" for name, value in isolated(own_home).items())
        remote = f"cd {shlex.quote(str(ROOT))} && env {variables} {shlex.join(APP)}; echo left with $?"
        with Terminal((*reach, remote), columns=100, rows=30, env={"HOME": str(own_home)}) as terminal:
            walk(terminal)
            terminal.wait_for("left with 0")
            # ssh ends with the command, sooner or later.
            assert terminal.wait_exit().code == 0
            assert copied(terminal)


@contextmanager
def sshd(folder: Path) -> Iterator[tuple[str, ...]]:
    """Run an SSH server on a free loopback port; yield the command to log in to it."""
    folder.mkdir(mode=0o700)
    for key in ("host", "user"):
        subprocess.run(("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / key)), check=True)
    (folder / "authorized").write_bytes((folder / "user.pub").read_bytes())
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/authorized\n"
        f"StrictModes no\nUsePAM no\nPermitRootLogin yes\nPidFile none\n",
        encoding="utf-8",
    )
    # sshd requires its full path and, as root, this folder.
    Path("/run/sshd").mkdir(exist_ok=True) if getpass.getuser() == "root" else None
    server = subprocess.Popen(
        (str(shutil.which("sshd")), "-D", "-e", "-f", str(folder / "config")), stderr=subprocess.PIPE
    )
    try:
        assert server.stderr is not None
        while b"listening" not in (line := server.stderr.readline()):
            assert line, "sshd did not start"
        yield (
            "ssh", "-tt", "-p", str(port), "-i", str(folder / "user"), "-o", "StrictHostKeyChecking=no",
            "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", f"{getpass.getuser()}@127.0.0.1",
        )  # fmt: skip
    finally:
        server.terminate()
        server.wait(10)
