"""What is offered against a denial allows it, as printed: every command is read back and its effect evaluated."""

import json
import re
import shlex
from dataclasses import dataclass, field
from typing import Any

import pytest

from ekstui.change.holders import Since
from ekstui.cli.main import main
from ekstui.denial.answer import Allower, Policies
from ekstui.denial.fixing import FixCase, fixes_of, limited_by, role_fix
from ekstui.denial.purpose import CandidatePolicy, Fit
from ekstui.denial.question import Question, denied_requests
from ekstui.eks.commands import Command, aws
from ekstui.iam.document import Document, parse_text, serialise
from ekstui.iam.evaluation import AppliedPolicy, Verdict, evaluate
from ekstui.iam.reference import reference
from ekstui.iam.request import Request
from tests.denial.subjects import ACCOUNT, BUCKET, GET, MAY, READ, ROLE, TAGGED, candidate, managed_policy
from tests.support.documents import allow, deny, document_of, trust
from tests.support.shell import commands_in, fault_of

pytestmark = pytest.mark.usefixtures("own_filled_cache")


def denied(session: str, action: str, resource: str, end: str = "because no identity-based policy allows it") -> str:
    return f"User: arn:aws:sts::123456789012:assumed-role/{session} is not authorized to perform: {action} on resource: {resource} {end}"


NODE = "prod-worker/i-0abcdef1234567890"
SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf"
ENI = "arn:aws:ec2:eu-west-1:123456789012:network-interface/eni-0abc"
RULE = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener-rule/app/k8s-a/50dc6c495c0c9188/f2f7dc8efc522ab2/9683b2d02a6cabee"
GROUP = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/k8s-web/50dc6c495c0c9188"
VOLUME = "arn:aws:ec2:eu-central-1:111122223333:volume/vol-0abc"
SNAPSHOT = "arn:aws:ec2:eu-central-1::snapshot/snap-0abc"
OF_DEMO = "User: arn:aws:sts::111122223333:assumed-role/prod-ebs-csi/eks-prod-ebs-csi-1"


@dataclass(frozen=True)
class Thread:
    """A denial, and what its answer has to offer and must not."""

    message: str
    offers: tuple[str, ...] = ()
    """Parts of the first fix, or of what is to be checked, in this order."""
    never: tuple[str, ...] = ()
    """What no command has in it."""
    says: tuple[str, ...] = ()
    """What the text has in it."""
    options: tuple[str, ...] = ()
    context: dict[str, str] = field(default_factory=dict)
    """What is known of the request besides."""


