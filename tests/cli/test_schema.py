"""The commands' JSON matches the schema in assets, and has nothing that the schema does not mention."""

import importlib
import io
import json
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote

import pytest
from jsonschema import Draft202012Validator

import ekstui.change
import ekstui.denial
import ekstui.eks
import ekstui.iam
import ekstui.library
import ekstui.sources
import ekstui.store
from assets import build_schema
from ekstui import files
from ekstui.cli.main import main
from ekstui.cli.parser import build_parser, commands_of
from ekstui.eks.findings.table import Finding
from ekstui.export import encoding
from tests.rig.rig import Rig
from tests.support.git import commit_all, make_repository
from tests.support.kubernetes import POD_IDENTITY, of_all_namespaces, pod

SCHEMA: dict[str, Any] = json.loads((files.assets() / "schema.json").read_text(encoding="utf-8"))

OFFLINE: tuple[tuple[str, ...], ...] = (
    ("list",),
    ("list", "--scope", "all"),
    ("show", "AmazonEKS_CNI_Policy@v5"),
    ("show", "AmazonEKSServiceRolePolicy"),
    ("show", "PowerUserAccess"),
    ("list", "--scope", "any"),
    ("show", "karpenter@v1.9.0", "--param", "ClusterName=prod"),
    ("show", "AmazonEKSBlockStoragePolicy"),
    ("show", "access:AmazonEKSEditPolicy"),
    ("show", "AmazonEKSKROPolicy"),
    ("versions", "aws-load-balancer-controller"),
    ("diff", "karpenter@v1.8.0..v1.14.1"),
    ("diff", "AmazonEKSViewPolicy", "AmazonEKSEditPolicy"),
    ("who-can", "ec2:CreateFleet", "--scope", "controllers"),
    ("who-can", "k8s:create:pods/exec"),
    ("show", "{file}"),
    ("trim", "AmazonEKSClusterPolicy"),
    ("versions", "AmazonEKSServiceRolePolicy"),
    ("versions", "AmazonEKSServicePolicy"),
    ("diff", "AmazonEKSLoadBalancingPolicy@v5..v6"),
    ("diff", "AmazonEKS_CNI_Policy@v5..v6"),
    ("diff", "PowerUserAccess", "{file}"),
    ("explain", "--action", "ec2:CreateVolume", "--policy", "AmazonEBSCSIDriverPolicy@v2"),
    ("explain", 'pods is forbidden: User "jo" cannot list resource "pods" in API group "" in the namespace "shop"'),
    ("explain", "--action", "ec2:CreateVolume", "--resource", "arn:aws:ec2:eu-west-1::snapshot/snap-1", "--policy",
     "AmazonEBSCSIDriverPolicy@v2"),
    ("explain", "--action", "ec2:CreateVolume", "--policy", "AmazonEBSCSIDriverPolicy@v2", "--scp", "{file}"),
    ("changes", "--since", "2026-02-01"),
    ("changes", "--scope", "all", "--all"),
    ("who-can", "ec2:DescribeSecurityGroups"),
    ("who-can", "ec2:CreateVolume", "--scope", "all", "--resource", "arn:aws:ec2:*:*:snapshot/*"),
    ("cache", "info"),
    ("cache", "verify"),
    ("cache", "clear"),
    ("config",),
    ("check",),
    ("review",),
)  # fmt: skip
LIVE: tuple[tuple[str, ...], ...] = (
    ("attached", "AmazonEKSWorkerNodePolicy"),
    ("attached", "karpenter"),
    ("attached", "AmazonEKSClusterPolicy"),
    ("attached", "AmazonEKSClusterPolicy", "--aggregator", "organisation"),
    ("cluster", "prod"),
    ("account",),
    ("clusters",),
    ("role", "prod-orders"),
    ("used", "role:prod-orders", "--less"),
    ("cluster", "prod", "--kubernetes", "{kubernetes}"),
    ("pod", "orders/api-6f-1", "--can", "dynamodb:PutItem"),
    ("upgrade", "prod"),
    ("who-can", "k8s:get:pods", "--region", "eu-central-1"),
    (
        "explain",
        "--cluster",
        "prod",
        (
            'nodes is forbidden: User "arn:aws:sts::123456789012:assumed-role/deleted-since/jo" '
            'cannot list resource "nodes" in API group "" at the cluster scope'
        ),
    ),
    ("explain", "--action", "ec2:CreateVolume", "--role", "prod-node", "--simulate"),
    ("diff", "role:prod-node", "AmazonEKSWorkerNodePolicy"),
    ("who-can", "ec2:CreateTags", "--scope", "eks", "--region", "eu-central-1"),
    ("sync",),
)


