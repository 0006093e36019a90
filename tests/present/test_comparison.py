"""A comparison as the reader sees it, of AWS's own documents."""

import json
import re
from pathlib import Path

import pytest

from ekstui.change.differences import differences
from ekstui.eks.account_snapshot import AttachedPolicy
from ekstui.iam.document import parse
from ekstui.library import Library
from ekstui.library.comparing import Comparison, attached_count, compare
from ekstui.library.notation import parse_sides
from ekstui.present.blocks import spans
from ekstui.present.comparison import comparison_blocks, difference_blocks
from ekstui.present.comparison_grid import grid
from ekstui.present.rendering import lines, markdown, rows
from ekstui.present.styled import plain
from tests.support.accounts import snapshot

SERVICE_ROLE = "AmazonEKSServiceRolePolicy"
EBS = "AmazonEBSCSIDriverPolicy"


def comparison_of(library: Library, *sides: str) -> Comparison:
    return compare(library, *parse_sides(sides))


def comparison_lines(comparison: Comparison, width: int = 120, *, full: bool = True) -> list[str]:
    """The lines of the answer, without indents."""
    text_lines = lines(comparison_blocks(comparison, full=full), width, colours=False, whole_tables=False)
    return [line.strip() for line in text_lines]


@pytest.mark.parametrize("width", [80, 120])
def test_one_arn_more_for_two_actions_takes_at_most_six_lines(library: Library, width: int) -> None:
    text_lines = comparison_lines(comparison_of(library, f"{SERVICE_ROLE}@v25..v26"), width)
    assert len(text_lines) <= 6
    assert text_lines[0] == f"{SERVICE_ROLE}  v25 (2026-04-21) → v26 (2026-07-10)"
    assert text_lines[-2:] == [
        "~ 2 actions: eks:AssociateAccessPolicy, eks:DisassociateAccessPolicy",
        "eks:policyArn  + …/AmazonEKSPodIdentityPolicy",
    ]
    assert text_lines.count("v26: The access policy AmazonEKSPodIdentityPolicy may be associated.") == 1


@pytest.mark.parametrize(
    ("sides", "most"), [(f"{SERVICE_ROLE}@v1..v27", 70), ("ReadOnlyAccess@v187..v188", 25), (f"{EBS}@v2..v3", 30)]
)
def test_large_steps_stay_readable(library: Library, sides: str, most: int) -> None:
    assert len(comparison_lines(comparison_of(library, sides))) <= most


def test_a_resource_that_replaces_another_keeps_its_conditions(library: Library) -> None:
    text = " ".join(comparison_lines(comparison_of(library, f"{EBS}@v2..v3")))
    ways = "aws:RequestTag/ebs.csi.aws.com/cluster StringLike true, or if aws:RequestTag/CSIVolumeName StringLike *"
    assert f"resource  − *  + arn:aws:ec2:*:*:volume/*  as before if {ways}" in text
    assert f"on arn:aws:ec2:*:*:snapshot/*: no longer if {ways}" in text
    assert "+ arn:aws:ec2:*:*:snapshot/* on" not in text


def test_the_reason_comes_with_what_aws_said_otherwise(library: Library) -> None:
    text = " ".join(comparison_lines(comparison_of(library, f"{SERVICE_ROLE}@v24..v25")))
    assert "3 actions added" in text
    assert "v25: Auto Mode learns of EC2 health events" in text
    assert "But: AWS announced elasticloadbalancing:DescribeCapacityReservation" in text
    back = " ".join(comparison_lines(comparison_of(library, f"{SERVICE_ROLE}@v25..v24")))
    assert "without v25: Auto Mode" in back


