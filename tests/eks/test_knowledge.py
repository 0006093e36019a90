"""`eks.toml` says what AWS's page says, in other words, and nothing that the documents refute."""

import json
import re
import tomllib
import warnings
from functools import cache
from typing import Any

import pytest

from ekstui import files
from ekstui.change.policy import Policy
from ekstui.eks.knowledge import PolicyKnowledge, ReleaseRange, parse_knowledge
from ekstui.errors import DataError
from ekstui.iam.document import Document, parse
from ekstui.iam.grants import grants
from ekstui.iam.reference import reference
from ekstui.iam.wildcard import matches
from ekstui.sources.shipped import components
from tests.iam.seed_facts import MISNAMED, POLICIES, SERVICE_NOTES, UNUSED, UPDATES, SeedUpdate, ServiceNote
from tests.iam.shingles import known_runs, runs
from tests.support.corpus import raw_policies

TEXT = (files.assets() / "eks.toml").read_text(encoding="utf-8")
KNOWLEDGE = parse_knowledge((files.assets() / "eks.json").read_text(encoding="utf-8"))
ACTION = re.compile(r"\b[a-z0-9-]+:(?:[A-Z][a-z0-9]+)+(?:[A-Z0-9]\w*)?\b")
"""An action in prose: a tag key such as eks:cluster-name is none."""


@cache
def documents(name: str) -> dict[int, Document]:
    return {int(version["version"][1:]): parse(version["document"]) for version in raw_policies()[name]["versions"]}


def newest_described(name: str) -> int:
    """The newest version that eks.toml describes: AWS may have made newer ones since."""
    until = tomllib.loads(TEXT)["tracking"]["documents_until"].isoformat()
    return max(
        int(version["version"][1:])
        for version in raw_policies()[name]["versions"]
        if version["created"] and version["created"][:10] <= until
    )


def current(name: str) -> Document:
    """The newest document that eks.toml describes."""
    return documents(name)[newest_described(name)]


def granted(document: Document, action: str) -> set[tuple[object, ...]]:
    """What the statements say about an action, however they are grouped."""
    return {
        (statement.effect, resource, frozenset(statement.conditions))
        for statement in document.statements
        for pattern in statement.actions
        for resource in statement.resources
        if matches(pattern.lower(), action.lower())
    }


def services(document: Document) -> set[str]:
    return {action.split(":")[0] for statement in document.statements for action in statement.actions}


def says(text: str, ideas: tuple[str, ...]) -> bool:
    return all(any(word in text.lower() for word in idea.split("|")) for idea in ideas)


def test_the_family_of_the_corpus_is_known_in_its_order() -> None:
    manifest = json.loads((files.assets() / "manifest.json").read_text(encoding="utf-8"))
    assert list(KNOWLEDGE.policies) == list(raw_policies())[: manifest["family"]]


@pytest.mark.parametrize(("name", "attachable"), POLICIES.items())
def test_every_policy_of_the_page_has_its_entry(name: str, attachable: bool) -> None:
    entry = KNOWLEDGE.policies[name]
    assert entry.purpose
    assert entry.attached_to
    assert entry.attachable is attachable


@pytest.mark.parametrize("note", SERVICE_NOTES, ids=lambda note: f"{note.policy}-{note.service}")
def test_every_service_note_of_the_page_has_its_entry(note: ServiceNote) -> None:
    text = KNOWLEDGE.reason(note.policy, note.service)
    assert text is not None
    assert says(text, note.ideas), text
    assert note.service in services(current(note.policy))


@pytest.mark.parametrize("row", UPDATES, ids=lambda row: f"{row.policy}-{row.created}")
def test_every_update_of_the_page_is_tied_to_its_version(row: SeedUpdate) -> None:
    (number,) = (
        int(version["version"][1:])
        for version in raw_policies()[row.policy]["versions"]
        if version["created"].startswith(row.created)
    )
    update = KNOWLEDGE.policies[row.policy].update(number)
    assert update is not None
    assert set(row.actions) <= set(update.actions)
    assert bool(row.actions) is bool(update.actions)
    assert says(update.text, row.ideas), update.text
    if row.disagrees:
        assert update.disagreement is not None
        assert all(word in update.disagreement for word in row.disagrees)


