"""Blocks in the three renderers: what fits, what is selectable, and what untrusted text can do."""

import re
import shlex
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ekstui.eks.commands import Command
from ekstui.errors import InputError
from ekstui.export.texts import attachment_terraform, cloudformation_text, terraform_text
from ekstui.present.blocks import Block, Code, Column, Heading, Node, Sentence, Span, Table, TableRow, Tree, code, note
from ekstui.present.rendering import lines, markdown, rows
from ekstui.present.styled import cells, plain, shell_lines

_COLUMNS = (Column("NAME"), Column("USED BY", 8, shrink=1), Column("N", right=True))

ANSWER: list[Block] = [
    Heading("prod"),
    Sentence(("carries ", code("AmazonEKS_CNI_Policy"), Span("; w lists more", "muted", media="app"))),
    Heading("Findings", key="findings"),
    Tree(
        [
            Node(
                (Span("problem", "strong"), ": *needs* a tag"),
                [Node("evidence that is long enough to be broken")],
                value="finding",
                key="f1",
            )
        ]
    ),
    note("not everything was read"),
    Table(_COLUMNS, [TableRow(("a", "cluster prod, nodes workers of prod", "1")), TableRow(("one cell that spans",))]),
    Code('{"a": 1}'),
]


def test_a_terminal_gets_lines_that_fit_and_a_program_whole_tables() -> None:
    assert list(lines([Heading("prod", level=1), *ANSWER], 30, colours=False, whole_tables=False)) == [
        "prod",
        "",
        "prod",
        "  carries AmazonEKS_CNI_Policy",
        "",
        "Findings",
        "  problem: *needs* a tag",
        "      evidence that is long",
        "        enough to be broken",
        "  ! not everything was read",
        "  NAME  USED BY              N",
        "  a     cluster prod, nodes  1",
        "        workers of prod",
        "  one cell that spans",
        '  {"a": 1}',
    ]
    whole_lines = list(lines(ANSWER, 30, colours=False, whole_tables=True))
    assert "  a     cluster prod, nodes workers of prod  1" in whole_lines


def test_remarks_without_room_stand_below_their_row_and_no_column_is_a_letter_wide() -> None:
    remark = "for auto mode cluster roles; if aws:ResourceTag/eks:eks-cluster-name"
    row = TableRow(
        ("AmazonEKSBlockStoragePolicyV2", "v1", "since v1 (2026-05-11)", remark), value="policy", key="offered"
    )
    table = Table((Column("", shrink=1), Column(""), Column(""), Column("", shrink=2)), [row])
    assert list(lines([table], 60, colours=False, whole_tables=False)) == [
        "AmazonEKSBlockStoragePolicyV2  v1  since v1 (2026-05-11)",
        "    for auto mode cluster roles; if",
        "      aws:ResourceTag/eks:eks-cluster-name",
    ]
    assert [(row.value, row.selectable) for row in rows([table], 60)] == [
        ("policy", True),
        (None, False),
        (None, False),
    ]
    wide_line = f"AmazonEKSBlockStoragePolicyV2  v1  since v1 (2026-05-11)  {remark}"
    assert list(lines([table], 140, colours=False, whole_tables=False)) == [wide_line]
    # Columns with a title stay, and the widest gives way before any is too narrow to read.
    path = "role/aws-reserved/sso.amazonaws.com/eu-central-1/AWSReservedSSO_AdministratorAccess_0123456789abcdef"
    entries = Table(
        (Column("Principal", names=True), Column("Type"), Column("May", shrink=1)),
        [TableRow((path, "STANDARD", "AmazonEKSClusterAdminPolicy in the cluster"))],
    )
    text_lines = list(lines([entries], 60, colours=False, whole_tables=False))
    assert all("TYPE" not in line or "MAY" in line for line in text_lines)
    assert "STANDARD" in text_lines[1]
    assert len(text_lines) <= 6


def test_a_command_is_one_line_and_only_the_app_wraps_it() -> None:
    command = """aws iam put-role-policy --role-name a --policy-name allow --policy-document '{"Statement":[]}'"""
    value = Command(("aws",), "about")
    blocks: list[Block] = [
        Code(command, "sh", value),
        Tree([Node("to fix it:", [Node(Code(command, "sh"), value=value)])]),
    ]
    for whole_tables in (True, False):
        text_lines = list(lines(blocks, 40, colours=False, whole_tables=whole_tables))
        assert [line.strip() for line in text_lines] == [command, "to fix it:", command]
    assert [line.strip() for line in markdown(blocks).splitlines()].count(command) == 2
    in_the_app = rows(blocks, 40)
    text = "\n".join(plain(row.cells[0]) for row in in_the_app).partition("\nto fix it:")[0]
    assert max(len(line) for line in text.splitlines()) <= 40
    assert shlex.split(text.replace("\\\n", "")) == shlex.split(command)
    assert [row.value for row in in_the_app if row.selectable] == [value, value]


def test_rows_can_be_rested_on_where_they_stand_for_something() -> None:
    screen_rows = rows([Heading("prod", level=1), *ANSWER], 60)
    assert plain(screen_rows[0].cells[0]) == "prod"  # the title is the header's
    assert "  carries AmazonEKS_CNI_Policy; w lists more" in [plain(row.cells[0]) for row in screen_rows]
    assert [(row.key, row.value) for row in screen_rows if row.selectable] == [("f1", "finding")]
    assert len({row.key for row in screen_rows}) == len(screen_rows)


