"""Pods by the command line: what is read from JSON, and what is said of it."""

import io
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from ekstui.cli.main import main
from ekstui.sources.written.hcl import attributes_of, blocks_of, parsed_block
from tests.cli.test_schema import complaints
from tests.library.test_privacy import traces
from tests.rig.rig import Rig
from tests.support.kubernetes import POD_IDENTITY, aws_auth, irsa_variables, of_all_namespaces, pod, service_account
from tests.support.shell import commands_in, fault_of

ACCOUNT = "111122223333"
ORDERS = f"arn:aws:iam::{ACCOUNT}:role/prod-orders"


def answer(words: list[str], capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert main([*words, "--demo", "--json"]) == 0
    value: dict[str, Any] = json.loads(capsys.readouterr().out)
    return value


def test_a_cluster_with_what_kubectl_printed(
    tmp_path: Path, own_home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = of_all_namespaces([pod("web-6f-1", irsa_variables(ORDERS)), service_account("web", ORDERS)])
    file = tmp_path / "pods.json"
    file.write_text(text)
    report = answer(["cluster", "prod", "--kubernetes", str(file)], capsys)
    (role,) = (role for role in report["roles"] if role["arn"] == ORDERS)
    (use,) = (use for use in role["uses"] if use["kind"] == "irsa" and use["service_account"] == "web")
    assert (use["certainty"], use["pods"]) == ("confirmed", 1)
    assert not any("annotations inside prod" in phrase for phrase in report["not_looked_at"])
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    piped_answer = answer(["cluster", "prod", "--kubernetes", "-"], capsys)
    assert [role["uses"] for role in piped_answer["roles"]] == [role["uses"] for role in report["roles"]]


def test_what_cannot_be_read_is_said_before_the_account_is_asked(
    tmp_path: Path, own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "pods.json"
    file.write_text("{")
    assert main(["cluster", "prod", "--kubernetes", str(file), "--offline"]) == 2
    assert "pods.json cannot be read: it is not JSON (line 1)." in capsys.readouterr().err.replace("\n", " ")


def pipe_in(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))


API = [pod("api-6f-1", POD_IDENTITY, namespace="orders", account="api"), service_account("api", namespace="orders")]


def test_a_pod_from_json_without_a_cluster(
    own_home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe_in(json.dumps(pod("web-6f-1", irsa_variables(ORDERS))), monkeypatch)
    assert main(["pod", "-"]) == 0
    text = capsys.readouterr().out
    first = text.partition("\n1 pod of")[0].replace("\n    ", " ")
    assert first == "shop/deployment/web uses role prod-orders by IRSA since 2026-11-02; no problem found"
    assert "no cluster is known" in text
    assert list(own_home.rglob("accounts/*.db")) == []


def test_what_pods_of_no_known_role_may_do_is_not_left_out(own_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with_its_nodes_role = answer(["pod", "shop/web", "--demo", "--can", "s3:GetObject"], capsys)
    assert with_its_nodes_role["credentials"][0]["source"] == "node"
    assert with_its_nodes_role["can"] is None
    unseen = "whether it may s3:GetObject: no role that it uses was read"
    assert with_its_nodes_role["not_looked_at"][0] == unseen
    assert unseen not in answer(["pod", "shop/web", "--demo"], capsys)["not_looked_at"]


def test_a_pod_of_a_known_cluster(
    own_home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe_in(of_all_namespaces(API), monkeypatch)
    report = answer(["pod", "-", "--cluster", "prod", "--can", "dynamodb:PutItem"], capsys)
    (credentials,) = report["credentials"]
    assert (credentials["source"], credentials["role"]) == ("pod-identity", f"arn:aws:iam::{ACCOUNT}:role/orders-data")
    assert credentials["trust"]["verdict"] == "allowed"
    assert report["can"]["verdict"] == "allowed"
    assert report["pods"] == ["api-6f-1"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["pod", "a/b/c/d"], "'a/b/c/d' is not a pod."),
        (["pod", "shop/cronjob/x"], "Kubernetes' 'cronjob' is not known to own pods."),
        (["pod", "web", "--resource", "arn:aws:s3:::b"], "--resource is about an action."),
        (
            ["pod", "kube-system/deployment/coredns"],
            "coredns' is in legacy in us-east-1 and prod in eu-central-1: name one with --cluster.",
        ),
    ],
)
def test_a_wrong_name_is_said(
    words: list[str], message: str, own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "--demo"]) == 2
    assert message in capsys.readouterr().err.replace("\n", " ")


def test_what_was_read_answers_later_and_no_secret_is_kept(
    lasting_rig: Rig,
    own_home: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lasting_rig.reset(0)
    monkeypatch.setenv("EKSTUI_LOG", "1")
    token = "seeded5tokenSEEDED5token"
    pod_with_secrets = pod("leak-6f-1", {"TOKEN": token, "AWS_ROLE_ARN": token, "AWS_SECRET_ACCESS_KEY": token})
    auth = aws_auth()
    auth["data"]["more"] = token
    items = [
        *API,
        pod_with_secrets,
        service_account("leaky", **{"eks.amazonaws.com/role-arn": token, "x": token}),
        auth,
    ]
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
    assert "There is no pod, workload or service account 'nobody' in prod" in capsys.readouterr().err.replace("\n", " ")


def test_an_explanation_starts_at_a_pod(
    lasting_rig: Rig, own_home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lasting_rig.reset(0)
    file = tmp_path / "pods.json"
    writer = pod("writer-6f-1", POD_IDENTITY, namespace="reports", account="writer")
    file.write_text(of_all_namespaces([*API, writer]))
    assert main(["cluster", "prod", "--kubernetes", str(file)]) == 0
    capsys.readouterr()
    words = ["explain", "--action", "s3:PutObject", "--offline", "--json"]
    assert main([*words, "--pod", "reports/writer-6f-1"]) == 0
    explanation = json.loads(capsys.readouterr().out)
    assert explanation["principal"].endswith("role/prod-reports")
    assert explanation["not_looked_at"] == [note for note in explanation["not_looked_at"] if "session" not in note]
    assert main([*words, "--pod", "reports/writer-6f-1", "--role", "x"]) == 2
    assert "--role and --pod both say who asks" in capsys.readouterr().err


def test_an_upgrade_starts_at_what_the_pods_run(
    lasting_rig: Rig, own_home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lasting_rig.reset(0)
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


def test_a_call_with_the_node_role_says_which_pods_have_none_of_their_own(
    lasting_rig: Rig, own_home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lasting_rig.reset(0)
    file = tmp_path / "pods.json"
    batch = pod("batch-6f-1", account="batch")
    pod_on_node = {**batch, "spec": {**batch["spec"], "nodeName": "i-0a1b2c3d4e5f60718"}}
    others = [pod(f"cron{number}-6f-1", namespace="jobs", account="cron") for number in range(7)]
    file.write_text(of_all_namespaces([*API, pod_on_node, *others]))
    assert main(["cluster", "prod", "--kubernetes", str(file)]) == 0
    snapshot = json.loads(_json(["cluster", "prod"], capsys))
    node = next(role["arn"] for role in snapshot["roles"] if any(use["kind"] == "nodegroup" for use in role["uses"]))
    session = node.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/")

    def notes(instance: str) -> str:
        message = f"User: {session}/{instance} is not authorized to perform: dynamodb:PutItem on resource: *"
        return " ".join(json.loads(_json(["explain", message, "--offline"], capsys))["notes"])

    # Nodes that are named by their instances tell the pod; by other nodes any pod may be meant.
    assert "In prod, shop/deployment/batch has no role of its own and may have made this call" in notes(
        "i-0a1b2c3d4e5f60718"
    )
    assert "jobs/deployment/cron0" in notes("i-0ffffffffffffffff")
    assert "and 3 more have no role of their own" in notes("i-0ffffffffffffffff")
    assert "orders" not in notes("i-0ffffffffffffffff")


def _json(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert main([*words, "--json"]) == 0
    return capsys.readouterr().out


RBAC = [
    {"kind": "ClusterRole", "metadata": {"name": "Dev: secret5name"}, "rules": [
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list", "watch"]},
        {"apiGroups": ["example.com"], "resources": ["widgets"], "verbs": ["list"]}]},
    {"kind": "ClusterRoleBinding", "metadata": {"name": "dev"}, "roleRef": {"kind": "ClusterRole", "name": "Dev: secret5name"},
     "subjects": [{"kind": "Group", "name": "devs"}]},
    {"kind": "ClusterRoleBinding", "metadata": {"name": "cluster-admin"}, "roleRef": {"kind": "ClusterRole", "name": "x"}},
    {"kind": "RoleBinding", "metadata": {"name": "a", "namespace": "kube-system"}, "roleRef": {"kind": "Role", "name": "a"}},
]  # fmt: skip


def test_what_replaces_aws_auth_can_be_pasted(
    own_home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    aws_auth_file, rbac = tmp_path / "aws-auth.json", tmp_path / "rbac.json"
    roles = f"- rolearn: {ORDERS}\n  groups: [devs]\n- rolearn: arn:aws:iam::444455556666:role/x\n  groups: [system:masters]\n"
    aws_auth_file.write_text(json.dumps(aws_auth(roles)))
    rbac.write_text(json.dumps({"kind": "List", "items": RBAC}))
    words = ["cluster", "prod", "--entries", "--kubernetes", str(aws_auth_file), "--kubernetes", str(rbac), "--demo"]
    assert main(words) == 0
    script = capsys.readouterr().out
    assert subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True, check=True).stderr == ""
    commands = commands_in(script)
    assert [command.split()[2] for command in commands if command.startswith("aws ")] == [
        "create-access-entry", "associate-access-policy", "create-access-entry", "associate-access-policy",
    ]  # fmt: skip
    assert [fault_of(command) for command in commands if command.startswith("aws ")] == [""] * 4
    manifest = script.partition("<<'EKSTUI_RBAC'\n")[2].partition("\nEKSTUI_RBAC\n")[0]
    role, binding = yaml.safe_load_all(manifest)
    assert role["rules"] == [{"apiGroups": ["example.com"], "resources": ["widgets"], "verbs": ["list"]}]
    assert binding["subjects"][0]["name"] == "devs"
    assert main([*words, "--json"]) == 0
    answer_json = json.loads(capsys.readouterr().out)
    assert list(complaints("cluster", answer_json)) == []
    assert answer_json["lines"][0]["rbac"][0]["manifest"] == manifest + "\n"
    assert main([*words, "--terraform"]) == 0
    resources = list(blocks_of(capsys.readouterr().out))
    assert all(attributes_of(parsed_block(block.text)) for block in resources)
    assert [block.labels[0] for block in resources] == [
        "aws_eks_access_entry", "aws_eks_access_policy_association", "aws_eks_access_entry",
        "aws_eks_access_policy_association", "kubernetes_manifest", "kubernetes_manifest",
    ]  # fmt: skip
    rbac.unlink()
    assert traces(own_home, "secret5name") == []  # RBAC is for one answer and is not kept


def test_part_of_rbac_is_not_taken_for_all_of_it(
    own_home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "kubernetes.json"
    file.write_text(
        json.dumps({"kind": "List", "items": [aws_auth(f"- rolearn: {ORDERS}\n  groups: [devs]\n"), *RBAC[:3]]})
    )
    migration = answer(["cluster", "prod", "--entries", "--kubernetes", str(file)], capsys)
    assert (migration["rbac_read"], migration["lines"][0]["policies"]) == (False, [])
    assert main(["cluster", "prod", "--demo", "--terraform"]) == 2
    assert main(["cluster", "auto", "--demo", "--entries"]) == 3
    assert "The ConfigMap aws-auth of cluster auto was not read." in capsys.readouterr().err.replace("\n", " ")
