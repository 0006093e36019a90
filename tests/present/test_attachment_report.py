"""A role of which IAM told only the name: the pane, the command and the JSON say alike that the rest is not known."""

from ekstui.eks.account_snapshot import Attachments, CallerIdentity, Group, Role, RoleAttachment, User, UserAttachment
from ekstui.export.encoding import shape
from ekstui.library.attachments import AttachedAnswer
from ekstui.present.attachment_report import attached_blocks, attached_rows, pane_note
from ekstui.present.rendering import lines, markdown
from ekstui.present.styled import plain
from tests.support.accounts import WHEN

IDENTITY = CallerIdentity("111122223333", "aws", "arn:aws:iam::111122223333:user/me", "AIDA")
UNREAD = RoleAttachment(Role("unread", None, extent="name"), ("permissions",))
IDLE = RoleAttachment(Role("idle", "arn:aws:iam::111122223333:role/idle"), ("permissions",))


def answer(*roles: RoleAttachment) -> AttachedAnswer:
    """The attachments of these roles, of a user and of a group of which only the name is known."""
    users, groups = (UserAttachment(User("ann", None), ("boundary",)),), (Group("ops", None),)
    return AttachedAnswer(IDENTITY, WHEN, Attachments("arn:aws:iam::aws:policy/P", roles, users, groups, complete=True))


def test_the_command_and_the_pane_say_that_a_role_was_not_read() -> None:
    text = "\n".join(lines(attached_blocks(answer(UNREAD), WHEN), 100, colours=False, whole_tables=False))
    row = next(line for line in text.splitlines() if line.startswith("unread"))
    assert row.split()[3] == "?"
    assert "? means that the role was not read" in text
    assert "no activity" not in text
    cells = {plain(row.cells[0]): plain(row.cells[2]) for row in attached_rows(answer(UNREAD, IDLE), WHEN, 100)[:2]}
    assert cells == {"unread": "?", "idle": "—"}


def test_a_role_with_a_copy_is_a_row_of_the_command_and_of_the_pane() -> None:
    copy = RoleAttachment(IDLE.role, (), remarks=("ours is like v1 (98%)",))
    only_a_copy = AttachedAnswer(IDENTITY, WHEN, Attachments("arn:aws:iam::aws:policy/P", complete=True), (copy,))
    text = "\n".join(lines(attached_blocks(only_a_copy, WHEN), 100, colours=False, whole_tables=False))
    assert "idle  role  a copy" in text
    assert "It is not attached in this account." in text
    row, *notes = (" ".join(map(plain, row.cells)).split() for row in attached_rows(only_a_copy, WHEN, 100))
    assert row == ["idle", "has", "a", "copy", "—"]
    for words in (text, " ".join(word for note in notes for word in note)):
        assert "! idle: ours is like v1 (98%)" in words
    assert pane_note(only_a_copy) == "none · 1 role with a copy"
    fields = shape(only_a_copy)
    assert fields["roles"] == []
    assert [(role["name"], role["as"], role["remarks"]) for role in fields["copies"]] == [  # type: ignore[attr-defined]
        ("idle", [], ["ours is like v1 (98%)"])
    ]


def test_nothing_is_made_up_in_json() -> None:
    fields = shape(answer(UNREAD, IDLE))
    assert [(role["path"], role["service_linked"]) for role in fields["roles"]] == [(None, None), ("/", False)]  # type: ignore[attr-defined]
    assert [fields[kind][0]["path"] for kind in ("users", "groups")] == [None, None]  # type: ignore[index]


def test_a_long_name_is_in_the_row_of_its_role_in_a_pipe_and_in_markdown() -> None:
    name = "legacy-node-NodeInstanceRole-1ABCDEFGHIJK"
    blocks = attached_blocks(
        answer(RoleAttachment(Role(name, f"arn:aws:iam::111122223333:role/{name}"), ("permissions",))), WHEN
    )
    piped_lines = list(lines(blocks, 80, colours=False, whole_tables=True))
    assert [line.split()[1:3] for line in piped_lines if name in line] == [["role", "permissions"]]
    assert [line.split(" | ")[1] for line in markdown(blocks).splitlines() if name in line] == ["role"]
    terminal_lines = list(lines(blocks, 80, colours=False, whole_tables=False))
    assert terminal_lines[terminal_lines.index(name) + 1].split()[:2] == ["role", "permissions"], (
        "a terminal has room for the uses, below"
    )