THREADS = {
    "external-dns #1222": Thread(
        'level=error msg="AccessDenied: User: arn:aws:sts::123456789012:assumed-role/eks-worker/i-0123456789abcdef0 is not '
        'authorized to perform: route53:ListHostedZones\\n\\tstatus code: 403" image=registry/teapot/external-dns:v0.5.7',
        offers=("create-role --role-name external-dns", "put-role-policy --role-name external-dns",
                "create-pod-identity-association"),
        says=("the pod has no role of its own",),
    ),
    "velero #8240": Thread(
        denied(NODE, "s3:ListBucket", '"arn:aws:s3:::prod-velero"') + " controller=backup-storage-location velero",
        offers=("create-role --role-name velero", "put-role-policy --role-name velero", "create-pod-identity-association"),
        never=("SageMaker", "HyperPod"),
    ),
    "elastic/cloud-on-k8s #8090": Thread(
        "amazon_s3_exception: User: arn:aws:sts::123456789023:assumed-role/prd-node-role-20241001140543910500000003/"
        'i-123456789abcde is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::my-backup-bucket/last-backup/'
        'indices/wQRa5pGbSX--weZJUCjgew/2/snap-pB1C3ib7S9-L73yPMU5y9g.dat" because no identity-based policy allows the '
        "s3:GetObject action (Service: Amazon S3; Status Code: 403; Error Code: AccessDenied; Request ID: YMBWZA7Q51PEW6DV)",
        offers=("create-role", "put-role-policy", "create-pod-identity-association", "put-role-policy --role-name prd-node-role"),
    ),
    "activeloopai/deeplake #3161": Thread(
        "StorageAccessDenied: [S3] Access denied: ...\nUser: arn:aws:sts::123456789012:assumed-role/eks_node_groups/"
        "i-0xxxxxxxxxxxxxxxx\nis not authorized to perform: s3:ListBucket on <BUCKET>",
        never=("attach-role-policy --role-name eks_node_groups", ":::*"),
    ),
    "cert-manager #5780": Thread(
        denied("cert-manager/1675610660182694283", "sts:AssumeRole", "arn:aws:iam::123456789012:role/cert-manager", ""),
        offers=("iam get-role --role-name cert-manager --query Role.AssumeRolePolicyDocument",),
        never=("put-role-policy", "attach-role-policy"),
        says=("The role assumes itself",),
    ),
    "aws-load-balancer-controller #748": Thread(
        '"error"="failed to create LoadBalancer due to AccessDenied: User: arn:aws:iam::511111111111:user/aws-alb-ingress-'
        'controlle-MM5SNS9RWAPC is not authorized to perform: ec2:DescribeAccountAttributes" "Controller"="alb-ingress-controller"',
        offers=("create-policy --policy-name aws-load-balancer-controller-", "attach-user-policy"),
        says=("since v2.0.0",),
    ),
    "aws-load-balancer-controller #3399": Thread(
        "Warning  FailedDeployModel  6s (x5 over 46s)  service  (combined from similar events): Failed deploy model due to "
        "AccessDenied:  is not authorized to perform: elasticloadbalancing:AddTags on resource: "
        "arn:aws:elasticloadbalancing:us-east-1:* because no identity-based policy allows the elasticloadbalancing:AddTags action",
        never=("AmazonEKSLoadBalancingPolicy",),
    ),
    "a rule of a listener": Thread(
        denied("AmazonEKSLoadBalancerControllerRole/1", "elasticloadbalancing:ModifyRule", RULE),
        offers=('--policy-document "$(ekstui show aws-load-balancer-controller --document)"',
                "listener-rule/*"),
        never=("9683b2d02a6cabee", "AmazonEKSLoadBalancingPolicy"),
    ),
    "a target group by its controller's tag": Thread(
        denied("AmazonEKSLoadBalancerControllerRole/1", "elasticloadbalancing:DeleteTargetGroup", GROUP),
        offers=("resourcegroupstaggingapi get-resources",),
        never=("50dc6c495c0c9188\"]",),
    ),
    "an interface of the CNI": Thread(
        denied("vpc-cni-role/1", "ec2:DeleteNetworkInterface", ENI),
        offers=("list-attached-role-policies", "arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy", "network-interface/*"),
        never=("eni-0abc", "HyperPod"),
    ),
    "IPv6, for which only the project has a policy": Thread(
        denied("vpc-cni-role/1", "ec2:AssignIpv6Addresses", ENI),
        offers=("list-attached-role-policies", '"$(ekstui show vpc-cni/ipv6 --document)"', "put-role-policy"),
    ),
    "a volume without its tag": Thread(
        f"{OF_DEMO} is not authorized to perform: ec2:DeleteVolume on resource: {VOLUME} because no identity-based policy allows it",
        offers=("ec2 describe-tags --filters Name=resource-id,Values=vol-0abc",
                "ec2 create-tags --resources vol-0abc --tags Key=ebs.csi.aws.com/cluster,Value=true"),
        never=("attach-role-policy", "put-role-policy"),
        options=("--demo",),
    ),
    "a snapshot without its tag": Thread(
        f"{OF_DEMO} is not authorized to perform: ec2:DeleteSnapshot on resource: {SNAPSHOT} because no identity-based policy allows it",
        offers=("ec2 describe-tags", "ec2 create-tags --resources snap-0abc"),
        never=("AmazonEBSCSIDriverEKSClusterScopedPolicy", "put-role-policy"),
        options=("--demo",),
    ),
    "a volume of a role that is not known": Thread(
        denied("ebs-csi/1", "ec2:DeleteVolume", VOLUME.replace("111122223333", "123456789012")),
        offers=("list-attached-role-policies", "ec2 describe-tags", "attach-role-policy", "ec2 create-tags"),
    ),
    "a role to be passed": Thread(
        denied("KarpenterController/1", "iam:PassRole", "arn:aws:iam::123456789012:role/KarpenterNodeRole-prod"),
        offers=("list-attached-role-policies", "ekstui show karpenter --document", '"iam:PassedToService":["ec2.amazonaws.com"'),
    ),
    "two accounts": Thread(
        denied("app/1", "sqs:SendMessage", "arn:aws:sqs:eu-west-1:210987654321:jobs"),
        says=("by the queue policy", "only if a resource policy in account 210987654321 allows it too"),
    ),
    "a service control policy": Thread(
        denied("app/i-0123456789abcdef0", "ec2:RunInstances", "arn:aws:ec2:eu-west-1:123456789012:instance/*",
             "with an explicit deny in a service control policy: "
             "arn:aws:organizations::111122223333:policy/o-abcdefghij/service_control_policy/p-12345678"),
        offers=("organizations describe-policy --policy-id p-12345678",),
        never=("put-role-policy", "attach-role-policy", "create-role"),
        says=("organization o-abcdefghij", "management account is 111122223333"),
    ),
    "a permissions boundary": Thread(
        denied("app/1", "s3:GetObject", "arn:aws:s3:::logs/a", "because no permissions boundary allows the s3:GetObject action"),
        offers=("iam get-role --role-name app --query Role.PermissionsBoundary",),
        never=("put-role-policy",),
    ),
    "a bucket policy": Thread(
        denied("app/1", "s3:GetObject", "arn:aws:s3:::logs/a", "with an explicit deny in a resource-based policy"),
        offers=("s3api get-bucket-policy --bucket logs",),
        never=("put-role-policy",),
    ),
    "a redacted account": Thread(
        "User: arn:aws:sts::***:assumed-role/app/x is not authorized to perform: dynamodb:GetItem on resource: "
        "arn:aws:dynamodb:eu-west-1:***:table/orders because no identity-based policy allows it",
        offers=("list-attached-role-policies", '"${ACCOUNT:?}"'),
        never=("***", ":*:table"),
    ),
    "a role whose name was cut": Thread(
        denied("site-k20210915...", "secretsmanager:GetSecretValue", "site-k/test"),
        never=("site-k20210915...",),
    ),
    "secrets for external-secrets": Thread(
        '{"logger":"provider.aws.secretsmanager","image":"ghcr.io/external-secrets/external-secrets:v0.9","error":"'
        + denied("eso/external-secrets-provider-aws", "secretsmanager:GetSecretValue", "prod/db") + '"}',
        never=("AmazonEKSLocalOutpostClusterPolicy",),
    ),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _narrow_terminal(no_cache: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")


def answers(capsys: pytest.CaptureFixture[str], thread: Thread) -> tuple[str, dict[str, Any]]:
    arguments = ["explain", *thread.options, thread.message]
    assert main([*arguments, "--full"]) == 0
    text = capsys.readouterr().out
    assert main([*arguments, "--json"]) == 0
    return text, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("thread", THREADS.values(), ids=THREADS)
def test_what_is_offered_can_be_pasted_and_allows_it(thread: Thread, capsys: pytest.CaptureFixture[str]) -> None:
    text, answer = answers(capsys, thread)
    commands = commands_in(text)
    assert [(command, fault) for command in commands if (fault := fault_of(command))] == []
    printed_commands = "\n".join(commands)
    position = -1
    for part in thread.offers:
        position = printed_commands.find(part, position + 1)
        assert position >= 0, (part, printed_commands)
    assert [text for text in thread.never if text in printed_commands] == []
    words = " ".join(text.split())
    assert [say for say in thread.says if say not in words] == []
    # Each certain fix allows it by itself; the others leave open only what they say.
    (question,) = denied_requests(Question(message=thread.message))
    for fix in answer["fixes"]:
        assert set(fix["commands"]) <= set(commands)
        verdict, missing = _after(question.request, fix["commands"], _own_policies(thread))
        assert verdict == "allowed" if not fix["depends_on"] else verdict in ("allowed", "depends"), fix
        assert {variable for variable in missing if ":" in variable} <= set(fix["depends_on"]), missing
    assert answer["commands"] == [
        command for fix in answer["fixes"] if not fix["depends_on"] for command in fix["commands"]
    ]


def _own_policies(thread: Thread) -> list[Document]:
    """Return the policies of the demo's role for EBS, if the thread is about it."""
    from ekstui.library import AccountChoice, Library
    from ekstui.library.roles import role_answer

    if not thread.options:
        return []
    subject = role_answer(Library.open(AccountChoice(demo=True, offline=True)), "prod-ebs-csi").subject
    return [policy.document for policy in subject.policies if policy.document is not None]


def _after(request: Request, commands: list[str], policies: list[Document]) -> tuple[Verdict, tuple[str, ...]]:
    """Return the verdict on a request once the commands were run."""
    documents, tags = list(policies), dict[str, str]()
    for command in commands:
        words = shlex.split(command)
        options = dict(zip(words[3::2], words[4::2], strict=False))
        if words[2] in ("put-role-policy", "put-user-policy", "create-policy"):
            documents.append(_document(options["--policy-document"], request))
        elif words[2] in ("attach-role-policy", "attach-user-policy") and "::aws:" in options["--policy-arn"]:
            documents.append(_managed(options["--policy-arn"].rpartition("/")[2]))
        elif words[2] == "create-tags":
            tags |= dict(re.findall(r"Key=([^,]+),Value=(\S+)", command))
        elif words[2] == "tag-resources":
            tags |= dict(tag.split("=", 1) for tag in options["--tags"].split(","))
    service = request.action.partition(":")[0]
    context = {f"{prefix}:ResourceTag/{key}": (value,) for key, value in tags.items() for prefix in ("aws", service)}
    resources = request.resources or (SECRET,)
    asked_after = Request(request.action, resources, request.principal, {**request.context, **context}, request.absent)
    evaluation = evaluate(
        asked_after, [AppliedPolicy("p", None, document) for document in documents], reference=reference()
    )
    return evaluation.verdict, evaluation.missing


def _document(text: str, request: Request) -> Document:
    if (match := re.fullmatch(r"\$\(ekstui show (\S+) --document(.*)\)", text)) is not None:
        # Whatever the reader fills in for the parameters.
        text = json.dumps(serialise(_managed(match[1])))
        return parse_text(re.sub(r"<\w+>", "*", text))
    # What the message does not show is what the reader fills in.
    account = next((resource.split(":")[4] for resource in request.resources), "")
    return parse_text(re.sub(r"\$\{\w+:\?\}", account, text))


def _managed(name: str) -> Document:
    from ekstui.library import Library

    library = Library.open()
    entry = library.find(name)
    return library.document(entry.policy, entry.policy.default_version)


def test_two_statements_never_share_a_policy_s_name(capsys: pytest.CaptureFixture[str]) -> None:
    names = set()
    for resource in ("arn:aws:s3:::a/x", "arn:aws:s3:::b/x"):
        _, answer = answers(capsys, Thread(denied("app/1", "s3:GetObject", resource)))
        (command,) = answer["commands"]
        names.add(command.split("--policy-name ")[1].split()[0])
    assert len(names) == 2


def test_no_statement_is_offered_against_a_boundary(capsys: pytest.CaptureFixture[str]) -> None:
    request = [
        "explain",
        "--action",
        "s3:GetObject",
        "--resource",
        "arn:aws:s3:::a/x",
        "--policy",
        "AmazonEKS_CNI_Policy",
    ]
    assert main([*request, "--boundary", "AmazonEKSWorkerNodePolicy", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert any("the permissions boundary does not allow it either" in note for note in answer["notes"])
    assert (answer["smallest_statement"], answer["allowed_by"], answer["fixes"]) == (None, [], [])
    assert main([*request, "--boundary", "AmazonS3ReadOnlyAccess", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["smallest_statement"] is not None


def of(name: str, *statements: dict[str, Any], **fields: Any) -> CandidatePolicy:
    return candidate(name, list(statements), **fields)


LARGE = of("large", *READ, *(allow(f"ec2:Describe{number:0>200}") for number in range(60)), home="github.com/a/b")
"""What a project publishes, and an inline policy has no room for."""
NODE_ROLE = ("node role",)
OTHER = (managed_policy(allow("s3:ListBucket")),)
"""The caller's own policies, which do not allow the request."""


@pytest.mark.parametrize(
    ("identity", "offers", "policies_given"),
    [
        # With or without policies of the caller's own, what certainly allows it is given.
        ((), [("own", of("a", *READ))], {"a": ()}),
        (OTHER, [("own", of("a", *READ))], {"a": ()}),
        # What its policies ask for of the resource, another that asks for it gives no more than they do.
        (OTHER, [("own", of("a", allow("s3:GetObject", **MAY)))], {}),
        (OTHER, [("own", of("a", allow("s3:GetObject", **TAGGED)))], {"a": ("aws:PrincipalTag/team",)}),
        # One policy for what it runs is enough: the first that there is room for, and that helps.
        ((), [("own", of("a", *READ)), ("own", of("b", *READ))], {"a": ()}),
        ((), [("own", LARGE), ("own", of("b", *READ))], {"b": ()}),
        ((), [("own", of("a", allow("s3:PutObject"))), ("own", of("b", *READ))], {"b": ()}),
        ((), [("own", of("a", *READ, home="github.com/a/b")), ("own", of("b", *READ))], {"a": ()}),
        # The commands ask for a parameter of what a project publishes.
        ((), [("own", of("a", allow("s3:GetObject", "arn:aws:s3:::${Bucket}/*"), home="github.com/a/b"))], {"a": ()}),
        ((), [("own", of("a", *READ)), ("kind", of("b", *READ))], {"a": ()}),
        # Of those for its kind of role only one that certainly allows it, and that is not for an add-on alone.
        ((), [("own", LARGE), ("kind", of("b", *READ, meant_for=NODE_ROLE))], {"b": ()}),
        ((), [("kind", of("a", allow("s3:GetObject", **TAGGED), meant_for=NODE_ROLE)), ("kind", of("b", *READ, meant_for=NODE_ROLE))], {"b": ()}),
        ((), [("kind", LARGE), ("kind", of("b", *READ, meant_for=NODE_ROLE)), ("kind", of("c", *READ, meant_for=NODE_ROLE))], {"b": ()}),
        ((), [("kind", of("a", *READ, meant_for=("add-on role",))), ("kind", of("b", *READ, meant_for=NODE_ROLE))], {"b": ()}),
        ((), [("kind", of("a", *READ, meant_for=("add-on role", "node role")))], {"a": ()}),
        ((), [("unknown", of("a", *READ)), ("other", of("b", *READ))], {}),
    ],
)  # fmt: skip
def test_which_policies_a_role_is_given(
    identity: tuple[AppliedPolicy, ...],
    offers: list[tuple[Fit, CandidatePolicy]],
    policies_given: dict[str, tuple[str, ...]],
) -> None:
    candidates = [policy for _, policy in offers]
    allowers = [
        Allower(policy.policy.name, 1, Since(1, None, at_latest=False), (), False, "eks", policy.meant_for, None, fit)
        for fit, policy in offers
    ]
    case = FixCase(GET, Policies(identity), (), allowers, candidates, None, None, "")
    fixes = fixes_of(case, of_pods=False)
    commands = [" ".join(fix.commands[-1].arguments) for fix in fixes]
    names = [match[1] for command in commands if (match := re.search(r"(?:policy/|show )(\w+)", command))]
    assert dict(zip(names, (fix.depends_on for fix in fixes), strict=True)) == policies_given


def trusting_caller(role: str, principal: object) -> Command:
    document = json.dumps(trust(principal))
    return aws("", "iam", "update-assume-role-policy", "--role-name", role, "--policy-document", document)


ASSUME = Request("sts:AssumeRole", (ROLE,), f"arn:aws:iam::{ACCOUNT}:role/caller")
CALLER, ACCOUNT_OF_CALLER = ({"AWS": f"arn:aws:iam::{ACCOUNT}:{name}"} for name in ("role/caller", "root"))
TEAM = [aws("", "iam", "tag-role", "--role-name", "app", "--tags", f"Key=team,Value={value}") for value in ("a", "b")]
ASKS_FOR_TEAM = (managed_policy(allow("s3:GetObject", **TAGGED)),)


@pytest.mark.parametrize(
    ("commands", "request_", "identity", "role_arn", "is_fix"),
    [
        ([trusting_caller("app", CALLER)], ASSUME, (), ROLE, True),
        ([trusting_caller("app", ACCOUNT_OF_CALLER)], ASSUME, (), ROLE, True),
        ([trusting_caller("app", ACCOUNT_OF_CALLER)], ASSUME, (managed_policy(allow("sts:*")),), ROLE, True),
        ([trusting_caller("app", ACCOUNT_OF_CALLER)], ASSUME, OTHER, ROLE, False),
        ([trusting_caller("app", "ec2.amazonaws.com")], ASSUME, (), ROLE, False),
        # Of another role, or where none is to be assumed.
        ([trusting_caller("other", CALLER)], ASSUME, (), ROLE, False),
        ([trusting_caller("app", CALLER)], ASSUME, (), None, False),
        ([TEAM[0]], GET, ASKS_FOR_TEAM, None, True),
        ([TEAM[0]], GET, ASKS_FOR_TEAM, ROLE, True),
        ([TEAM[1]], GET, ASKS_FOR_TEAM, None, False),
        ([TEAM[0]], GET, OTHER, None, False),
        ([TEAM[0]], GET, (), None, False),
        # Which of several does it is not known, nor what other commands do to the request.
        (TEAM, GET, ASKS_FOR_TEAM, None, False),
        ([], GET, ASKS_FOR_TEAM, None, False),
        ([aws("", "iam", "delete-role", "--role-name", "app")], GET, ASKS_FOR_TEAM, None, False),
    ],
)
def test_a_command_of_a_finding_is_a_fix_only_if_the_request_is_allowed_then(
    commands: list[Command],
    request_: Request,
    identity: tuple[AppliedPolicy, ...],
    role_arn: str | None,
    is_fix: bool,
) -> None:
    fix = role_fix(commands, request_, Policies(identity), role_arn)
    assert (fix is not None) is is_fix
    assert fix is None or fix.commands == tuple(commands)


ALLOWS, DENIES = (managed_policy(statement) for statement in (allow("*"), deny("s3:*")))


@pytest.mark.parametrize(
    ("policies", "limit"),
    [
        (Policies(OTHER), None),
        (Policies(OTHER, ALLOWS, (ALLOWS,)), None),
        (Policies(OTHER, DENIES), "permissions boundary"),
        (Policies(OTHER, OTHER[0], (ALLOWS,)), "permissions boundary"),
        (Policies(OTHER, ALLOWS, (DENIES,)), "session policy"),
        (Policies(OTHER, None, OTHER), "session policy"),
        (Policies((DENIES,)), None),
    ],
)
def test_what_keeps_a_statement_from_helping_is_named(policies: Policies, limit: str | None) -> None:
    (statement,) = document_of(allow(GET.action, f"{BUCKET}/a")).statements
    case = FixCase(GET, policies, (), (), (), statement, None, "")
    assert limited_by(case) == limit
    assert limited_by(case._replace(statement=None)) is None
