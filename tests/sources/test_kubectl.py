"""Kubernetes is read by the user's own kubectl: page by page, nothing but what is needed, and every trouble has a sentence."""

import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from ekstui import files
from ekstui.eks.cluster import Cluster
from ekstui.errors import AccountError, InputError
from ekstui.sources import kubectl
from ekstui.sources.kubectl import ACCEPTED_PATHS, REJECTED_METHODS, context_for, read_by_kubectl
from tests.support.kube_api import TOKEN, KubeApi, free_port, kubeconfig, serving
from tests.support.kubernetes import POD_IDENTITY, aws_auth, pod, service_account

NOW = datetime(2026, 12, 1, tzinfo=UTC)
PODS, ACCOUNTS = "/api/v1/pods", "/api/v1/serviceaccounts"
with_kubectl = pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")


@pytest.fixture
def api() -> KubeApi:
    items = [pod(f"web-6f-{number}", POD_IDENTITY) for number in range(1200)]
    return KubeApi(*items, service_account("web"), aws_auth("- rolearn: arn:aws:iam::111122223333:role/x\n"))


@pytest.fixture
def prod(api: KubeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    with serving(api, tmp_path) as url:
        monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path, {"dev": "https://other", "arn:prod": url})))
        yield Cluster("prod", "eu-west-1", endpoint=url)


@with_kubectl
def test_all_pages_are_read_and_nothing_else(api: KubeApi, prod: Cluster) -> None:
    facts = read_by_kubectl(context_for(prod, None), NOW)
    assert len(facts.pods or ()) == 1200
    assert len(facts.service_accounts or ()) == 1
    assert len(facts.mappings or ()) == 1
    assert (facts.whole, facts.trouble) == (("aws-auth", "pods", "service accounts"), ())
    assert [path.rpartition("/")[2].partition("?")[0] for path in api.asked] == [
        *["pods"] * 3,
        "serviceaccounts",
        "aws-auth",
    ]
    assert all(path.startswith(f"Bearer {TOKEN} ") for path in api.asked)


@with_kubectl
@pytest.mark.parametrize(
    ("trouble", "pods", "whole", "words"),
    [
        ({PODS: [403]}, None, ("aws-auth", "service accounts"), "The pods could not be read (403)"),
        ({ACCOUNTS: [403]}, 1200, ("aws-auth", "pods"), "The service accounts could not be read (403)"),
        ({PODS: [0, 500]}, 500, ("aws-auth", "service accounts"), "The pods could not be fully read (500)"),
        ({PODS: [0, 410]}, 1200, ("aws-auth", "pods", "service accounts"), ""),
        ({PODS: [410, 410]}, None, ("aws-auth", "service accounts"), "The pods could not be read (410)"),
        ({PODS: [401]}, None, ("aws-auth", "service accounts"), "does not accept kubectl's credentials"),
    ],
)
def test_what_is_refused_is_said(
    api: KubeApi, prod: Cluster, trouble: dict[str, list[int]], pods: int | None, whole: tuple[str, ...], words: str
) -> None:
    api.trouble = trouble
    facts = read_by_kubectl("arn:prod", NOW)
    assert (None if facts.pods is None else len(facts.pods), facts.whole) == (pods, whole)
    assert words in " ".join(facts.trouble)
    assert bool(words) is bool(facts.trouble)
    assert TOKEN not in " ".join(facts.trouble)


@with_kubectl
def test_one_namespace_is_enough_where_no_more_is_allowed(api: KubeApi, prod: Cluster) -> None:
    api.trouble = {PODS: [403], ACCOUNTS: [403]}
    facts = read_by_kubectl("arn:prod", NOW, "shop")
    assert (len(facts.pods or ()), facts.whole) == (1200, ("aws-auth",))
    assert "other namespaces than shop" in facts.trouble[0]


@with_kubectl
def test_nothing_at_all_is_an_error(api: KubeApi, prod: Cluster) -> None:
    api.trouble = {PODS: [403], ACCOUNTS: [403], "/api/v1/namespaces/kube-system/configmaps/aws-auth": [403]}
    with pytest.raises(AccountError, match="The pods could not be read") as error:
        read_by_kubectl("arn:prod", NOW)
    assert "read-only-clusterrole" in error.value.next_step


@with_kubectl
def test_a_server_that_hangs_is_not_waited_for(api: KubeApi, prod: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kubectl, "PATIENCE", 0.5)
    api.hangs.set()
    with pytest.raises(AccountError, match="Kubernetes did not answer"):
        read_by_kubectl("arn:prod", NOW)
    assert api.hangs.is_set()
    assert not api.released.is_set()


