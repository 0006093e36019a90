"""A change is judged by sets of grants: compared here with sets made from the raw JSON, over the whole corpus."""

import json
import random
import re
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from ekstui.change.comparison import changes
from ekstui.change.differences import differences
from ekstui.change.policy import Policy, VersionInfo
from ekstui.change.steps import Step, timeline
from ekstui.errors import DocumentError
from ekstui.iam.document import Document, parse
from ekstui.iam.grants import is_too_large
from tests.support.brute_force import as_list
from tests.support.corpus import policy_of, raw_document, raw_policies, sampled_corpus
from tests.support.documents import allow, document_of


def brute_force_grants(document: Any) -> set[tuple[str, ...]]:
    """The document's grants as strings, made from the JSON by the definition; the first three name the action."""
    grants: set[tuple[str, ...]] = set()
    for statement in as_list(document["Statement"]):
        condition = sorted(
            (operator, key.lower(), sorted({v if isinstance(v, str) else json.dumps(v) for v in as_list(values)}))
            for operator, keys in statement.get("Condition", {}).items()
            for key, values in keys.items()
        )
        clause = json.dumps(condition)
        element = "Action" if "Action" in statement else "NotAction"
        actions = [action.strip().lower() for action in as_list(statement[element])]
        resource_element = "Resource" if "Resource" in statement else "NotResource"
        resources = [resource.strip() for resource in as_list(statement[resource_element])]
        for action in actions if element == "Action" else [json.dumps(sorted(set(actions)))]:
            for resource in resources if resource_element == "Resource" else [json.dumps(sorted(set(resources)))]:
                grants.add((statement["Effect"], element, action, resource_element, resource, clause))
    return grants


def steps_of(raw: dict[str, Any]) -> tuple[Step, ...]:
    documents = {int(version["version"][1:]): parse(version["document"]) for version in raw["versions"]}
    return timeline(policy_of(raw), documents)


def test_every_step_of_the_corpus_has_the_kind_and_counts_of_a_plain_set_comparison() -> None:
    kinds: Counter[str] = Counter()
    for raw in sampled_corpus(250):
        sets = [brute_force_grants(version["document"]) for version in raw["versions"]]
        for before, after, step in zip(sets, sets[1:], steps_of(raw)[1:], strict=False):
            assert step.change is not None
            names_before, names_after = {grant[:3] for grant in before}, {grant[:3] for grant in after}
            kind = "none" if before == after else "scope" if names_before == names_after else "actions"
            counts = (
                len(names_after - names_before),
                len(names_before - names_after),
                len({grant[:3] for grant in before ^ after} & names_before & names_after),
            )
            change = step.change
            assert (change.kind, change.added, change.removed, change.changed) == (kind, *counts), (raw["name"], step)
            kinds[kind] += 1
    assert kinds.keys() == {"none", "scope", "actions"}
    assert min(kinds.values()) > 50


def respelled_document(document: Any, rng: random.Random) -> Any:
    """The same grants in another order, grouping and spelling, under other names."""
    statements: list[dict[str, Any]] = []
    for statement in as_list(document["Statement"]):
        parts = [statement]
        if "Action" in statement and rng.random() < 0.5:
            actions = as_list(statement["Action"])
            cut_at = rng.randint(0, len(actions))
            parts = [{**statement, "Action": half} for half in (actions[:cut_at], actions[cut_at:]) if half]
        if "Resource" in statement and rng.random() < 0.5:
            parts = [{**part, "Resource": resource} for part in parts for resource in as_list(statement["Resource"])]
        for part in parts:
            part = {**part, "Sid": f"S{rng.randrange(10**9)}"}
            for element in ("Action", "NotAction", "Resource", "NotResource"):
                if element in part:
                    entries = [entry if rng.random() < 0.9 else f" {entry}" for entry in as_list(part[element])]
                    if "Action" in element:
                        entries = [rng.choice([entry.lower(), entry.upper(), entry]) for entry in entries]
                    rng.shuffle(entries)
                    part[element] = entries[0] if len(entries) == 1 and rng.random() < 0.5 else entries
            if "Condition" in part:
                part["Condition"] = {
                    operator: {key.upper(): rng.sample(as_list(v), len(as_list(v))) for key, v in keys.items()}
                    for operator, keys in reversed(part["Condition"].items())
                }
            statements.append(part)
    rng.shuffle(statements)
    return {"Version": document["Version"], "Statement": statements}


def test_order_grouping_spelling_and_names_change_nothing() -> None:
    rng = random.Random(20260826)
    for raw in sampled_corpus(300):
        document = raw["versions"][-1]["document"]
        for same_document in (document, respelled_document(document, rng)):
            change = changes(parse(document), parse(same_document))
            assert (change.kind, change.reach) == ("none", "same"), raw["name"]
            assert not change.added + change.removed + change.changed


