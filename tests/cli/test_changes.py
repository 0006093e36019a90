"""`ekstui changes`: new policies among the changes, and only what is attached in an account."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from ekstui import files
from ekstui.cli.main import main
from ekstui.sources.corpus import Corpus
from tests.support.account_files import account_page, role_json, write_values
from tests.support.bundled import CNI
from tests.support.command import ekstui
from tests.support.filled import known_later

ATOM = "{http://www.w3.org/2005/Atom}"
CARRIED = {"PolicyName": "AmazonEKS_CNI_Policy", "PolicyArn": "arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy"}


def account(folder: Path, **mark: Any) -> str:
    """An account with one role, which has the CNI's policy attached; with `mark` its listing is truncated."""
    return str(
        write_values(
            folder / "account.json", account_page(role_json("node", AttachedManagedPolicies=[CARRIED]), **mark)
        )
    )


def test_a_new_policy_has_a_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["changes", "--since", "2026-05-01"]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "2026-05-11 AmazonEKSBlockStoragePolicyV2 v1 new policy +7 Introduced." in lines
    assert main(["changes", "--since", "2026-05-01", "--json"]) == 0
    changes = json.loads(capsys.readouterr().out)["changes"]
    (new_policy,) = [change for change in changes if change["policy"] == "AmazonEKSBlockStoragePolicyV2"]
    assert new_policy == {
        "policy": "AmazonEKSBlockStoragePolicyV2",
        "family": "aws-managed",
        "version": "v1",
        "previous": None,
        "created": "2026-05-11T16:27:15Z",
        "kind": "new",
        "reach": None,
        "denies": None,
        "added": 7,
        "removed": 0,
        "changed": 0,
    }


def test_only_steps_of_attached_policies_are_listed_and_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], filled_cache: Path
) -> None:
    quiet = known_later(filled_cache, files.cache_dir())
    of_account = ["changes", "--attached", "--account-file", account(tmp_path)]
    assert main([*of_account, "--since", "2026-02-10"]) == 0
    output = capsys.readouterr()
    assert [line.split()[:2] for line in output.out.splitlines()[1:]] == [
        [f"{info.created:%Y-%m-%d}", CNI]
        for info in reversed(Corpus.bundled().policy(CNI).versions)
        if info.created and info.created >= datetime(2026, 2, 10, tzinfo=UTC)
    ]
    # Other policies of the family had steps without a change in that time, the CNI's had none.
    assert "changed nothing" not in output.err
    assert main([*of_account, "--since", quiet]) == 1
    assert "changed nothing" not in capsys.readouterr().err
    assert main(["changes", "--since", "2026-02-10"]) == 0
    assert "steps that changed nothing are left out" in capsys.readouterr().err


def test_of_half_an_account_nothing_is_proven_empty(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], filled_cache: Path
) -> None:
    quiet = known_later(filled_cache, files.cache_dir())
    broken_off = account(tmp_path, IsTruncated=True, Marker="more")
    assert main(["changes", "--attached", "--account-file", broken_off, "--since", quiet, "--json"]) == 0
    output = capsys.readouterr()
    answer = json.loads(output.out)
    assert (answer["complete"], answer["changes"]) == (False, [])
    assert "Incomplete: not every role, user and group was read" in output.err


def test_the_feed_is_atom_with_ids_that_stay() -> None:
    def feed(since: str) -> dict[str, str]:
        root = ElementTree.fromstring(ekstui("changes", "--since", since, "--format", "atom").stdout)
        assert root.tag == f"{ATOM}feed"
        for name in ("id", "title", "updated"):
            assert root.findtext(f"{ATOM}{name}")
        return {
            str(entry.findtext(f"{ATOM}title")): str(entry.findtext(f"{ATOM}id")) for entry in root.iter(f"{ATOM}entry")
        }

    long_feed, short_feed = feed("2026-03-01"), feed("2026-06-01")
    assert "AmazonEKS_CNI_Policy v5 to v6: widened" in long_feed
    assert short_feed
    assert short_feed.items() < long_feed.items()
    assert len(set(long_feed.values())) == len(long_feed)
    assert all(urn.startswith("urn:uuid:") for urn in long_feed.values())


def test_the_feed_as_markdown() -> None:
    assert (
        "| 2026-03-04 | `AmazonEKS_CNI_Policy`"
        in ekstui("changes", "--since", "2026-03-01", "--format", "markdown").stdout
    )