@with_kubectl
def test_a_reading_is_stopped_while_the_server_hangs(api: KubeApi, prod: Cluster) -> None:
    api.hangs.set()
    with pytest.raises(InputError, match="This was stopped"):
        read_by_kubectl("arn:prod", NOW, cancelled=lambda: bool(api.asked))


@with_kubectl
def test_a_server_that_is_gone_is_said(tmp_path: Path, prod: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path, {"gone": f"https://127.0.0.1:{free_port()}"})))
    with pytest.raises(AccountError, match="The pods could not be read"):
        read_by_kubectl("gone", NOW)


@with_kubectl
def test_a_plugin_that_prints_is_no_trouble(
    api: KubeApi, prod: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    plugin = tmp_path / "plugin"
    credential = (
        f'{{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{{"token":"{TOKEN}"}}}}'
    )
    plugin.write_text(f"#!/bin/sh\necho 'signing in {TOKEN}' >&2\necho '{credential}'\n")
    plugin.chmod(0o700)
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path, {"prod": prod.endpoint or ""}, plugin)))
    assert len(read_by_kubectl("prod", NOW).pods or ()) == 1200
    assert TOKEN not in "".join(capfd.readouterr())


@with_kubectl
def test_the_context_is_chosen_by_its_server(prod: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = prod.endpoint or ""
    assert context_for(prod, None) == "arn:prod"
    with pytest.raises(InputError, match="leads to another server"):
        context_for(prod, "dev")
    with pytest.raises(InputError, match="kubectl has no context 'nobody'"):
        context_for(prod, "nobody")
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path, {"a": url, "b": f"{url}/"})))
    with pytest.raises(InputError, match="2 contexts lead to cluster prod: a and b"):
        context_for(prod, None)
    assert context_for(prod, "b") == "b"
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path, {})))
    with pytest.raises(AccountError, match="No context of kubectl leads to cluster prod") as error:
        context_for(prod, None)
    assert "aws eks update-kubeconfig --name prod --region eu-west-1" in error.value.next_step


def test_kubectl_may_be_missing_or_too_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "sh").symlink_to(shutil.which("sh") or "/bin/sh")
    monkeypatch.setenv("PATH", str(tools))
    with pytest.raises(AccountError, match="kubectl is not installed"):
        context_for(Cluster("prod", "eu-west-1", endpoint="https://x"), None)
    with pytest.raises(AccountError, match="kubectl is not installed"):
        read_by_kubectl("prod", NOW)
    old_kubectl = tools / "kubectl"
    old_kubectl.write_text("#!/bin/sh\necho 'Error: unknown flag: --unix-socket' >&2\nexit 1\n")
    old_kubectl.chmod(0o700)
    with pytest.raises(AccountError, match="kubectl is too old"):
        read_by_kubectl("prod", NOW)
    old_kubectl.write_text(f"#!/bin/sh\necho 'no such thing {'x' * 40}' >&2\nexit 1\n")
    with pytest.raises(AccountError, match="kubectl proxy did not start: no such thing …"):
        read_by_kubectl("prod", NOW)


def test_no_method_but_get_and_no_path_but_those_that_are_read() -> None:
    assert [name for name in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "G", "GE", "GETS", "get", "")
            if not re.search(REJECTED_METHODS, name)] == ["GET"]  # fmt: skip
    patterns = [re.compile(path) for path in ACCEPTED_PATHS.split(",")]
    paths = ("/api/v1/pods", "/api/v1/namespaces/shop/serviceaccounts", "/api/v1/namespaces/kube-system/configmaps/aws-auth",
             "/api/v1/secrets", "/api/v1/pods/x/log", "/api/v1/namespaces/shop/pods/x/exec", "/api/v1/configmaps",
             "/api/v1/namespaces/kube-system/configmaps/other")  # fmt: skip
    assert [path for path in paths if any(pattern.search(path) for pattern in patterns)] == list(paths[:3])


def test_the_cluster_role_gives_just_what_is_read() -> None:
    role = yaml.safe_load((files.assets() / "read-only-clusterrole.yaml").read_text(encoding="utf-8"))
    assert role["rules"] == [
        {"apiGroups": [""], "resources": ["pods", "serviceaccounts"], "verbs": ["list"]},
        {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["aws-auth"], "verbs": ["get"]},
    ]
