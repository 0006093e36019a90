"""Answers about clusters, from snapshots of an account with only what each rule needs; AWS is never asked."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ekstui.eks.account_snapshot import AccountSnapshot, AttachedPolicy, InlinePolicy, Role, SourceError
from ekstui.eks.cluster import (
    AccessEntry,
    Addon,
    AssociatedPolicy,
    Cluster,
    EksFacts,
    NodeGroup,
    PodIdentityAssociation,
)
from ekstui.eks.findings.table import Finding, Severity
from ekstui.errors import AccountError, AmbiguousError, EkstuiError, NotFoundError
from ekstui.iam.document import Statement, parse
from ekstui.library import AccountChoice, Library, cluster_answers
from ekstui.library.catalog import DefaultVersion
from ekstui.library.cluster_access import principals_in_clusters
from ekstui.library.cluster_answers import ClusterRole, EntryAnswer, cluster_answer, clusters, findings_worst_first
from ekstui.library.cluster_facts import find_cluster, with_cluster
from ekstui.library.own_account import Account
from ekstui.library.roles import find_role, subjects_of
from ekstui.library.upgrading import ComponentUpgrade, upgrade
from ekstui.sources.corpus import Corpus
from ekstui.sources.shipped import components
from ekstui.store.policy_store import PolicyStore
from tests.support.accounts import role_arn, snapshot
from tests.support.forbidden import forbidden_answers

Asking = Callable[[AccountSnapshot | None], Library]

VIEW = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"
EDIT = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSEditPolicy"
EMPTY = parse({"Statement": []})


@pytest.fixture
def asking(tmp_path: Path) -> Asking:
    """Make a library that knows one snapshot of an account, and may not ask AWS."""

    def library(account_snapshot: AccountSnapshot | None) -> Library:
        choice = AccountChoice(profile="prod", offline=True)
        account = Account(choice, tmp_path / "accounts", held_snapshot=account_snapshot)
        return Library(Corpus.bundled(), PolicyStore.in_folder(tmp_path / "cache"), account, choice)

    return library


def with_clusters(
    *account_clusters: Cluster, regions: tuple[str, ...] = ("eu-west-1", "us-east-1"), **fields: Any
) -> AccountSnapshot:
    return snapshot()._replace(**{"errors": (), "eks": EksFacts(account_clusters, regions), **fields})


EVERYWHERE = [Cluster("prod", "eu-west-1"), Cluster("prod", "us-east-1"), Cluster("dev", "eu-west-1")]
DENIED = SourceError("clusters", "eks:ListClusters", "denied", "eks:ListClusters is denied.")


@pytest.mark.parametrize(
    ("name", "region", "expected"),
    [
        ("dev", None, 2),
        ("prod", "us-east-1", 1),
        ("prod", "eu-west-1", 0),
        ("prod", None, "eu-west-1 and us-east-1"),
        ("dev", "us-east-1", "There is no cluster 'dev' in us-east-1."),
        ("dve", None, "There is no cluster 'dve' in eu-west-1, us-east-1."),
    ],
)
def test_a_cluster_is_found_by_its_name_and_region(name: str, region: str | None, expected: int | str) -> None:
    snapshot = with_clusters(*EVERYWHERE)
    if isinstance(expected, int):
        assert find_cluster(name, region, snapshot) is EVERYWHERE[expected]
        return
    with pytest.raises((AmbiguousError, NotFoundError), match=expected):
        find_cluster(name, region, snapshot)


@pytest.mark.parametrize(
    ("account_snapshot", "error", "error_text"),
    [
        (with_clusters(*EVERYWHERE, errors=(DENIED,)), AccountError, "eks:ListClusters is denied"),
        (with_clusters(*EVERYWHERE, errors=(DENIED._replace(source="addons"),)), NotFoundError, "no cluster 'x' in"),
        (with_clusters(regions=()), NotFoundError, "no cluster 'x' in no region"),
        (snapshot()._replace(eks=None), AccountError, "an account file has IAM only"),
    ],
)
def test_a_cluster_that_was_perhaps_not_read_is_not_said_not_to_exist(
    account_snapshot: AccountSnapshot, error: type[EkstuiError], error_text: str
) -> None:
    with pytest.raises(error, match=error_text):
        find_cluster("x", None, account_snapshot)


def entry(
    kind: str | None = "STANDARD", *policies: AssociatedPolicy, name: str = "ana", policies_read: bool = True
) -> AccessEntry:
    return AccessEntry(role_arn(name), kind, policies=policies if policies_read else None)


API: dict[str, Any] = {"authentication_mode": "API", "described": True}
BOTH: dict[str, Any] = {**API, "authentication_mode": "API_AND_CONFIG_MAP"}


@pytest.mark.parametrize(
    ("cluster", "principals", "unread"),
    [
        (Cluster("c", "r", access_entries=(entry("STANDARD", AssociatedPolicy(VIEW)), entry("STANDARD", AssociatedPolicy(EDIT))), **API), [("cluster", ())], []),
        (Cluster("c", "r", access_entries=(entry("STANDARD", AssociatedPolicy(EDIT), AssociatedPolicy(VIEW, ("a", "b"))),), **API), [("namespace", ("a", "b"))], []),
        (Cluster("c", "r", **API), [], ["the access entries of c, which were not read"]),
        (Cluster("c", "r", **BOTH), [], ["the access entries of c, which were not read", "the config map aws-auth of c"]),
        (Cluster("c", "r", authentication_mode="CONFIG_MAP"), [], ["the config map aws-auth of c"]),
        (Cluster("c", "r", access_entries=(entry(policies_read=False), entry("EC2_LINUX", policies_read=False)), **API), [],
         ["the access policies of 1 access entry of c, which were not read"]),
        (Cluster("c", "r", access_entries=(entry(None, policies_read=False), entry("EC2", policies_read=False)), **BOTH), [],
         ["the access policies of 2 access entries of c, which were not read", "the config map aws-auth of c"]),
        (Cluster("c", "r", access_entries=(), cut_short=("access_entries",), **API), [],
         ["the access policies of further access entries of c, which were not read"]),
        (Cluster("c", "r", access_entries=(), cut_short=("addons",), **API), [], []),
    ],
)  # fmt: skip
def test_who_has_an_access_policy_and_what_else_may_allow_it(
    cluster: Cluster, principals: list[tuple[str, tuple[str, ...]]], unread: list[str], asking: Asking
) -> None:
    for ask in (False, True):  # offline, nothing is asked
        answer = principals_in_clusters(asking(with_clusters(cluster)), {"AmazonEKSViewPolicy"}, ask=ask)
        assert [(principal.scope, principal.namespaces) for principal in answer.principals] == principals
        assert list(answer.not_looked_at[:-1]) == unread
        assert answer.not_looked_at[-1].startswith("roles and bindings inside the clusters")


def test_without_clusters_nobody_is_known_to_have_an_access_policy(asking: Asking) -> None:
    for account_snapshot in (None, snapshot()._replace(eks=None)):
        answer = principals_in_clusters(asking(account_snapshot), {"AmazonEKSViewPolicy"}, ask=False)
        assert (answer.principals, answer.not_looked_at[0]) == ((), "access entries: no cluster is known")


FORBIDDEN = 'pods is forbidden: User "{}" cannot list resource "pods" in API group "" at the cluster scope'
SESSION = "arn:aws:sts::111122223333:assumed-role/ana/s"


def test_a_forbidden_request_is_judged_by_the_only_cluster_or_the_one_that_is_named(asking: Asking) -> None:
    with_entry = Cluster("a", "r", access_entries=(entry("STANDARD", AssociatedPolicy(VIEW)),), **API)
    without_entries = Cluster("b", "r", access_entries=(), **API)
    text = FORBIDDEN.format(SESSION)
    (first,) = forbidden_answers(asking(with_clusters(with_entry)), text)
    assert (first.cluster, first.verdict, first.fetched_at) == ("a", "allowed", snapshot().fetched_at)
    assert any("whether the message is from cluster a" in note for note in first.not_looked_at)
    (second,) = forbidden_answers(asking(with_clusters(with_entry, without_entries)), text, "b")
    assert (second.cluster, second.verdict) == ("b", "forbidden")
    assert not any("whether the message" in note for note in second.not_looked_at)
    # Of two, neither is meant; without an account none is known; nor is one that does not exist.
    for account_snapshot in (
        with_clusters(with_entry, without_entries),
        with_clusters(),
        snapshot()._replace(eks=None),
        None,
    ):
        (unknown,) = forbidden_answers(asking(account_snapshot), text)
        assert (unknown.cluster, unknown.fetched_at) == (None, None)
    with pytest.raises(NotFoundError):
        forbidden_answers(asking(with_clusters(with_entry)), text, "c")
    # Not being known is about a cluster or a principal, and otherwise says nothing of Kubernetes.
    unauthorized_message = "error: You must be logged in to the server (Unauthorized)"
    assert forbidden_answers(asking(with_clusters(with_entry)), unauthorized_message) == ()
    for cluster, principal in (("a", None), (None, SESSION), ("a", SESSION)):
        (answer,) = forbidden_answers(asking(with_clusters(with_entry)), unauthorized_message, cluster, principal)
        assert (answer.cluster, answer.principal) == ("a", principal)
    assert forbidden_answers(asking(None), unauthorized_message, None, SESSION) == ()
    assert forbidden_answers(asking(with_clusters(with_entry)), "all is well", "a") == ()


def test_one_cluster_is_replaced_in_a_snapshot_and_no_other() -> None:
    upgraded_cluster = EVERYWHERE[1]._replace(version="1.34")
    account_snapshot = with_cluster(with_clusters(*EVERYWHERE), upgraded_cluster)
    assert account_snapshot.eks is not None
    assert account_snapshot.eks.clusters == (EVERYWHERE[0], upgraded_cluster, EVERYWHERE[2])
    assert with_cluster(snapshot()._replace(eks=None), upgraded_cluster).eks == EksFacts((), ())


def test_what_was_not_judged_of_a_clusters_roles_is_said(asking: Asking) -> None:
    account_snapshot = snapshot()._replace(errors=())
    roles = {role.name: role for role in account_snapshot.roles}
    foreign_role = Role("far", "arn:aws:iam::444455556666:role/far")

    def notes(*roles_read: Role, complete: bool = True, names: Sequence[str] = ("prod-cluster", "nodes")) -> list[str]:
        facts = account_snapshot.eks
        assert facts is not None
        cluster_role_arn = account_snapshot.roles[0].arn or ""
        cluster = facts.clusters[0]._replace(role_arn=cluster_role_arn, nodegroups=(), addons=(), access_entries=(), associations=(), nodes=(),
            fargate_profiles=(), capabilities=(),
            auto_mode_node_role_arn=None if "nodes" not in names else roles["nodes"].arn,
        )  # fmt: skip
        if "far" in names:
            cluster = cluster._replace(role_arn=foreign_role.arn)
        library = asking(
            account_snapshot._replace(roles=roles_read, complete=complete, eks=EksFacts((cluster,), ("eu-west-1",)))
        )
        answer = cluster_answer(library, "prod")
        assert answer.roles_complete is complete
        return [note for note in answer.not_judged if "role" in note]

    role_pair = (roles["prod-cluster"], roles["nodes"])
    assert notes(*role_pair) == []
    assert notes(*role_pair, complete=False) == ["roles that only their trust policies connect with it"]
    # With all roles read, one that is not among them is gone.
    assert notes(role_pair[0]) == []
    assert notes(role_pair[0], complete=False) == ["1 of its 2 roles"]
    assert notes(complete=False) == ["all its 2 roles"]
    assert notes(role_pair[0], role_pair[1]._replace(extent="name", attached=(), inline=())) == ["1 of its 2 roles"]
    # Those of other accounts are never read, and so are not counted.
    assert notes(complete=False, names=("far",)) == ["roles that only their trust policies connect with it"]


def test_policies_of_a_clusters_roles_that_aws_changed_lately(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    library = asking(snapshot()._replace(errors=()))
    policy = library.find("AmazonEKSClusterPolicy").policy
    assert policy.updated is not None
    old = datetime.now(UTC) - policy.updated
    for period, recent in ((old + timedelta(hours=1), True), (old - timedelta(hours=1), False)):
        monkeypatch.setattr(cluster_answers, "RECENT", period)
        changes = cluster_answer(library, "prod").recent
        assert [(change.policy, change.version, change.created, change.roles) for change in changes] == (
            [("AmazonEKSClusterPolicy", policy.default_version, policy.updated, ("prod-cluster",))] if recent else []
        )


def test_all_clusters_are_answered_for_and_none_is_asked_about(asking: Asking) -> None:
    assert [cluster.cluster.name for cluster in clusters(asking(snapshot()))] == ["prod"]
    assert clusters(asking(snapshot()._replace(eks=None))) == ()
    with pytest.raises(AccountError):
        clusters(asking(None))


def finding(severity: Severity, code: str = "unused-policy", *policies: str) -> Finding:
    return Finding(code, severity, severity, (), policies)


def test_findings_are_listed_worst_first(asking: Asking) -> None:
    answer = cluster_answer(asking(snapshot()), "prod")

    def role(name: str, *findings: Finding) -> ClusterRole:
        return ClusterRole(role_arn(name), (), None, findings)

    missing = finding("note", "missing-policy", "P")
    answer_with_findings = answer._replace(
        roles=(
            role("a", finding("note"), missing, finding("note", "missing-policy"), finding("advice")),
            role("b", finding("problem"), finding("advice", "missing-policy", "P")),
        ),
        entries=(EntryAnswer(entry(name="b"), (finding("problem"),)), EntryAnswer(entry(name="c"), (finding("note"),))),
        findings=(finding("advice"),),
    )
    rows = [
        (role.arn.rpartition("/")[2], finding.severity, finding.code)
        for role, finding in findings_worst_first(answer_with_findings)
    ]
    code = "unused-policy"
    assert rows == [
        ("b", "problem", code), ("b", "problem", code),
        ((answer.cluster.arn or "prod").rpartition("/")[2], "advice", code), ("a", "advice", code), ("b", "advice", "missing-policy"),
        ("a", "note", code), ("a", "note", "missing-policy"), ("a", "note", "missing-policy"), ("c", "note", code),
    ]  # fmt: skip
    # A role of the cluster is the same one where it has an access entry.
    assert findings_worst_first(answer_with_findings)[1][0].role is answer_with_findings.roles[1]


def test_roles_with_a_problem_go_before_the_others_and_then_by_name(asking: Asking) -> None:
    library = Library.open(AccountChoice(demo=True, offline=True))
    roles = cluster_answer(library, "prod").roles
    order = ("problem", "advice", "note")
    ranks = [(min((order.index(finding.severity) for finding in role.findings), default=3), role.arn.rpartition("/")[2].lower()) for role in roles]  # fmt: skip
    assert ranks == sorted(ranks)
    assert len({worst for worst, _ in ranks}) > 2


# Upgrades

DRIVER = "aws-ebs-csi-driver"
RECOMMENDED = (
    ("ebs-csi-controller-sa", ("arn:aws:iam::aws:policy/service-role/A", "arn:aws:iam::aws:policy/B")),
    ("ebs-csi-node-sa", ()),
)
ACCOUNT = "111122223333"


@pytest.mark.parametrize(
    ("agent", "addon_role", "association", "role", "reason"),
    [
        (True, "by-addon", True, ["by-pods"], "by-addon is not used: an association of Pod Identity comes first"),
        # Without the agent, nothing gives the pods the role of an association.
        (False, "by-addon", True, ["by-addon", "by-pods"], ""),
        (True, "by-addon", False, ["by-addon"], ""),
        (True, None, True, ["by-pods"], ""),
        (True, None, False, [], ""),
    ],
)
def test_which_role_the_pods_of_an_add_on_use(
    agent: bool, addon_role: str | None, association: bool, role: list[str], reason: str, asking: Asking
) -> None:
    """EKS User Guide, "Learn how EKS Pod Identity grants pods access": the agent comes before the add-on's role."""
    addons = (
        Addon(
            DRIVER, "v1.50.0-eksbuild.1", role_arn(addon_role) if addon_role else None, recommended_policies=RECOMMENDED
        ),
        *((Addon("eks-pod-identity-agent", "v1.3.0", None),) if agent else ()),
    )
    pods = PodIdentityAssociation("a-1", "kube-system", "ebs-csi-controller-sa", role_arn("by-pods"), session_tags=True)
    cluster = Cluster("prod", "eu-west-1", addons=addons, associations=(pods,) if association else (), described=True)
    account_snapshot = with_clusters(
        cluster, roles=(Role("by-pods", role_arn("by-pods")), Role("by-addon", role_arn("by-addon")))
    )
    upgrades = upgrade(asking(account_snapshot), "prod", {DRIVER: "v1.64.0"}, {}, {}).components
    assert sorted(component.role for component in upgrades if component.role) == role
    assert {component.before_release for component in upgrades} == {"v1.50.0-eksbuild.1"}
    assert all(("is not used" in " ".join(component.reasons)) is bool(reason) for component in upgrades)
    assert reason in " ".join(upgrades[0].reasons)
    assert all("EKS recommends A or B for ebs-csi-controller-sa" in component.reasons for component in upgrades)
    if not role:
        (none,) = upgrades
        assert "no role was found that runs aws-ebs-csi-driver" in " ".join(none.not_known)
        assert (none.before, none.after, none.is_judged) == ((), (), False)