def test_a_difference_is_spelled_as_the_documents_spell_it() -> None:
    before = {
        "Statement": [
            {"Effect": "Allow", "Action": ["EC2:runInstances", "s3:GetObject"], "Resource": "arn:aws:s3:::B"},
            {"Effect": "Deny", "NotAction": ["iam:*", "S3:*"], "Resource": "*"},
        ]
    }
    after = {
        "Statement": {
            "Effect": "Allow",
            "Action": ["ec2:RunInstances", "sqs:SendMessage"],
            "Resource": ["arn:aws:s3:::B", "*"],
            "Condition": {"Bool": {"aws:SecureTransport": True}},
        }
    }
    change = changes(parse(before), parse(after))
    assert change.kind == "actions"
    assert [difference.actions for difference in change.added] == [("sqs:SendMessage",)]
    assert [(difference.effect, difference.element, difference.actions) for difference in change.removed] == [
        ("Allow", "Action", ("s3:GetObject",)),
        ("Deny", "NotAction", ("iam:*", "S3:*")),
    ]
    (run,) = change.changed
    assert run.actions == ("ec2:RunInstances",)
    assert [(grant.resources, grant.conditions) for grant in run.before] == [(("arn:aws:s3:::B",), ())]
    assert [grant.resources for grant in run.after] == [("*",), ("arn:aws:s3:::B",)]
    assert run.after[0].conditions[0].values == ("true",)


def test_a_timeline_says_which_numbers_nobody_saw() -> None:
    document = parse({"Statement": []})
    created = datetime(2026, 1, 1, tzinfo=UTC)
    policy = Policy(
        "P", "arn:aws:iam::aws:policy/P", 7, (VersionInfo(2, None), VersionInfo(3, created), VersionInfo(7, None))
    )
    steps = timeline(policy, dict.fromkeys((2, 3, 7), document))
    assert [step.missing_before for step in steps] == [(1,), (), (4, 5, 6)]
    assert [step.default for step in steps] == [False, False, True]
    assert [step.change is None for step in steps] == [True, False, False]
    assert steps[1].created == created


@pytest.mark.parametrize(
    ("name", "before", "after", "kind", "reach", "phrases"),
    [
        (
            "AmazonEKSLoadBalancingPolicy",
            5,
            6,
            "scope",
            "widened",
            (
                "no longer needs the conditions aws:RequestTag/eks:eks-cluster-name and aws:TagKeys (shield:CreateProtection)",
                "no longer needs the condition aws:ResourceTag/eks:eks-cluster-name (shield:DeleteProtection)",
            ),
        ),
        ("AmazonEBSCSIDriverPolicy", 6, 10, "none", "same", ("same access",)),
        ("AmazonEKS_CNI_Policy", 5, 6, "actions", "widened", ("1 action added (ec2:DescribeSecurityGroups)",)),
    ],
)
def test_known_steps(name: str, before: int, after: int, kind: str, reach: str, phrases: tuple[str, ...]) -> None:
    change = changes(parse(raw_document(name, before)), parse(raw_document(name, after)))
    assert (change.kind, change.reach) == (kind, reach)
    for phrase in phrases:
        assert phrase in change.verdict


EBS = "AmazonEBSCSIDriverPolicy"
CLUSTER_TAG = "ec2:ResourceTag/ebs.csi.aws.com/cluster"
CLAIM_TAG = "ec2:ResourceTag/kubernetes.io/created-for/pvc/name"


def said_of(action: str, verdict: str) -> str:
    """The phrase of a verdict that names an action."""
    return next(phrase for phrase in verdict.partition(": ")[2].split("; ") if action in phrase)


def test_ways_of_which_one_is_enough_read_as_or() -> None:
    # V2 has two statements for ec2:ModifyVolume on volumes, each with a condition; the older policy had none.
    older, newer = parse(raw_document(EBS, 15)), parse(raw_document(f"{EBS}V2", 1))
    only_actions = {"ec2:AttachVolume"}
    verdict, reverse_verdict = (
        changes(_only(older, only_actions), _only(newer, only_actions)).verdict,
        changes(_only(newer, only_actions), _only(older, only_actions)).verdict,
    )
    assert said_of("ec2:AttachVolume", verdict) == (
        f"1 action on volume/* now needs the condition {CLUSTER_TAG} or {CLAIM_TAG} (ec2:AttachVolume)"
    )
    assert "no longer needs the condition" in reverse_verdict
    assert f"{CLUSTER_TAG} or {CLAIM_TAG}" in reverse_verdict


