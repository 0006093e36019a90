"""The place at a lost connection: saved at the end, offered at the next start, with account data in its own file."""

import json
import re
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ekstui.files import write_state
from ekstui.library.remembered import kept_place
from tests.rig.isolation import isolated
from tests.rig.rig import Rig
from tests.support.bundled import newest
from tests.support.filled import copy_of_cache
from tests.support.terminal import Terminal

APP = (sys.executable, "-m", "tests.tui.patient")


@pytest.fixture
def home(own_home: Path, filled_cache: Path) -> Path:
    copy_of_cache(filled_cache, own_home / "cache")
    return own_home


def started(home: Path, options: Sequence[str] = ("--offline",), env: dict[str, str] | None = None) -> Terminal:
    terminal = Terminal((*APP, *options), columns=120, rows=40, env=env or isolated(home), forked=True)
    terminal.wait_for("AmazonEKSClusterPolicy")
    terminal.settle(0.6)
    return terminal


def kept(home: Path) -> Path:
    return home / "state" / "place.json"


def everything_kept(home: Path) -> bytes:
    """Return the contents of all files except the accounts' own."""
    files = [path for path in home.rglob("*") if path.is_file() and "accounts" not in path.parts]
    return b"".join(path.read_bytes() for path in files)


def test_a_comparison_is_offered_again_with_the_filter_and_the_marks(home: Path) -> None:
    with started(home) as terminal:
        for keys, text in (
            ("/cluster\r ", f"A WorkerNode v{newest('AmazonEKSWorkerNodePolicy')}"),
            (":cni@v4..v5", "AmazonEKS_CNI_Policy@v4..v5"),
            ("\r", "ekstui   compare"),
        ):
            terminal.send(keys)
            terminal.wait_for(text)
        terminal.settle()
        terminal.hang_up()
        assert terminal.wait_exit(reading=False).code == 129
    with started(home) as terminal:
        terminal.wait_for(lambda: re.match(r".*b: back to .*AmazonEKS_CNI_Policy@v4\.\.v5", terminal.text))
        terminal.send("b")
        terminal.wait_for("ekstui   compare AmazonEKS_CNI_Policy@v4 → v5")
        terminal.send("q")
        terminal.wait_for(f"A WorkerNode v{newest('AmazonEKSWorkerNodePolicy')}")
        assert "b: back to" not in terminal.text
        assert not kept(home).exists()
        terminal.send("q")
        assert terminal.wait_exit().code == 0
    assert not kept(home).exists()


def test_what_is_of_the_account_is_kept_in_its_own_file_only(rig: Rig, home: Path) -> None:
    env = rig.environment(home)
    with started(home, (), env) as terminal:
        terminal.wait_for(lambda: "just now" in terminal.text.splitlines()[0])
        terminal.settle()
        role = "prod-node"
        terminal.send(f":{role}")
        terminal.wait_for(" role")
        terminal.send("\r")
        terminal.wait_for("Trust: who may assume it")
        terminal.signal(signal.SIGTERM)
        assert terminal.wait_exit().code == 128 + signal.SIGTERM
    assert kept(home).exists()
    assert role.encode() not in everything_kept(home)
    with started(home, (), env) as terminal:
        terminal.wait_for(lambda: role in terminal.text.splitlines()[0])
        terminal.send("b")
        terminal.wait_for("Trust: who may assume it")
        terminal.wait_for(f"ekstui   role {role}")


def test_nothing_is_kept_of_the_demo_nor_when_one_quits_nor_where_the_app_opens(home: Path) -> None:
    for options, keys, text in ((("--demo",), "j2", "2 Permissions · AmazonEKSWorker"), (("--offline",), "", "")):
        with started(home, options) as terminal:
            terminal.send(keys)
            terminal.wait_for(text)
            terminal.settle()
            terminal.signal(signal.SIGHUP)
            assert terminal.wait_exit().code == 129
        assert not kept(home).exists()
    served_environment = {**isolated(home), "EKSTUI_SERVED": "1"}
    for env, end in ((isolated(home), "\x11"), (served_environment, "")):
        with started(home, env=env) as terminal:
            terminal.send("jj2")
            terminal.wait_for("2 Permissions · AmazonEKSWorkerNodeMinimalPolicy")
            terminal.send(end) if end else terminal.signal(signal.SIGHUP)
            terminal.wait_exit()
        assert not kept(home).exists()


def test_a_place_is_offered_for_an_hour_and_only_if_it_is_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EKSTUI_STATE", str(tmp_path))
    now = datetime(2026, 12, 1, 12, tzinfo=UTC)
    place = {
        "at": "2026-12-01T11:30:00Z", "scope": "eks", "policy": "arn:aws:iam::aws:policy/X", "version": 1,
        "filter": "", "marks": [], "opened": "",
    }  # fmt: skip
    write_state(tmp_path / "place.json", place)
    assert kept_place(now) is not None
    assert kept_place(now + timedelta(minutes=29)) is not None
    assert kept_place(now + timedelta(minutes=30)) is None
    assert kept_place(now - timedelta(hours=1)) is None
    for wrong_fields in (
        {"at": "yesterday"}, {"at": 5}, {"scope": "none"}, {"version": "v1"}, {"marks": ["x"] * 5}, {"policy": None},
        {"opened": "x" * 30_000}, {"filter": ["x"]},
    ):  # fmt: skip
        write_state(tmp_path / "place.json", {**place, **wrong_fields})
        assert kept_place(now) is None, wrong_fields
    (tmp_path / "place.json").write_text(json.dumps(place))
    assert kept_place(now) is None