def closed_schema(schema: Any) -> Any:
    """Return the schema without additional properties: scripts may meet new fields, but the tests must not."""
    if isinstance(schema, list):
        return [closed_schema(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    shut = {key: closed_schema(value) for key, value in schema.items()}
    return {**shut, "additionalProperties": False} if "properties" in shut and "required" in shut else shut


def thin_answer(answer: Any) -> Any:
    """Return an answer with only the ends of long lists: thousands of similar actions take the validator half a minute."""
    if isinstance(answer, dict):
        return {key: thin_answer(value) for key, value in answer.items()}
    if not isinstance(answer, list):
        return answer
    return [thin_answer(part) for part in (answer if len(answer) <= 60 else answer[:30] + answer[-30:])]


CLOSED = closed_schema(SCHEMA["$defs"])


def complaints(command: str, answer: object) -> Iterator[str]:
    schema = {"$defs": CLOSED, "$ref": f"#/$defs/{command.replace(' ', '%20')}"}
    for error in Draft202012Validator(schema).iter_errors(thin_answer(answer)):
        yield f"{error.json_path}: {error.message[:300]}"


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("half", [None, '{"$defs": '])
def test_a_schema_that_is_missing_or_cut_is_an_error(
    half: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if half is not None:
        (tmp_path / "schema.json").write_text(half)
    monkeypatch.setattr(files, "assets", lambda: tmp_path)
    assert main(["schema"]) == 4
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("ekstui: schema.json cannot be read: ")
    assert err.endswith(" Install ekstui again.\n")


def test_the_schema_is_the_same_whether_or_not_json_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    output = capsys.readouterr()
    assert main(["schema", "--json"]) == 0
    assert capsys.readouterr() == output
    assert json.loads(output.out) == SCHEMA


def test_every_command_with_json_is_described_and_tried() -> None:
    with_json = {
        name
        for name, command in commands_of(build_parser()).items()
        if any("--json" in action.option_strings for action in command._actions)
    }
    with_json.remove("schema")  # it prints the schema itself, which is no answer
    assert with_json <= {name.split(" ")[0] for name in SCHEMA["$defs"]}
    assert with_json == {words[0] for words in (*OFFLINE, *LIVE)}


def shape_of(words: tuple[str, ...]) -> str:
    return " ".join(words) if words[0] == "cache" else words[0]


@pytest.mark.parametrize("words", OFFLINE, ids=" ".join)
def test_answers_from_the_corpus(
    words: tuple[str, ...],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path / "mine.json"
    file.write_text('{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "ec2:*", "Resource": "*"}]}')
    monkeypatch.setattr("sys.stdin", io.StringIO())
    monkeypatch.chdir(tmp_path)
    if words == ("check",):
        main(["pin", "AmazonEKS_CNI_Policy@v5"])
    if words == ("review",):
        make_repository(tmp_path)
        commit_all(tmp_path)
        file.write_text(file.read_text(encoding="utf-8").replace("Deny", "Allow"), encoding="utf-8")
    assert main([word.replace("{file}", str(file)) for word in words] + ["--json"]) == 0
    assert list(complaints(shape_of(words), json.loads(capsys.readouterr().out))) == []


@pytest.mark.parametrize("words", LIVE, ids=" ".join)
def test_answers_from_the_account(
    words: tuple[str, ...], lasting_rig: Rig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lasting_rig.reset(0)
    file = tmp_path / "pods.json"
    file.write_text(
        of_all_namespaces([pod("api-6f-1", POD_IDENTITY, namespace="orders", account="api"), pod("web-6f-1")])
    )
    if words[0] == "pod":
        assert main(["cluster", "prod", "--kubernetes", str(file)]) == 0
        capsys.readouterr()
    assert main([*(word.format(kubernetes=file) for word in words), "--json"]) == 0
    assert list(complaints(shape_of(words), json.loads(capsys.readouterr().out))) == []


def test_the_encoder_names_fields_that_are_there() -> None:
    for package in (ekstui.iam, ekstui.change, ekstui.eks, ekstui.denial, ekstui.library, ekstui.sources, ekstui.store):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    kinds = [
        kind
        for name, module in list(sys.modules.items())
        if name.startswith("ekstui.")
        for kind in vars(module).values()
        if isinstance(kind, type)
    ]
    for name in encoding.FIELDS:
        paths = {path.partition(".")[0] for _, _, path in encoding.fields_of(name)} - {""}
        assert any(
            all(hasattr(kind, attribute) for attribute in paths)
            for kind in kinds
            if kind.__name__ == name.partition(".")[0]
        ), name
    with pytest.raises(TypeError):
        encoding.encode(object())


def test_a_field_that_the_schema_lacks_is_noticed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert list(complaints("config", {**answer, "more": 1})) != []
    del answer["path"]
    assert list(complaints("config", answer)) != []


def test_a_root_accepts_only_its_own_answer(capsys: pytest.CaptureFixture[str]) -> None:
    roots = [root["$ref"] for root in SCHEMA["anyOf"]]
    assert {unquote(root).rpartition("/")[2] for root in roots} >= {words[0] for words in (*OFFLINE, *LIVE)} - {"cache"}
    answers = []
    for words in (
        ["config"],
        ["list", "--scope", "controllers"],
        ["cache", "info"],
        ["versions", "AmazonEKS_CNI_Policy"],
    ):
        assert main([*words, "--json"]) == 0
        answers.append(json.loads(capsys.readouterr().out))
    assert main(["show", "Nothing", "--json"]) == 1
    answers.append(json.loads(capsys.readouterr().err))
    validator = Draft202012Validator(SCHEMA)
    for answer in answers:
        assert validator.is_valid(answer)
        own = answer["schema"].removeprefix(SCHEMA["$id"])
        others = [Draft202012Validator({"$ref": root, "$defs": SCHEMA["$defs"]}) for root in roots if root != own]
        assert Draft202012Validator({"$ref": own, "$defs": SCHEMA["$defs"]}).is_valid(answer)
        assert [
            neighbour.schema for neighbour in others if neighbour.is_valid(answer) or neighbour.is_valid({"foo": 1})
        ] == []
    assert not validator.is_valid({"foo": 1})


def test_the_schema_is_what_its_maker_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (files.assets() / "schema.json").read_text(encoding="utf-8") == build_schema.text(), "run make schema"
    monkeypatch.setitem(encoding.FIELDS, "DependentActions", "action needs text source length=text")
    grown = build_schema.made()["$defs"]["DependentActions"]
    assert grown["properties"]["length"] == grown["properties"]["text"]
    assert "length" in grown["required"]


def test_an_enum_that_grows_changes_the_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(Finding.__annotations__, "severity", Literal["problem", "worse"])
    assert build_schema.made()["$defs"]["Finding"]["properties"]["severity"]["enum"] == ["problem", "worse"]
