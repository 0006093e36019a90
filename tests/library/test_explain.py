"""A request judged by the policies of a role in an account file that `aws iam` wrote."""

import json
from pathlib import Path
from typing import Any

import pytest

from ekstui.denial import remedies
from ekstui.denial.answer import Explanation
from ekstui.denial.question import Question
from ekstui.errors import InputError, NotFoundError
from ekstui.iam.evaluation import Evaluation, evaluate
from ekstui.library import AccountChoice, Library
from ekstui.library.explaining import Inquiry, explain_all
from ekstui.library.notation import FileSide, PolicyAt, Side
from ekstui.library.roles import role_answer
from tests.denial.test_denial import ENCODED
from tests.support.documents import allow_statement, deny, document
from tests.support.filled import library_on

ACCOUNT = "111122223333"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/eks/ebs-csi"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/ebs-csi/1747307062150341641"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/edge"


def details(*policy_arns: str, inline: dict[str, Any] | None = None, boundary: str | None = None) -> dict[str, Any]:
    role: dict[str, Any] = {
        "Path": "/eks/",
        "RoleName": "ebs-csi",
        "RoleId": "AROAEXAMPLE",
        "Arn": ROLE_ARN,
        "CreateDate": "2024-01-01T00:00:00+00:00",
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []},
        "InstanceProfileList": [],
        "RolePolicyList": [{"PolicyName": "own", "PolicyDocument": inline}] if inline else [],
        "AttachedManagedPolicies": [{"PolicyName": arn.rpartition("/")[2], "PolicyArn": arn} for arn in policy_arns],
        "Tags": [],
    }
    if boundary:
        role["PermissionsBoundary"] = {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": boundary}
    local_policy = {
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
            {"VersionId": "v2", "IsDefaultVersion": True, "Document": allow_statement("ec2:*"),
             "CreateDate": "2024-01-01T00:00:00+00:00"},
        ],
    }  # fmt: skip
    return {"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": [role], "Policies": [local_policy]}


