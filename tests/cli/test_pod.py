"""Pods by the command line: what is read from JSON, and what is said of it."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from ekstui.cli.main import main
from tests.support.kubernetes import irsa_variables, of_all_namespaces, pod, service_account

ACCOUNT = "111122223333"
ORDERS = f"arn:aws:iam::{ACCOUNT}:role/prod-orders"


def answer(words: list[str], capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert main([*words, "--demo", "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_a_cluster_with_what_kubectl_printed(
    tmp_path: Path, own_home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = of_all_namespaces([pod("web-6f-1", irsa_variables(ORDERS)), service_account("web", ORDERS)])
    file = tmp_path / "pods.json"
    file.write_text(text)
    found = answer(["cluster", "prod", "--kubernetes", str(file)], capsys)
    (role,) = (each for each in found["roles"] if each["arn"] == ORDERS)
    (use,) = (each for each in role["uses"] if each["kind"] == "irsa" and each["service_account"] == "web")
    assert (use["certainty"], use["pods"]) == ("confirmed", 1)
    assert not any("annotations inside prod" in phrase for phrase in found["not_looked_at"])
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    piped = answer(["cluster", "prod", "--kubernetes", "-"], capsys)
    assert [each["uses"] for each in piped["roles"]] == [each["uses"] for each in found["roles"]]


def test_what_cannot_be_read_is_said_before_the_account_is_asked(
    tmp_path: Path, own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "pods.json"
    file.write_text("{")
    assert main(["cluster", "prod", "--kubernetes", str(file), "--offline"]) == 2
    assert "pods.json cannot be read: it is not JSON (line 1)." in capsys.readouterr().err.replace("\n", " ")