@pytest.mark.parametrize(
    ("component", "associations", "role", "reason"),
    [
        # The VPC CNI runs with the role of its nodes where nothing gives it another, and only that does.
        ("vpc-cni", (), "nodes", "by its nodes: vpc-cni has no role of its own"),
        ("vpc-cni", (PodIdentityAssociation("a-1", "kube-system", "aws-node", role_arn("cni")),), "cni", ""),
        (DRIVER, (), None, ""),
    ],
)
def test_the_nodes_run_the_cni_alone(
    component: str, associations: tuple[PodIdentityAssociation, ...], role: str | None, reason: str, asking: Asking
) -> None:
    cluster = Cluster(
        "prod", "eu-west-1", addons=(Addon("vpc-cni", "v1.20.0-eksbuild.1", None), Addon(DRIVER, "v1.50.0-eksbuild.1", None)),
        associations=associations, nodegroups=(NodeGroup("blue", role_arn("nodes")),), described=True,
    )  # fmt: skip
    roles = (Role("nodes", role_arn("nodes")), Role("cni", role_arn("cni")))
    newest = components()[component].short(components()[component].newest)
    upgrades = upgrade(asking(with_clusters(cluster, roles=roles)), "prod", {component: newest}, {}, {}).components
    assert [entry.role for entry in upgrades] == [role]
    assert reason in " ".join(upgrades[0].reasons)