def test_conditions_of_one_statement_read_as_and() -> None:
    older, newer = parse(raw_document(EBS, 15)), parse(raw_document(f"{EBS}V2", 1))
    only_actions = {"ec2:DeleteTags"}
    verdict = changes(_only(older, only_actions), _only(newer, only_actions)).verdict
    assert f"on volume/* now needs the conditions aws:TagKeys and {CLUSTER_TAG}" in verdict
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    a, b = {"StringEquals": {"aws:PrincipalTag/a": "1"}}, {"StringEquals": {"aws:PrincipalTag/b": "1"}}
    base = parse({"Version": "2012-10-17", "Statement": [statement]})
    either_document = parse(
        {"Version": "2012-10-17", "Statement": [{**statement, "Condition": a}, {**statement, "Condition": b}]}
    )
    together = {"StringEquals": {"aws:PrincipalTag/a": "1", "aws:PrincipalTag/b": "1"}}
    joint = parse({"Version": "2012-10-17", "Statement": [{**statement, "Condition": together}]})
    assert "needs the condition aws:PrincipalTag/a or aws:PrincipalTag/b" in changes(base, either_document).verdict
    assert "needs the conditions aws:PrincipalTag/a and aws:PrincipalTag/b" in changes(base, joint).verdict
    # One way is as before; of the other, what was needed still is, with one of two more.
    d = {"StringEquals": {"aws:PrincipalTag/d": "1"}}
    further = [{"StringEquals": {"aws:PrincipalTag/a": "1", f"aws:PrincipalTag/{key}": "1"}} for key in ("b", "c")]
    one_key, two_keys = (
        parse(
            {"Version": "2012-10-17", "Statement": [{**statement, "Condition": condition} for condition in (*ways, d)]}
        )
        for ways in ([a], further)
    )
    assert "now needs the condition aws:PrincipalTag/b or aws:PrincipalTag/c" in changes(one_key, two_keys).verdict
    assert (
        "no longer needs the condition aws:PrincipalTag/b or aws:PrincipalTag/c" in changes(two_keys, one_key).verdict
    )
    # One of the two is still needed, so neither is "no longer needed".
    assert "no longer" not in changes(joint, either_document).verdict


def test_a_condition_for_one_resource_is_not_said_of_all() -> None:
    # v3 named the snapshot and the volume that ec2:CreateSnapshot needs; only the snapshot has conditions.
    older, newer = (_only(parse(raw_document(EBS, number)), {"ec2:CreateSnapshot"}) for number in (2, 3))
    verdict = changes(older, newer).verdict
    assert verdict == (
        "narrowed: 1 action allowed on fewer resources, and on snapshot/* now needs the condition"
        " aws:RequestTag/CSIVolumeSnapshotName or aws:RequestTag/ebs.csi.aws.com/cluster (ec2:CreateSnapshot)"
    )


def test_the_policy_is_named_once_if_two_phrases_are_about_it() -> None:
    older, newer = (_only(parse(raw_document(EBS, number)), {"ec2:CreateSnapshot"}) for number in (2, 3))
    assert changes(older, newer, ("A", "B")).verdict == (
        "B allows less: 1 action allowed on fewer resources, and on snapshot/* needs the condition"
        " aws:RequestTag/CSIVolumeSnapshotName or aws:RequestTag/ebs.csi.aws.com/cluster in B (ec2:CreateSnapshot)"
    )


A, B = "arn:aws:iam::111122223333:role/a", "arn:aws:iam::111122223333:role/b"


