"""Questions about all policies: the same answers with and without the index, and clear errors."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ekstui.change.holders import nearest_actions
from ekstui.change.policy import Policy, VersionInfo, format_time, version_label
from ekstui.change.steps import undated_versions_possibly_since
from ekstui.denial.answer import Policies
from ekstui.errors import InputError, NotFoundError
from ekstui.iam.document import parse_text
from ekstui.iam.grants import action_matches
from ekstui.iam.request import Request
from ekstui.library import Library, feed
from ekstui.library.allowers import possible_allowers
from ekstui.library.catalog import knowledge
from ekstui.library.feed import changes_feed
from ekstui.library.maintenance import index_cache
from ekstui.library.searching import who_can_answer
from ekstui.sources.corpus import Corpus
from ekstui.store.index import judged, judging_version, names_allowing, shipped_steps
from ekstui.store.policy_store import PolicyStore
from tests.store.policies import fill_from_the_corpus
from tests.support.bundled import POLICIES
from tests.support.corpus import raw_corpus
from tests.support.filled import library_with


@pytest.fixture(scope="module")
def indexed_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that holds the EKS family alone, with its index."""
    store = fill_from_the_corpus(tmp_path_factory.mktemp("family"), family=True)
    assert index_cache(Library(Corpus.bundled(), PolicyStore(store.file)))
    return store.file.path


@pytest.fixture
def indexed_library(indexed_file: Path) -> Library:
    return library_with(indexed_file)


@pytest.fixture
def unindexed_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    monkeypatch.setenv("EKSTUI_CACHE", str(tmp_path / "absent"))
    return Library.open()


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("ec2:DescribeSecurityGroups", None),
        ("EC2:describesecuritygroups", None),
        ("ec2:CreateVolume", "arn:aws:ec2:eu-west-1:123456789012:snapshot/snap-1"),
        ("iam:CreateServiceLinkedRole", None),
        ("ecr:*", None),
    ],
)
def test_the_index_gives_the_answers_of_the_documents(
    indexed_library: Library, unindexed_library: Library, action: str, resource: str | None
) -> None:
    answer = who_can_answer(indexed_library, action, resource)
    assert answer.holders
    assert answer == who_can_answer(unindexed_library, action, resource)


@pytest.mark.parametrize("action", ["ec2:CreateVolume", "ec2:DescribeSecurityGroups", "iam:PassRole", "nosuch:Action"])
def test_the_index_names_every_policy_that_may_allow_what_is_denied(indexed_library: Library, action: str) -> None:
    request, policies = Request(action), Policies()
    names = names_allowing(indexed_library.store, action, {"AmazonEKS_CNI_Policy"})
    by_name = possible_allowers(request, policies, indexed_library.store, knowledge(), names)
    by_text = possible_allowers(request, policies, indexed_library.store, knowledge())
    allowing_names = {
        result.policy.name
        for result in by_text
        if any(
            action_matches(statement, action)
            for statement in result.documents[result.policy.default_version].statements
        )
    }
    assert allowing_names - {result.policy.name for result in by_name} == set()
    assert allowing_names or action == "nosuch:Action"
    assert "AmazonEKS_CNI_Policy" in names


