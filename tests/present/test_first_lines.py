"""The first line of an answer is its verdict, and why: each as it is read at three in the morning."""

from datetime import UTC, datetime

from ekstui.library import AccountChoice, Library
from ekstui.library.cluster_answers import cluster_answer, clusters
from ekstui.library.roles import role_answer
from ekstui.library.upgrading import upgrade
from ekstui.present.blocks import Block
from ekstui.present.cluster_report import cluster_blocks, clusters_blocks
from ekstui.present.rendering import lines
from ekstui.present.role_report import role_blocks
from ekstui.present.upgrade_report import upgrade_blocks

NOW = datetime(2026, 12, 1, tzinfo=UTC)

FIRST_LINES = """
clusters                11 problems in 3 of 3 clusters
cluster auto            Cluster auto in eu-central-1: 2 problems, first: auto-cluster: trust lacks sts:TagSession
cluster prod            Cluster prod in eu-central-1: 8 problems, first: EKS reports AccessDenied for spot
cluster legacy          Cluster legacy in us-east-1: 1 problem, EKS reports KmsGrantRevoked
role prod-node          prod-node: no problem found
role prod-orders        prod-orders: 1 problem, boundary allows none of its actions
role prod-efs-csi       prod-efs-csi: 1 problem, trust names another cluster's issuer
upgrade prod            Upgrade of cluster prod: first give prod-efs-csi and prod-karpenter-controller what they lack
upgrade legacy          Upgrade of cluster legacy: nothing to judge
"""


def first_line(blocks: list[Block]) -> str:
    return next(line for line in lines(blocks, 200, colours=False, whole_tables=False) if line.strip())


def test_the_first_lines_of_answers_about_the_account_read_as_a_page() -> None:
    library = Library.open(AccountChoice(demo=True, offline=True))
    blocks = {"clusters": clusters_blocks(library.account.last_snapshot_or_error(), clusters(library))}
    for name in ("auto", "prod", "legacy"):
        blocks[f"cluster {name}"] = cluster_blocks(cluster_answer(library, name), NOW, NOW)
    for name in ("prod-node", "prod-orders", "prod-efs-csi"):
        blocks[f"role {name}"] = role_blocks(role_answer(library, name), NOW)
    # Releases that are known whatever is published later.
    for name, to in (("prod", {"aws-efs-csi-driver": "v3.4.1", "karpenter": "v1.8.0"}), ("legacy", {})):
        blocks[f"upgrade {name}"] = upgrade_blocks(upgrade(library, name, to, {}, {}))
    page = dict(line.split("  ", 1) for line in FIRST_LINES.strip().splitlines())
    assert {name: first_line(answer) for name, answer in blocks.items()} == {k: v.strip() for k, v in page.items()}