def _trust(effect: str, *principals: str, **elements: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": "sts:AssumeRole", "Principal": {"AWS": list(principals)}, **elements}


@pytest.mark.parametrize(
    ("before", "after", "reach"),
    [
        ([_trust("Allow", A)], [_trust("Allow", B)], "unknown"),
        ([_trust("Allow", A)], [_trust("Allow", A, B)], "unknown"),
        ([_trust("Allow", A)], [_trust("Allow", A), _trust("Deny", A)], "unknown"),
        ([_trust("Allow", A), _trust("Deny", B)], [_trust("Allow", A)], "unknown"),
        ([_trust("Allow", A)], [_trust("Allow", A, Condition={"Bool": {"aws:SecureTransport": "true"}})], "unknown"),
        ([_trust("Allow", A, Resource="*")], [_trust("Allow", B, Resource="*")], "unknown"),
        ([_trust("Allow", A, B)], [_trust("Allow", B), _trust("Allow", A)], "same"),
    ],
)  # fmt: skip
def test_who_may_do_it_is_part_of_what_a_trust_or_resource_policy_allows(
    before: list[Any], after: list[Any], reach: str
) -> None:
    """A trust policy has no resources, so nothing about resources may prove that two of them are alike."""
    document_a, document_b = (
        parse({"Version": "2012-10-17", "Statement": statements}) for statements in (before, after)
    )
    assert changes(document_a, document_b).reach == changes(document_b, document_a).reach == reach
    reasons = ("sts:AssumeRole: the principals of trust and resource policies are not compared.",)
    assert changes(document_a, document_b).notes == (reasons if reach == "unknown" else ())


def test_an_action_that_is_wider_on_some_resources_and_narrower_on_others_is_said_to_be_both() -> None:
    """AWS's own steps: restores from snapshots need no tags from v3 on, which is why they work; the rest got narrower."""
    steps = [
        changes(parse(raw_document(name, before)), parse(raw_document(name, before + 1)))
        for name, before in ((EBS, 2), ("AWSServiceCatalogAppRegistryServiceRolePolicy", 3), ("AmazonLexFullAccess", 1))
    ]
    assert [change.reach for change in steps] == ["mixed"] * 3
    ebs, registry, lex = (change.verdict for change in steps)
    assert said_of("ec2:CreateVolume", ebs) == (
        "1 action allowed on fewer resources, but on snapshot/* no longer needs the condition"
        " aws:RequestTag/CSIVolumeName or aws:RequestTag/ebs.csi.aws.com/cluster (ec2:CreateVolume)"
    )
    assert said_of("ec2:CreateSnapshot", ebs) == "1 more allowed in fewer cases (ec2:CreateSnapshot)"
    assert ebs.count("ec2:CreateVolume") == 1, "it is not among those with fewer resources"
    assert "2 actions allowed on fewer resources, but on group/AWS_AppRegistry*" in registry
    assert "allowed under other conditions on iam:PolicyArn (iam:DetachRolePolicy)" in lex


def test_an_action_that_is_added_or_settled_is_not_said_to_be_beyond_judgement() -> None:
    """Describing takes no resource, so that nothing proves that the new grant grants something."""
    describe = allow("ec2:DescribeInstances", "arn:aws:ec2:*:*:instance/*")
    change = changes(
        document_of(allow("s3:GetObject")), document_of(allow("s3:GetObject", "arn:aws:s3:::b/*"), describe)
    )
    assert change.verdict == (
        "unknown: 1 action added (ec2:DescribeInstances); 1 action allowed on fewer resources (s3:GetObject)"
    )


def test_silence_of_the_reference_is_no_proof() -> None:
    name = "AmazonEKSServiceRolePolicy"
    change = changes(parse(raw_document(name, 24)), parse(raw_document(name, 25)))
    assert "3 actions added" in change.verdict
    assert "iam:ListInstanceProfiles" in change.verdict
    assert not any("no request is known" in note for note in change.notes)


def test_a_policy_that_only_denies_denies_more_or_less() -> None:
    # AWS added four EC2 purchases to the quarantine.
    older, newer = (parse(raw_document("AWSCompromisedKeyQuarantineV2", number)) for number in (3, 4))
    assert changes(older, newer).verdict.startswith("denies more: 4 actions newly denied")
    assert changes(newer, older).verdict.startswith("denies less: 4 actions no longer denied")


def test_a_timeline_says_what_a_policy_that_only_denies_denies() -> None:
    raw = raw_policies()["AWSCompromisedKeyQuarantineV2"]
    infos = tuple(VersionInfo(int(version["version"][1:]), None) for version in raw["versions"])
    documents = {int(version["version"][1:]): parse(version["document"]) for version in raw["versions"]}
    steps = timeline(Policy(raw["name"], raw["arn"], len(infos), infos), documents)
    words = [step.change.words for step in steps if step.change]
    # v2 put one pattern in place of another, v3 to v5 added what is denied.
    assert words == ["denies otherwise", "denies more", "denies more", "denies more"]


def test_two_policies_are_not_added_and_removed() -> None:
    older, newer = parse(raw_document(EBS, 15)), parse(raw_document(f"{EBS}V2", 1))
    verdict = changes(older, newer, (EBS, f"{EBS}V2")).verdict
    assert f"only in {EBS} (ec2:DescribeTags)" in verdict
    assert "removed" not in verdict
    assert "now" not in verdict


def _only(document: Document, actions: set[str]) -> Document:
    """The document's statements, cut to some actions."""
    statements = (
        statement._replace(actions=tuple(a for a in statement.actions if a in actions))
        for statement in document.statements
    )
    return document._replace(statements=tuple(statement for statement in statements if statement.actions))


def test_a_pattern_that_matches_nothing_known_is_said_to_be_one() -> None:
    # AWS dropped two patterns that end in `2*`; no action that is known has such a name.
    older, newer = (parse(raw_document("AmazonCognitoPowerUser", number)) for number in (4, 5))
    assert changes(older, newer).verdict == (
        "narrowed: 2 patterns that match no known action removed (lambda:GetPolicy2*, lambda:ListFunctions2*)"
    )


def test_a_key_that_another_line_still_asks_about_is_not_called_gone() -> None:
    statement = {"Effect": "Allow", "Action": "ec2:CreateTags", "Resource": "*"}
    tag_keys = {"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}}
    one = parse({"Version": "2012-10-17", "Statement": [{**statement, "Condition": tag_keys}]})
    required_tag_keys = {**tag_keys, "Null": {"aws:TagKeys": "false"}}
    second = parse({"Version": "2012-10-17", "Statement": [{**statement, "Condition": required_tag_keys}]})
    assert (
        changes(second, one).verdict
        == "widened: 1 action allowed under wider conditions on aws:TagKeys (ec2:CreateTags)"
    )
    assert changes(one, second).verdict.startswith(
        "narrowed: 1 action allowed under narrower conditions on aws:TagKeys"
    )


def _allowing(*statements: tuple[list[str], list[str]]) -> Document:
    entries = [{"Effect": "Allow", "Action": actions, "Resource": resources} for actions, resources in statements]
    return parse({"Version": "2012-10-17", "Statement": entries})


def test_a_comparison_ends_whatever_the_size() -> None:
    """Repetitions count once, and what is too large is not decided; each of these took minutes or hours."""
    one = _allowing((["s3:GetObject"], ["*"]))
    repetition = _allowing(*[(["*"] * 5000, ["*"] * 5000)] * 8)
    assert changes(one, repetition).reach == "widened"
    assert changes(repetition, _allowing((["*"], ["*"]))).kind == "none"
    assert differences(repetition, _allowing((["*"], ["*"]))).counts == (0, 0, 0)
    large = _allowing(([f"s3:A{n}" for n in range(5000)], [f"arn:aws:s3:::b{n}" for n in range(5000)]))
    for before, after in ((one, large), (large, one)):
        change = changes(before, after)
        assert (change.kind, change.reach, change.verdict) == ("actions", "unknown", "unknown: too large to decide")
        with pytest.raises(DocumentError, match="too large"):
            differences(before, after)
    assert changes(large, large).reach == "same"
    entry = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": [f"arn:aws:s3:::b{n}/*" for n in range(2000)]}
    condition = {"StringEquals": {"aws:PrincipalTag/team": [f"t{n}" for n in range(3000)]}}
    with_condition = parse({"Version": "2012-10-17", "Statement": [{**entry, "Condition": condition}]})
    assert changes(one, with_condition).verdict == "unknown: too large to decide"
    runs = [
        {"Effect": "Allow", "NotAction": f"s3:{'*a' * n}*", "NotResource": f"arn:aws:s3:::{'*a' * n}*"}
        for n in range(1, 200, 4)
    ]
    assert changes(one, parse({"Version": "2012-10-17", "Statement": runs})).reach in ("unknown", "widened", "mixed")
    keys = [
        {"Effect": effect, "Action": "*", "Resource": f"arn:aws:s3:::b{n}*/*", "Condition": {"StringLike": {f"aws:RequestTag/k{n}": "*a*b"}}}
        for n in range(100) for effect in ("Allow", "Deny")
    ]  # fmt: skip
    assert changes(one, parse({"Version": "2012-10-17", "Statement": keys})).reach in ("unknown", "narrowed")
    many_statements = parse({"Version": "2012-10-17", "Statement": [
        {"Effect": "Deny" if n % 2 else "Allow", "Action": ["s3:Get*", "ec2:*", "*"][n % 3], "Resource": f"arn:aws:s3:::b{n}*",
         "Condition": {"StringLike": {f"aws:PrincipalTag/k{n % 50}": [f"*a{number}*" for number in range(3)]}}}
        for n in range(500)
    ]})  # fmt: skip
    # A Deny of `b251` is gone, and an Allow of `b250`: both ways, as far as the work allowed is enough to see it.
    assert changes(many_statements, many_statements._replace(statements=many_statements.statements[:250])).reach in (
        "unknown",
        "mixed",
    )


def test_a_policy_was_created_with_its_first_version_and_updated_with_its_default() -> None:
    days = [datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2, 3)]
    infos = tuple(VersionInfo(number, day) for number, day in enumerate(days, 1))
    arn = "arn:aws:iam::aws:policy/P"
    assert (Policy("P", arn, 2, infos).created, Policy("P", arn, 2, infos).updated) == (days[0], days[1])
    # Where version 1 was not seen, nobody knows when the policy was made.
    assert (Policy("P", arn, 3, infos[1:]).created, Policy("P", arn, 4, infos[1:]).updated) == (None, None)