LBC = "aws-load-balancer-controller"


@pytest.mark.parametrize(
    ("target", "role"), [(None, "by-pods"), (role_arn("elsewhere"), "elsewhere")], ids=["its own", "another"]
)
def test_pods_whose_association_has_a_target_run_with_that_role(target: str | None, role: str, asking: Asking) -> None:
    """EKS User Guide, "Access AWS Resources using EKS Pod Identity Target IAM Roles"."""
    pods, other_pods = (
        PodIdentityAssociation(
            number, "kube-system", account, role_arn("by-pods"), session_tags=True, target_role_arn=arn
        )
        for number, account, arn in (("a-1", LBC, target), ("a-2", "another", role_arn("not-its")))
    )
    cluster = Cluster("prod", "eu-west-1", addons=(), associations=(pods, other_pods), described=True)
    account_snapshot = with_clusters(cluster, roles=(Role("by-pods", role_arn("by-pods")),))
    (component,) = upgrade(asking(account_snapshot), "prod", {LBC: "v2.13.0"}, {}, {}).components
    assert component.role == role


def running(*statements: dict[str, Any], **fields: Any) -> AccountSnapshot:
    """An account whose load balancer controller runs with a role that has one policy, or none that could be read."""
    pods = PodIdentityAssociation("a-1", "kube-system", LBC, role_arn("lbc"), session_tags=True)
    cluster = Cluster("prod", "eu-west-1", addons=(), associations=(pods,), described=True)
    policy = InlinePolicy("own", parse({"Statement": list(statements)}) if statements else None)
    return with_clusters(cluster, roles=(Role("lbc", role_arn("lbc"), inline=(policy,))._replace(**fields),))