def test_the_day_on_which_the_list_of_updates_begins_is_known() -> None:
    first = min(row.created for row in UPDATES)
    assert first <= KNOWLEDGE.tracked_since.isoformat() <= "2021-06-30"


def test_services_kept_for_old_set_ups_are_marked() -> None:
    unused_services = [(entry.name, service) for entry in KNOWLEDGE.policies.values() for service in entry.unused]
    assert unused_services == UNUSED


@pytest.mark.parametrize(("policy", "wrong"), MISNAMED)
def test_names_that_the_page_gets_wrong_are_said(policy: str, wrong: str) -> None:
    assert wrong not in raw_policies()
    assert not any(wrong in statement.actions for statement in current(policy).statements)
    assert any(wrong in disagreement for disagreement in KNOWLEDGE.policies[policy].disagreements)


@pytest.mark.parametrize("entry", KNOWLEDGE.policies.values(), ids=lambda entry: entry.name)
def test_an_entry_agrees_with_the_documents(entry: PolicyKnowledge) -> None:
    policy = raw_policies()[entry.name]
    document = current(entry.name)
    assert entry.attachable is Policy(entry.name, policy["arn"], 1, ()).attachable
    assert (entry.service_linked_role is not None) is ("service-linked role" in entry.attached_to)
    assert set(entry.services) == services(document)
    assert set(entry.unused) <= set(entry.services)
    assert bool(entry.superseded_by) is (entry.supersession is not None)
    assert {*entry.superseded_by, *entry.narrower} <= set(KNOWLEDGE.policies)
    assert entry.access_policy is (entry.name in KNOWLEDGE.access_policies)
    for service, text in entry.services.items():
        for action in ACTION.findall(text):
            assert action.startswith(f"{service}:")
            assert granted(document, action), action


@pytest.mark.parametrize("entry", KNOWLEDGE.policies.values(), ids=lambda entry: entry.name)
def test_an_update_changed_what_it_names(entry: PolicyKnowledge) -> None:
    versions = documents(entry.name)
    numbers = [update.version for update in entry.updates]
    assert numbers == sorted(set(numbers))
    for update in entry.updates:
        document = versions[update.version]
        earlier = [number for number in versions if number < update.version]
        assert bool(update.actions) is bool(earlier)
        for action in update.actions:
            assert granted(document, action) != granted(versions[max(earlier)], action), (update.version, action)


def test_dates_in_disagreements_are_those_of_iam() -> None:
    dates = 0
    for entry in KNOWLEDGE.policies.values():
        created = {
            int(version["version"][1:]): version["created"] for version in raw_policies()[entry.name]["versions"]
        }
        for update in entry.updates:
            if match := re.search(r"IAM made the version on (\S+?)[.,]", (update.disagreement or "") + "."):
                assert created[update.version].startswith(match[1]), (entry.name, update.version)
                dates += 1
    assert dates > 10


@pytest.mark.parametrize(
    ("policy", "absent"),
    [
        ("AmazonEKSServiceRolePolicy", "elasticloadbalancing:Create*"),
        ("AmazonEKSLoadBalancingPolicy", "kms:*"),
        ("AmazonEKSLoadBalancingPolicy", "elasticloadbalancing:Delete*"),
        ("AmazonEKSLoadBalancingPolicy", "elasticloadbalancing:DescribeCapacityReservation"),
        ("AmazonEKSLocalOutpostServiceRolePolicy", "secretsmanager:PutSecretValue"),
        ("AmazonEKSLocalOutpostServiceRolePolicy", "ec2:DescribeSecret"),
        ("AmazonEC2ContainerRegistryReadOnly", "ecr:BatchImportUpstreamImage"),
        ("AmazonEBSCSIDriverPolicy", "kms:*"),
        ("AmazonEKS_CNI_Policy", "ec2:AssignIpv6Addresses"),
    ],
)
def test_what_an_entry_denies_is_in_no_version(policy: str, absent: str) -> None:
    """A newer version that has it asks for another entry, by a person: that is said, and nothing fails."""
    numbers = [
        number
        for number, document in documents(policy).items()
        if any(matches(absent, action) for statement in document.statements for action in statement.actions)
    ]
    assert all(number > newest_described(policy) for number in numbers)
    if numbers:
        warnings.warn(f"v{numbers[0]} of {policy} has {absent}: eks.toml denies that", stacklevel=1)