def library_of_file(folder: Path, content: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Library:
    monkeypatch.setenv("EKSTUI_CACHE", str(folder / "cache"))
    path = folder / "account.json"
    path.write_text(json.dumps(content))
    return Library.open(AccountChoice(file=path))


def inquiry(action: str, resource: str = "*", principal: str = "ebs-csi", **context: str) -> Inquiry:
    return Inquiry(
        Question(action=action, resources=(resource,), context={k: (v,) for k, v in context.items()}),
        principal=principal,
    )


EBS = "arn:aws:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy"


def explain_first(library: Library, question: Inquiry) -> Explanation:
    first = explain_all(library, question)[0]
    assert isinstance(first, Explanation)
    return first


MISTYPED = [SESSION.replace(":sts:", ":iam:"), ROLE_ARN.replace(":iam:", ":sts:")]
"""The service of the other one, as people write who put an ARN together by hand."""


@pytest.mark.parametrize("principal", ["ebs-csi", "EBS-CSI", ROLE_ARN, SESSION, *MISTYPED])
def test_a_role_by_name_arn_or_session(principal: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lib = library_of_file(tmp_path, details(EBS), monkeypatch)
    explanation = explain_first(lib, inquiry("ec2:DescribeVolumes", principal=principal))
    assert explanation.verdict == "allowed"
    assert [statement.policy.name for statement in explanation.nearest] == ["AmazonEBSCSIDriverPolicy"]
    assert explanation.principal == ROLE_ARN
    # All of the role was read, so neither its policies nor a boundary are among what was not looked at.
    assert not [text for text in explanation.not_looked_at if "identity policies" in text or "boundary" in text]


def test_inline_policies_and_the_boundary_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inline_policy = allow_statement("s3:GetObject", "ec2:RunInstances")
    lib = library_of_file(tmp_path, details(inline=inline_policy, boundary=BOUNDARY), monkeypatch)
    assert explain_first(lib, inquiry("ec2:RunInstances")).verdict == "allowed"
    explanation = explain_first(lib, inquiry("s3:GetObject", "arn:aws:s3:::logs/a"))
    assert (explanation.verdict, explanation.smallest_statement, explanation.allowed_by) == ("implicit-deny", None, ())
    assert any("permissions boundary" in note for note in explanation.notes)
    explanation = explain_first(lib, inquiry("ec2:StopInstances"))
    assert explanation.verdict == "implicit-deny"
    assert explanation.smallest_statement is not None


def test_the_role_s_own_arn_is_known_with_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inline_policy = allow_statement("ec2:RunInstances")
    inline_policy["Statement"][0]["Condition"] = {"ArnEquals": {"aws:PrincipalArn": ROLE_ARN}}
    lib = library_of_file(tmp_path, details(inline=inline_policy), monkeypatch)
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
    with_policy = Inquiry(Question(message=message), policies=(PolicyAt("AmazonEKS_CNI_Policy"),))
    assert explain_first(lib, with_policy).role is None
    of_another_account = explain_first(lib, Inquiry(Question(message=message.replace(ACCOUNT, "999999999999"))))
    assert (of_another_account.role, of_another_account.nearest, of_another_account.findings) == (None, (), ())
    of_deleted_role = explain_first(
        lib, Inquiry(Question(message=message.replace("assumed-role/ebs-csi", "assumed-role/gone")))
    )
    assert (of_deleted_role.role, of_deleted_role.verdict) == (None, "implicit-deny")


def test_a_role_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lib = library_of_file(tmp_path, details(), monkeypatch)
    with pytest.raises(NotFoundError) as error:
        explain_first(lib, inquiry("ec2:RunInstances", principal="ebs-cis"))
    assert error.value.nearest == ("ebs-csi",)
    with pytest.raises(NotFoundError, match="is not in account"):
        explain_first(lib, inquiry("ec2:RunInstances", principal="arn:aws:iam::999999999999:role/ebs-csi"))


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
    library = library_of_file(tmp_path, content, monkeypatch)
    answer = explain_first(library, Inquiry(Question(message=message, **question), principal=role))
    assert answer.verdict == verdict
    assert phrase in " ".join(answer.notes)
    assert answer.trust is not None
    assert answer.trust.role == ROLE_ARN
    if message != ASSUMING:
        assert (answer.allowed_by, answer.smallest_statement, answer.newer_version) == ((), None, None)
        assert all(statement.layer == "trust" for statement in answer.nearest)


def test_a_trust_policy_may_come_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "trust.json"
    path.write_text(json.dumps({"Role": {"RoleName": "ebs-csi", "AssumeRolePolicyDocument": OF_TOKENS}}))
    question = Question(
        action="sts:AssumeRoleWithWebIdentity",
        context={f"{ISSUER}:sub": ("system:serviceaccount:default:web",), f"{ISSUER}:aud": ("sts.amazonaws.com",)},
    )
    answer = explain_first(Library.open(), Inquiry(question, trust=FileSide(str(path))))
    assert answer.verdict == "implicit-deny"
    assert [failure.key for statement in answer.nearest for failure in statement.failed] == [f"{ISSUER}:sub"]
    with pytest.raises(InputError, match="does not assume a role"):
        explain_first(Library.open(), Inquiry(Question(action="ec2:RunInstances"), trust=FileSide(str(path))))
    path.write_text(json.dumps(allow_statement("s3:*")))
    with pytest.raises(InputError, match="a trust policy has a Principal"):
        explain_first(Library.open(), Inquiry(question, trust=FileSide(str(path))))


def test_a_user_is_not_taken_for_the_role_of_the_same_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = details(EBS)
    arn = ROLE_ARN.split(":role/")[0] + ":user/ebs-csi"
    content["UserDetailList"] = [
        {"UserName": "ebs-csi", "UserId": "AIDAEXAMPLE", "Arn": arn, "Path": "/", "CreateDate": "2024-01-01T00:00:00+00:00",
         "GroupList": [], "AttachedManagedPolicies": [],
         "UserPolicyList": [{"PolicyName": "own", "PolicyDocument": allow_statement("s3:GetObject")}]},
    ]  # fmt: skip
    lib = library_of_file(tmp_path, content, monkeypatch)
    for principal, s3_verdict, ec2_verdict in (
        (arn, "allowed", "implicit-deny"),
        (ROLE_ARN, "implicit-deny", "allowed"),
    ):
        explanation = explain_first(lib, inquiry("s3:GetObject", "arn:aws:s3:::logs/a", principal))
        assert (explanation.verdict, explanation.principal) == (s3_verdict, principal)
        assert explain_first(lib, inquiry("ec2:DescribeVolumes", principal=principal)).verdict == ec2_verdict


def test_a_policy_that_a_message_names_wrongly_is_named_rightly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lib = library_of_file(tmp_path, details(EBS), monkeypatch)
    wrong = "arn:aws:iam::aws:policy/AmazonEBSCSIDriverPolicy"
    message = "An error occurred (NoSuchEntity) when calling the AttachRolePolicy operation: Policy {} does not exist or is not attachable."
    explanation = explain_first(lib, Inquiry(Question(message=message.format(wrong))))
    assert [EBS in f"{symptom.symptom} {symptom.answer}" for symptom in explanation.symptoms] == [True]


def test_only_what_may_be_why_a_role_is_denied_is_said_of_it(demo: Library) -> None:
    severities: set[str] = set()
    for name in ("prod-efs-csi", "prod-node"):
        findings = role_answer(demo, name).findings
        severities |= {finding.severity for finding in findings}
        answer = explain_first(demo, Inquiry(Question(action="s3:GetObject"), principal=name))
        other_codes = {finding.code for finding in answer.findings if finding.severity != "problem"}
        assert {finding for finding in answer.findings if finding.severity == "problem"} == {
            finding for finding in findings if finding.severity == "problem"
        }
        assert other_codes <= {"trust-lacks-tag-session", "principal-tag-missing", "irsa-wildcard-with-stringequals"}
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
    evaluation_count = 0

    def counting(*parts: Any, **options: Any) -> Evaluation:
        nonlocal evaluation_count
        evaluation_count += 1
        return evaluate(*parts, **options)

    monkeypatch.setattr(remedies, "evaluate", counting)
    single_answers = [explain_all(place, Inquiry(Question(message=text)))[0] for text in texts]
    evaluation_count, count_alone = 0, evaluation_count
    progress: list[tuple[int, int]] = []
    together = explain_all(
        place, Inquiry(Question(message="\n".join(texts))), lambda done, total: progress.append((done, total))
    )
    assert evaluation_count == count_alone / 3
    assert progress == [(done, len(texts)) for done in range(len(texts))]
    assert together == tuple(single_answers)
    assert all(isinstance(answer, Explanation) and answer.allowed_by for answer in together)


def refused(action: str, resource: str) -> str:
    return f"User: {SESSION} is not authorized to perform: {action} on resource: {resource}"


@pytest.mark.usefixtures("small_bundle")
def test_repeats_that_the_policies_decide_otherwise_are_answered_apart(tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text(json.dumps(document(deny("s3:GetObject", "arn:aws:s3:::a/*"))))
    names = ("a/1", "b/one", "a/second", "c/one-of-many", "c/another-of-them")
    texts = [refused("s3:GetObject", f"arn:aws:s3:::{name}") for name in names]
    # One that does not name its object is of the first.
    texts.append(
        f"User: {SESSION} is not authorized to perform: s3:GetObject because no identity-based policy allows it"
    )

    def answers(*policies: Side) -> list[tuple[str, int, tuple[str, ...]]]:
        question = Inquiry(Question(message="\n".join(texts)), policies)
        explanations = explain_all(library_on(tmp_path), question)
        return [
            (answer.verdict, answer.times, answer.resources)
            for answer in explanations
            if isinstance(answer, Explanation)
        ]

    resources = tuple(f"arn:aws:s3:::{name}" for name in names)
    assert answers() == [("implicit-deny", 6, resources)]
    assert answers(FileSide(str(tmp_path / "p.json"))) == [
        ("explicit-deny", 3, resources[:3:2]),
        ("implicit-deny", 3, (resources[1], *resources[3:])),
    ]


@pytest.mark.usefixtures("small_bundle")
def test_a_denial_whose_action_is_not_named_keeps_its_encoded_part(tmp_path: Path) -> None:
    start = "An error occurred (AccessDeniedException) when calling the ListTagsForResource operation: You are not"
    encoded_text = f"{start} authorized to perform this operation. Encoded authorization failure message: {ENCODED}"
    for text, part in ((start, None), (encoded_text, ENCODED)):
        message = f"{refused('s3:GetObject', 'arn:aws:s3:::a/1')}\n{text}"
        named_denial, unnamed_denial = explain_all(library_on(tmp_path), Inquiry(Question(message=message)))
        assert isinstance(named_denial, Explanation) and isinstance(unnamed_denial, Explanation)
        assert (named_denial.action, named_denial.encoded) == ("s3:GetObject", None)
        assert (unnamed_denial.action, unnamed_denial.encoded, unnamed_denial.verdict) == (None, part, "depends")
        assert (unnamed_denial.denied, unnamed_denial.judged) == (True, False)
        # Which services have such a call is of use where nothing encoded tells.
        assert [note[:10] for note in unnamed_denial.notes] == (["It may be "] if part is None else [])