def test_two_policies_have_what_only_one_has_and_what_both_have(library: Library) -> None:
    text_lines = comparison_lines(comparison_of(library, f"{EBS}@v15", f"{EBS}V2@v1"))
    headings = [line for line in text_lines if line.startswith(("Only in", "In both"))]
    assert headings[0] == f"Only in {EBS} (1)"
    assert headings[1].startswith("In both, but not alike (12)")
    assert headings[2] == "In both (7)"
    modify = text_lines.index("~ ec2:ModifyVolume")
    assert text_lines[modify + 1 : modify + 4] == [
        "− without condition",
        "+ if ec2:ResourceTag/ebs.csi.aws.com/cluster StringEquals true",
        "+ or if ec2:ResourceTag/kubernetes.io/created-for/pvc/name StringLike *",
    ]
    assert "would be denied with V2 alone" in " ".join(text_lines)


def test_two_policies_stand_in_a_grid(library: Library) -> None:
    text_lines = comparison_lines(comparison_of(library, f"{EBS}@v15", f"{EBS}V2@v1"), full=False)
    cells = [re.split(r" {2,}", line) for line in text_lines]
    assert text_lines[:3] == [
        f"{EBS} v15 (A) ⇄ {EBS}V2 v1 (B)",
        "only A 1 · only B 0 · unlike 12 · alike 7",
        "each allows something that the other does not   A is of 2026-05-13, B is of 2026-04-16",
    ]
    assert ["ACTION OF EC2", "ON", "A", "B"] in cells
    assert ["DescribeTags", "all", "✓", "–"] in cells
    pair = cells.index(["AttachVolume ×2", "volume", "✓", "if cluster=true or pvc/name"])
    assert text_lines[pair + 1] == "AttachVolume, DetachVolume"
    assert ["CreateTags", "volume", "fewer cases", "more cases"] in cells
    # StringLike and StringEquals mean the same without wildcards; what is left is one condition of A alone.
    assert ["DeleteVolume", "volume", "more cases", "fewer cases"] in cells
    assert not any(line.startswith("Only in") for line in text_lines)


def test_a_narrow_grid_keeps_the_names_of_actions_whole(library: Library) -> None:
    sides = comparison_of(library, "AmazonEKSBlockStoragePolicy@v1", f"{EBS}V2@v1")
    laid = [plain(row.cells[0]) for row in rows(difference_blocks(sides), 78)]
    for name in ("CopyVolumes", "DeleteSnapshot ×2", "DeleteTags", "DescribeAvailabilityZones"):
        assert any(line.startswith(f"▸ {name} ") for line in laid), (name, laid)


def test_a_row_of_the_grid_unfolds_in_sentences(library: Library) -> None:
    comparison = comparison_of(library, f"{EBS}@v15", f"{EBS}V2@v1")
    modify = next(
        difference for difference in comparison.differences.changed if difference.actions == ("ec2:ModifyVolume",)
    )
    folded_rows, unfolded_rows = (
        [plain(row.cells[0]) for row in rows(difference_blocks(comparison, open_keys), 120)]
        for open_keys in ((), {modify})
    )
    at = next(number for number, line in enumerate(unfolded_rows) if line.startswith("▾ ModifyVolume"))
    assert [line.strip() for line in unfolded_rows[at + 1 : at + 5]] == [
        "~ ec2:ModifyVolume   − A  + B",
        "− without condition",
        "+ if ec2:ResourceTag/ebs.csi.aws.com/cluster StringEquals true",
        "+ or if ec2:ResourceTag/kubernetes.io/created-for/pvc/name StringLike *",
    ]
    assert unfolded_rows[:at] + unfolded_rows[at + 5 :] == [
        line for line in folded_rows if not line.startswith("▸ ModifyVolume")
    ]


