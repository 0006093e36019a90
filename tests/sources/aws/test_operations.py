"""Nothing here can write to AWS, and the README's read-only policy allows exactly the calls that are made."""

import ast
import re
from pathlib import Path

import pytest

from ekstui import files
from ekstui.iam.document import parse_text
from ekstui.iam.reference import reference
from ekstui.sources.aws.connection import OPERATIONS, Connection

SOURCES = Path(__file__).parents[3] / "ekstui"
ACTION = re.compile(r"(?:sts|iam|eks|ec2|config):[A-Z]\w+")
NEEDS_NO_PERMISSION = {"sts:GetCallerIdentity"}


def called_in_sources() -> set[str]:
    """Every action named in a string of the modules that speak to AWS, docstrings aside."""
    actions: set[str] = set()
    for path in (SOURCES / "sources" / "aws").glob("*.py"):
        if path.name == "connection.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and ACTION.fullmatch(node.value):
                actions.add(node.value)
    return actions - {"sts:AssumeRole"}  # named in the words of an error only


def test_every_operation_lists_or_reads() -> None:
    for action in OPERATIONS:
        info = reference().find(action)
        assert info is not None, action
        assert set(info.levels) <= {"List", "Read"}, action


def test_what_the_sources_call_is_what_may_be_called() -> None:
    assert called_in_sources() <= OPERATIONS


def test_a_call_beyond_the_table_is_not_made() -> None:
    connection = Connection()
    with pytest.raises(AssertionError, match="iam:DeleteRole"):
        connection.ask("iam:DeleteRole", RoleName="x")
    assert connection.calls == 0


def test_no_other_module_makes_a_client() -> None:
    """Clients are made in one place, so no call can go round the table."""
    makers = [path.name for path in SOURCES.rglob("*.py") if ".client(" in path.read_text()]
    assert makers == ["connection.py"]
    importers = [
        path
        for path in SOURCES.rglob("*.py")
        if re.search(r"^\s*import boto3|from boto3|sdk\.boto3", path.read_text(), re.MULTILINE)
    ]
    assert sorted(path.name for path in importers) == ["connection.py", "sdk.py"]


def test_the_read_only_policy_is_just_enough() -> None:
    document = parse_text((files.assets() / "read-only-policy.json").read_text())
    granted_actions = {action for statement in document.statements for action in statement.actions}
    assert granted_actions == OPERATIONS - NEEDS_NO_PERMISSION
    assert all(statement.effect == "Allow" for statement in document.statements)


def test_the_readme_leads_to_the_policy() -> None:
    assert "](assets/read-only-policy.json)" in (SOURCES.parent / "README.md").read_text()