def _get(
    action: str | list[str] = "s3:GetObject", on: str | list[str] = "*", effect: str = "Allow", **tags: Any
) -> Any:
    """A statement on buckets by name, under conditions on tags of the principal."""
    resource = on if on == "*" else [f"arn:aws:s3:::{bucket}/*" for bucket in as_list(on)]
    statement: dict[str, Any] = {"Effect": effect, "Action": action, "Resource": resource}
    if tags:
        statement["Condition"] = {"StringEquals": {f"aws:PrincipalTag/{key}": value for key, value in tags.items()}}
    return statement


def _verdicts(before: list[Any], after: list[Any], names: tuple[str, str] | None = None) -> tuple[str, str]:
    """The verdicts there and back, with one letter for the keys of tags."""
    document_a, document_b = (
        parse({"Version": "2012-10-17", "Statement": statements}) for statements in (before, after)
    )
    sides = ((document_a, document_b), (document_b, document_a))
    verdicts = [changes(*side, names).verdict if names else changes(*side).verdict for side in sides]
    texts = [verdict.replace("aws:PrincipalTag/", "") for verdict in verdicts]
    return texts[0], texts[1]


@pytest.mark.parametrize(
    ("before", "after", "verdict", "reverse_verdict"),
    [
        ([_get(a="1")], [_get(a=["1", "2"])],
         "widened: {} allowed under wider conditions on a", "narrowed: {} allowed under narrower conditions on a"),
        ([_get(a="1")], [_get(a="2")], *["mixed: {} allowed under other conditions on a"] * 2),
        ([_get(a="1", b="1")], [_get(a=["1", "2"], b=["1", "2"])],
         "widened: {} allowed under wider conditions on a and b", "narrowed: {} allowed under narrower conditions on a and b"),
        # Ways that are new, or gone; more than four are counted.
        ([_get(a="1")], [_get(a="1"), _get(b="1")],
         "widened: {} also allowed under the condition b", "narrowed: {} no longer allowed where only the condition b holds"),
        ([_get(a="1")], [_get(a="1"), _get(b="1", c="1"), _get(d="1")],
         "widened: {} also allowed under the conditions b and c, or d",
         "narrowed: {} no longer allowed where only the conditions b and c, or d hold"),
        ([_get(a="1")], [_get(a="1"), *(_get(**{key: "1"}) for key in "bcde")],
         "widened: {} also allowed under the condition b or c or d or e",
         "narrowed: {} no longer allowed where only the condition b or c or d or e holds"),
        ([_get(a="1")], [_get(a="1"), *(_get(**{key: "1"}) for key in "bcdef")],
         "widened: {} also allowed under one of 5 sets of conditions",
         "narrowed: {} no longer allowed where only one of 5 sets of conditions holds"),
        ([_get(a="1")], [_get(b="1")],
         "mixed: {} needs the condition b instead of the condition a", "mixed: {} needs the condition a instead of the condition b"),
        # Where not all resources are meant, one or two are named.
        ([_get(on=["x", "y"])], [_get(on="x"), _get(on="y", a="1")],
         "narrowed: {} on y/* now needs the condition a", "widened: {} on y/* no longer needs the condition a"),
        ([_get(on=["x", "y"])], [_get(on=["x", "y"], a="1")],
         "narrowed: {} now needs the condition a", "widened: {} no longer needs the condition a"),
        ([_get(on=["x", "y", "z"])], [_get(on="x"), _get(on=["y", "z"], a="1")],
         "narrowed: {} on y/* and z/* now needs the condition a", "widened: {} on y/* and z/* no longer needs the condition a"),
        ([_get(on=["w", "x", "y", "z"])], [_get(on="w"), _get(on=["x", "y", "z"], a="1")],
         "narrowed: {} on some resources now needs the condition a", "widened: {} on some resources no longer needs the condition a"),
        ([_get(on=["x", "y"])], [_get(on="x", b="1"), _get(on="y", a="1")],
         "narrowed: {} on x/* now needs the condition b, and on y/* now needs the condition a",
         "widened: {} on x/* no longer needs the condition b, and on y/* no longer needs the condition a"),
        ([_get(on=["x", "y", "z"])], [_get(on="x", b="1"), _get(on="y", a="1"), _get(on="z", c="1")],
         "narrowed: {} allowed in fewer cases", "widened: {} allowed in more cases"),
        ([_get(on=["x", "y"])], [_get(on="x")], "narrowed: {} allowed on fewer resources", "widened: {} allowed on more resources"),
        ([_get(on=["x", "y"])], [_get(on="x", a="1")],
         "narrowed: {} allowed on fewer resources, and on x/* now needs the condition a",
         "widened: {} allowed on more resources, and on x/* no longer needs the condition a"),
        # Denials.
        ([_get()], [_get(), _get(effect="Deny", a="1")],
         "narrowed: {} newly denied in some cases", "widened: {} no longer denied in some cases"),
        ([_get(), _get(effect="Deny", a="1")], [_get(), _get(effect="Deny", a=["1", "2"])],
         "narrowed: {} newly denied in some cases", "widened: {} no longer denied in some cases"),
        ([_get(effect="Deny", a="1")], [_get(effect="Deny")], "denies more: {} denied in more cases", "denies less: {} denied in fewer cases"),
        ([_get(effect="Deny", a="1")], [_get(effect="Deny", b="1")], *["denies otherwise: {} denied otherwise"] * 2),
        ([_get(effect="Deny")], [_get(), _get(effect="Deny")], *["same access: the same requests are allowed, written differently"] * 2),
        ([_get("sqs:DeleteQueue")], [_get("sqs:DeleteQueue"), _get("ec2:StartInstances", effect="Deny"), _get()],
         "widened: {} added; more is denied besides", "narrowed: {} removed; less is denied besides"),
        ([_get("sqs:DeleteQueue"), _get(effect="Deny")], [_get("sqs:DeleteQueue"), _get("ec2:StartInstances", effect="Deny"), _get()],
         "widened: {} added; something else is denied besides", "narrowed: {} removed; something else is denied besides"),
    ],
)  # fmt: skip
def test_a_change_in_words_there_and_back(
    before: list[Any], after: list[Any], verdict: str, reverse_verdict: str
) -> None:
    actions_words, names_words = "1 action", " (s3:GetObject)"
    expected = []
    for sentence in (verdict, reverse_verdict):
        clause, semicolon, addition = sentence.partition(";")
        expected.append(clause.format(actions_words) + (names_words if "{}" in clause else "") + semicolon + addition)
    assert list(_verdicts(before, after)) == expected