def statements_of(release: str) -> list[dict[str, Any]]:
    component = components()[LBC]
    label = component.release(release)
    assert label is not None
    version = component.versions[component.number(label) - 1]
    statements: list[dict[str, Any]] = version.json(version.named({}))["Statement"]
    return statements


def actions_in(statements: Iterable[Statement]) -> set[str]:
    return {action for statement in statements for action in statement.actions}


def test_an_upgrade_needs_what_the_new_release_has_and_the_role_lacks(asking: Asking) -> None:
    """The policies that the project publishes: docs/install/iam_policy.json of v2.4.0 and of v2.13.0."""
    old, new = statements_of("v2.4.0"), statements_of("v2.13.0")

    def actions_of(statements: list[dict[str, Any]]) -> set[str]:
        return {
            action
            for statement in statements
            for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
        }

    def answer(
        account_snapshot: AccountSnapshot, since: str | None = "v2.4.0", to: str = "v2.13.0"
    ) -> ComponentUpgrade:
        (component,) = upgrade(
            asking(account_snapshot), "prod", {LBC: to}, {LBC: since} if since else {}, {}
        ).components
        return component

    step = answer(running(*old))
    assert (step.role, step.before_release, step.after_release, step.is_judged) == ("lbc", "v2.4.0", "v2.13.0", True)
    # Tags may be added in more cases than before; everything else is new, and nothing is left over.
    assert actions_in(step.before) == (actions_of(new) - actions_of(old)) | {"elasticloadbalancing:AddTags"}
    assert actions_in(step.after) == actions_of(old) - actions_of(new)
    assert step.not_known == ("whether the role may already do all of elasticloadbalancing:AddTags",)
    # What it has already it needs no more, and what neither release names stays as it is.
    idle_step = answer(running(*new, {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}))
    assert (idle_step.before, idle_step.after, idle_step.is_judged) == ((), (), True)
    downgrade = answer(running(*new), "v2.13.0", "v2.4.0")
    assert (downgrade.before, actions_in(downgrade.after)) == ((), actions_of(new) - actions_of(old))
    # The release is taken from the policy that the role has, if it is like one, and is else not known.
    guessed_step = answer(running(*old), None)
    assert (guessed_step.before_release, guessed_step.before) == ("v2.4.0", step.before)
    assert any("which is like it (100%)" in reason for reason in guessed_step.reasons)
    undetermined_step = answer(running({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}), None)
    assert (undetermined_step.before_release, undetermined_step.after) == (None, ())
    assert actions_in(undetermined_step.before) == actions_of(new)
    assert "which release runs now" in undetermined_step.not_known[0]
    assert "release v0.0.1, which runs now, is not a known one" in answer(running(*old), "v0.0.1").not_known
    unknown_step = answer(running(*old), to="v99.0.0")
    assert (unknown_step.before, unknown_step.is_judged) == ((), False)
    assert unknown_step.not_known[0].startswith(f"{LBC} v99.0.0 is not one of the releases known until")


