"""Services by access levels for several policies."""

from fnmatch import fnmatchcase
from typing import Any

import pytest

from ekstui.iam.access_levels import MatrixRow, SumAccess, extent, holding, matrix, sum_access
from ekstui.iam.document import Document, parse
from ekstui.iam.reference import reference
from ekstui.iam.summary import services_in
from tests.support.corpus import raw_corpus, raw_document
from tests.support.documents import allow, document


def rows_of(*documents: Any) -> dict[str, MatrixRow]:
    parsed_documents = [parse(document) for document in documents]
    return {row.service: row for row in matrix([services_in(document) for document in parsed_documents])}


def test_each_policy_has_its_number_and_a_service_of_one_only_stands_too() -> None:
    rows = rows_of(document(allow(["ec2:DescribeVpcs", "kms:DescribeKey"])), document(allow("ec2:*")))
    assert list(rows) == ["ec2", "kms"]
    totals = reference().level_totals("ec2")
    assert {level: cell.granted for level, cell in rows["ec2"].cells.items()} == {
        level: (1 if level == "List" else 0, total) for level, total in totals.items()
    }
    assert rows["kms"].cells["Read"].granted == (1, 0)
    assert not any(cell.granted[1] for cell in rows["kms"].cells.values())


def test_what_a_policy_takes_back_is_not_counted_and_said() -> None:
    deny = {"Effect": "Deny", "Action": "kms:ListKeys", "Resource": "*"}
    in_part = {"Effect": "Deny", "Action": "kms:ListAliases", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}  # fmt: skip
    cell = rows_of(document(allow("kms:List*"), deny, in_part), document(allow("kms:ListKeys")))["kms"].cells["List"]
    lists = [info for info in reference().actions("kms").values() if info.level == "List"]
    assert cell.granted == (len(lists) - 1, 1)
    assert cell.denied == (True, False)


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([allow("s3:GetObject")], "all"),
        ([allow("s3:GetObject", Resource="arn:aws:s3:::bucket/*")], "some"),
        ([allow("s3:GetObject", Condition={"Bool": {"aws:SecureTransport": "true"}})], "some"),
        ([allow("s3:GetObject"), {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}], "denied"),
        ([allow("s3:GetObject"), {"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::b/*"}], "some"),
        # A bucket is nothing that GetObject can be used on.
        ([allow(["s3:GetObject", "s3:ListBucket"], Resource="arn:aws:s3:::bucket")], "none"),
    ],
)
def test_how_far_an_action_is_given(statements: list[dict[str, Any]], expected: str) -> None:
    row = rows_of(document(*statements), document(allow("s3:GetObject")))["s3"]
    action = next(action for action in row.actions if action.action == "s3:GetObject")
    assert [extent(grants) for grants in action.by_policy] == [expected, "all"]
    assert row.differs == (expected != "all")


def test_an_action_that_the_reference_lacks_has_a_column_of_its_own() -> None:
    row = rows_of(document(allow(["ec2:DescribeNothingAtAll", "ec2:DescribeVpcs"])))["ec2"]
    assert row.cells["unknown"].granted == (1,)
    assert row.cells["unknown"].total == 0


def test_nothing_given_is_no_row() -> None:
    assert rows_of(document(), document({"Effect": "Deny", "Action": "*", "Resource": "*"})) == {}


@pytest.mark.parametrize(
    ("words", "actions_left"),
    [
        (["ec2"], ["ec2:CreateTags", "ec2:DescribeVpcs"]),
        (["describe"], ["ec2:DescribeVpcs"]),
        (["tagging", "ec2:"], ["ec2:CreateTags"]),
        (["iam"], None),
    ],
)
def test_a_filter_keeps_a_service_whole_or_the_actions_that_match(
    words: list[str], actions_left: list[str] | None
) -> None:
    row = rows_of(document(allow(["ec2:DescribeVpcs", "ec2:CreateTags"])))["ec2"]
    row_left = holding(row, words)
    assert (sorted(action.action for action in row_left.actions) if row_left else None) == actions_left
    # The cells go on telling of the whole service.
    assert row_left is None or row_left.cells == row.cells