@pytest.mark.parametrize("since", [None, datetime(2026, 2, 1, tzinfo=UTC)])
def test_the_feed_is_the_same_with_and_without_the_index(
    indexed_library: Library, unindexed_library: Library, since: datetime | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = changes_feed(indexed_library, since)
    assert feed.complete
    assert feed.changes
    assert feed == changes_feed(unindexed_library, since)
    # Nothing that ships fits: the documents are judged.
    monkeypatch.setattr(Corpus, "steps", lambda _: {})
    assert feed == changes_feed(unindexed_library, since)


def test_policies_that_are_new_are_in_the_feed(unindexed_library: Library) -> None:
    """Counted in the corpus by the dates of first versions alone."""
    firsts = [(policy["name"], policy["versions"][0]) for policy in raw_corpus()]
    expected_steps = {
        (name, version["version"], version["created"])
        for name, version in firsts
        if version["created"] >= "2026-02-01T00:00:00Z"
    }
    feed = changes_feed(unindexed_library, datetime(2026, 2, 1, tzinfo=UTC), "all")
    new_steps = [step for step in feed.changes if step.change.kind == "new"]
    assert {
        (step.policy, version_label(step.version), format_time(step.created)) for step in new_steps
    } == expected_steps
    assert len(new_steps) == len(expected_steps) > 100
    assert new_steps == [step for step in feed.changes if step.previous is None]
    first = dict(firsts)["AmazonEBSCSIDriverPolicyV2"]["document"]
    (driver,) = [step for step in new_steps if step.policy == "AmazonEBSCSIDriverPolicyV2"]
    assert driver.change.added == len({action for statement in first["Statement"] for action in statement["Action"]})


def test_the_cni_policy_can_describe_security_groups_since_v6(indexed_library: Library) -> None:
    (cni,) = [
        holder
        for holder in who_can_answer(indexed_library, "ec2:DescribeSecurityGroups").holders
        if holder.policy.name == "AmazonEKS_CNI_Policy"
    ]
    assert cni.since.version == 6
    assert cni.since.created is not None
    assert (cni.since.created.date().isoformat(), cni.since.at_latest) == ("2026-03-04", False)
    assert cni.via == "Action"


def test_power_users_can_through_not_action_except_in_iam(unindexed_library: Library) -> None:
    def names(action: str) -> set[str]:
        return {holder.policy.name for holder in who_can_answer(unindexed_library, action, scope="all").holders}

    assert {"PowerUserAccess", "AdministratorAccess"} <= names("kafka:CreateCluster")
    assert "PowerUserAccess" not in names("organizations:CreateAccount")


def test_a_time_after_what_is_known_is_not_answered_with_nothing(indexed_library: Library) -> None:
    feed = changes_feed(indexed_library, datetime(2030, 1, 1, tzinfo=UTC))
    assert (feed.complete, feed.changes) == (False, ())
    newest = indexed_library.data().newest
    assert changes_feed(indexed_library, newest).complete
    assert not changes_feed(indexed_library, newest + timedelta(seconds=1)).complete


def test_an_action_that_nobody_names_is_covered_by_patterns_alone(unindexed_library: Library) -> None:
    answer = who_can_answer(unindexed_library, "newsvc:Foo")
    assert (answer.is_named, answer.level) == (False, "unknown")
    assert {"AdministratorAccess", "PowerUserAccess"} <= {holder.policy.name for holder in answer.holders}
    assert {(holder.pattern == "*") or holder.via == "NotAction" for holder in answer.holders} == {True}
    # Ten services of the corpus are in no list; a document that names the action makes it known.
    assert who_can_answer(unindexed_library, "ec2:DescribeSubnets").is_named
    assert nearest_actions("ec2:DescribeSecurtyGroups")[0] == "ec2:DescribeSecurityGroups"


def test_an_invalid_action_is_reported(indexed_library: Library) -> None:
    with pytest.raises(NotFoundError, match="EKS access policy"):
        who_can_answer(indexed_library, "AmazonEKSAdminPolicy")
    with pytest.raises(InputError, match="not an action"):
        who_can_answer(indexed_library, "DescribeSecurityGroups")
    with pytest.raises(InputError, match="not an ARN"):
        who_can_answer(indexed_library, "ec2:CreateVolume", "snapshot/snap-1")


@pytest.mark.parametrize(
    ("since", "versions"),
    [(datetime(2026, 7, 1, tzinfo=UTC), (2,)), (None, ())],
)
def test_a_version_of_unknown_time_is_perhaps_in_a_period_unless_a_later_one_says_otherwise(
    since: datetime | None, versions: tuple[int, ...]
) -> None:
    def policy(*times: datetime | None) -> Policy:
        infos = tuple(VersionInfo(number, time) for number, time in enumerate(times, 1))
        return Policy("A", "arn:aws:iam::aws:policy/A", len(times), infos)

    first, last = datetime(2023, 1, 1, tzinfo=UTC), datetime(2024, 4, 1, tzinfo=UTC)
    assert tuple(undated_versions_possibly_since(policy(first, None), since)) == versions
    assert not tuple(undated_versions_possibly_since(policy(first, None, last), since))


def test_the_steps_that_ship_are_judged_as_they_would_be_judged_now(indexed_library: Library) -> None:
    """If this fails, the same documents are judged differently: raise JUDGEMENT_VERSION and run `make steps`."""
    shipped_corpus_steps = indexed_library.corpus.steps()
    assert shipped_corpus_steps["judges"] == judging_version()
    assert len(shipped_corpus_steps["steps"]) == POLICIES
    steps = shipped_steps(shipped_corpus_steps, judging_version())
    for number, name in enumerate(indexed_library.store.names()):
        if number % 3 == 0:
            (entry,) = indexed_library.store.named((name,))
            assert steps(name, entry.documents) == judged(entry.policy, indexed_library.store.history(name).texts), name
    assert shipped_steps(shipped_corpus_steps, "another reference")(name, entry.documents) is None


def test_without_a_cache_the_steps_that_ship_answer(
    unindexed_library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Judging them again takes seconds, as `--demo` has no cache."""
    monkeypatch.setattr(feed, "steps_since", lambda *_: pytest.fail("judged again"))
    assert len(changes_feed(unindexed_library, scope="all").changes) > POLICIES


@pytest.mark.parametrize(
    "action", ["ec2:CreateVolume", "iam:PassRole", "ecr:BatchImportUpstreamImage", "nosuch:Action"]
)
def test_looking_at_the_bytes_loses_no_policy_that_allows_the_action(action: str) -> None:
    corpus = Corpus.bundled()
    allowing_names = {
        history.policy.name
        for history in corpus.histories()
        for statement in parse_text(history.texts[history.policy.default_version]).statements
        if statement.effect == "Allow" and action_matches(statement, action)
    }
    offered_names = {entry.policy.name for entry in possible_allowers(Request(action), Policies(), corpus, knowledge())}
    assert allowing_names <= offered_names
    assert len(offered_names) < 600