@pytest.mark.parametrize(
    ("role_fields", "phrase"),
    [
        ({"inline": (InlinePolicy("own", None),)}, "what own allows, which could not be read"),
        ({"boundary_arn": f"arn:aws:iam::{ACCOUNT}:policy/edge"}, "what the permissions boundary edge limits"),
        ({"extent": "name"}, "what lbc allows, which was not read"),
    ],
)
def test_an_upgrade_says_what_it_could_not_judge(role_fields: dict[str, Any], phrase: str, asking: Asking) -> None:
    account_snapshot = running(*statements_of("v2.4.0"), **role_fields)
    (component,) = upgrade(asking(account_snapshot), "prod", {LBC: "v2.13.0"}, {}, {}).components
    assert phrase in component.not_known
    assert not component.is_judged


def test_an_upgrade_of_everything_is_of_what_has_a_role(asking: Asking) -> None:
    assert [component.component for component in upgrade(asking(running()), "prod", {}, {}, {}).components] == [LBC]
    upgrades = upgrade(asking(running()), "prod", {"karpenter": "v1.14.1"}, {LBC: "v2.4.0"}, {}).components
    assert [(component.component, component.role) for component in upgrades] == [("karpenter", None), (LBC, "lbc")]
    assert upgrades[1].after_release == components()[LBC].short(components()[LBC].newest)
    with pytest.raises(NotFoundError) as error:
        upgrade(asking(running()), "prod", {"karpentre": "v1"}, {}, {})
    assert error.value.nearest[0] == "karpenter"
    # In China, and with IPv6, a project may have another policy.
    for partition, variant in (("aws-cn", f"{LBC}/aws-cn"), ("aws", LBC)):
        account_snapshot = running()
        chinese_snapshot = account_snapshot._replace(identity=account_snapshot.identity._replace(partition=partition))
        assert upgrade(asking(chinese_snapshot), "prod", {LBC: "v2.13.0"}, {}, {}).components[0].component == variant


