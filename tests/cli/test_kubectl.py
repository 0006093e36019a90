"""Commands that read Kubernetes by the user's own kubectl, from the first word to the answer."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from moto.eks.models import eks_backends

from ekstui.cli.main import main
from tests.library.test_privacy import traces
from tests.rig.isolation import ACCOUNT_ID
from tests.rig.rig import Rig
from tests.support.kube_api import TOKEN, KubeApi, kubeconfig, serving
from tests.support.kubernetes import POD_IDENTITY, aws_auth, everywhere, pod, service_account

pytestmark = pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")

ITEMS = (
    *everywhere(), pod("api-6f-1", POD_IDENTITY, namespace="orders", account="api"), service_account("api", namespace="orders"),
    aws_auth("- rolearn: arn:aws:iam::444455556666:role/x\n  groups: [system:masters]\n"),
)  # fmt: skip


@pytest.fixture
def api(rig: Rig, own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[KubeApi]:
    """The API of the cluster prod, to which the current context leads."""
    rig.reset(0)
    api = KubeApi(*ITEMS)
    with serving(api, tmp_path) as url:
        monkeypatch.setattr(eks_backends[ACCOUNT_ID]["eu-central-1"].clusters["prod"], "endpoint", url)
        monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path, {"prod": url})))
        yield api


def test_a_pod_and_a_cluster_are_answered_from_what_kubectl_reads(
    api: KubeApi, own_home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["pod", "orders/api-6f-1", "--context", "prod"]) == 0
    output = " ".join(capsys.readouterr().out.split())
    assert output.startswith("orders/api-6f-1 uses role orders-data by Pod Identity")
    request_count = len(api.asked)
    assert request_count == 3
    assert main(["cluster", "prod", "--kubernetes", "--full"]) == 0
    assert "aws-auth gives system:masters" in capsys.readouterr().out
    assert len(api.asked) == 2 * request_count
    # What kubectl read is kept: the next answer needs neither kubectl nor the API.
    assert main(["cluster", "prod", "--entries", "--offline"]) == 0
    assert "cluster-access-policy/AmazonEKSClusterAdminPolicy" in capsys.readouterr().out
    assert len(api.asked) == 2 * request_count
    (tmp_path / "kubeconfig").unlink()
    assert traces(own_home, TOKEN) == []


def test_what_may_not_be_read_is_said_and_the_rest_is_answered(
    api: KubeApi, capsys: pytest.CaptureFixture[str]
) -> None:
    api.trouble = {"/api/v1/serviceaccounts": [403]}
    assert main(["cluster", "prod", "--kubernetes"]) == 0
    output = capsys.readouterr()
    assert "The service accounts could not be read (403)" in output.err
    assert TOKEN not in output.out + output.err
    api.trouble = {"/api/v1/serviceaccounts": [500]}
    assert main(["pod", "orders/api-6f-1", "--context", "prod"]) == 0
    assert "The service accounts could not be read (500)" in capsys.readouterr().err