def test_a_folded_node_hides_its_children_in_the_app_alone() -> None:
    tree = [Tree([Node("ec2", [Node("ec2:RunInstances", value=1)], value=0, opened=False)])]
    assert [plain(row.cells[0]) for row in rows(tree, 60)] == ["▸ ec2"]
    assert list(lines(tree, 60, colours=False, whole_tables=False)) == ["ec2", "  ec2:RunInstances"]
    assert markdown(tree) == "- ec2\n  - ec2:RunInstances\n"


def test_markdown_keeps_data_apart_from_its_own_signs() -> None:
    assert markdown(ANSWER).splitlines() == [
        "## prod",
        "",
        "carries `AmazonEKS_CNI_Policy`",
        "",
        "## Findings",
        "",
        "- **problem**: \\*needs\\* a tag",
        "  - evidence that is long enough to be broken",
        "",
        "! not everything was read",
        "",
        "| NAME | USED BY | N |",
        "|---|---|---:|",
        "| a | cluster prod, nodes workers of prod | 1 |",
        "| one cell that spans |  |  |",
        "",
        "```json",
        '{"a": 1}',
        "```",
    ]


@pytest.mark.parametrize(
    "text", ["~~gone~~", "$x$", "&rlm;x", "&#8238;x", "&lt;b&gt;", "https://example.org/a", "www.example.org", "WWW.example.org", "<b>", "[a](b)"]
)  # fmt: skip
def test_no_text_becomes_markup_of_github(text: str) -> None:
    """By the specification of GitHub Flavored Markdown: a backslash before a sign makes it text, in an address too."""
    (line, _) = markdown([Sentence(text)]).split("\n")
    assert re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", line) == text
    assert not re.search(r"(?<!\\)(?:[$&<>\[\]]|~\S)|(?<!\\)://|www\.", line, re.IGNORECASE)


_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)


@given(_TEXT, _TEXT, st.integers(30, 100))
def test_foreign_text_steers_nothing_and_fits(name: str, text: str, width: int) -> None:
    answer: list[Block] = [
        Heading(name),
        Sentence((name, code(text))),
        Tree([Node(text, [Node(name)])]),
        Table(_COLUMNS, [TableRow((name, text, name), below=(text,))]),
        Code(text),
    ]
    other_blocks: list[Block] = [block for block in answer if not isinstance(block, Code)]
    sure_lines = list(lines(other_blocks, width, colours=False, whole_tables=False))
    assert all(cells(line) <= width for line in sure_lines)
    for line in [*lines(answer, width, colours=False, whole_tables=True), *markdown(answer).split("\n")]:
        assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in line)
    # Colours are the renderer's own, and end on their line.
    for line in lines(answer, width, colours=True, whole_tables=False):
        assert line.count("\x1b[") == 2 * line.count("\x1b[0m")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        # The language's "Strings and Templates": `$${` and `%%{` stand for the sign and a brace.
        ("${file(1)}", "$${file(1)}"),
        ("%{if a}", "%%{if a}"),
        # A sign before an escape is an escape of JSON and of Terraform's strings, so that no reader pairs it otherwise.
        ("$${a}", "\\u0024$${a}"),
        ("a$b%c", "a$b%c"),
    ],
)
def test_no_name_starts_an_expression_of_terraform(text: str, written: str) -> None:
    statement = {"Sid": text, "Effect": "Allow", "Action": "a:b", "Resource": "*"}
    policy = terraform_text(text, {"Version": "2012-10-17", "Statement": [statement]})
    assert f'name   = "{written}"' in policy
    assert f'"Sid": "{written}"' in policy
    assert f'role       = "{written}"' in attachment_terraform(text, "arn:aws:iam::aws:policy/a")


def test_cloudformation_gets_no_reference_to_a_secret() -> None:
    statement = {"Sid": "{{resolve:secretsmanager:prod}}", "Effect": "Allow", "Action": "a:b", "Resource": "*"}
    with pytest.raises(InputError, match="CloudFormation replaces"):
        cloudformation_text("a", {"Version": "2012-10-17", "Statement": [statement]})


@pytest.mark.parametrize("room", [30, 44, 69, 110])
def test_a_command_on_several_lines_is_the_same_when_pasted(room: int) -> None:
    annotate = (
        "kubectl annotate serviceaccount web -n shop --overwrite 'note=two  words'"
        ' eks.amazonaws.com/role-arn="${ROLE_ARN:?}" eks.amazonaws.com/role_arn-'
    )
    associate = 'aws eks create --arn "$(aws iam get-role --role-name prod-orders --output text)" --json \'{"a": 1}\''
    stubs = 'kubectl() { printf "<%s>" "$@"; }; aws() { printf "<%s>" "$@"; }; ROLE_ARN=arn\n'
    for command in (annotate, associate):
        lines = shell_lines(command, room)
        assert len(lines) > 1 or room == 110
        assert all(len(line) <= room or len(line.split()) < 4 for line in lines), lines
        pasted_words, whole_words = (
            subprocess.run(["bash", "-c", stubs + text], capture_output=True, check=True).stdout
            for text in ("\n".join(lines), command)
        )
        assert pasted_words == whole_words


def test_no_line_of_a_command_is_empty() -> None:
    document = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject"],"Resource":["*"]}]}'
    command = f"aws iam put-role-policy --role-name prod-orders --policy-document '{document}'"
    laid = [plain(row.cells[0]) for row in rows([Code(command, "sh")], 60)]
    assert all(line.strip() for line in laid), laid
    assert laid[laid.index("  --policy-document \\") + 1].startswith("'{")
