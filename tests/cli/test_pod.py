"""Pods by the command line: what is read from JSON, and what is said of it."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from ekstui.cli.main import main
from tests.library.test_privacy import traces
from tests.rig.rig import Rig
from tests.support.kubernetes import POD_IDENTITY, aws_auth, irsa_variables, of_all_namespaces, pod, service_account

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


def piped(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))


API = [pod("api-6f-1", POD_IDENTITY, namespace="orders", account="api"), service_account("api", namespace="orders")]


def test_a_pod_from_json_without_a_cluster(
    own_home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    piped(json.dumps(pod("web-6f-1", irsa_variables(ORDERS))), monkeypatch)
    assert main(["pod", "-"]) == 0
    text = capsys.readouterr().out
    first = text.partition("\n1 pod of")[0].replace("\n    ", " ")
    assert first == "shop/deployment/web uses role prod-orders by IRSA since 2026-11-02; no problem found"
    assert "no cluster is known" in text
    assert list(own_home.rglob("accounts/*.db")) == []


def test_a_pod_of_a_known_cluster(
    own_home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    piped(of_all_namespaces(API), monkeypatch)
    found = answer(["pod", "-", "--cluster", "prod", "--can", "dynamodb:PutItem"], capsys)
    (credentials,) = found["credentials"]
    assert (credentials["source"], credentials["role"]) == ("pod-identity", f"arn:aws:iam::{ACCOUNT}:role/orders-data")
    assert credentials["trust"]["verdict"] == "allowed"
    assert found["can"]["verdict"] == "allowed"
    assert found["pods"] == ["api-6f-1"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["pod", "a/b/c/d"], "'a/b/c/d' is not a pod."),
        (["pod", "shop/cronjob/x"], "Kubernetes' 'cronjob' is not known to own pods."),
        (["pod", "web", "--resource", "arn:aws:s3:::b"], "--resource is about an action."),
    ],
)
def test_a_wrong_name_is_said(
    words: list[str], message: str, own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "--demo"]) == 2
    assert message in capsys.readouterr().err.replace("\n", " ")


def test_what_was_read_answers_later_and_no_secret_is_kept(
    rig: Rig, own_home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.reset(0)
    monkeypatch.setenv("EKSTUI_LOG", "1")
    token = "seeded5tokenSEEDED5token"
    seeded = pod("leak-6f-1", {"TOKEN": token, "AWS_ROLE_ARN": token, "AWS_SECRET_ACCESS_KEY": token})
    auth = aws_auth()
    auth["data"]["more"] = token
    items = [*API, seeded, service_account("leaky", **{"eks.amazonaws.com/role-arn": token, "x": token}), auth]
    file = tmp_path / "pods.json"
    file.write_text(of_all_namespaces(items))
    assert main(["cluster", "prod", "--kubernetes", str(file), "--debug"]) == 0
    assert main(["pod", "orders/api-6f-1", "--offline"]) == 0
    assert "orders/api-6f-1 uses role orders-data by Pod Identity" in capsys.readouterr().out.replace("\n    ", " ")
    assert main(["account"]) == 0  # a new reading of the account keeps what was read of Kubernetes
    assert main(["pod", "shop/deployment/leak", "--offline", "--json"]) == 0
    output = capsys.readouterr()
    assert token not in output.out + output.err
    file.unlink()
    assert traces(own_home, token) == []
    assert main(["pod", "nobody", "--offline"]) == 1
    assert "There is no pod of 'nobody' in prod" in capsys.readouterr().err.replace("\n", " ")


def test_an_explanation_starts_at_a_pod(
    rig: Rig, own_home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rig.reset(0)
    file = tmp_path / "pods.json"
    writer = pod("writer-6f-1", POD_IDENTITY, namespace="reports", account="writer")
    file.write_text(of_all_namespaces([*API, writer]))
    assert main(["cluster", "prod", "--kubernetes", str(file)]) == 0
    capsys.readouterr()
    words = ["explain", "--action", "s3:PutObject", "--offline", "--json"]
    assert main([*words, "--pod", "reports/writer-6f-1"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["principal"].endswith("role/prod-reports")
    assert found["not_looked_at"] == [each for each in found["not_looked_at"] if "session" not in each]
    assert main([*words, "--pod", "reports/writer-6f-1", "--role", "x"]) == 2
    assert "--role and --pod both say who asks" in capsys.readouterr().err


def test_an_upgrade_starts_at_what_the_pods_run(
    rig: Rig, own_home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rig.reset(0)
    file = tmp_path / "pods.json"
    karpenter = pod("karpenter-5f-a", POD_IDENTITY, namespace="kube-system", account="karpenter")
    karpenter["spec"]["containers"][0]["image"] = "public.ecr.aws/karpenter/controller:1.8.0@sha256:" + "0" * 64
    file.write_text(of_all_namespaces([karpenter]))
    assert main(["cluster", "prod", "--kubernetes", str(file)]) == 0
    capsys.readouterr()
    main(["upgrade", "prod", "--to", "karpenter=v1.14.1", "--offline", "--json"])
    (component,) = json.loads(capsys.readouterr().out)["components"]
    assert component["from"] == "v1.8.0"
    assert "v1.8.0 by the image of its pods" in component["reasons"]