def test_the_policies_of_a_role_are_read_from_wherever_they_are_kept() -> None:
    """An account's own policies are in its snapshot, AWS's in the cache; of others only the name is known."""
    account_snapshot = snapshot()
    (mine,) = account_snapshot.local_policies
    unread_arn = "arn:aws:iam::111122223333:policy/lost"
    policies = (
        AttachedPolicy("mine", mine.arn),
        AttachedPolicy("lost", unread_arn),
        AttachedPolicy("AmazonEKSClusterPolicy", VIEW),
    )
    role = account_snapshot.roles[0]._replace(attached=policies, boundary_arn=mine.arn)
    documents = {VIEW: DefaultVersion(7, datetime(2026, 1, 1, tzinfo=UTC), EMPTY)}
    (subject,) = subjects_of(
        [role], account_snapshot, {}, lambda arns: {arn: documents[arn] for arn in arns if arn in documents}
    )
    assert [(policy.name, policy.version, policy.document) for policy in subject.policies[:3]] == [
        ("mine", 3, mine.document), ("lost", None, None), ("AmazonEKSViewPolicy", 7, EMPTY),
    ]  # fmt: skip
    assert [policy.name for policy in subject.policies[3:]] == [policy.name for policy in role.inline]
    assert subject.boundary == subject.policies[0]
    assert subject.policies[2].created == documents[VIEW].created


@pytest.mark.parametrize(
    ("complete", "errors", "place", "says_why"),
    [
        (True, (), "in account 111122223333.", False),
        (True, (DENIED._replace(source="roles"),), "in account 111122223333.", False),
        (False, (DENIED._replace(source="roles"),), "in the part of account 111122223333 that was read.", True),
        (False, (DENIED,), "in the part of account 111122223333 that was read.", False),
    ],
)
def test_a_role_that_is_not_there_is_missing_only_where_all_were_read(
    complete: bool, errors: tuple[SourceError, ...], place: str, says_why: bool
) -> None:
    with pytest.raises(NotFoundError) as error:
        find_role("nods", snapshot()._replace(complete=complete, errors=errors))
    assert error.value.message == f"There is no role 'nods' {place}"
    assert error.value.nearest == ("nodes",)
    assert (DENIED.message in error.value.next_step) is says_why
