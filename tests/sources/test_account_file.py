"""The AWS CLI's output is read whole or in pages, and a missing page is reported."""

import json
from pathlib import Path
from urllib.parse import quote

import pytest

from ekstui.eks.account_snapshot import InlinePolicy, attachments_of
from ekstui.errors import InputError
from ekstui.iam.document import Document, parse
from ekstui.sources import account_file
from ekstui.sources.account_file import read_account_file
from tests.support.account_files import POLICY, TRUST, account_page, role_json, write_values


def carriers(path: Path) -> list[str]:
    return [entry.role.name for entry in attachments_of(read_account_file(path), POLICY["PolicyArn"]).roles]


def test_whole_and_in_pages_are_the_same(tmp_path: Path) -> None:
    first, last = (
        account_page(role_json("a"), IsTruncated=True, Marker="x"),
        account_page(role_json("b"), IsTruncated=False),
    )
    folder = tmp_path / "pages"
    folder.mkdir()
    write_values(folder / "1.json", first)
    write_values(folder / "2.json", last)
    forms = [
        write_values(tmp_path / "whole.json", account_page(role_json("a"), role_json("b"))),
        write_values(tmp_path / "list.json", [first, last]),
        write_values(tmp_path / "lines.json", first, last),
        folder,
    ]
    for form in forms:
        assert carriers(form) == ["a", "b"]
        account = read_account_file(form)
        assert account.complete
        assert (account.identity.account, account.identity.partition) == ("111122223333", "aws")
        assert account.roles[0].path == "/team/"


@pytest.mark.parametrize("mark", [{"IsTruncated": True, "Marker": "x"}, {"NextToken": "x"}])
def test_a_missing_page_is_reported(tmp_path: Path, mark: dict[str, object]) -> None:
    account = read_account_file(write_values(tmp_path / "a.json", account_page(role_json("a"), **mark)))
    assert not account.complete
    assert account.errors[0].kind == "incomplete"


def test_documents_may_be_encoded_and_a_bad_one_hides_no_role(tmp_path: Path) -> None:
    encoded_role = role_json("a", AssumeRolePolicyDocument=quote(json.dumps(TRUST)))
    broken_role = role_json("b", AssumeRolePolicyDocument={"Statement": 3}, RolePolicyList=[{"PolicyName": "p"}])
    account = read_account_file(write_values(tmp_path / "a.json", account_page(encoded_role, broken_role)))
    assert account.roles[0].trust is not None
    assert account.roles[1].trust is None
    assert account.roles[1].inline[0].document is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no role|holds"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("3", "something other"),
        ('{"Statement": []}', "something other"),
        ('{"RoleDetailList": {"a": 1}}', "not a list"),
        ('{"RoleDetailList": [{"RoleName": 3}]}', "RoleName"),
        ('{"RoleDetailList": []}', "no role"),
        (json.dumps(account_page(role_json("a"), role_json("b", "444455556666"))), "mixes accounts"),
    ],
)
def test_other_files_are_refused_in_a_sentence(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_account_file(path)


def test_a_missing_file_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_account_file(tmp_path / "none.json")


def test_equal_documents_are_one_and_one_with_an_element_twice_hides_behind_none(tmp_path: Path) -> None:
    document = '{"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}'
    twice = document.replace('"Action": "s3:*"', '"Action": "iam:*", "Action": "s3:*"')
    roles = ", ".join(
        f'{{"RoleName": "r{n}", "Arn": "arn:aws:iam::111122223333:role/r{n}", "RolePolicyList": [{{"PolicyName": "p", "PolicyDocument": {text}}}]}}'
        for n, text in enumerate((document, document, twice, json.dumps(document)))
    )
    path = tmp_path / "account.json"
    path.write_text(f'{{"RoleDetailList": [{roles}]}}')
    one, same_document, invalid, encoded_document = (role.inline[0].document for role in read_account_file(path).roles)
    assert one is same_document
    assert one == encoded_document
    assert invalid is None


def test_the_documents_of_inline_policies_are_parsed_when_they_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thousands of roles may have documents of 10,240 characters each."""
    documents = [
        {"Statement": [{"Effect": "Allow", "Action": "a:b", "Resource": f"arn:aws:s3:::{n}"}]} for n in range(9)
    ]
    roles = [
        role_json(str(n), RolePolicyList=[{"PolicyName": "own", "PolicyDocument": document}])
        for n, document in enumerate(documents)
    ]
    parsed_values: list[object] = []

    def counted(value: object) -> Document:
        parsed_values.append(value)
        return parse(value)

    monkeypatch.setattr(account_file, "parse", counted)
    account = read_account_file(write_values(tmp_path / "account.json", account_page(*roles)))
    assert not [value for value in parsed_values if value in documents]
    (own,) = account.roles[3].inline
    assert own == InlinePolicy("own", parse(documents[3])) != account.roles[4].inline[0]
    assert hash(own) == hash(InlinePolicy("own", parse(documents[3])))
    assert [value for value in parsed_values if value in documents] == [documents[3], documents[4]]
