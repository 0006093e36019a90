"""The index gives the answers that the documents give, and only for the state that it was made of."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ekstui.change.candidates import Candidate, candidate_of
from ekstui.change.policy import Policy, PolicyHistory
from ekstui.change.steps import newest_first, steps_since
from ekstui.iam import reference as reference_module
from ekstui.iam.document import Document, parse, parse_text, serialise
from ekstui.iam.grants import grants, uses_of
from ekstui.iam.reference import reference, reference_version, use_outlines
from ekstui.store import index as module
from ekstui.store.index import candidates, feed, index_actions, index_steps, read_numbers, written_numbers
from ekstui.store.objects import AbsentCacheError
from ekstui.store.policy_store import PolicyStore, StoredPolicy
from tests.store.policies import document, fill_from_the_corpus, history, moment, provenance, store_history

JUDGES = "reference 1"


def unjudged_steps(name: str, documents: Mapping[int, str]) -> list[list[Any]] | None:
    return None


def make_index(store: PolicyStore, judges: str = JUDGES) -> list[int]:
    """Index all of the store and return how many policies were done at each report."""
    counts: list[int] = []
    assert index_actions(store, lambda *_: None, lambda: False)
    assert index_steps(store, judges, unjudged_steps, lambda count, _: counts.append(count), lambda: False)
    return counts


@pytest.fixture(scope="module")
def family(tmp_path_factory: pytest.TempPathFactory) -> PolicyStore:
    store = fill_from_the_corpus(tmp_path_factory.mktemp("family"), family=True)
    make_index(store)
    return store


def documents_of(entry: PolicyHistory) -> dict[int, Document]:
    return {number: parse_text(text) for number, text in entry.texts.items()}


def candidate_fields(candidate: Candidate) -> tuple[str, tuple[int, ...], object]:
    """What a candidate says, whatever the document's version and Sids."""
    return candidate.policy.name, candidate.allowing, serialise(candidate.document)["Statement"]


@pytest.mark.parametrize(
    "action",
    [
        "ec2:DescribeSecurityGroups",
        "EC2:describesubnets",
        "ec2:Describe*",
        "shield:CreateProtection",
        "iam:CreateServiceLinkedRole",
        "ecr:*",
        "*",
        "nosuch:Action",
        "nocolon",
    ],
)
def test_candidates_are_those_of_the_documents(family: PolicyStore, action: str) -> None:
    by_hand = [candidate_of(entry.policy, documents_of(entry), action.lower()) for entry in family.histories()]
    expected = [candidate_fields(candidate) for candidate in by_hand if candidate]
    assert [candidate_fields(candidate) for candidate in candidates(family, action)] == expected
    assert [candidate_fields(candidate) for candidate in candidates(family, action, "eks")] == expected


def test_a_candidate_knows_since_which_version_it_is_one(family: PolicyStore) -> None:
    (cni,) = [
        candidate for candidate in candidates(family, "ec2:DescribeSecurityGroups") if "CNI" in candidate.policy.name
    ]
    assert cni.allowing == tuple(range(6, cni.policy.default_version + 1))
    (statement,) = cni.document.statements
    assert statement.actions == ("ec2:DescribeSecurityGroups",)


@pytest.mark.parametrize("since", [None, datetime(2026, 2, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)])
def test_the_feed_is_that_of_the_documents(family: PolicyStore, since: datetime | None) -> None:
    steps = [step for entry in family.histories() for step in steps_since(entry.policy, documents_of(entry), since)]
    assert feed(family, since, JUDGES) == newest_first(steps)
    if since is None:
        assert len(steps) == sum(len(policy.versions) for policy in family.policies())


