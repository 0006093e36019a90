"""The map of a cluster: its access entries beside its roles."""

from datetime import UTC, datetime

import pytest

from ekstui.library import AccountChoice, Library
from ekstui.library.cluster_answers import cluster_answer
from ekstui.present.rendering import markdown
from ekstui.present.role_report import map_blocks


@pytest.mark.parametrize(
    ("cluster", "lines"),
    [
        (
            "prod",
            {
                "access entries  7 entries",
                "role/…/AWSReservedSSO_AdministratorAccess_0123456789abcdef  STANDARD  AmazonEKSClusterAdminPolicy in the cluster",
                "role/prod-node  EC2_LINUX  group system:nodes",
            },
        ),
        ("legacy", {"access entries  none: the cluster uses the aws-auth ConfigMap"}),
    ],
)
def test_the_map_has_who_may_use_the_cluster(cluster: str, lines: set[str]) -> None:
    answer = cluster_answer(Library.open(AccountChoice(demo=True, offline=True)), cluster)
    shown = markdown(map_blocks(answer, (), datetime.now(UTC)))
    assert lines <= {
        line.strip().lstrip("- ").replace("`", "").replace("*", "").replace("\\", "") for line in shown.splitlines()
    }
    assert "111122223333" not in shown
