"""A request judged by the policies of a role in an account file that `aws iam` wrote."""

import json
from pathlib import Path
from typing import Any

import pytest

from ekstui.denial import remedies
from ekstui.denial.answer import Explanation, Policies
from ekstui.denial.question import Question
from ekstui.eks.account_snapshot import AccountSnapshot, AttachedPolicy, Group, InlinePolicy, Role, User
from ekstui.eks.uses import uses_in
from ekstui.errors import InputError, NotFoundError
from ekstui.iam.document import Document, parse, parse_text
from ekstui.iam.evaluation import Evaluation, evaluate
from ekstui.iam.grants import action_matches
from ekstui.iam.request import Request
from ekstui.library import AccountChoice, Library
from ekstui.library.attachments import attached_names
from ekstui.library.catalog import knowledge
from ekstui.library.comparing import attached_count, compare
from ekstui.library.explaining import Inquiry, explain_all
from ekstui.library.notation import FileSide, PolicyAt, parse_policy
from ekstui.library.requester import Requester, TargetRole, is_target, principal_arn, requester_of, target_of
from ekstui.library.roles import role_answer
from ekstui.library.searching import possible_allowers
from ekstui.sources.corpus import Corpus
from tests.support.accounts import snapshot
from tests.support.documents import allowing, trusting
from tests.support.filled import library_on

ACCOUNT = "111122223333"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/eks/ebs-csi"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/ebs-csi/1747307062150341641"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/edge"


