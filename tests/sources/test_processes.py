"""Programs that ekstui runs end with it, whenever that is."""

import signal
import subprocess
from typing import Any

import pytest

from ekstui.sources import processes
from tests.support.patience import PATIENCE


def test_a_program_ends_though_the_signal_came_while_it_was_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine it may run for a while before its start returns, and nobody would know which one to end."""
    programs: list[subprocess.Popen[bytes]] = []

    class Interrupted(subprocess.Popen[bytes]):
        def __init__(self, *arguments: Any, **settings: Any) -> None:
            super().__init__(*arguments, **settings)
            programs.append(self)
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(subprocess, "Popen", Interrupted)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # shells may start tests with it ignored
    try:
        with pytest.raises(KeyboardInterrupt):
            processes.run(["sleep", "600"], {"PATH": "/usr/bin:/bin"}, processes.Bounds(PATIENCE, 1))
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert programs[0].wait(PATIENCE) == -signal.SIGKILL
