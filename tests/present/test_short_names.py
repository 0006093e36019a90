"""A name that is cut keeps what tells it from the others of its list."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ekstui.present.blocks import Column, Table, TableRow
from ekstui.present.rendering import lay_out
from ekstui.present.short_names import ShortNames, names_in
from ekstui.present.styled import cells, plain, styled

POLICIES = (
    "AmazonEKSWorkerNodePolicy", "AmazonEKSWorkerNodeMinimalPolicy", "AmazonEKSFargatePodExecutionRolePolicy",
    "AmazonEKSClusterPolicy", "AmazonEKSBlockStoragePolicy", "AmazonEKSBlockStoragePolicyV2",
)  # fmt: skip
SESSIONS = (
    "role/…/AWSReservedSSO_AdministratorAccess_0123456789abcdef", "role/…/AWSReservedSSO_PowerUserAccess_56789abcdef01234",
    "role/…/AWSReservedSSO_PowerUserAccess_abcdef0123456789", "legacy-node-NodeInstanceRole-1ABCDEFGHIJK",
)  # fmt: skip


@pytest.mark.parametrize(
    ("names", "room", "expected"),
    [
        (POLICIES, 20, ["…WorkerNode…", "…WorkerNodeMinimal…", "…FargatePod…"]),
        (SESSIONS, 24, ["…SSO_Administrator…", "…SSO_PowerUser…"]),
        (("platform-observability-irsa-01", "platform-observability-irsa-02"), 20, ["…01", "…02"]),
        (("averylongwordthatisnotcut",), 9, ["aver…tcut"]),
        (("short", "shorter"), 9, ["short", "shorter"]),
    ],
)
def test_a_name_keeps_the_words_that_the_others_do_not_have(
    names: tuple[str, ...], room: int, expected: list[str]
) -> None:
    short_names = ShortNames(names)
    for name, short_name in zip(names, expected, strict=False):
        fitted_name = short_names.fitted(name, room)
        assert len(fitted_name) <= room
        # Words that all have may come back where there is room.
        assert all(part in fitted_name for part in short_name.split("…"))


def test_names_that_differ_in_what_was_made_at_random_alone_keep_that() -> None:
    short_names = ShortNames(SESSIONS)
    fitted_names = [short_names.fitted(name, 24) for name in SESSIONS]
    assert len(set(fitted_names)) == len(SESSIONS)
    assert "…abcdef0123456789" in fitted_names[2]


@given(st.lists(st.text("aAzZ09-_/.é漢 ", min_size=1, max_size=30), min_size=1, max_size=8), st.integers(5, 30))
def test_any_name_fits_its_room(names: list[str], room: int) -> None:
    short_names = ShortNames(names)
    for name in names:
        assert cells(short_names.fitted(name, room)) <= room
        assert cells(plain(names_in([styled(name)]).fitted_cell((("user ", "muted"), (name, "")), room))) <= room


def test_a_table_cuts_a_column_of_names_and_wraps_none() -> None:
    rows = [TableRow((name, "node")) for name in POLICIES]
    table = Table((Column("Policy", 10, names=True, shrink=1), Column("Kind")), rows)
    lines = [plain(line.line) for line in lay_out([table], 28, "app")]
    assert len(lines) == 1 + len(POLICIES)
    assert all(len(line) <= 28 for line in lines)
    assert len(set(lines)) == len(lines)


@pytest.mark.parametrize(("width", "titles"), [(60, ["What", "Role", "Used by"]), (50, ["What", "Role"])])
def test_a_column_that_yields_goes_before_a_title_is_cut(width: int, titles: list[str]) -> None:
    title = "lacks most of what it needs"
    columns = (
        Column("What", 12, shrink=1),
        Column("Role", 12, names=True, shrink=2),
        Column("Used by", 12, yields=True),
    )
    table = Table(columns, [TableRow((title, POLICIES[0], "nodes general"))], one_line=True)
    first, row = (plain(line.line) for line in lay_out([table], width, "app"))
    assert re.split(" {2,}", first) == titles
    assert title in row
    assert ("nodes general" in row) == ("Used by" in titles)