@pytest.mark.parametrize(
    ("before", "after", "verdict", "reverse_verdict"),
    [
        ([_get(a="1")], [_get(a="1"), _get(b="1")],
         "B allows more: {} also allowed under the condition b in B", "B allows less: {} also allowed under the condition b in A"),
        ([_get(a="1")], [_get(b="1")], "each allows something that the other does not: {} needs the condition a in A, the condition b in B",
         "each allows something that the other does not: {} needs the condition b in A, the condition a in B"),
        ([_get()], [_get(a="1")], "B allows less: {} needs the condition a in B", "B allows more: {} needs the condition a in A only"),
        ([_get()], [_get(), _get(effect="Deny")], "B allows less: {} more denied in B", "B allows more: {} less denied in B"),
        ([_get("s3:PutObject")], [_get(["s3:PutObject", "s3:GetObject"])], "B allows more: {} only in B", "B allows less: {} only in A"),
        ([_get(on=["x", "y"])], [_get(on="x")], "B allows less: {} allowed on fewer resources in B", "B allows more: {} allowed on more resources in B"),
        ([_get(effect="Deny", a="1")], [_get(effect="Deny")], "B denies more: {} denied in more cases", "B denies less: {} denied in fewer cases"),
    ],
)  # fmt: skip
def test_two_policies_in_words_there_and_back(
    before: list[Any], after: list[Any], verdict: str, reverse_verdict: str
) -> None:
    expected = tuple(f"{sentence.format('1 action')} (s3:GetObject)" for sentence in (verdict, reverse_verdict))
    assert _verdicts(before, after, ("A", "B")) == expected


