"""Whom to ask for a change of a policy that no identity policy outweighs, and the command that shows it."""

from collections.abc import Iterable

import pytest

from ekstui.denial.answer import Policies
from ekstui.denial.explain import explain
from ekstui.denial.message import Cause, PolicyType
from ekstui.denial.owners import checks_of_owner, whom_to_ask
from ekstui.eks.commands import Command
from ekstui.iam.evaluation import AppliedPolicy, Organization, PolicyLevel
from ekstui.iam.request import Request
from ekstui.library.catalog import knowledge
from tests.denial.subjects import ACCOUNT, GET, SESSION, managed_policy
from tests.support.documents import allow, deny


def typed(commands: Iterable[Command]) -> list[str]:
    return [" ".join(command.arguments) for command in commands]


PLACE = "eu-west-1:444455556666"
KEY, SECRET, TOPIC, FUNCTION = (
    f"arn:aws:{service}:{PLACE}:{name}"
    for service, name in (
        ("kms", "key/k"), ("secretsmanager", "secret:db-AbCdEf"), ("sns", "alarms"), ("lambda", "function:f")
    )
)  # fmt: skip


@pytest.mark.parametrize(
    ("action", "resource", "command"),
    [
        ("s3:GetObject", "arn:aws:s3:::logs/2026/a", "aws s3api get-bucket-policy --bucket logs"),
        ("kms:Decrypt", KEY, f"aws kms get-key-policy --key-id {KEY} --policy-name default --region eu-west-1"),
        ("ecr:BatchGetImage", f"arn:aws:ecr:{PLACE}:repository/team/app",
         "aws ecr get-repository-policy --registry-id 444455556666 --repository-name team/app --region eu-west-1"),
        ("secretsmanager:GetSecretValue", SECRET,
         f"aws secretsmanager get-resource-policy --secret-id {SECRET} --region eu-west-1"),
        ("sns:Publish", TOPIC, f"aws sns get-topic-attributes --topic-arn {TOPIC} --region eu-west-1"),
        ("lambda:InvokeFunction", FUNCTION, f"aws lambda get-policy --function-name {FUNCTION} --region eu-west-1"),
        ("elasticfilesystem:ClientMount", f"arn:aws:elasticfilesystem:{PLACE}:file-system/fs-1",
         "aws efs describe-file-system-policy --file-system-id fs-1 --region eu-west-1"),
        # An access point has no policy of its own, and not every service has such policies.
        ("elasticfilesystem:ClientMount", f"arn:aws:elasticfilesystem:{PLACE}:access-point/fsap-1", None),
        ("ec2:RunInstances", f"arn:aws:ec2:{PLACE}:instance/*", None),
        ("s3:ListAllMyBuckets", "*", None),
    ],
)  # fmt: skip
def test_what_shows_the_policy_of_a_resource(action: str, resource: str, command: str | None) -> None:
    request = Request(action, (resource,), SESSION)
    assert typed(checks_of_owner(Cause("resource", explicit=True), request)) == ([command] if command else [])


OWN = f"arn:aws:iam::{ACCOUNT}:policy/team/limits"
OF_ROLE = "--role-name app"
SCP = "arn:aws:organizations::999988887777:policy/o-a/service_control_policy/p-1"


