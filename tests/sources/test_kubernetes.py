"""Only what decides credentials is kept of Kubernetes' objects, whatever form they come in, and nothing is half read."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml

from ekstui.eks.pods import AuthMapping, KubernetesFacts, workloads
from ekstui.errors import InputError
from ekstui.files import from_record, to_record
from ekstui.sources.aws_auth import parse_aws_auth
from ekstui.sources.kubernetes import read_kubernetes
from tests.support.kubernetes import (
    POD_IDENTITY,
    aws_auth,
    irsa_variables,
    listing,
    of_all_namespaces,
    pod,
    service_account,
)

NOW = datetime(2026, 12, 1, tzinfo=UTC)
ROLE = "arn:aws:iam::111122223333:role/team/orders"
TOKEN = "eyJhbGciOiJSUzI1NiIsImtpZCI6IlNFRURFRCJ9.c2VlZGVk.c2VlZGVk"


def read_facts(*texts: str) -> KubernetesFacts:
    return read_kubernetes([(f"file {number}", text) for number, text in enumerate(texts)], NOW)


def test_what_is_kept_of_a_pod() -> None:
    facts = read_facts(listing(pod("web-6f7d-x1", irsa_variables(ROLE) | {"AWS_REGION": "eu-west-1"})))
    (web,) = facts.pods or ()
    (container,) = web.containers
    assert (web.namespace, web.name, web.service_account) == ("shop", "web-6f7d-x1", "web")
    assert (web.owner_kind, web.owner) == ("Deployment", "web")
    assert web.created == datetime(2026, 11, 2, 8, tzinfo=UTC)
    assert container.variables == ("AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE")
    assert (container.role_arn, container.agent) == (ROLE, False)
    assert (container.image, container.tag) == ("registry.example/shop/web", "1.0")
    assert from_record(KubernetesFacts, json.loads(json.dumps(to_record(facts)))) == facts


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("nginx", ("nginx", "")),
        ("localhost:5000/web:v1", ("localhost:5000/web", "v1")),
        (f"registry/web:v1@sha256:{'a' * 64}", ("registry/web", "v1")),
        (f"registry/web@sha256:{'a' * 64}", ("registry/web", "")),
        (f"https://user:{TOKEN}@registry/web:v1", ("", "")),
    ],
)
def test_images_by_name_and_tag(image: str, expected: tuple[str, str]) -> None:
    (web,) = read_facts(listing(pod("web", image=image))).pods or ()
    assert (web.containers[0].image, web.containers[0].tag) == expected


def test_variables_count_where_they_are_set() -> None:
    env: list[dict[str, Any]] = [
        {"name": "AWS_ACCESS_KEY_ID", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "id"}}},
        {"name": "AWS_SECRET_ACCESS_KEY", "value": ""},
    ]
    containers = [{"name": "app", "env": env, "envFrom": [{"secretRef": {"name": "more"}}]}]
    init = [{"name": "first", "env": [{"name": name, "value": value} for name, value in POD_IDENTITY.items()]}]
    (web,) = read_facts(listing(pod("web", containers=containers, initContainers=init))).pods or ()
    first, app = web.containers
    assert (first.name, first.agent) == ("first", True)
    assert (app.variables, app.more_variables) == (("AWS_ACCESS_KEY_ID",), True)


def test_no_secret_is_kept_wherever_it_stands() -> None:
    secret = {"kind": "Secret", "metadata": {"name": "keys", "namespace": "shop"}, "data": {"token": TOKEN}}
    config_map = {"kind": "ConfigMap", "metadata": {"name": "settings", "namespace": "shop"}, "data": {"token": TOKEN}}
    variables = dict.fromkeys(
        ("TOKEN", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
         "AWS_CONTAINER_CREDENTIALS_FULL_URI"), TOKEN,
    )  # fmt: skip
    annotated_account = service_account(
        "web", TOKEN, **{"eks.amazonaws.com/audience": TOKEN, "note": TOKEN, "eks.amazon.com/role-arn": TOKEN}
    )
    auth = aws_auth("- rolearn: " + ROLE + "\n  username: x\n")
    auth["data"]["other"] = TOKEN
    auth["metadata"]["annotations"] = {"note": TOKEN}
    items = [secret, config_map, pod("web", variables), annotated_account, auth]
    facts = read_facts(of_all_namespaces(items))
    kept_json = json.dumps(to_record(facts))
    assert all(part not in kept_json for part in (TOKEN, *TOKEN.split(".")))
    assert facts.service_account("shop", "web") is not None
    assert facts.pods is not None
    assert facts.pods[0].containers[0].variables


@pytest.mark.parametrize("text", ["", "{", '{"items": [', "[]", '"x"', listing(pod("x")) + "{", '{"kind": "List", "items": {}}',
    '{"kind": "List", "items": []}', '{"kind": "Pod"}', '{"kind": "Pod", "metadata": {"name": 1}, "spec": {}}',
    listing({"kind": "Pod", "metadata": {"name": "a b"}, "spec": {}}), "[" * 100_000, '{"a":' * 100_000,
    listing({"kind": "Secret", "metadata": {"name": "x"}})])  # fmt: skip
def test_what_is_no_object_of_kubernetes_is_refused_without_a_piece_of_it(text: str) -> None:
    with pytest.raises(InputError) as error:
        read_facts(text.replace("x", "seeded"))
    assert "seeded" not in error.value.message
    assert error.value.next_step


def test_lists_of_the_api_single_objects_and_several_texts() -> None:
    bare_pod = {name: part for name, part in pod("a").items() if name != "kind"}
    page = json.dumps({"kind": "PodList", "metadata": {}, "items": [bare_pod]})
    late = json.dumps({"items": [dict(bare_pod, metadata={"name": "b", "namespace": "shop"})], "kind": "PodList"})
    facts = read_facts(page, late, json.dumps(pod("c")) + json.dumps(service_account("web")))
    assert [pod.name for pod in facts.pods or ()] == ["a", "b", "c"]
    assert [service_account.name for service_account in facts.service_accounts or ()] == ["web"]
    assert facts.whole == ()


def test_a_list_is_whole_if_it_is_of_all_namespaces() -> None:
    assert read_facts(of_all_namespaces([pod("web")])).whole == ("pods", "service accounts")
    assert read_facts(listing(pod("web"), service_account("default"))).whole == ()
    # One selected by a label lacks the service accounts that every namespace has.
    assert read_facts(listing(service_account("a", namespace="one"), service_account("b", namespace="two"))).whole == ()
    cut_list = json.loads(of_all_namespaces([pod("web")]))
    cut_list["metadata"] = {"continue": "abc"}
    facts = read_facts(json.dumps(cut_list))
    assert facts.whole == ()
    assert facts.trouble == ("file 0 has only the first page of a list.",)


@pytest.mark.parametrize(
    ("annotation", "misspelt"),
    [
        ("eks.amazon.com/role-arn", True),
        ("eks.amazonaws.com/role_arn", True),
        ("eks.amazonaws.com/rolearn", True),
        ("eks.amazonaws.com/audience", False),
        ("meta.helm.sh/release-name", False),
        ("iam.gke.io/gcp-service-account", False),
    ],
)
def test_annotations_that_mean_eks_own(annotation: str, misspelt: bool) -> None:
    facts = read_facts(listing(service_account("web", **{annotation: ROLE})))
    account = facts.service_account("shop", "web")
    assert account is not None
    assert account.misspelt == ((annotation,) if misspelt else ())


def test_when_a_service_account_was_annotated() -> None:
    value = service_account("web", ROLE)
    owned_fields: dict[str, Any] = {"f:metadata": {"f:annotations": {"f:eks.amazonaws.com/role-arn": {}}}}
    value["metadata"]["managedFields"] = [
        {"time": "2026-11-05T00:00:00Z", "fieldsV1": owned_fields},
        {"time": "2026-11-01T00:00:00Z", "fieldsV1": {"f:metadata": {"f:labels": {}}}},
    ]
    account = read_facts(listing(value)).service_account("shop", "web")
    assert account is not None
    assert account.annotated == datetime(2026, 11, 5, tzinfo=UTC)


def test_pods_alike_are_one_workload() -> None:
    pods = [pod(f"web-6f7d-{name}", irsa_variables(ROLE)) for name in ("b", "a")]
    over = pod("web-6f7d-c", irsa_variables(ROLE))
    over["status"]["phase"] = "Succeeded"
    groups = workloads(
        read_facts(listing(*pods, over, pod("web-6f7d-d"), pod("agent", owner=("DaemonSet", "agent")))).pods or ()
    )
    assert [(workload.title, len(workload.pods)) for workload in groups] == [
        ("shop/daemonset/agent", 1), ("shop/deployment/web", 2), ("shop/deployment/web", 1),
    ]  # fmt: skip


AS_WRITTEN = (
    (
        "- rolearn: arn:aws:iam::111122223333:role/nodes\n  username: system:node:{{EC2PrivateDNSName}}\n"
        "  groups:\n    - system:bootstrappers\n    - system:nodes\n"
    ),
    (
        "- groups:\n  - system:masters\n  rolearn: arn:aws:iam::111122223333:role/team/admin # us\n  username: admin\n"
        "- groups: [viewers, 'ops']\n  rolearn: arn:aws:iam::111122223333:role/dev\n"
    ),
    '- "groups":\n  - "system:masters"\n  "rolearn": "arn:aws:iam::111122223333:role/x"\n  "username": "{{SessionName}}"\n',
    "\n    -   rolearn: arn:aws:iam::111122223333:role/y\n\n        groups: []\n        username: 'a: b'\n",
    '[{"rolearn": "arn:aws:iam::111122223333:role/y", "groups": ["a"]}]',
    "---\n# nobody\n",
)


@pytest.mark.parametrize("text", AS_WRITTEN)
def test_lines_of_aws_auth_as_yaml_has_them(text: str) -> None:
    expected = tuple(
        AuthMapping("role", line["rolearn"], line.get("username", ""), tuple(line.get("groups", ())))
        for line in yaml.safe_load(text) or ()
    )
    assert parse_aws_auth({"mapRoles": text}) == expected


@pytest.mark.parametrize("text", ["- rolearn: |\n    arn", "- &a {rolearn: x}", "rolearn: x", "- x", "- rolearn: [a", "nobody",
    "- rolearn: arn:aws:iam::111122223333:role/y\n username: x", "- rolearn: arn:aws:iam::111122223333:role/y\n  rolearn: x",
    "- rolearn: arn:aws:iam::111122223333:role/y\n  username: {{SessionName}}", "{}"])  # fmt: skip
def test_lines_of_aws_auth_that_are_not_understood_are_not_half_read(text: str) -> None:
    with pytest.raises(InputError):
        parse_aws_auth({"mapRoles": text})
    facts = read_facts(listing(aws_auth(text)) + listing(pod("web")))
    assert facts.mappings is None
    assert "cannot be read" in facts.trouble[0]