def test_over_the_corpus_it_counts_what_the_patterns_match() -> None:
    """Held against a count of its own for policies that say nothing but `Allow` `Action` on `*` without a condition."""
    policy_count = 0
    for policy in raw_corpus():
        if policy_count >= 60:
            break
        raw = next(version["document"] for version in policy["versions"] if version["version"] == policy["default"])
        statements = raw["Statement"] if isinstance(raw["Statement"], list) else [raw["Statement"]]
        plain = all(
            statement["Effect"] == "Allow" and "Action" in statement and statement.get("Resource") in ("*", ["*"])
            and not statement.get("Condition") for statement in statements
        )  # fmt: skip
        if not plain:
            continue
        policy_count += 1
        # In the names of actions, fnmatch means the same by `*` and `?` as IAM does.
        patterns = [
            pattern.lower().replace("[", "[[]")
            for statement in statements
            for pattern in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
        ]
        for service, row in rows_of(raw).items():
            service_patterns = [
                pattern for pattern in patterns if pattern == "*" or pattern.partition(":")[0] == service
            ]
            for level, cell in row.cells.items():
                if level != "unknown":
                    names = [info.name for info in reference().actions(service).values() if info.level == level]
                    expected = sum(
                        any(fnmatchcase(name.lower(), pattern) for pattern in service_patterns) for name in names
                    )
                    assert (cell.granted, cell.total) == ((expected,), len(names)), (policy["name"], service, level)
    assert policy_count == 60


def test_the_administrator_has_everything_and_the_power_user_all_but_three_services() -> None:
    rows = rows_of(raw_document("AdministratorAccess", 1), raw_document("PowerUserAccess", 7))
    assert all(cell.granted[0] == cell.total for row in rows.values() for cell in row.cells.values())
    assert {service for service, row in rows.items() if row.differs} == {"account", "iam", "organizations"}


def test_what_documents_allow_together_less_what_they_deny_and_a_boundary_withholds() -> None:
    def doc(*statements: tuple[str, list[str], str]) -> Document:
        entries = [
            {"Effect": effect, "Action": actions, "Resource": resource} for effect, actions, resource in statements
        ]
        return parse({"Version": "2012-10-17", "Statement": entries})

    def left(access: SumAccess) -> set[str]:
        return {action.action for row in access.services for action in row.actions if action.is_granted}

    identity_document = doc(("Allow", ["sqs:SendMessage", "sqs:DeleteQueue", "sns:Publish"], "*"))
    second_document = doc(
        ("Allow", ["s3:GetObject", "s3:PutObject"], "*"),
        ("Deny", ["sqs:DeleteQueue", "sns:*"], "*"),
        ("Deny", ["s3:PutObject"], "arn:aws:s3:::a/*"),
    )
    access = sum_access([identity_document, second_document], None)
    assert left(access) == {"sqs:SendMessage", "s3:GetObject", "s3:PutObject"}
    assert (access.denied, access.withheld, {row.service for row in access.denies}) == (2, 0, {"sqs", "sns", "s3"})
    # What is denied in part remains; what the boundary denies, it does not allow.
    edge = doc(("Allow", ["s3:*", "sqs:*", "ec2:*"], "*"), ("Deny", ["sqs:Send*"], "*"))
    within = sum_access([identity_document, second_document], edge)
    assert left(within) == {"s3:GetObject", "s3:PutObject"}
    assert (within.denied, within.withheld) == (2, 1)
    assert sum_access([identity_document], identity_document).withheld == 0


def test_a_cell_differs_where_the_policies_grant_another_number() -> None:
    cells = rows_of(document(allow(["kms:ListKeys", "kms:DescribeKey"])), document(allow("kms:ListAliases")))[
        "kms"
    ].cells
    assert {level for level, cell in cells.items() if cell.differs} == {"Read"}