@pytest.mark.parametrize(
    ("kind", "explicit", "policy", "ask", "commands"),
    [
        ("service-control", True, None, f"belongs to the management account of the organization of account {ACCOUNT}: ask there to except",
         [f"aws organizations list-policies-for-target --target-id {ACCOUNT} --filter SERVICE_CONTROL_POLICY"]),
        ("resource-control", False, None, f"of account {ACCOUNT}: ask there to allow",
         [f"aws organizations list-policies-for-target --target-id {ACCOUNT} --filter RESOURCE_CONTROL_POLICY"]),
        ("service-control", True, SCP, "Policy p-1 is of organization o-a, whose management account is 999988887777",
         ["aws organizations describe-policy --policy-id p-1"]),
        ("boundary", False, None, "boundaries of the account owns it: ask to allow",
         [f"aws iam get-role {OF_ROLE} --query Role.PermissionsBoundary"]),
        ("boundary", True, OWN, "owns limits: ask to except",
         [f"aws iam get-role {OF_ROLE} --query Role.PermissionsBoundary", f"aws iam get-policy --policy-arn {OWN}"]),
        ("session", False, None, "whoever started the session", []),
        ("resource", False, None, "The owner of the resource has its policy: ask to allow", ["aws s3api get-bucket-policy --bucket logs"]),
        ("vpc-endpoint", True, None, "The owner of the VPC has the policy of its endpoint: ask to except", ["aws ec2 describe-vpc-endpoints"]),
        ("identity", True, None, "Whoever wrote the Deny owns it: ask to except", [f"aws iam list-attached-role-policies {OF_ROLE}"]),
        (None, True, OWN, "Whoever wrote limits owns it",
         [f"aws iam list-attached-role-policies {OF_ROLE}", f"aws iam get-policy --policy-arn {OWN}"]),
        # Another identity policy can allow it.
        ("identity", False, None, "", []),
        (None, False, None, "", []),
        ("public-access-block", True, "BlockPublicPolicy", "", []),
    ],
)  # fmt: skip
def test_who_owns_what_a_message_blames(
    kind: PolicyType | None, explicit: bool, policy: str | None, ask: str, commands: list[str]
) -> None:
    cause = Cause(kind, explicit=explicit, policy=policy)
    sentence = whom_to_ask(cause, GET)
    assert ask in sentence
    assert sentence.endswith(f" {GET.action} for app.") if ask else sentence == ""
    assert typed(checks_of_owner(cause, GET)) == commands
    if "--role-name" in " ".join(commands):
        user = GET._replace(principal=f"arn:aws:iam::{ACCOUNT}:user/ada")
        assert not any("--role-name" in command for command in typed(checks_of_owner(cause, user)))


def test_the_account_of_a_resource_is_named_if_it_is_one() -> None:
    cause = Cause("resource", explicit=True)
    assert "The owner of the resource in account 444455556666 has" in whom_to_ask(
        cause, Request("sns:Publish", (TOPIC,))
    )
    own_topic = TOPIC.replace("444455556666", ACCOUNT)
    assert "The owner of the resource has" in whom_to_ask(cause, Request("sns:Publish", (TOPIC, own_topic)))
    # One of several reasons: it may not be the policy.
    assert whom_to_ask(cause._replace(is_one_of_several=True), Request("sns:Publish", (TOPIC,))) == ""


LINKED = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/eks.amazonaws.com/AWSServiceRoleForAmazonEKS"
EMPTY, FULL = "have no Allow, so they allow nothing", managed_policy(allow("*"))
MANAGEMENT = "restrict neither the management account"


@pytest.mark.parametrize(
    ("principal", "levels", "phrases", "absent_phrases"),
    [
        (SESSION, [FULL], (MANAGEMENT,), (EMPTY, "do not count here", "service-linked role:")),
        (SESSION, [FULL, managed_policy(deny("s3:*"))], (f"policies of level 1 {EMPTY}", MANAGEMENT), ("level 0",)),
        (LINKED, [FULL], ("The caller is a service-linked role",), (MANAGEMENT, "not known whether")),
        # The ARN of a session has not the path that tells.
        (SESSION.replace("/app/", "/AWSServiceRoleForX/"), [FULL], ("not known whether the caller is a service-linked role", MANAGEMENT), ("do not count",)),
        (None, [FULL], (MANAGEMENT,), ("not known whether", "do not count")),
        ("ec2.amazonaws.com", [FULL], ("do not count here",), (MANAGEMENT,)),
        (SESSION, [], (), (MANAGEMENT, EMPTY, "do not count", "service-linked")),
    ],
)  # fmt: skip
def test_whom_service_control_policies_restrict_is_said(
    principal: str | None, levels: list[AppliedPolicy], phrases: tuple[str, ...], absent_phrases: tuple[str, ...]
) -> None:
    control = tuple(PolicyLevel(f"level {number}", (policy,)) for number, policy in enumerate(levels))
    policies = Policies((FULL,), organization=Organization(control))
    notes = " ".join(explain(GET._replace(principal=principal), policies, (), knowledge=knowledge()).notes)
    assert [phrase for phrase in phrases if phrase not in notes] == []
    assert [phrase for phrase in absent_phrases if phrase in notes] == []