def test_a_long_verdict_counts_each_action_once() -> None:
    """What does not fit is counted by whether it is allowed in more cases, in fewer, or in others."""
    actions = [f"s3:{name}" for name in (
        "GetObject", "PutObject", "DeleteObject", "GetObjectAcl", "PutObjectAcl", "GetObjectTagging", "PutObjectTagging",
        "DeleteObjectTagging", "GetObjectVersion", "DeleteObjectVersion", "AbortMultipartUpload", "RestoreObject",
    )]  # fmt: skip
    kinds: dict[str, tuple[Any, Any]] = {"more": ("1", ["1", "2"]), "fewer": (["1", "2"], "1"), "other": ("1", "2")}
    for kind, (old, new) in kinds.items():
        before, after = (
            [_get(action, **{f"key{n}": value}) for n, action in enumerate(actions)] for value in (old, new)
        )
        verdict, _ = _verdicts(before, after)
        counts = [int(number) for number in re.findall(r"(?:^|: |; )(\d+) ", verdict)]
        assert sum(counts) == len(actions), verdict
        *clauses, last_clause = verdict.split("; ")
        assert 1 < len(clauses) < len(actions)
        assert 350 < len("; ".join(clauses)) < 500
        assert (
            last_clause
            == f"{len(actions) - len(clauses)} more allowed in {kind} cases ({last_clause.partition('(')[2]}"
        )
        assert len(re.findall("s3:", last_clause)) == 3
        assert last_clause.endswith(f" and {len(actions) - len(clauses) - 3} more)")


@pytest.mark.parametrize(
    ("statements", "too_large"),
    [
        ([{"Action": [f"s3:A{n}" for n in range(400)], "Resource": [f"arn:aws:s3:::b{n}" for n in range(250)]}], False),
        ([{"Action": [f"s3:A{n}" for n in range(400)], "Resource": [f"arn:aws:s3:::b{n}" for n in range(250)]},
          {"Action": "s3:B", "Resource": "*"}], True),
        # A list of exceptions is one grant, of actions as of resources.
        ([{"NotAction": [f"s3:A{n}" for n in range(2000)], "Resource": [f"arn:aws:s3:::b{n}" for n in range(2000)]}], False),
        ([{"Action": [f"s3:A{n}" for n in range(2000)], "NotResource": [f"arn:aws:s3:::b{n}" for n in range(2000)]}], False),
        # Each grant has all values of its conditions: 50,000 with six each.
        ([{"Action": [f"s3:A{n}" for n in range(500)], "Resource": [f"arn:aws:s3:::b{n}" for n in range(100)],
           "Condition": {"StringLike": {"a:b": ["1", "2"]}, "StringEquals": {"a:c": ["1", "2", "3", "4"]}}}], False),
        ([{"Action": [f"s3:A{n}" for n in range(500)], "Resource": [f"arn:aws:s3:::b{n}" for n in range(100)],
           "Condition": {"StringLike": {"a:b": ["1", "2"]}, "StringEquals": {"a:c": ["1", "2", "3", "4"]}}},
          {"Action": "s3:B", "Resource": "*", "Condition": {"StringLike": {"a:b": "1"}}}], True),
    ],
)  # fmt: skip
def test_what_is_too_large_to_compare(statements: list[dict[str, Any]], too_large: bool) -> None:
    assert (
        is_too_large(parse({"Statement": [{"Effect": "Allow", **statement} for statement in statements]})) is too_large
    )


