"""What -v, --debug and a log file say: each call to AWS, what is opened, what is decided; names at debug only."""

import json
from pathlib import Path

import pytest

from ekstui import log
from ekstui.cli.main import main
from ekstui.sources.corpus import Corpus
from tests.rig.isolation import ACCOUNT_ID
from tests.rig.rig import Rig

ATTACHED = ["attached", "AmazonEKS_CNI_Policy"]


def log_lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if " INFO " in line or " DEBUG " in line]


@pytest.mark.parametrize("option", ["-v", "--debug"])
def test_every_call_opening_and_decision_is_logged(
    option: str, rig: Rig, own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rig.reset(0)
    Corpus.line_of.cache_clear()  # a command's process has read no policy yet
    assert main([*ATTACHED, option]) == 0
    assert main([*ATTACHED, "--offline", option]) == 0
    lines = log_lines(capsys.readouterr().err)
    for part in (
        "sts:GetCallerIdentity: answered after ",
        "iam:GetAccountAuthorizationDetails: answered after ",
        "iam:GetAccountAuthorizationDetails: complete after ",
        "wrote an account's snapshot",
        "opens an account's snapshot",
        "opens the bundled corpus",
        "the bundled corpus answers: AbsentCacheError",
        "offline: the last snapshot answers",
        "ends with 0 after ",
    ):
        assert [line for line in lines if part in line], part
    names = [line for line in lines if ACCOUNT_ID in line or str(own_home) in line or "arn:" in line]
    assert (names != []) == (option == "--debug")


def test_a_failed_call_and_command_say_how_they_ended(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*ATTACHED, "--json"]) == 3
    assert json.loads(capsys.readouterr().err)["error"]["code"] == "no-network"
    assert main([*ATTACHED, "-v"]) == 3
    lines = log_lines(capsys.readouterr().err)
    assert [line for line in lines if "sts:GetCallerIdentity: failed (EndpointConnectionError) after " in line]
    assert lines[-1].endswith("ends with 3: UnreachableError")


def test_the_log_of_the_settings_has_as_much_as_its_level(
    own_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for level, lines in (("warning", 0), ("info", 1)):
        monkeypatch.setenv("EKSTUI_LOG", str(own_home / level))
        monkeypatch.setenv("EKSTUI_LOG_LEVEL", level)
        assert main(["list"]) == 0
        text = (own_home / level).read_text()
        assert text.count("opens the bundled corpus") == lines
        assert " DEBUG " not in text
    assert log_lines(capsys.readouterr().err) == []


def test_nothing_is_kept_of_what_nobody_logs() -> None:
    records: list[object] = []
    log.info_once("opens it")
    log.start(lambda *record: records.append(record))
    log.info_once("opens it")
    log.info_once("opens it")
    log.stop()
    log.info("%s", "after")
    assert records == [(20, "opens it")]