@pytest.mark.parametrize(
    ("before", "after", "cells"),
    [
        # What one leaves out, the other allows there.
        ({"NotResource": ["a", "b"]}, {"NotResource": ["a", "c"]}, {("b", "–", "✓"), ("c", "✓", "–")}),
        ({"Resource": "a"}, {"Resource": ["a", "b"]}, {("b", "–", "✓")}),
        ({"Effect": "Deny"}, {"Effect": "Deny", "Condition": {"Bool": {"aws:ViaAWSService": "false"}}},
         {("all", "✓", "if ViaAWSService=false")}),
        ({"Condition": {"StringLike": {"s3:prefix": "a*"}}}, {"Condition": {"StringEquals": {"s3:prefix": "a*"}}},
         {("all", "if s3:prefix StringLike a*", "if s3:prefix StringEquals a*")}),
    ],
)  # fmt: skip
def test_a_place_has_what_each_side_allows_there(
    before: dict[str, object], after: dict[str, object], cells: set[tuple[str, ...]]
) -> None:
    sides = (
        parse({"Statement": [{"Effect": "Allow", "Action": "s3:GetObject"} | ({} if "NotResource" in side else {"Resource": "*"}) | side]})
        for side in (before, after)
    )  # fmt: skip
    table = grid(differences(*sides), (), lambda _: ())
    texts = {tuple("".join(span.text for span in spans(cell)) for cell in row.cells[1:]) for row in table.rows}
    assert texts == cells


def test_a_copy_that_names_what_aws_has_by_a_pattern_lacks_nothing_of_it(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A short path, since lines are broken at the width.
    monkeypatch.chdir(tmp_path)
    statement = {"Effect": "Allow", "Action": "ec2:DescribeVpcs", "Resource": "*"}
    for name, action in (("named.json", "ec2:DescribeVpcs"), ("wild.json", ["ec2:Describe*"])):
        Path(name).write_text(json.dumps({"Version": "2012-10-17", "Statement": {**statement, "Action": action}}))
    text_lines = comparison_lines(comparison_of(library, "./named.json", "./wild.json"))
    assert any("ec2:DescribeVpcs  in " in line and "by ec2:Describe*" in line for line in text_lines)
    assert not any(line.startswith("−") for line in text_lines)


def test_who_has_it_attached_is_shown_as_far_as_it_is_known(library: Library) -> None:
    account = snapshot()
    arn = "arn:aws:iam::aws:policy/aws-service-role/AmazonEKSServiceRolePolicy"
    role = account.roles[0]._replace(attached=(AttachedPolicy(SERVICE_ROLE, arn),))
    account_snapshot = account._replace(roles=(role,))
    comparison = comparison_of(library, f"{SERVICE_ROLE}@v25..v26")
    report = comparison_lines(comparison._replace(attached=(attached_count(arn, account_snapshot),)))
    assert f"{SERVICE_ROLE} is attached to 1 role in account 111122223333, as of 2026-11-30 12:00 UTC." in report
    part = comparison_lines(
        comparison._replace(attached=(attached_count(arn, account_snapshot._replace(complete=False)),))
    )
    assert any("at least 1 role" in line for line in part)


def test_markdown_says_the_same(library: Library) -> None:
    text = markdown(comparison_blocks(comparison_of(library, f"{SERVICE_ROLE}@v25..v26")))
    assert text.startswith(f"# `{SERVICE_ROLE}`")
    assert "- ~ 2 actions: `eks:AssociateAccessPolicy`, `eks:DisassociateAccessPolicy`" in text
    assert "  - `eks:policyArn`  + `…/AmazonEKSPodIdentityPolicy`" in text


@pytest.mark.parametrize(
    "values", [["A" * 5_000, "B" * 3_000], [f"value{number}" for number in range(900)]], ids=["long", "many"]
)
def test_long_values_do_not_push_the_rest_off_the_screen(library: Library, tmp_path: Path, values: list[str]) -> None:
    """A condition of 8,000 characters took 120 lines; what is left out is counted."""
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    for name, condition in (("a", {}), ("b", {"Condition": {"StringLike": {"aws:PrincipalTag/a": values}}})):
        text = json.dumps({"Version": "2012-10-17", "Statement": [statement | condition]})
        (tmp_path / f"{name}.json").write_text(text)
    text_lines = comparison_lines(comparison_of(library, str(tmp_path / "a.json"), str(tmp_path / "b.json")))
    assert len(text_lines) < 30
    assert any(" more" in line for line in text_lines)
