"""A command run in this process: a third of a second less than a process of its own, where the process is not what is tested."""

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Mapping
from unittest import mock

from ekstui.cli.main import main
from tests.support.patience import PATIENCE


def ekstui(
    *arguments: str, stdin: str = "", environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command with `stdin` on its standard input; return its exit code and what it wrote."""
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.dict(os.environ, environment or {}),
        mock.patch("sys.stdin", io.StringIO(stdin)),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            code = main(list(arguments))
        except SystemExit as ended:
            code = int(ended.code or 0)
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


def ekstui_process(
    *arguments: str, stdin: str = "", environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command as a process of its own, where that may differ from a call."""
    return subprocess.run(
        [sys.executable, "-m", "ekstui", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        env={**os.environ, "PYTHONUTF8": "1", **(environment or {})},
    )