def details(*attached: str, inline: dict[str, Any] | None = None, boundary: str | None = None) -> dict[str, Any]:
    role: dict[str, Any] = {
        "Path": "/eks/",
        "RoleName": "ebs-csi",
        "RoleId": "AROAEXAMPLE",
        "Arn": ROLE_ARN,
        "CreateDate": "2024-01-01T00:00:00+00:00",
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []},
        "InstanceProfileList": [],
        "RolePolicyList": [{"PolicyName": "own", "PolicyDocument": inline}] if inline else [],
        "AttachedManagedPolicies": [{"PolicyName": arn.rpartition("/")[2], "PolicyArn": arn} for arn in attached],
        "Tags": [],
    }
    if boundary:
        role["PermissionsBoundary"] = {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": boundary}
    local = {
        "PolicyName": "edge",
        "PolicyId": "ANPAEXAMPLE",
        "Arn": BOUNDARY,
        "Path": "/",
        "DefaultVersionId": "v2",
        "AttachmentCount": 0,
        "IsAttachable": True,
        "CreateDate": "2024-01-01T00:00:00+00:00",
        "UpdateDate": "2024-01-01T00:00:00+00:00",
        "PolicyVersionList": [
            {"VersionId": "v2", "IsDefaultVersion": True, "Document": allowing("ec2:*"),
             "CreateDate": "2024-01-01T00:00:00+00:00"},
        ],
    }  # fmt: skip
    return {"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": [role], "Policies": [local]}


def library_of_file(folder: Path, content: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Library:
    monkeypatch.setenv("EKSTUI_CACHE", str(folder / "cache"))
    path = folder / "account.json"
    path.write_text(json.dumps(content))
    return Library.open(AccountChoice(file=path))


def inquiry(action: str, resource: str = "*", principal: str = "ebs-csi", **told: str) -> Inquiry:
    return Inquiry(
        Question(action=action, resources=(resource,), context={k: (v,) for k, v in told.items()}), principal=principal
    )


EBS = "arn:aws:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy"


def explain_first(library: Library, wanted: Inquiry) -> Explanation:
    first = explain_all(library, wanted)[0]
    assert isinstance(first, Explanation)
    return first


MISTYPED = [SESSION.replace(":sts:", ":iam:"), ROLE_ARN.replace(":iam:", ":sts:")]
"""The service of the other one, as people write who put an ARN together by hand."""


@pytest.mark.parametrize("principal", ["ebs-csi", "EBS-CSI", ROLE_ARN, SESSION, *MISTYPED])
def test_a_role_by_name_arn_or_session(principal: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lib = library_of_file(tmp_path, details(EBS), monkeypatch)
    explanation = explain_first(lib, inquiry("ec2:DescribeVolumes", principal=principal))
    assert explanation.verdict == "allowed"
    assert [near.policy.name for near in explanation.nearest] == ["AmazonEBSCSIDriverPolicy"]
    assert explanation.principal == ROLE_ARN
    # All of the role was read, so neither its policies nor a boundary are among what was not looked at.
    assert not [text for text in explanation.not_looked_at if "identity policies" in text or "boundary" in text]


def test_inline_policies_and_the_boundary_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = allowing("s3:GetObject", "ec2:RunInstances")
    lib = library_of_file(tmp_path, details(inline=own, boundary=BOUNDARY), monkeypatch)
    assert explain_first(lib, inquiry("ec2:RunInstances")).verdict == "allowed"
    explanation = explain_first(lib, inquiry("s3:GetObject", "arn:aws:s3:::logs/a"))
    assert (explanation.verdict, explanation.smallest_statement, explanation.allowed_by) == ("implicit-deny", None, ())
    assert any("permissions boundary" in note for note in explanation.notes)
    explanation = explain_first(lib, inquiry("ec2:StopInstances"))
    assert explanation.verdict == "implicit-deny"
    assert explanation.smallest_statement is not None


def test_the_role_s_own_arn_is_known_with_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = allowing("ec2:RunInstances")
    own["Statement"][0]["Condition"] = {"ArnEquals": {"aws:PrincipalArn": ROLE_ARN}}
    lib = library_of_file(tmp_path, details(inline=own), monkeypatch)
    assert explain_first(lib, inquiry("ec2:RunInstances", principal=SESSION)).verdict == "allowed"


def test_a_policy_without_a_known_document_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = details("arn:aws:iam::aws:policy/FromTheFuture", f"arn:aws:iam::{ACCOUNT}:policy/unread")
    lib = library_of_file(tmp_path, content, monkeypatch)
    explanation = explain_first(lib, inquiry("ec2:RunInstances"))
    assert explanation.not_looked_at[:2] == (
        "the policy FromTheFuture, whose document could not be read",
        "the policy unread, whose document could not be read",
    )


MESSAGE = (
    f"User: {SESSION} is not authorized to perform: {{}} on resource: arn:aws:ec2:eu-west-1:{ACCOUNT}:volume/vol-1 because no "
    "identity-based policy allows the {} action"
)


def test_the_role_of_a_message_is_taken_from_the_account_that_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = details(EBS)
    content["RoleDetailList"][0]["AssumeRolePolicyDocument"]["Statement"] = [
        {"Effect": "Allow", "Principal": {"Service": "pods.eks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ]
    lib = library_of_file(tmp_path, content, monkeypatch)
    message = MESSAGE.format("ec2:StopInstances", "ec2:StopInstances")
    explanation = explain_first(lib, Inquiry(Question(message=message)))
    assert (explanation.role, explanation.verdict) == (ROLE_ARN, "implicit-deny")
    # EKS tags every session of Pod Identity, so this role cannot be assumed at all.
    assert "trust-lacks-tag-session" in [finding.code for finding in explanation.findings]
    # A policy that is named instead, and a role of another account, are not judged by it.
    named = Inquiry(Question(message=message), policies=(PolicyAt("AmazonEKS_CNI_Policy"),))
    assert explain_first(lib, named).role is None
    elsewhere = explain_first(lib, Inquiry(Question(message=message.replace(ACCOUNT, "999999999999"))))
    assert (elsewhere.role, elsewhere.nearest, elsewhere.findings) == (None, (), ())
    gone = explain_first(lib, Inquiry(Question(message=message.replace("assumed-role/ebs-csi", "assumed-role/gone"))))
    assert (gone.role, gone.verdict) == (None, "implicit-deny")


def test_a_role_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lib = library_of_file(tmp_path, details(), monkeypatch)
    with pytest.raises(NotFoundError) as error:
        explain_first(lib, inquiry("ec2:RunInstances", principal="ebs-cis"))
    assert error.value.nearest == ("ebs-csi",)
    with pytest.raises(NotFoundError, match="is not in account"):
        explain_first(lib, inquiry("ec2:RunInstances", principal="arn:aws:iam::999999999999:role/ebs-csi"))


@pytest.mark.parametrize(
    "action", ["ec2:CreateVolume", "iam:PassRole", "ecr:BatchImportUpstreamImage", "nosuch:Action"]
)
def test_looking_at_the_bytes_loses_no_policy_that_allows_the_action(action: str) -> None:
    corpus = Corpus.bundled()
    giving = {
        history.policy.name
        for history in corpus.histories()
        for statement in parse_text(history.texts[history.policy.default_version]).statements
        if statement.effect == "Allow" and action_matches(statement, action)
    }
    offered = {entry.policy.name for entry in possible_allowers(Request(action), Policies(), corpus, knowledge())}
    assert giving <= offered
    assert len(offered) < 600


ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE"
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"
OF_TOKENS = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Federated": PROVIDER}, "Action": "sts:AssumeRoleWithWebIdentity",
         "Condition": {"StringEquals": {f"{ISSUER}:sub": "system:serviceaccount:kube-system:ebs-csi-controller-sa",
                                        f"{ISSUER}:aud": "sts.amazonaws.com"}}},
    ],
}  # fmt: skip
OF_PODS = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "pods.eks.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
OF_THE_ACCOUNT = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    ],
}
UNSIGNED = "WebIdentityErr: failed to retrieve credentials\ncaused by: AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity"
AGENT = (
    "operation error EKS Auth: AssumeRoleForPodIdentity, https response error StatusCode: 403, RequestID: 1, "
    "AccessDeniedException: Unauthorized Exception! EKS does not have permissions to assume the associated role."
)
ASSUMING = f"User: arn:aws:sts::{ACCOUNT}:assumed-role/other/s is not authorized to perform: sts:AssumeRole on resource: {ROLE_ARN}"


@pytest.mark.parametrize(
    ("trust", "message", "question", "role", "verdict", "phrase"),
    [
        (OF_TOKENS, UNSIGNED, {}, "ebs-csi", "depends", "kube-system/ebs-csi-controller-sa"),
        (OF_TOKENS, UNSIGNED, {"principal": "system:serviceaccount:default:web"}, "ebs-csi", "implicit-deny", "ebs-csi-controller-sa"),
        (OF_TOKENS, UNSIGNED, {"resources": (ROLE_ARN,)}, None, "depends", "kube-system/ebs-csi-controller-sa"),
        (OF_PODS, UNSIGNED, {}, "ebs-csi", "implicit-deny", "accepts no token"),
        (OF_PODS, AGENT, {}, "ebs-csi", "implicit-deny", "sts:TagSession"),
        (OF_TOKENS, AGENT, {}, "ebs-csi", "implicit-deny", "does not name pods.eks.amazonaws.com"),
        # The caller is not in the account file; its trust policy is there all the same.
        (OF_PODS, ASSUMING, {}, None, "implicit-deny", "Pod Identity may give it"),
        (OF_THE_ACCOUNT, ASSUMING, {}, None, "depends", "if its own policies do too"),
    ],
)  # fmt: skip
def test_a_role_that_is_to_be_assumed_is_judged_by_its_trust_policy(
    trust: dict[str, Any], message: str, question: dict[str, Any], role: str | None, verdict: str, phrase: str,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    content = details()
    content["RoleDetailList"][0]["AssumeRolePolicyDocument"] = trust
    read = library_of_file(tmp_path, content, monkeypatch)
    answer = explain_first(read, Inquiry(Question(message=message, **question), principal=role))
    assert answer.verdict == verdict
    assert phrase in " ".join(answer.notes)
    assert answer.trust is not None
    assert answer.trust.role == ROLE_ARN
    if message != ASSUMING:
        assert (answer.allowed_by, answer.smallest_statement, answer.newer_version) == ((), None, None)
        assert all(near.layer == "trust" for near in answer.nearest)


def test_a_trust_policy_may_come_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "trust.json"
    path.write_text(json.dumps({"Role": {"RoleName": "ebs-csi", "AssumeRolePolicyDocument": OF_TOKENS}}))
    question = Question(
        action="sts:AssumeRoleWithWebIdentity",
        context={f"{ISSUER}:sub": ("system:serviceaccount:default:web",), f"{ISSUER}:aud": ("sts.amazonaws.com",)},
    )
    answer = explain_first(Library.open(), Inquiry(question, trust=FileSide(str(path))))
    assert answer.verdict == "implicit-deny"
    assert [failure.key for near in answer.nearest for failure in near.failed] == [f"{ISSUER}:sub"]
    with pytest.raises(InputError, match="does not assume a role"):
        explain_first(Library.open(), Inquiry(Question(action="ec2:RunInstances"), trust=FileSide(str(path))))
    path.write_text(json.dumps(allowing("s3:*")))
    with pytest.raises(InputError, match="a trust policy has a Principal"):
        explain_first(Library.open(), Inquiry(question, trust=FileSide(str(path))))


def test_a_user_is_not_taken_for_the_role_of_the_same_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = details(EBS)
    arn = ROLE_ARN.split(":role/")[0] + ":user/ebs-csi"
    content["UserDetailList"] = [
        {"UserName": "ebs-csi", "UserId": "AIDAEXAMPLE", "Arn": arn, "Path": "/", "CreateDate": "2024-01-01T00:00:00+00:00",
         "GroupList": [], "AttachedManagedPolicies": [],
         "UserPolicyList": [{"PolicyName": "own", "PolicyDocument": allowing("s3:GetObject")}]},
    ]  # fmt: skip
    lib = library_of_file(tmp_path, content, monkeypatch)
    for principal, reads, lists in ((arn, "allowed", "implicit-deny"), (ROLE_ARN, "implicit-deny", "allowed")):
        explanation = explain_first(lib, inquiry("s3:GetObject", "arn:aws:s3:::logs/a", principal))
        assert (explanation.verdict, explanation.principal) == (reads, principal)
        assert explain_first(lib, inquiry("ec2:DescribeVolumes", principal=principal)).verdict == lists


def test_a_policy_that_a_message_names_wrongly_is_named_rightly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lib = library_of_file(tmp_path, details(EBS), monkeypatch)
    wrong = "arn:aws:iam::aws:policy/AmazonEBSCSIDriverPolicy"
    message = "An error occurred (NoSuchEntity) when calling the AttachRolePolicy operation: Policy {} does not exist or is not attachable."
    explanation = explain_first(lib, Inquiry(Question(message=message.format(wrong))))
    assert [EBS in f"{symptom.symptom} {symptom.answer}" for symptom in explanation.symptoms] == [True]


# Who a request is from, and which role it wants, by a snapshot as small as the rule


def known_roles(*roles: Role, **more: Any) -> AccountSnapshot:
    return snapshot()._replace(roles=roles, **more)


APP = Role("app", f"arn:aws:iam::{ACCOUNT}:role/eks/app", "/eks/", trust=trusting("pods.eks.amazonaws.com"))
WEB, POD, ASSUME = "sts:AssumeRoleWithWebIdentity", "eks-auth:AssumeRoleForPodIdentity", "sts:AssumeRole"
NODE = f"arn:aws:sts::{ACCOUNT}:assumed-role/node/i-0123456789abcdef0"


@pytest.mark.parametrize(
    ("action", "principal", "trust", "meant"),
    [
        # An unsigned call has no role yet, so the one that is named is the one it wants.
        (WEB, None, trusting("ec2.amazonaws.com"), True),
        ("sts:AssumeRoleWithSAML", None, trusting("ec2.amazonaws.com"), True),
        ("s3:GetObject", "ec2.amazonaws.com", trusting("ec2.amazonaws.com"), False),
        # A service has no role, a role or user has one.
        (ASSUME, "ec2.amazonaws.com", trusting("ec2.amazonaws.com"), True),
        (ASSUME, NODE, trusting("ec2.amazonaws.com"), False),
        (ASSUME, None, trusting("ec2.amazonaws.com"), False),
        # The node calls EKS Auth with its own role: what is named is that role only if nodes may have it.
        (POD, NODE, trusting("pods.eks.amazonaws.com"), True),
        (POD, NODE, trusting("ec2.amazonaws.com"), False),
        (POD, NODE, trusting({"Service": ["ec2.amazonaws.com", "pods.eks.amazonaws.com"]}), True),
        (POD, NODE, trusting({"AWS": "*"}), True),
        (POD, None, trusting("ec2.amazonaws.com"), False),
    ],
)
def test_whether_a_named_role_is_the_one_to_be_assumed(
    action: str, principal: str | None, trust: Document, meant: bool
) -> None:
    account_snapshot = known_roles(APP._replace(trust=trust))
    for name in ("app", APP.arn or "", f"arn:aws:sts::{ACCOUNT}:assumed-role/app/s"):
        assert is_target(Request(action, (), principal), name, account_snapshot) is meant


def test_the_role_that_a_request_wants_to_assume(tmp_path: Path) -> None:
    account_snapshot = known_roles(APP, Role("blind", f"arn:aws:iam::{ACCOUNT}:role/blind"))
    missing_arn = f"arn:aws:iam::{ACCOUNT}:role/other"

    def target(*resources: str, named: str | None = None, of: AccountSnapshot | None = account_snapshot, source: FileSide | None = None, action: str = ASSUME) -> TargetRole | None:  # fmt: skip
        return target_of(Request(action, resources), named, of, source, "")

    assert target(APP.arn or "", action="s3:GetObject") is None
    wanted = target(f"arn:aws:s3:::{ACCOUNT}", APP.arn or "")
    assert wanted is not None
    assert (wanted.role, wanted.trust and wanted.trust.name, wanted.trust and wanted.trust.arn) == (APP, "trust policy of app", APP.arn)  # fmt: skip
    assert target(missing_arn, named=f"arn:aws:sts::{ACCOUNT}:assumed-role/app/s") == wanted
    # Its trust policy, or the role itself, may not be known.
    blind = target(f"arn:aws:iam::{ACCOUNT}:role/blind")
    assert blind is not None
    assert (blind.trust, blind.role and blind.role.name) == (None, "blind")
    assert target(missing_arn) == target(APP.arn or "", of=None) == target() == TargetRole(None, None)
    # A role that somebody names must exist, unless its trust policy is given.
    with pytest.raises(NotFoundError):
        target(named="other")
    path = tmp_path / "trust.json"
    path.write_text(json.dumps(OF_PODS))
    for resources, named, arn in (
        ((), "other", None),
        ((missing_arn,), None, missing_arn),
        ((), missing_arn, missing_arn),
        ((), "app", APP.arn),
        ((), None, None),
    ):
        target_by_file = target(*resources, named=named, source=FileSide(str(path)))
        assert target_by_file is not None
        assert target_by_file.trust is not None
        assert (target_by_file.trust.name, target_by_file.trust.arn) == (str(path), arn)


def test_a_requester_has_its_own_policies_and_those_of_its_groups_as_far_as_they_were_read() -> None:
    reads = parse({"Statement": {"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}})
    managed = AttachedPolicy("AmazonEKSClusterPolicy", "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy")
    lost = AttachedPolicy("lost", f"arn:aws:iam::{ACCOUNT}:policy/lost")
    ops = Group("ops", f"arn:aws:iam::{ACCOUNT}:group/ops", attached=(managed,))
    others = Group("others", f"arn:aws:iam::{ACCOUNT}:group/others", attached=(lost,))
    ana = User("ana", f"arn:aws:iam::{ACCOUNT}:user/ana", inline=(InlinePolicy("own", reads),), groups=("ops",))
    account_snapshot = known_roles(APP, users=(ana,), groups=(ops, others))
    reader = Corpus.bundled()

    def requester(user: User = ana, principal: str | None = None, of: AccountSnapshot = account_snapshot) -> Requester:
        snapshot = of._replace(users=(user,))
        return requester_of(principal or user.arn or "", None, snapshot, uses_in(snapshot), reader)

    ana_asks = requester()
    assert [policy.name for policy in ana_asks.policies.identity] == ["own (inline)", "AmazonEKSClusterPolicy"]
    assert (ana_asks.arn, ana_asks.role, ana_asks.policies.identity_known, ana_asks.policies.boundary_known) == (
        ana.arn,
        None,
        True,
        True,
    )
    partly = requester(ana._replace(attached=(lost,)))
    assert (partly.policies.identity_known, partly.policies.unread) == (
        False,
        ("the policy lost, whose document could not be read",),
    )
    bounded = requester(ana._replace(boundary_arn=managed.arn))
    assert (bounded.policies.boundary and bounded.policies.boundary.name, bounded.policies.boundary_known) == (
        managed.name,
        True,
    )
    unbounded = requester(ana._replace(boundary_arn=lost.arn))
    assert (unbounded.policies.boundary, unbounded.policies.boundary_known, unbounded.policies.identity_known) == (
        None,
        False,
        False,
    )
    assert "the permissions boundary lost" in unbounded.policies.unread[0]
    # Of a role, it may not be known which policies it has.
    for extent, whole in (("full", True), ("name", False)):
        snapshot = known_roles(APP._replace(extent=extent))  # type: ignore[arg-type]
        one = requester_of("app", None, snapshot, uses_in(snapshot), reader)
        assert (one.policies.identity_known, one.policies.boundary_known, one.role and one.role.name) == (
            whole,
            whole,
            "app",
        )
    assert principal_arn("APP", account_snapshot) == APP.arn
    with pytest.raises(NotFoundError, match="path could not be read"):
        principal_arn("app", known_roles(APP._replace(arn=None)))
    with pytest.raises(NotFoundError, match="is not in account"):
        requester_of(NODE.replace(ACCOUNT, "444455556666"), None, account_snapshot, {}, reader)


@pytest.mark.parametrize(
    ("before", "after", "one_policy", "back", "updates", "supersession"),
    [
        ("AmazonEKS_CNI_Policy@v5", "AmazonEKS_CNI_Policy@v6", True, False, [6], False),
        ("AmazonEKS_CNI_Policy@v6", "AmazonEKS_CNI_Policy@v5", True, True, [6], False),
        ("AmazonEKS_CNI_Policy@v6", "AmazonEKS_CNI_Policy@v6", True, False, [], False),
        ("AmazonEBSCSIDriverPolicy", "AmazonEBSCSIDriverPolicyV2", False, False, [], True),
        ("AmazonEBSCSIDriverPolicyV2", "AmazonEBSCSIDriverPolicy", False, False, [], True),
        ("AmazonEKS_CNI_Policy", "AmazonEKSClusterPolicy", False, False, [], False),
    ],
)
def test_what_a_comparison_knows_of_its_two_sides(
    before: str, after: str, one_policy: bool, back: bool, updates: list[int], supersession: bool
) -> None:
    comparison = compare(Library.open(), parse_policy(before), parse_policy(after))
    assert (comparison.is_one_policy, comparison.goes_back) == (one_policy, back)
    versions = [update.version for update in knowledge().policies["AmazonEKS_CNI_Policy"].updates]
    assert [update.version for update in comparison.updates] == [update for update in updates if update in versions]
    assert bool(comparison.supersession) is supersession
    assert comparison.names == (before.partition("@")[0], after.partition("@")[0])
    assert comparison.attached == ()


def test_how_often_a_policy_is_attached_in_a_snapshot() -> None:
    account_snapshot = snapshot()
    count = attached_count("arn:aws:iam::aws:policy/AmazonEKSClusterPolicy", account_snapshot)
    # The role and the user have it as a policy and as their boundary, the group as a policy.
    assert (count.policy, count.roles, count.users, count.groups, count.boundaries) == (
        "AmazonEKSClusterPolicy",
        1,
        1,
        1,
        2,
    )
    assert (count.account, count.fetched_at) == (ACCOUNT, account_snapshot.fetched_at)
    none = attached_count("arn:aws:iam::aws:policy/ReadOnlyAccess", account_snapshot)
    assert (none.roles, none.users, none.groups, none.boundaries) == (0, 0, 0, 0)
    assert attached_names(account_snapshot) == {"AmazonEKSClusterPolicy": 3}
    mine = AttachedPolicy("mine", account_snapshot.local_policies[0].arn)
    bounded = account_snapshot._replace(
        roles=(account_snapshot.roles[0]._replace(attached=()), account_snapshot.roles[1]._replace(attached=(mine,)))
    )
    assert attached_names(bounded) == {"AmazonEKSClusterPolicy": 3}


def test_only_what_may_be_why_a_role_is_denied_is_said_of_it() -> None:
    library = Library.open(AccountChoice(demo=True, offline=True))
    severities: set[str] = set()
    for name in ("prod-efs-csi", "prod-node"):
        findings = role_answer(library, name).findings
        severities |= {finding.severity for finding in findings}
        answer = explain_first(library, Inquiry(Question(action="s3:GetObject"), principal=name))
        telling = {finding.code for finding in answer.findings if finding.severity != "problem"}
        assert {finding for finding in answer.findings if finding.severity == "problem"} == {
            finding for finding in findings if finding.severity == "problem"
        }
        assert telling <= {"trust-lacks-tag-session", "principal-tag-missing", "irsa-wildcard-with-stringequals"}
    assert len(severities) > 1


def test_denials_of_one_action_read_and_evaluate_its_policies_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = f"User: arn:aws:sts::{ACCOUNT}:assumed-role/{{}}/s is not authorized to perform: {{}} on resource: *"
    texts = [
        line.format(role, action)
        for role in ("alder", "birch", "cedar")
        for action in ("ecr:GetAuthorizationToken", "autoscaling:DescribeTags")
    ]
    place = library_on(tmp_path)
    evaluated = 0

    def counting(*parts: Any, **named: Any) -> Evaluation:
        nonlocal evaluated
        evaluated += 1
        return evaluate(*parts, **named)

    monkeypatch.setattr(remedies, "evaluate", counting)
    alone = [explain_all(place, Inquiry(Question(message=text)))[0] for text in texts]
    evaluated, for_each = 0, evaluated
    heard: list[tuple[int, int]] = []
    together = explain_all(
        place, Inquiry(Question(message="\n".join(texts))), lambda done, total: heard.append((done, total))
    )
    assert evaluated == for_each / 3
    assert heard == [(done, len(texts)) for done in range(len(texts))]
    assert together == tuple(alone)
    assert all(isinstance(answer, Explanation) and answer.allowed_by for answer in together)