@pytest.mark.parametrize(
    "requirement", KNOWLEDGE.requirements, ids=lambda requirement: f"{requirement.name}-{requirement.uses[0]}"
)
def test_each_usual_policy_gives_all_that_is_required(requirement: Any) -> None:
    for name in requirement.policies:
        for action in requirement.actions:
            assert granted(current(name), action), (name, action)
    assert requirement.source.startswith("https://")


def test_every_action_named_exists() -> None:
    named_actions = {action for requirement in KNOWLEDGE.requirements for action in requirement.actions}
    named_actions |= {action for hint in KNOWLEDGE.dependent_actions for action in (hint.action, *hint.needs)}
    named_actions |= {action for symptom in KNOWLEDGE.symptoms for action in symptom.actions}
    unknown = {action for action in named_actions if (info := reference().find(action)) is None or info.name != action}
    assert not unknown, "correct these in assets/eks.toml: AWS's reference does not have them (any more)"


def test_releases_in_answers_are_those_that_brought_what_they_name() -> None:
    """`iam:ListInstanceProfiles (v1.7.0)`: some statement of that release names the action, none of the one before does."""
    count = 0
    for symptom in KNOWLEDGE.symptoms:
        for name in set(symptom.policies) & set(components()):
            # Up to each release, the actions since the release before it; a bare name means the controller's service.
            for action_list, release in re.findall(r"([^(;]*)\((?:since )?(v\d+\.\d+\.\d+)[^)]*\)", symptom.answer):
                for action in symptom.actions:
                    if not re.search(rf"\b{action.rpartition(':')[2]}\b", action_list):
                        continue
                    versions = components()[name].versions
                    after = components()[name].at(release)
                    assert after
                    assert after.label == release, symptom.symptom
                    before = versions[after.number - 2]
                    grants_before, grants_after = grants(before.document()), grants(after.document())
                    targets = [target for target in grants_after if target.actions == (action.lower(),)]
                    assert targets
                    assert all(grants_before.get(target) != grants_after[target] for target in targets), action
                    count += 1
    assert count > 15


def test_every_policy_named_exists() -> None:
    policy_names = {name for symptom in KNOWLEDGE.symptoms for name in symptom.policies}
    assert policy_names <= {*raw_policies(), *components()}
    prose = set(re.findall(r"\b(?:Amazon|AWS)[A-Z]\w*(?:Policy\w*|Only|Controller|Tagging|Access)\b", TEXT))
    assert prose - set(raw_policies()) - set(KNOWLEDGE.access_policies) == {
        wrong for _, wrong in MISNAMED if ":" not in wrong
    }


def test_names_of_both_kinds_are_the_four() -> None:
    namesakes = {entry.name for entry in KNOWLEDGE.policies.values() if entry.access_policy}
    assert namesakes == {
        "AmazonEKSBlockStoragePolicy",
        "AmazonEKSComputePolicy",
        "AmazonEKSLoadBalancingPolicy",
        "AmazonEKSNetworkingPolicy",
    }
    policy = KNOWLEDGE.access_policy("amazoneksadminpolicy")
    assert policy is not None
    assert policy.name == "AmazonEKSAdminPolicy"


def test_access_policies_that_a_document_names_are_known() -> None:
    policy_names: set[str] = set()
    for name in KNOWLEDGE.policies:
        for version in raw_policies()[name]["versions"]:
            policy_names |= set(re.findall(r"cluster-access-policy/(\w+)", json.dumps(version["document"])))
    assert len(policy_names) > 10
    assert policy_names <= set(KNOWLEDGE.access_policies)


@pytest.mark.parametrize(
    ("name", "topic"),
    [
        ("AWSLoadBalancerControllerIAMPolicy", "AWS Load Balancer Controller"),
        ("aws-load-balancer-controller", "AWS Load Balancer Controller"),
        ("KarpenterControllerPolicy", "Karpenter"),
        ("ClusterAutoscaler", "Cluster Autoscaler"),
        ("AmazonEKS_CNI_IPv6_Policy", "IPv6 with the VPC CNI"),
        ("AmazonEKSClusterPolicy", None),
        ("", None),
    ],
)
def test_what_does_not_exist_is_an_answer(name: str, topic: str | None) -> None:
    absence = KNOWLEDGE.absence(name)
    assert (absence.topic if absence else None) == topic