CLUSTERS, EKS_KEY = "eks:ListClusters", {"StringEquals": {"eks:policyArn": "arn:aws:eks::aws:cluster-access-policy/a"}}
NOT_LISTED = "the reference does not list {} for the action, which does not prove that it grants nothing"
NO_REQUEST = "no request is known that {} allow{}; the reference does not list {} for the action, which proves nothing"


def _of(action: str | list[str], resource: str = "*", effect: str = "Allow", condition: Any = None) -> dict[str, Any]:
    statement = {"Effect": effect, "Action": action, "Resource": resource}
    return statement if condition is None else {**statement, "Condition": condition}


@pytest.mark.parametrize(
    ("before", "after", "reason", "reverse_reason"),
    [
        # The reference has no resource, and no such key, for what lists clusters.
        ([], [_of(CLUSTERS, "arn:aws:eks:*:*:cluster/a")], *[NOT_LISTED.format("its resource")] * 2),
        ([], [_of(CLUSTERS, condition=EKS_KEY)], *[NOT_LISTED.format("its resource or condition")] * 2),
        ([_of(CLUSTERS, "arn:aws:eks:*:*:a")], [_of(CLUSTERS, "arn:aws:eks:*:*:a"), _of(CLUSTERS, condition=EKS_KEY)],
         NO_REQUEST.format("only the new grant", "s", "eks:policyArn or these resources"),
         NO_REQUEST.format("only the old grant", "ed", "eks:policyArn or these resources")),
        ([_of(CLUSTERS)], [_of(CLUSTERS), _of(CLUSTERS, effect="Deny", condition=EKS_KEY)],
         *[NO_REQUEST.replace("allow{}", "decides").format("the changed Deny", "eks:policyArn or these resources")] * 2),
        ([_of(CLUSTERS)], [_of(CLUSTERS), _of(CLUSTERS, "arn:aws:eks:*:cluster/a", "Deny")],
         *[NO_REQUEST.replace("allow{}", "decides").format("the changed Deny", "such a resource")] * 2),
        # What two patterns have in common is not searched for.
        ([_of(CLUSTERS, condition={"StringLike": {"aws:PrincipalTag/a": "a*"}})],
         [_of(CLUSTERS, condition={"StringNotLike": {"aws:PrincipalTag/a": "?"}})],
         *["neither more nor less is proven; how the conditions on aws:PrincipalTag/a relate is not known"] * 2),
        ([_of(CLUSTERS, "arn:aws:eks:prod")], [_of(CLUSTERS, "arn:aws:eks:*:volume/*")],
         *["neither more nor less is proven; how the resources relate is not known"] * 2),
    ],
)  # fmt: skip
def test_why_a_change_cannot_be_judged(before: list[Any], after: list[Any], reason: str, reverse_reason: str) -> None:
    document_a, document_b = (
        parse({"Version": "2012-10-17", "Statement": statements}) for statements in (before, after)
    )
    assert [changes(document_a, document_b).reach, changes(document_b, document_a).reach] == ["unknown"] * 2
    assert changes(document_a, document_b).notes == (f"{CLUSTERS}: {reason}.",)
    assert changes(document_b, document_a).notes == (f"{CLUSTERS}: {reverse_reason}.",)


def test_three_actions_that_cannot_be_judged_are_named_and_the_rest_counted() -> None:
    actions = [f"ec2:Describe{name}" for name in ("Instances", "Subnets", "Tags", "Volumes", "Vpcs")]
    for count in (3, 4, 5):
        notes = changes(
            parse({"Statement": []}), parse({"Statement": _of(actions[:count], "arn:aws:ec2:*:*:vpc/*")})
        ).notes
        assert [note.partition(": ")[0] for note in notes[:3]] == actions[:3]
        assert notes[3:] == ((f"{count - 3} more actions could not be judged.",) if count > 3 else ())


def test_a_service_that_the_reference_lacks_has_actions_that_cannot_be_listed() -> None:
    likes = [{name: {"zz:a": value}} for name, value in (("StringLike", "a*"), ("StringNotLike", "?"))]
    document_a, document_b = (
        parse({"Version": "2012-10-17", "Statement": _of("zz:Get*", condition=like)}) for like in likes
    )
    reason = "the reference lacks the service, so its actions cannot be listed."
    assert changes(document_a, document_b).notes == (f"zz:*: {reason}", f"zz:Get*: {reason}")