def test_the_index_has_the_names_and_kinds_of_all_actions_as_the_references_files_have_them(
    family: PolicyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    outline = reference_module._outline.__wrapped__
    monkeypatch.setattr(reference_module, "_written", {})
    monkeypatch.setattr(reference_module, "_kinds", {})
    by_files = {service: outline(service) for service in reference().services()}
    use_outlines(lambda: family.outlines("of another version"))
    assert not reference_module._written
    use_outlines(lambda: family.outlines(reference_version()))
    assert len(reference_module._written) > 300
    assert {service: outline(service) for service in reference().services()} == by_files


def test_not_action_lists_and_denials_are_found(tmp_path: Path) -> None:
    store = PolicyStore.in_folder(tmp_path)
    everything_but_iam = (
        b'{"Statement": [{"Effect": "Allow", "NotAction": ["iam:*", "organizations:List"], "Resource": "*"},'
        b'{"Effect": "Deny", "Action": "s3:Get*", "Resource": "arn:aws:s3:::a/*"}]}'
    )
    store_history(store, history({1: (None, document("s3:GetObject")), 3: (None, everything_but_iam)}), "archive", 1)
    make_index(store)
    (candidate,) = candidates(store, "s3:GetObject")
    assert candidate.allowing == (1, 3)
    assert [statement.effect for statement in candidate.document.statements] == ["Allow", "Deny"]
    assert len(candidates(store, "organizations:ListRoots")) == 1
    assert candidates(store, "iam:PassRole") == ()
    assert candidates(store, "organizations:List") == ()


def test_variables_count_only_in_the_language_that_has_them(tmp_path: Path) -> None:
    """IAM User Guide, "Policy elements: Version": in 2008-10-17 and without a version, `${` is plain text."""
    store = PolicyStore.in_folder(tmp_path)
    statement = (
        b'"Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::${aws:username}/*"}'
    )
    newer = b'{"Version": "2012-10-17", ' + statement + b"}"
    store_history(store, history({1: (None, b"{" + statement + b"}"), 2: (None, newer)}), "archive", 1)
    make_index(store)
    (candidate,) = candidates(store, "s3:GetObject")
    by_version = {number: grants(document) for number, document in candidate.documents.items()}
    assert by_version[1] == grants(parse_text(b"{" + statement + b"}"))
    assert by_version[2] == grants(parse_text(newer))
    assert by_version[1] != by_version[2]


def test_an_index_answers_for_its_own_state_alone_and_only_what_changed_is_judged_again(tmp_path: Path) -> None:
    store = PolicyStore.in_folder(tmp_path)
    for name in "ABC":
        store_history(store, history({1: (moment(1), document("a:one"))}, name=name), "archive", 1)
    with pytest.raises(AbsentCacheError):
        candidates(store, "a:one")
    assert make_index(store) == [0, 1, 2, 3]
    assert make_index(store) == [3]
    store_history(store, history({2: (moment(2), document("a:two"))}, name="B"), "archive", 2)
    for question in (lambda: candidates(store, "a:one"), lambda: feed(store, None, JUDGES)):
        with pytest.raises(AbsentCacheError):
            question()
    assert make_index(store) == [1, 3]
    assert [candidate.policy.name for candidate in candidates(store, "a:two")] == ["B"]
    assert [candidate.policy.name for candidate in candidates(store, "a:one")] == ["A", "C"]
    store_history(store, history({1: (moment(1), document("a:three"))}, name="C"), "aws", 3)
    assert make_index(store) == [2, 3]
    assert [candidate.policy.name for candidate in candidates(store, "a:three")] == ["C"]
    with pytest.raises(AbsentCacheError):
        feed(store, None, "reference 2")
    assert make_index(store, "reference 2") == [0, 1, 2, 3]
    assert [(step.policy, step.previous) for step in feed(store, None, "reference 2")] == [
        ("B", 1), ("A", None), ("B", None), ("C", None)
    ]  # fmt: skip
    store.undo()
    with pytest.raises(AbsentCacheError):
        candidates(store, "a:three")


def test_only_what_is_new_or_changed_is_indexed_and_the_index_is_as_if_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, whole_store = PolicyStore.in_folder(tmp_path / "one"), PolicyStore.in_folder(tmp_path / "whole")
    read_names: list[str] = []
    add = module.add_to_shards

    def adding(shards: Any, policy: Policy, documents: Any) -> Any:
        read_names.append(policy.name)
        return add(shards, policy, documents)

    monkeypatch.setattr(module, "add_to_shards", adding)
    changes = [
        [("A", 1, "a:one"), ("B", 1, "a:one"), ("C", 1, "c:one")],
        [("B", 2, "b:two"), ("D", 1, "d:*")],
        [("C", 1, "*:three")],
    ]
    for day, policies in enumerate(changes, 1):
        for name, number, action in policies:
            of = history({number: (moment(day), document(action))}, name=name)
            for place in (store, whole_store):
                store_history(place, of, "aws" if day == 3 else "archive", day)
        read_names.clear()
        assert index_actions(store, lambda *_: None, lambda: False)
        assert read_names == [name for name, _, _ in policies]
    index_actions(whole_store, lambda *_: None, lambda: False)
    for action in ("a:one", "b:two", "c:one", "d:x", "x:three", "*"):
        assert candidates(store, action) == candidates(whole_store, action)
    assert [candidate.policy.name for candidate in candidates(store, "c:one")] == []
    store.undo()
    read_names.clear()
    index_actions(store, lambda *_: None, lambda: False)
    assert read_names == ["C"]
    assert [candidate.policy.name for candidate in candidates(store, "c:one")] == ["C"]
    assert candidates(store, "x:three") == ()


def test_a_sync_that_brings_no_document_keeps_the_index(tmp_path: Path) -> None:
    store = PolicyStore.in_folder(tmp_path)
    policy_history = history({1: (moment(1), document("a:one"))}, name="A")
    store_history(store, policy_history, "archive", 1)
    make_index(store)
    store_history(store, policy_history, "aws", 2)
    assert [candidate.policy.name for candidate in candidates(store, "a:one")] == ["A"]
    assert module.is_current(store, "actions")
    # Another default version is another answer.
    store_history(store, history({2: (moment(2), document("a:two"))}, name="A"), "archive", 3)
    with pytest.raises(AbsentCacheError):
        candidates(store, "a:one")


def test_a_change_at_the_very_time_belongs_to_the_period(tmp_path: Path) -> None:
    store = PolicyStore.in_folder(tmp_path)
    versions = {1: (moment(1), document("a:one")), 2: (moment(3), document("a:two")), 3: (None, document("a:three"))}
    store_history(store, history(versions), "archive", 4)
    make_index(store)
    assert [step.version for step in feed(store, moment(3), JUDGES)] == [2]
    assert [step.version for step in feed(store, moment(4), JUDGES)] == []
    assert {step.version for step in feed(store, None, JUDGES)} == {1, 2, 3}


def test_an_index_of_older_code_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = PolicyStore.in_folder(tmp_path)
    store_history(store, history({1: (moment(1), document("a:one"))}), "archive", 1)
    make_index(store)
    monkeypatch.setattr(module, "VERSION", module.VERSION + 1)
    with pytest.raises(AbsentCacheError):
        candidates(store, "a:one")
    make_index(store)
    assert len(candidates(store, "a:one")) == 1


def test_indexing_can_be_stopped(tmp_path: Path) -> None:
    store = PolicyStore.in_folder(tmp_path)
    for name in "ABC":
        store_history(store, history({1: (None, document("a:one"))}, name=name), "archive", 1)
    counts: list[int] = []
    assert not index_steps(
        store, JUDGES, unjudged_steps, lambda count, _: counts.append(count), lambda: counts == [0, 1]
    )
    with pytest.raises(AbsentCacheError):
        feed(store, None, JUDGES)
    assert not index_actions(store, lambda *_: None, lambda: True)
    with pytest.raises(AbsentCacheError):
        candidates(store, "a:one")


def test_version_numbers_are_written_as_runs() -> None:
    for numbers in [(), (1,), (1, 2, 3), (1, 3, 4, 7), tuple(range(1, 200, 3))]:
        assert read_numbers(written_numbers(numbers)) == numbers
    assert written_numbers((1, 2, 3, 6)) == "1-3,6"


def test_a_target_is_found_where_each_version_has_it() -> None:
    """Statements that are alike, that come back, or that only an older version has."""

    def versions(*pairs: tuple[str, str]) -> Document:
        return parse(
            {"Statement": [{"Effect": "Allow", "Action": action, "Resource": resource} for action, resource in pairs]}
        )

    documents = {
        1: versions(("a:B", "x"), ("a:B", "*")),
        2: versions(("a:C", "*"), ("a:D", "*")),
        4: versions(("a:B", "*"), ("a:D", "*")),
    }
    targets = uses_of(documents, 4)
    assert [frame.resources for frame in targets.frames] == [("*",), ("*",), ("x",)]
    assert {use.actions: dict(use.versions) for use in targets.uses} == {
        ("a:B",): {0: (1, 4), 2: (1,)},
        ("a:C",): {0: (2,)},
        ("a:D",): {1: (2, 4)},
    }


def test_each_version_of_a_candidate_is_reduced_to_the_action(tmp_path: Path) -> None:
    """A condition that became the number 1 is another condition, although Python holds it equal to `true`."""
    store = PolicyStore.in_folder(tmp_path)

    def version(action: str, value: object) -> bytes:
        condition = {"StringEquals": {"aws:ResourceTag/a": value}}
        statement = {"Effect": "Allow", "Action": action, "Resource": "*", "Condition": condition}
        return json.dumps({"Statement": statement}).encode()

    versions = [version("s3:Get*", True), version("s3:GetObject", 1), version("s3:Put*", 1), version("s3:*", 1)]
    entry = history({number: (None, text) for number, text in enumerate(versions, 1)})
    store_history(store, entry, "archive", 1)
    make_index(store)
    (candidate,) = candidates(store, "s3:GetObject")
    assert {
        number: [(statement.actions, statement.conditions[0].values) for statement in document.statements]
        for number, document in candidate.documents.items()
    } == {1: [(("s3:Get*",), ("true",))], 2: [(("s3:GetObject",), ("1",))], 4: [(("s3:*",), ("1",))]}


def test_shipped_steps_are_those_of_the_same_documents_and_judges() -> None:
    policy = history({1: (None, document("s3:Get")), 2: (None, document("s3:Put"))}).policy
    stored_policy = StoredPolicy(policy, {1: "a" * 32, 2: "b" * 32}, {}, provenance("archive", 1))
    key, rows = module.history_key(stored_policy.documents)[: module.STEPS_KEY], [[2, 1]]

    def steps_shipped(of: str, name: str = "P", judges: str = JUDGES) -> object:
        return module.shipped_steps({"judges": judges, "steps": {name: (of, rows)}}, JUDGES)(
            "P", stored_policy.documents
        )

    assert steps_shipped(key) == rows
    assert steps_shipped(key, judges="reference 2") is steps_shipped(key, "Q") is None
    assert [
        steps_shipped(of) for of in ("", "0" * 16, "g" * 16, key[:-1], module.history_key(stored_policy.documents))
    ] == [None] * 5
    assert module.shipped_steps({}, JUDGES)("P", stored_policy.documents) is None
    swapped_policy = stored_policy._replace(documents={1: "b" * 32, 2: "a" * 32})
    assert module.history_key(swapped_policy.documents) != module.history_key(stored_policy.documents)
    turned_policy = stored_policy._replace(documents={2: "b" * 32, 1: "a" * 32})
    assert module.history_key(turned_policy.documents) == module.history_key(stored_policy.documents)