def test_no_policy_of_scope_eks_is_taken_for_one_that_does_not_exist() -> None:
    assert [name for name in KNOWLEDGE.policies if KNOWLEDGE.absence(name)] == []


def test_no_sentence_of_the_page_was_copied() -> None:
    digests = known_runs()
    assert [run for run, digest in runs(TEXT) if digest in digests] == []
    control = "so that the Kubernetes control plane can join instances to a cluster"
    assert any(digest in digests for _, digest in runs(control))


def test_a_text_of_another_shape_is_refused() -> None:
    compiled_text = (files.assets() / "eks.json").read_text(encoding="utf-8")
    for text in (
        "{",
        "{}",
        "[]",
        '{"policies": {"A": {"purpose": 1}}}',
        compiled_text.replace('"attachable"', '"atachable"', 1),
    ):
        with pytest.raises(DataError, match=r"eks\.json"):
            parse_knowledge(text)


def test_every_policy_is_in_one_group_of_the_list() -> None:
    policy_names = [name for _, names in KNOWLEDGE.groups for name in names]
    assert sorted(policy_names) == sorted(KNOWLEDGE.policies)


def test_the_compiled_form_is_up_to_date() -> None:
    compiled_form = json.loads((files.assets() / "eks.json").read_text(encoding="utf-8"))
    assert compiled_form == json.loads(json.dumps(tomllib.loads(TEXT), default=str)), "run make knowledge"


def test_what_is_tied_to_releases_was_checked_at_one_of_them() -> None:
    """Newer releases ask for a look at their sources, by a person: that is said, and nothing fails."""
    ranges = [requirement.releases for requirement in KNOWLEDGE.requirements if requirement.releases is not None]
    ranges += [action.releases for action in KNOWLEDGE.optional_actions]
    assert {releases.of for releases in ranges} == {"vpc-cni", "aws-efs-csi-driver"}
    for releases in ranges:
        component = components()[releases.of]
        assert component.release(releases.checked), releases
        if releases.checked != (newest := component.short(component.newest)):
            warnings.warn(
                f"{releases.of} {newest}: look at its sources for what it asks AWS, then write it as `checked` into eks.toml",
                stacklevel=1,
            )
        assert all(component.release(release) for release in (releases.since, releases.until) if release)


@pytest.mark.parametrize(
    ("release", "at_start", "later"),
    [("v1.21.2", False, False), ("v1.22.0-eksbuild.1", True, True), ("v1.22.1", True, True), ("v1.22.2", False, True),
     ("v1.23.0-eksbuild.3", False, True), ("v1.24.0", False, None), ("", None, None)],
)  # fmt: skip
def test_a_requirement_is_only_certain_for_releases_that_were_checked(
    release: str, at_start: bool | None, later: bool | None
) -> None:
    """The tags of amazon-vpc-cni-k8s: pkg/ipamd calls DescribeSecurityGroups at start only in v1.22.0 and v1.22.1."""
    requirements = {
        (action, requirement.releases.includes(release))
        for requirement in KNOWLEDGE.requirements
        if requirement.releases is not None
        for action in requirement.actions
    }
    assert requirements == {("ec2:DescribeSecurityGroups", at_start), ("ec2:DescribeSubnets", later)}


@pytest.mark.parametrize(
    ("until", "release", "expected", "words"),
    [
        ("", "v1.9.0", False, None),
        ("", "v1.10.0", True, None),
        ("", "v1.12.0", True, None),
        ("", "v1.13.0", None, "cni v1.13.0 still needs it, as v1.12.0 does"),
        ("", "", None, "cni is v1.10.0 or newer"),
        ("v2.0.0", "v1.13.0", True, None),
        ("v2.0.0", "v2.0.0", False, None),
        ("v2.0.0", "", None, "cni is v1.10.0 or newer, but older than v2.0.0"),
    ],
)
def test_what_has_to_hold_for_a_release_that_was_not_checked(
    until: str, release: str, expected: bool | None, words: str | None
) -> None:
    releases = ReleaseRange("cni", "v1.10.0", "v1.12.0", until)
    assert releases.includes(release) is expected
    if words is not None:
        assert releases.unsure(release) == words
