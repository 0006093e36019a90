"""An explanation as a chain: as far as it holds, where it breaks, and what would have to hold there."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ekstui.denial.question import Question
from ekstui.library import Library
from ekstui.library.explaining import Inquiry, explain_all
from ekstui.present.chain import chain_of
from ekstui.present.explanation import explanation_blocks
from ekstui.present.rendering import lay_out, lines, rows, styled_line
from ekstui.present.styled import plain
from tests.support.bundled import CNI, newest

NOW = datetime(2026, 12, 1, tzinfo=UTC)

DELETE = (
    "User: arn:aws:sts::111122223333:assumed-role/prod-ebs-csi/i-0abc is not authorized to perform: ec2:DeleteVolume on "
    "resource: arn:aws:ec2:eu-central-1:111122223333:volume/vol-0abc because no identity-based policy allows the "
    "ec2:DeleteVolume action"
)


def page(library: Library, inquiry: Inquiry, *open_keys: object) -> list[str]:
    blocks = explanation_blocks(explain_all(library, inquiry), now=NOW, open_keys=open_keys)
    return list(lines(blocks, 300, colours=False, whole_tables=False))


def test_a_denial_is_its_chain_then_what_to_check_and_what_fixes_it(demo: Library) -> None:
    page_lines = page(demo, Inquiry(Question(message=DELETE)))
    assert page_lines[1:3] == [
        f"session ✓ → role prod-ebs-csi ✓ → AmazonEBSCSIDriverPolicy v{newest('AmazonEBSCSIDriverPolicy')} ✓ → action ✓ → resource ✓ → tags ?",
        "one of ebs.csi.aws.com/cluster=true   CSIVolumeName=*   kubernetes.io/created-for/pvc/name=*",
    ]
    check, fix = (next(n for n, line in enumerate(page_lines) if line.startswith(label)) for label in ("CHECK", "FIX"))
    assert check < fix
    assert page_lines[check + 1].startswith("aws ec2 describe-tags ")
    assert page_lines[fix + 1].startswith(
        "aws ec2 create-tags --resources vol-0abc --tags Key=ebs.csi.aws.com/cluster,Value=true"
    )
    assert page_lines[-1].startswith("▸ nearest statements (5)   ▸ would also allow it, if attached (")
    assert len(page_lines) <= 9
    in_app = rows(explanation_blocks(explain_all(demo, Inquiry(Question(message=DELETE))), now=NOW, open_keys=()), 120)
    keys = [text for row in in_app for text, style in row.cells[0] if style == "key"]
    assert [key.strip() for key in keys] == ["y", "y"]


@pytest.mark.parametrize(
    ("role", "action", "resource", "chain", "breaks"),
    [
        ("prod-node", "ec2:CreateTags", "arn:aws:ec2:eu-west-1:111122223333:instance/i-1",
         f"role prod-node ✓ → AmazonEKS_CNI_Policy v{newest(CNI)} ✓ → action ✓ → resource ✗", "only on arn:aws:ec2:*:*:network-interface/*"),
        ("prod-node", "iam:CreateUser", None, "role prod-node ✓ → a statement that names the action ✗", ""),
        ("prod-node", "ec2:DescribeInstances", "*",
         f"role prod-node ✓ → AmazonEKSWorkerNodePolicy v{newest('AmazonEKSWorkerNodePolicy')} ✓ → action ✓ → resource ✓", ""),
        # What does not allow it is the boundary, whatever the identity's policies say.
        ("prod-orders", "sts:AssumeRole", None,
         f"role prod-orders ✓ → identity policies ? → permissions boundary AmazonEKSClusterPolicy v{newest('AmazonEKSClusterPolicy')} ✓ → action ✗", ""),
    ],
)  # fmt: skip
def test_the_chain_ends_where_it_breaks(
    demo: Library, role: str, action: str, resource: str | None, chain: str, breaks: str
) -> None:
    resources = () if resource is None else (resource,)
    page_lines = page(demo, Inquiry(Question(action=action, resources=resources), principal=role))
    assert page_lines[1] == chain
    assert page_lines[2].startswith(breaks)


def test_a_deny_and_a_condition_that_does_not_hold_are_named(tmp_path: Path) -> None:
    library = Library.open()

    def explained(*statements: dict[str, object]) -> list[str]:
        path = tmp_path / "p.json"
        path.write_text(json.dumps({"Version": "2012-10-17", "Statement": statements}))
        from ekstui.library.notation import FileSide

        question = Question(
            action="s3:GetObject", resources=("arn:aws:s3:::a/b",), context={"aws:SourceVpc": ("vpc-1",)}
        )
        return page(library, Inquiry(question, policies=(FileSide(str(path)),)))

    allow: dict[str, object] = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    denied_lines = explained(allow, {"Effect": "Deny", "Action": "s3:*", "Resource": "*"})
    assert denied_lines[1].endswith(" → a Deny ✗")
    in_vpc = explained({**allow, "Condition": {"StringEquals": {"aws:SourceVpc": "vpc-2"}}})
    assert in_vpc[1].endswith("action ✓ → resource ✓ → aws:SourceVpc ✗")
    assert in_vpc[2] == "needs aws:SourceVpc=vpc-2"


def test_a_chain_is_cut_behind_what_breaks_or_else_behind_what_is_open() -> None:
    def chain(*links: str) -> str:
        states = {"+": "holds", "-": "breaks", "?": "open"}
        line = chain_of([(link[0], states[link[1]]) for link in links])  # type: ignore[misc]
        return plain(styled_line(line, "terminal")) if line else ""

    assert chain("a+", "b+") == "a ✓ → b ✓"
    assert chain("a+", "b-", "c+") == "a ✓ → b ✗"
    assert chain("a+", "b?", "c+") == "a ✓ → b ?"
    assert chain("a+", "b?", "c-", "d+") == "a ✓ → b ? → c ✗"
    assert chain("a-", "b+") == chain() == ""


def test_what_is_folded_unfolds_and_nothing_is_lost(demo: Library) -> None:
    answers = explain_all(demo, Inquiry(Question(message=DELETE)))
    folded_blocks = explanation_blocks(answers, now=NOW, open_keys=())
    keys = [row.key for row in lay_out(folded_blocks, 118, "app") if plain(row.line).startswith("▸")]
    assert len(keys) >= 5
    open_page = "\n".join(
        plain(row.line) for row in lay_out(explanation_blocks(answers, now=NOW, open_keys=keys), 300, "app")
    )
    whole_page = "\n".join(lines(explanation_blocks(answers, now=NOW), 300, colours=False, whole_tables=False))
    for part in (
        "StringLike true; not given",
        "AmazonEBSCSIDriverEKSClusterScopedPolicy",
        '"ec2:DeleteVolume"',
        "used by",
    ):
        assert part not in "\n".join(plain(row.line) for row in lay_out(folded_blocks, 300, "app"))
        assert part in open_page
        assert part in whole_page
