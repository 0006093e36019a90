"""The on-call cases that `ekstui explain` is for, from the pasted text to the answer."""

import io
import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ekstui.cli.main import main

if TYPE_CHECKING:
    from tests.rig.rig import Rig


pytestmark = pytest.mark.usefixtures("no_cache")


@pytest.fixture
def explain(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    def answer(*arguments: str, stdin: str = "") -> dict[str, Any]:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        assert main(["explain", "--json", *arguments]) == 0
        value: dict[str, Any] = json.loads(capsys.readouterr().out)
        return value

    return answer


def failed_conditions(answer: dict[str, Any], policy: str) -> list[tuple[str, str | None, object]]:
    """What failed in the nearest statement of a policy."""
    nearest = next(entry for entry in answer["nearest"] if entry["policy"] == policy)
    return [(entry["part"], entry["key"], entry["given"]) for entry in nearest["failed"]]


# Scenario 2: a claim from a snapshot fails since January 2025 (aws-ebs-csi-driver 2190).
SNAPSHOT = """\
  Warning  ProvisioningFailed    42s (x5 over 57s)  ebs.csi.aws.com_ebs-csi-controller-774c69dfd9-pr7bk_a4568a5b-c04b-4e90-97c2
  failed to provision volume with StorageClass "gp3": rpc error: code = Internal desc = Could not create volume
  "pvc-87ad104a-5ee1-4912-8375-0e249a68c51c": could not create volume in EC2: operation error EC2: CreateVolume, https response
  error StatusCode: 403, RequestID: 5f4d7ad1-2e4c-4d0f-a1bc-0c9b9a3fbb57, api error UnauthorizedOperation: You are not
  authorized to perform this operation. User: arn:aws:sts::111122223333:assumed-role/ebs-csi/1747307062150341641 is not
  authorized to perform: ec2:CreateVolume on resource: arn:aws:ec2:eu-west-1::snapshot/snap-0123456789abcdef0 because no
  identity-based policy allows the ec2:CreateVolume action. Encoded authorization failure message: LGmRZ8lY
"""


def test_a_volume_from_a_snapshot(explain: Any) -> None:
    answer = explain("--policy", "AmazonEBSCSIDriverPolicy@v2", stdin=SNAPSHOT)
    # The reference lists no tags of the request for a snapshot, which proves nothing.
    key = "aws:RequestTag/ebs.csi.aws.com/cluster"
    assert answer["verdict"] == "depends"
    assert key in answer["missing_context"]
    assert answer["resource"] == "arn:aws:ec2:eu-west-1::snapshot/snap-0123456789abcdef0"
    told_absent = explain("--policy", "AmazonEBSCSIDriverPolicy@v2", "--absent", "aws:RequestTag/*", stdin=SNAPSHOT)
    assert told_absent["verdict"] == "implicit-deny"
    assert failed_conditions(told_absent, "AmazonEBSCSIDriverPolicy") == [("condition", key, [])]
    # From v3 on it does not hang on any tag.
    assert answer["newer_version"] == {
        "policy": "AmazonEBSCSIDriverPolicy", "current": "v2", "version": "v3", "created": "2025-01-13T17:07:06Z",
        "depends_on": [], "conditional": None,
    }  # fmt: skip
    assert [use["resource_type"] for use in answer["also_authorised_on"]] == ["volume"]
    assert any("snapshot" in hint["text"] for hint in answer["hints"])
    assert "--encoded-message LGmRZ8lY" in answer["decode_command"]
    (statement,) = (answer["smallest_statement"],)
    assert (statement["Action"], statement["Resource"]) == (["ec2:CreateVolume"], [answer["resource"]])


def test_which_policies_would_allow_it_and_since_when(explain: Any) -> None:
    answer = explain(SNAPSHOT)
    policies = {entry["policy"]: entry for entry in answer["allowed_by"]}
    assert policies["AmazonEBSCSIDriverPolicy"]["since"] == {
        "version": "v3", "created": "2025-01-13T17:07:06Z", "at_latest": False,
    }  # fmt: skip
    assert policies["AmazonEBSCSIDriverPolicy"]["depends_on"] == []
    assert policies["AmazonEBSCSIDriverPolicyV2"]["depends_on"] == ["ec2:ResourceTag/ebs.csi.aws.com/cluster"]
    # The text is of the EBS CSI driver: what is made for it comes before the policies of clusters.
    fit_words = [entry["fit"] for entry in answer["allowed_by"]]
    assert fit_words == sorted(fit_words, key=["own", "kind", "other"].index)
    assert policies["AmazonEKSClusterPolicy"]["fit"] == "other"
    assert answer["not_looked_at"][0].startswith(
        "the identity policies of arn:aws:sts::111122223333:assumed-role/ebs-csi"
    )
    # AWS keeps service-linked policies to itself: nobody can attach one.
    assert "AmazonEKSServiceRolePolicy" not in policies


# Scenario 4: Auto Mode launches nothing when the NodeClass has custom tags (containers-roadmap 2487).
FLEET = {
    "eventVersion": "1.10",
    "userIdentity": {
        "type": "AssumedRole",
        "arn": "arn:aws:sts::111122223333:assumed-role/eks-auto-cluster/aws-go-sdk-1734600000000000000",
        "sessionContext": {"sessionIssuer": {"type": "Role", "arn": "arn:aws:iam::111122223333:role/eks-auto-cluster"}},
        "invokedBy": "eks.amazonaws.com",
    },
    "eventTime": "2024-12-19T10:00:00Z",
    "eventSource": "ec2.amazonaws.com",
    "eventName": "CreateFleet",
    "awsRegion": "eu-west-1",
    "sourceIPAddress": "eks.amazonaws.com",
    "errorCode": "Client.UnauthorizedOperation",
    "errorMessage": "You are not authorized to perform this operation. User: arn:aws:sts::111122223333:assumed-role/"
    "eks-auto-cluster/aws-go-sdk-1734600000000000000 is not authorized to perform: ec2:CreateFleet on resource: "
    "arn:aws:ec2:eu-west-1:111122223333:fleet/* because no identity-based policy allows the ec2:CreateFleet action.",
}
TAGS = [
    "aws:RequestTag/eks:eks-cluster-name=prod",
    "aws:RequestTag/eks:kubernetes-node-class-name=custom",
    "aws:RequestTag/eks:kubernetes-node-pool-name=general",
    "aws:PrincipalTag/eks:eks-cluster-name=prod",
    "aws:TagKeys=eks:eks-cluster-name",
    "aws:TagKeys=eks:kubernetes-node-class-name",
    "aws:TagKeys=eks:kubernetes-node-pool-name",
]


def context_options(*entries: str) -> list[str]:
    return [word for entry in entries for word in ("--context", entry)]


def test_a_custom_tag_that_the_compute_policy_refuses(explain: Any) -> None:
    message = json.dumps(FLEET)
    # What is not given is asked for.
    answer = explain("--policy", "AmazonEKSComputePolicy", stdin=message)
    assert answer["verdict"] == "depends"
    assert "aws:TagKeys" in answer["missing_context"]
    assert any("a condition on something that is not given did not hold" in note for note in answer["notes"])
    # EKS's own tags alone pass; the custom one is what the condition refuses.
    answer = explain("--policy", "AmazonEKSComputePolicy", *context_options(*TAGS), stdin=message)
    assert answer["verdict"] == "allowed"
    answer = explain("--policy", "AmazonEKSComputePolicy", *context_options(*TAGS, "aws:TagKeys=team"), stdin=message)
    assert answer["verdict"] == "implicit-deny"
    ((part, key, values),) = failed_conditions(answer, "AmazonEKSComputePolicy")
    assert (part, key) == ("condition", "aws:TagKeys")
    assert isinstance(values, list)
    assert "team" in values
    assert "AWSElasticBeanstalkEKSTagging" in [entry["policy"] for entry in answer["allowed_by"]]


# Scenario 6: in China, where documents and version numbers may be others.
CHINA = (
    "An error occurred (UnauthorizedOperation) when calling the DescribeVpcs operation: You are not authorized to perform this "
    "operation. User: arn:aws-cn:sts::111122223333:assumed-role/node/i-0123456789abcdef0 is not authorized to perform: "
    "ec2:DescribeVpcs because no identity-based policy allows the ec2:DescribeVpcs action"
)


def test_another_partition_is_not_judged_by_documents_of_this_one(
    explain: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = explain(CHINA)
    assert (answer["verdict"], answer["nearest"], answer["allowed_by"]) == ("implicit-deny", [], [])
    assert "the AWS managed policies of partition aws-cn" in answer["not_looked_at"]
    assert answer["data"]["partition"] == "aws"
    assert main(["explain", CHINA, "--policy", "AmazonEKS_CNI_Policy"]) == 2
    assert "partition aws-cn" in capsys.readouterr().err


# Scenario 7: the add-on's calls come from the node role (eksctl 7847).
NODE = (
    '{"level":"error","ts":"2024-06-20T08:11:00.123Z","caller":"ipamd/ipamd.go:500","msg":"Failed to call '
    "ec2:AssignPrivateIpAddresses: UnauthorizedOperation: You are not authorized to perform this operation. User: "
    "arn:aws:sts::111122223333:assumed-role/eksctl-prod-nodegroup-ng-NodeInstanceRole-1ABC/i-0123456789abcdef0 is not authorized "
    "to perform: ec2:AssignPrivateIpAddresses on resource: arn:aws:ec2:eu-west-1:111122223333:network-interface/eni-0abc because "
    'no identity-based policy allows the ec2:AssignPrivateIpAddresses action\\n\\tstatus code: 403, request id: 1"}'
)


def test_an_add_on_that_uses_the_node_role(explain: Any) -> None:
    answer = explain(NODE, "--policy", "AmazonEKSWorkerNodePolicy")
    assert answer["action"] == "ec2:AssignPrivateIpAddresses"
    assert any("with the node role" in note for note in answer["notes"])
    assert "AmazonEKS_CNI_Policy" in [entry["policy"] for entry in answer["allowed_by"]]
    assert answer["verdict"] == "implicit-deny"


def test_a_denial_that_todays_policies_allow_is_weighed_by_what_it_says(explain: Any) -> None:
    """A message that names identity policies rules out all other kinds: AWS would have named them."""
    session = "arn:aws:sts::111122223333:assumed-role/prod-node/i-0123456789abcdef0"
    message = (
        f"User: {session} is not authorized to perform: ec2:DescribeSecurityGroups because no identity-based policy allows "
        "the ec2:DescribeSecurityGroups action"
    )
    answer = explain(message, "--demo")
    assert answer["verdict"] == "allowed"
    likely_causes = [sentence for sentence in answer["notes"] if sentence.startswith(("Most likely", "Or "))]
    assert "attached or changed after the denial" in likely_causes[0]
    assert any("deleted and recreated" in sentence for sentence in likely_causes)
    text = " ".join(likely_causes)
    # Nothing that it rules out: the statements have no condition, and the caller is named.
    assert not any(words in text for words in ("tags", "another role", "was not looked at"))
    assert not any(
        "control" in sentence or "session" in sentence or "endpoint" in sentence for sentence in answer["not_looked_at"]
    )
    # Policies that were given may be other ones than the caller's; without a reason everything is open.
    notes = explain(message, "--policy", "AmazonEKS_CNI_Policy")["notes"]
    assert any("Most likely one of them is not attached to the caller" in sentence for sentence in notes)
    unsaid = explain(message.partition(" because")[0], "--demo")
    assert any("a policy that was not looked at" in sentence for sentence in unsaid["notes"])
    assert "service control policies" in unsaid["not_looked_at"]


# Scenario 8: the role's policies allow, and it is denied all the same (containers-roadmap 2812).
SESSION = (
    "AccessDenied: User: arn:aws:sts::111122223333:assumed-role/reader/eks-prod-app-5d9c is not authorized to perform: "
    's3:GetObject on resource: "arn:aws:s3:::logs/2026/a.gz" because no session policy allows the s3:GetObject action'
)
CONTROL = SESSION.replace("because no session policy allows the s3:GetObject action", "with an explicit deny in a {}")


def test_a_session_policy_that_denies(explain: Any) -> None:
    answer = explain(SESSION, "--policy", "AmazonS3ReadOnlyAccess")
    # What the message says has happened; that the policy allows it is said beside.
    assert answer["verdict"] == "implicit-deny"
    assert any("The policies looked at allow it" in note for note in answer["notes"])
    assert answer["cause"] == {"policy_type": "session", "explicit": False, "policy": None}
    assert {"session policies", "service control policies", "the bucket policy"} <= set(answer["not_looked_at"])
    assert (answer["smallest_statement"], answer["allowed_by"], answer["newer_version"]) == (None, [], None)


@pytest.mark.parametrize(
    "kind", ["service control policy", "permissions boundary", "resource-based policy", "identity-based policy"]
)
def test_nothing_is_offered_against_a_deny(explain: Any, kind: str) -> None:
    answer = explain(CONTROL.format(kind), "--policy", "AmazonEKS_CNI_Policy")
    assert (answer["smallest_statement"], answer["allowed_by"], answer["newer_version"]) == (None, [], None)
    assert any("explicit deny" in note for note in answer["notes"])


def test_a_session_policy_that_was_given_is_looked_at(explain: Any, tmp_path: Path) -> None:
    session_file = tmp_path / "session.json"
    session_file.write_text(json.dumps({"Statement": {"Effect": "Allow", "Action": "s3:List*", "Resource": "*"}}))
    request = ["--action", "s3:GetObject", "--resource", "arn:aws:s3:::logs/a", "--policy", "AmazonS3ReadOnlyAccess"]
    answer = explain(*request, "--session-policy", str(session_file))
    assert (answer["verdict"], answer["allowed_by"], answer["smallest_statement"]) == ("implicit-deny", [], None)
    assert {statement["layer"] for statement in answer["nearest"]} <= {"session"}
    assert "session policies" not in answer["not_looked_at"]
    answer = explain(*request, "--boundary", str(session_file))
    assert (answer["verdict"], answer["smallest_statement"]) == ("implicit-deny", None)
    assert any("permissions boundary" in note for note in answer["notes"])


def test_an_action_that_the_version_lacks(explain: Any) -> None:
    answer = explain("--action", "ec2:DescribeSecurityGroups", "--policy", "AmazonEKS_CNI_Policy@v5")
    assert answer["verdict"] == "implicit-deny"
    assert answer["newer_version"]["version"] == "v6"
    (nearest,) = answer["nearest"]
    (failure,) = nearest["failed"]
    assert failure["part"] == "action"
    assert "ec2:DescribeSubnets" in failure["wanted"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["hello"], "not a denial"),
        (["--action", "CreateVolume"], "not an action"),
        (["--action", "ec2:CreateVolume", "--resource", "volume/vol-1"], "not an ARN"),
        (["--action", "ec2:CreateVolume", "--principal", "me"], "not an ARN"),
        (["--action", "ec2:CreateVolume", "--context", "aws:ReqestTag/a=b"], "aws:RequestTag/"),
        (["--action", "ec2:CreateVolume", "--context", "Region=b"], "not a known condition key"),
        (["--action", "ec2:CreateVolume", "--context", "ec2:Region"], "is not KEY=VALUE"),
        (["--action", "ec2:CreateVolume", "--absent", "ec2:Regoin"], "not a known condition key"),
        (
            ["--action", "ec2:CreateVolume", "--context", "ec2:Region=a", "--absent", "EC2:region"],
            "both as absent and with a value",
        ),
        (
            ["Encoded authorization failure message: g4oZPBqZ"],
            "aws sts decode-authorization-message --encoded-message g4oZPBqZ ",
        ),
        (["Encoded authorization failure message: redacted"], "was taken out"),
        (["--action", "ec2:CreateVolume", "--policy", "./nosuch.json"], "cannot be read"),
        (["--action", "ec2:CreateVolume", "--policy", "role:node"], "--role NAME"),
        (["-", "--policy", "-"], "only once"),
        ([], "nothing to explain"),
    ],
)
def test_bad_input_gives_one_sentence(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert main(["explain", *arguments]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert says in output.err
    assert output.err.count("\n") == 1


def test_a_document_that_iam_refuses_gets_no_verdict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    twice = tmp_path / "twice.json"
    twice.write_text('{"Statement": [{"Effect": "Allow", "Action": "*", "Action": "s3:GetObject", "Resource": "*"}]}')
    trust = tmp_path / "trust.json"
    trust.write_text('{"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "*"}}')
    for path, place in ((twice, "Statement[0].Action: two elements"), (trust, "Statement[0].Principal: an identity")):
        for option in ("--policy", "--boundary", "--session-policy"):
            assert main(["explain", "--action", "s3:GetObject", option, str(path)]) == 2
            output = capsys.readouterr()
            assert (output.out, output.err.count("\n")) == ("", 1)
            assert f"{path}: {place}" in output.err
        monkeypatch.setattr("sys.stdin", io.StringIO(path.read_text()))
        assert main(["diff", "AmazonEKS_CNI_Policy", "-"]) == 2
        assert place in capsys.readouterr().err
    # AWS's own old documents are shown all the same.
    assert main(["show", "ViewOnlyAccess@v1"]) == 0
    output = capsys.readouterr()
    assert "'ec2: DescribeAccountAttributes'" in output.err
    assert "ec2" in output.out


def volume_event(*tags: tuple[str, str]) -> str:
    """CloudTrail's record of a denied CreateVolume, whose message says nothing."""
    specification = {"resourceType": "volume", "tags": [{"key": key, "value": value} for key, value in tags]}
    record = {
        **FLEET,
        "eventName": "CreateVolume",
        "errorMessage": "You are not authorized to perform this operation.",
        "userIdentity": {**FLEET["userIdentity"], "accountId": "111122223333"},  # type: ignore[dict-item]
        "recipientAccountId": "111122223333",
        "requestParameters": {"size": "4", "zone": "eu-west-1a", "tagSpecificationSet": {"items": [specification]}},
    }
    return json.dumps(record)


def test_the_tags_of_an_event_decide(explain: Any) -> None:
    answer = explain("--policy", "AmazonEBSCSIDriverPolicyV2", stdin=volume_event(("team", "shop")))
    assert (answer["verdict"], answer["resource"]) == (
        "implicit-deny", "arn:aws:ec2:eu-west-1:111122223333:volume/*",
    )  # fmt: skip
    assert failed_conditions(answer, "AmazonEBSCSIDriverPolicyV2") == [
        ("condition", "aws:RequestTag/ebs.csi.aws.com/cluster", [])
    ]
    answer = explain("--policy", "AmazonEBSCSIDriverPolicyV2", stdin=volume_event(("ebs.csi.aws.com/cluster", "true")))
    assert answer["verdict"] == "allowed"


def test_no_fix_is_offered_for_a_resource_that_is_cut_off(explain: Any, capsys: pytest.CaptureFixture[str]) -> None:
    message = (
        "User: arn:aws:sts::111122223333:assumed-role/node/i-0 is not authorized to perform: ecr:BatchGetImage on resource: "
        "arn:aws:ecr:eu-west-1:111122223333:repository/{} because no identity-based policy allows the ecr:BatchGetImage action"
    )
    whole_answer, cut_answer = explain(message.format("team/app")), explain(message.format(""))
    assert whole_answer["fixes"]
    assert whole_answer["smallest_statement"]
    assert (cut_answer["fixes"], cut_answer["smallest_statement"], cut_answer["allowed_by"]) == ([], None, [])
    assert (cut_answer["verdict"], cut_answer["resource"]) == ("implicit-deny", None)
    assert main(["explain", "--full", message.format("")]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "The ARN of the resource is cut off after repository/: for a fix, paste the message with all of it." in text
    assert "repository/, which the message cuts off" in text


def test_many_denials_are_a_table_and_repeats_one_row(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    message = "User: arn:aws:sts::111122223333:assumed-role/node/i-0{0} is not authorized to perform: {1} on resource: {2}{0}\n"
    interface, role = "arn:aws:ec2:eu-west-1:111122223333:network-interface/eni-0", "arn:aws:iam::111122223333:role/a"
    messages = "".join(message.format(number, "ec2:DeleteNetworkInterface", interface) for number in range(60))
    forbidden = 'pods is forbidden: User "jo" cannot list resource "pods" in API group "" in the namespace "shop"\n'
    encoded_message = "UnauthorizedOperation: You are not authorized to perform this operation. Encoded authorization failure message: ***\n"
    log = f"{forbidden}{messages}{encoded_message}{message.format(1, 'iam:PassRole', role)}"
    monkeypatch.setattr("sys.stdin", io.StringIO(log))
    assert main(["explain"]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines() if line]
    assert lines == [
        "63 denials, 4 different",
        "WHO ACTION ON VERDICT",
        "1 × jo k8s:list:pods pods forbidden",
        "60 × node ec2:DeleteNetworkInterface network-interface denied",
        "1 × not named denied",
        "1 × node iam:PassRole role denied",
        "--full explains each of them",
    ]
    monkeypatch.setattr("sys.stdin", io.StringIO(log))
    assert main(["explain", "--full"]) == 0
    output = capsys.readouterr().out
    assert "60 times, on 60 resources" in output
    assert "DENIED  the message does not name the action" in output
    monkeypatch.setattr("sys.stdin", io.StringIO(log))
    assert main(["explain", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["read"], answer["merged"], [reply["times"] for reply in answer["answers"]]) == (
        63,
        59,
        [1, 60, 1, 1],
    )
    assert len(answer["answers"][1]["resources"]) == 60


def test_what_a_long_log_repeats_is_counted(explain: Any) -> None:
    """Of more than is read, lines that are alike are read once; an error on two lines is one denial all the same."""
    message = (
        "10:00:0{0} User: arn:aws:sts::111122223333:assumed-role/node/i-0{0} is not authorized to perform: {1} "
        "on resource: arn:aws:ec2:eu-west-1:111122223333:network-interface/eni-0{0}\n"
    )
    call = "10:00:0{0} operation error EC2: DeleteNetworkInterface, api error UnauthorizedOperation:\n"
    message_without_arn = (
        "10:00:0{0} UnauthorizedOperation: You are not authorized to perform this operation. "
        "Encoded authorization failure message: ***\n"
    )
    forbidden = '10:00:0{0} pods is forbidden: User "jo" cannot list resource "pods" in API group ""\n'
    once = message.replace("node", "web").format(1, "ec2:CreateTags")
    log = "".join(
        call.format(number)
        + message.format(number, "ec2:DeleteNetworkInterface")
        + forbidden.format(number)
        + message_without_arn.format(number)
        + "10:00:00 nothing to say\n"
        for number in range(7)
    )
    short_answer = explain(stdin=log + once)
    long_answer = explain(stdin=log + once + "10:00:00 nothing to say\n" * 9_000)
    for answer in (short_answer, long_answer):
        assert (answer["read"], answer["merged"]) == (22, 18)
        assert [reply["times"] for reply in answer["answers"]] == [7, 7, 7, 1]


def test_a_table_calls_denied_what_was_denied(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the explanations below it do, even where the policies looked at allow it, or may; what is always allowed is not."""
    message = "User: arn:aws:sts::111122223333:assumed-role/{}/i-0 is not authorized to perform: {} on resource: {}\n"
    requests = (
        ("prod-vpc-cni", "ec2:DescribeInstances", "*"),
        ("prod-ebs-csi", "ec2:CreateVolume", "arn:aws:ec2:eu-west-1:111122223333:volume/*"),
        ("prod-ebs-csi", "sts:GetCallerIdentity", "*"),
    )
    log = "".join(message.format(*request) for request in requests)
    monkeypatch.setattr("sys.stdin", io.StringIO(log))
    assert main(["explain", "--demo"]) == 0
    rows = [line.split("  ")[-1] for line in capsys.readouterr().out.splitlines() if " × " in line]
    assert rows == ["denied elsewhere", "denied, it depends", "allowed"]


def test_a_file_in_the_place_of_a_message_is_shown_the_way(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    log = tmp_path / "a b.log"
    log.write_text("anything")
    assert main(["explain", str(log)]) == 2
    assert capsys.readouterr().err.rstrip().endswith(f"ekstui explain - < '{log}'")


def test_every_denial_of_a_text_is_answered(explain: Any) -> None:
    tags = SNAPSHOT.replace("ec2:CreateVolume", "ec2:CreateTags")
    answer = explain("--policy", "AmazonEKSClusterPolicy", stdin=f"{SNAPSHOT}\n{SESSION}\n{SNAPSHOT}\n{tags}")
    assert set(answer) == {"schema", "data", "answers", "read", "merged"}
    assert (answer["read"], answer["merged"], [reply["times"] for reply in answer["answers"]]) == (4, 1, [2, 1, 1])
    assert [reply["action"] for reply in answer["answers"]] == ["ec2:CreateVolume", "s3:GetObject", "ec2:CreateTags"]
    assert answer["answers"][1]["cause"]["policy_type"] == "session"


def test_nearest_statements_are_of_policies_that_are_in_force(explain: Any) -> None:
    assert explain(SNAPSHOT)["nearest"] == []
    answer = explain(SNAPSHOT, "--policy", "AmazonEKSWorkerNodePolicy")
    assert {statement["policy"] for statement in answer["nearest"]} <= {"AmazonEKSWorkerNodePolicy"}


@pytest.mark.parametrize(
    "action", ["ecr:BatchImportUpstreamImage", "ec2:AssignPrivateIpAddresses", "eks:DescribeCluster"]
)
def test_what_would_allow_it_is_of_eks_first_and_gives_little_else_first(
    explain: Any, action: str, capsys: pytest.CaptureFixture[str]
) -> None:
    policies = explain("--action", action)["allowed_by"]
    scopes = [entry["scope"] for entry in policies]
    assert scopes == sorted(scopes, reverse=True)
    counts = []
    for entry in policies:
        if entry["scope"] == "eks" and not entry["wildcard"]:
            assert main(["show", entry["policy"], "--json"]) == 0
            policy = json.loads(capsys.readouterr().out)
            if policy["policy"] != "AmazonEKSServicePolicy":  # superseded
                counts.append(sum(len(service["actions"]) for service in policy["services"]))
    assert counts == sorted(counts)
    # In text a handful, however many there are.
    assert main(["explain", "--action", action]) == 0
    assert capsys.readouterr().out.count(" since v") <= 6


def test_a_newer_version_is_the_one_that_really_allows_it(explain: Any) -> None:
    rule = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener-rule/app/a/1/2/3"
    request = ["--action", "elasticloadbalancing:SetRulePriorities", "--resource", rule]
    answer = explain(*request, "--policy", "AmazonEKSLoadBalancingPolicy@v7")
    # v8 has the action too, but only for rules with the cluster's tag.
    assert answer["newer_version"]["version"] == "v9"
    earlier = answer["newer_version"]["conditional"]
    assert (earlier["version"], earlier["depends_on"][0]) == ("v8", "aws:ResourceTag/eks:eks-cluster-name")
    assert explain(*request, "--policy", "AmazonEKSLoadBalancingPolicy@v8")["newer_version"]["version"] == "v9"


def test_a_newer_grant_with_a_condition_is_said_beside_an_older_one_with_another(explain: Any) -> None:
    # aws-load-balancer-controller 3339: until v2.4.6 it may tag only what has the cluster's tag already.
    group = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/k8s-web-abc/50dc6c495c0c9188"
    request = ["--action", "elasticloadbalancing:AddTags", "--resource", group]
    newer = explain(*request, "--policy", "aws-load-balancer-controller@v2.4.6")["newer_version"]
    assert newer["version"] == "v2.4.7"
    assert newer["depends_on"] == ["aws:RequestTag/elbv2.k8s.aws/cluster", "elasticloadbalancing:CreateAction"]
    assert explain(*request, "--policy", "aws-load-balancer-controller@v2.4.7")["newer_version"] is None


def test_a_verdict_is_what_the_message_says(explain: Any, capsys: pytest.CaptureFixture[str]) -> None:
    message = SESSION.replace(
        "because no session policy allows the s3:GetObject action", "with an explicit deny in a {} policy"
    )
    for kind, policy_type in (("service control", "service-control"), ("resource control", "resource-control")):
        answer = explain(message.format(kind), "--policy", "AmazonS3ReadOnlyAccess")
        assert (answer["verdict"], answer["cause"]["policy_type"]) == ("explicit-deny", policy_type)
        assert (answer["nearest"], answer["missing_context"]) == ([], [])
        assert main(["explain", message.format(kind), "--policy", "AmazonS3ReadOnlyAccess"]) == 0
        headline = capsys.readouterr().out.split("\n\n")[0]
        assert " ".join(headline.split()).startswith("DENIED s3:GetObject on ")
        assert f"a {kind} policy denies it explicitly" in " ".join(headline.split())
    assert main(["explain", message.format("identity-based")]) == 0
    assert "an explicit deny in an identity policy" in " ".join(capsys.readouterr().out.split())


# What a node itself calls: the kubelet's pulls (amazon-ecr-credential-provider), the CNI where it has no role of its own.
@pytest.mark.parametrize(
    ("action", "is_a_node_s"),
    [("ecr:BatchGetImage", True), ("ecr:GetAuthorizationToken", True), ("ec2:AttachNetworkInterface", True),
     ("s3:GetObject", False), ("route53:ChangeResourceRecordSets", False)],
)  # fmt: skip
def test_a_node_s_own_calls_are_not_taken_for_a_pod_s(explain: Any, action: str, *, is_a_node_s: bool) -> None:
    answer = explain(
        f"User: arn:aws:sts::111122223333:assumed-role/node/i-0123456789abcdef0 is not authorized to perform: {action} on "
        f"resource: * because no identity-based policy allows the {action} action"
    )
    assert any("role of its own" in note for note in answer["notes"]) is not is_a_node_s


def test_nobody_is_offered_an_identity_policy_before_having_an_identity(explain: Any) -> None:
    answer = explain("AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity")
    assert (answer["cause"], answer["allowed_by"], answer["smallest_statement"]) == (None, [], None)
    assert not any("message says that no" in note for note in answer["notes"])


def test_nothing_is_offered_to_a_request_that_nobody_signed(explain: Any) -> None:
    answer = explain("User: anonymous is not authorized to perform: es:ESHttpGet")
    assert (answer["allowed_by"], answer["smallest_statement"], answer["newer_version"]) == ([], None, None)
    assert any("Nobody signed" in note for note in answer["notes"])


def test_a_message_that_leaves_the_reason_open_is_not_said_to_give_one(
    explain: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    message = (
        "User: arn:aws:iam::111122223333:user/a is not authorized to perform: kms:Decrypt on the resource associated with "
        "this ciphertext because the resource does not exist in this Region, no resource-based policies allow access, or a "
        "resource-based policy explicitly denies access"
    )
    assert (explain(message)["allowed_by"], explain(message)["smallest_statement"]) == ([], None)
    assert main(["explain", message]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "leaves open" in text
    assert "says that no" not in text


def test_the_commands_give_the_principal_what_it_lacks_and_nothing_else(explain: Any) -> None:
    answer = explain(SNAPSHOT)
    attach, put_command = map(shlex.split, answer["commands"])
    assert attach[2:] == [
        "attach-role-policy", "--role-name", "ebs-csi", "--policy-arn",
        "arn:aws:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy",
    ]  # fmt: skip
    assert put_command[2:5] == ["put-role-policy", "--role-name", "ebs-csi"]
    # IAM refuses a bare statement: a policy document has a version and statements.
    document = json.loads(put_command[-1])
    assert document == {"Version": "2012-10-17", "Statement": [answer["smallest_statement"]]}
    # Nobody but IAM Identity Center or a service changes such a role, and nothing is given on resources nobody named.
    for principal in ("AWSReservedSSO_Admin_0123456789abcdef", "AWSServiceRoleForAmazonEKS"):
        owned = explain(SNAPSHOT.replace("assumed-role/ebs-csi/", f"assumed-role/{principal}/"))
        assert owned["commands"] == []
        assert any("permission set" in note for note in owned["notes"]) is principal.startswith("AWSReservedSSO_")
    answer_without_policy = explain(
        "User: arn:aws:iam::111122223333:user/jo is not authorized to perform: s3:GetObject"
    )
    assert (answer_without_policy["smallest_statement"]["Resource"], answer_without_policy["commands"]) == (["*"], [])


def test_nothing_is_given_for_a_part_of_an_action(explain: Any) -> None:
    for cut_action in ("ec2:CreateVo", "s3:Get"):
        answer = explain(f"User: arn:aws:iam::111122223333:user/jo is not authorized to perform: {cut_action}")
        assert (answer["allowed_by"], answer["smallest_statement"], answer["commands"]) == ([], None, [])
    # AWS names an action twice that is newer than the reference.
    new = explain(
        "User: arn:aws:iam::111122223333:user/jo is not authorized to perform: ec2:DoNewThings on resource: * because no "
        "identity-based policy allows the ec2:DoNewThings action"
    )
    assert new["smallest_statement"]["Action"] == ["ec2:DoNewThings"]


@pytest.mark.parametrize(
    ("action", "named", "pattern"),
    [
        ("secretsmanager:GetSecretValue", "prod/db", "arn:aws:secretsmanager:*:111122223333:secret:prod/db-??????"),
        ("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db",
         "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-??????"),
        ("ssm:GetParameter", "/prod/db", "arn:aws:ssm:*:111122223333:parameter/prod/db"),
        ("dynamodb:GetItem", "orders", "arn:aws:dynamodb:*:111122223333:table/orders"),
        ("kms:Decrypt", "alias/prod", "*"),
    ],
)  # fmt: skip
def test_a_resource_that_is_named_alone_gets_a_statement_of_its_own(
    explain: Any, action: str, named: str, pattern: str
) -> None:
    answer = explain(
        f"User: arn:aws:sts::111122223333:assumed-role/app/1 is not authorized to perform: {action} on resource: {named} "
        f"because no identity-based policy allows the {action} action"
    )
    assert answer["smallest_statement"]["Resource"] == [pattern]
    assert any("put-role-policy" in command for command in answer["commands"]) is (pattern != "*")


def test_every_action_that_is_asked_about_is_answered(explain: Any) -> None:
    pull = ["ecr:BatchGetImage", "ecr:BatchImportUpstreamImage"]
    answers = explain("--policy", "AmazonEC2ContainerRegistryReadOnly@v3", "--action", pull[0], "--action", pull[1])[
        "answers"
    ]
    assert [(answer["action"], answer["verdict"]) for answer in answers] == [
        (pull[0], "allowed"),
        (pull[1], "implicit-deny"),
    ]


def test_a_long_log_is_read_for_its_denials(
    explain: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = '{"level":"info","ts":"2026-12-01T03:02:%02dZ","msg":"discovered instance types","count":"%d"}\n'
    denied = '{"level":"error","ts":"2026-12-01T03:%02d:10Z","error":"User: %s is not authorized to perform: %s because no identity-based policy allows the %s action"}\n'
    who = "arn:aws:sts::111122223333:assumed-role/karpenter/%d"
    log = "".join(
        noise % (number % 60, number)
        + (denied % (number % 60, who % number, action, action) if number % 50 == 0 else "")
        for number in range(6_000)
        for action in ("iam:ListInstanceProfiles" if number < 4_000 else "pricing:GetProducts",)
    )
    assert len(log) > 400_000
    answers = explain(stdin=log)["answers"]
    assert [answer["action"] for answer in answers] == ["iam:ListInstanceProfiles", "pricing:GetProducts"]
    monkeypatch.setattr("sys.stdin", io.StringIO(log))
    assert main(["explain"]) == 0
    assert "2 of 6,120 lines" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin", io.StringIO((noise % (1, 1)) * 5_000))
    assert main(["explain"]) == 2
    assert "none of the 5,000 lines is a denial" in capsys.readouterr().err


def test_tags_of_what_is_made_allow_nothing_on_what_is_there(explain: Any, capsys: pytest.CaptureFixture[str]) -> None:
    key = "aws:RequestTag/ebs.csi.aws.com/cluster"
    driver = ["--policy", "AmazonEBSCSIDriverPolicy@v2"]
    # The driver does send the tag, and the snapshot was denied all the same (aws-ebs-csi-driver 2190).
    answer = explain(SNAPSHOT, *driver, "--context", f"{key}=true")
    assert answer["verdict"] != "allowed"
    assert answer["newer_version"]["version"] == "v3"
    assert main(["explain", SNAPSHOT, *driver, "--full"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "ADD" not in text
    assert text.index("AmazonEBSCSIDriverPolicy v3 (2025-01-13)") < text.index("nearest statements")
    # On the volume that is made they are its own.
    volume = SNAPSHOT.replace(
        "arn:aws:ec2:eu-west-1::snapshot/snap-0123456789abcdef0", "arn:aws:ec2:eu-west-1:111122223333:volume/*"
    )
    assert explain(volume, *driver, "--context", f"{key}=true")["verdict"] == "allowed"


REQUEST_TAG = "aws:RequestTag/a"


@pytest.mark.parametrize(("resource", "condition", "effect", "context", "says"), [
    ("*", {"StringLike": {REQUEST_TAG: "b"}}, "Allow", [], "cover only the new volume"),
    ("*", {"StringLike": {REQUEST_TAG: "b"}}, "Allow", ["--context", f"{REQUEST_TAG}=b"], "cover only the new volume"),
    ("*", {"StringLike": {REQUEST_TAG: "b"}}, "Allow", ["--context", f"{REQUEST_TAG}=c"], "cover only the new volume"),
    # Without the key these hold (IAM User Guide, "Condition operators"), so the Allow allows, or the Deny denies.
    ("*", {"StringNotEquals": {REQUEST_TAG: "b"}}, "Allow", [], "it depends on"),
    ("*", {"StringEqualsIfExists": {REQUEST_TAG: "b"}}, "Allow", [], "it depends on"),
    ("*", {"Null": {REQUEST_TAG: "true"}}, "Allow", [], "it depends on"),
    ("*", {"ForAllValues:StringEquals": {"aws:TagKeys": "a"}}, "Allow", [], "it depends on"),
    ("*", {"Null": {REQUEST_TAG: "true"}}, "Deny", [], "it depends on"),
    # Here no tag of anything would help.
    ("arn:aws:ec2:*:*:volume/*", {"StringLike": {REQUEST_TAG: "b"}}, "Allow", ["--context", f"{REQUEST_TAG}=b"],
     "only on other resources"),
])  # fmt: skip
def test_tags_of_what_is_made_are_blamed_only_where_they_decide(
    resource: str, condition: Any, effect: str, context: list[str], says: str,
    tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    statement = {"Effect": effect, "Action": "ec2:CreateVolume", "Resource": resource, "Condition": condition}
    free = {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"Statement": [statement] if effect == "Allow" else [statement, free]}))
    assert main(["explain", SNAPSHOT, "--policy", str(path), *context]) == 0
    first, *others = capsys.readouterr().out.split("\n\n")
    assert says in " ".join(first.split())
    assert ("cannot allow it there" in " ".join(" ".join((first, *others)).split())) == (
        says == "cover only the new volume"
    )


def test_the_tag_that_is_refused_is_named_first(explain: Any, capsys: pytest.CaptureFixture[str]) -> None:
    launch = [
        "--action", "ec2:RunInstances", "--resource", "arn:aws:ec2:eu-west-1:111122223333:instance/*",
        "--policy", "AmazonEKSComputePolicy", *context_options(*TAGS, "aws:TagKeys=cost-centre"),
    ]  # fmt: skip
    answer = explain(*launch)
    assert answer["verdict"] == "implicit-deny"
    assert [failure["part"] for failure in answer["nearest"][0]["failed"]] == ["condition"]
    assert any(note.startswith("Refused for the tag cost-centre:") for note in answer["notes"])
    # The remedy keeps what the statement asks for besides: it lets the tag pass, and nothing else.
    assert answer["smallest_statement"]["Condition"]["StringEquals"] == {
        "aws:RequestTag/eks:eks-cluster-name": ["${aws:PrincipalTag/eks:eks-cluster-name}"]
    }
    assert "aws:TagKeys" not in json.dumps(answer["smallest_statement"])
    assert [symptom["symptom"] for symptom in answer["symptoms"]] == [
        "Auto Mode launches no nodes once the NodeClass has tags of your own"
    ]
    assert main(["explain", *launch, "--full"]) == 0
    assert "refused: cost-centre" in " ".join(capsys.readouterr().out.split())


def test_what_hangs_on_something_else_is_not_crossed_out(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    resource = "arn:aws:s3:::${aws:PrincipalTag/team}/*"
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": resource}
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"Version": "2012-10-17", "Statement": statement}))
    request = ["explain", "--action", "s3:GetObject", "--resource", "arn:aws:s3:::a/b", "--policy", str(path), "--full"]
    assert main(request) == 0
    assert f"? Resource {resource}" in capsys.readouterr().out
    assert main([*request, "--absent", "aws:PrincipalTag/team"]) == 0
    assert f"✗ Resource {resource}" in capsys.readouterr().out


def test_a_variable_that_the_request_lacks_equals_nothing(explain: Any) -> None:
    # AWS's own: each statement about volumes compares a tag with ${aws:PrincipalTag/eks-cluster-name}.
    request = [
        "--action", "ec2:DeleteVolume", "--resource", "arn:aws:ec2:eu-west-1:111122223333:volume/vol-1",
        "--policy", "AmazonEBSCSIDriverEKSClusterScopedPolicy",
    ]  # fmt: skip
    answer = explain(*request)
    assert answer["verdict"] == "depends"
    assert "aws:PrincipalTag/eks-cluster-name" in answer["missing_context"]
    # Whatever the volume's tag is.
    assert explain(*request, "--absent", "aws:PrincipalTag/eks-cluster-name")["verdict"] == "implicit-deny"
    assert explain(*request, "--absent", "aws:PrincipalTag/*")["verdict"] == "implicit-deny"


def test_the_words_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["explain", SNAPSHOT, "--policy", "AmazonEBSCSIDriverPolicy@v2", "--full"]
    assert main([*command, "--absent", "aws:RequestTag/*"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert ": the policies allow it only" in text
    assert "StringLike true; the request does not have the key" in text
    assert "AmazonEBSCSIDriverPolicy v3 (2025-01-13); in force is v2" in text
    assert "AmazonEBSCSIDriverPolicyV2 v1 since v1 (2026-04-16) for add-on roles" in text
    assert "AmazonEKSClusterPolicy" not in text
    assert "\x1b" not in text
    assert text.count("aws sts decode-authorization-message --encoded-message LGmRZ8lY") == 1
    assert main(["explain", SNAPSHOT.partition("Encoded")[0]]) == 0
    assert "decode" not in capsys.readouterr().out


def test_what_a_message_holds_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    hostile = (
        "User: arn:\x1b]0;x\x07y is not authorized to perform: ec2:RunInstances on resource: arn:aws:ec2:::\x9b2Jz"
    )
    assert main(["explain", hostile]) == 0
    assert not {"\x1b", "\x07", "\x9b"} & set(capsys.readouterr().out)


def test_a_role_of_the_account_and_iam_s_own_simulator(explain: Any, lasting_rig: "Rig") -> None:
    lasting_rig.reset(0)
    session = "arn:aws:sts::123456789012:assumed-role/prod-node/i-0123456789abcdef0"
    message = (
        f"User: {session} is not authorized to perform: ec2:CreateTags on resource: "
        "arn:aws:ec2:eu-west-1:123456789012:instance/i-1 because no identity-based policy allows the ec2:CreateTags action"
    )
    lasting_rig.world.simulation = lambda request: [
        {
            "EvalActionName": request["ActionNames"][0],
            "EvalResourceName": request["ResourceArns"][0],
            "EvalDecision": "implicitDeny",
            "MissingContextValues": ["aws:RequestTag/a"],
        }
    ]
    answer = explain(message, "--role", session, "--simulate", "--context", "ec2:Region=eu-west-1")
    assert answer["verdict"] in ("implicit-deny", "depends")
    assert answer["nearest"], "the role's own statements"
    assert not [text for text in answer["not_looked_at"] if "identity policies" in text]
    assert {use["kind"] for use in answer["used_by"]} & {"nodegroup", "self-managed-node", "karpenter-node"}
    assert answer["simulated"] == [
        {
            "action": "ec2:CreateTags",
            "resource": "arn:aws:ec2:eu-west-1:123456789012:instance/i-1",
            "decision": "implicitDeny",
            "missing_context": ["aws:RequestTag/a"],
            "matched": [],
            "allowed_by_organisation": None,
            "allowed_by_boundary": None,
        }
    ]


def test_the_simulator_needs_a_role(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--action", "ec2:CreateTags", "--simulate"]) == 2
    assert "--role" in capsys.readouterr().err
    assert main(["explain", "--action", "ec2:CreateTags", "--role", "x", "--offline"]) == 3


def test_the_simulator_is_not_asked_offline(
    explain: Any, lasting_rig: "Rig", capsys: pytest.CaptureFixture[str]
) -> None:
    lasting_rig.reset(0)
    assert explain("--action", "ec2:CreateTags", "--role", "prod-node")["verdict"]
    lasting_rig.world.simulation = lambda request: pytest.fail("AWS was asked")
    assert main(["explain", "--action", "ec2:CreateTags", "--role", "prod-node", "--simulate", "--offline"]) == 3
    assert "IAM's simulator has to be asked in AWS." in capsys.readouterr().err


def test_the_session_policy_of_an_association_is_found_in_the_account(explain: Any, lasting_rig: "Rig") -> None:
    lasting_rig.reset(0)
    session = "arn:aws:sts::123456789012:assumed-role/prod-reports/eks-prod-writer-7f6d8c9b5-1b2c3d4e"
    message = (
        f"An error occurred (AccessDenied) when calling the PutObject operation: User: {session} is not authorized to perform: "
        's3:PutObject on resource: "arn:aws:s3:::acme-reports/2026/a.csv" because no session policy allows the s3:PutObject action'
    )
    answer = explain(message, "--role", session)
    # The role's own policy allows s3:*; the association's allows reading only.
    assert answer["verdict"] == "implicit-deny"
    (nearest,) = answer["nearest"]
    assert (nearest["layer"], nearest["policy"]) == (
        "session", "session policy of the Pod Identity association reports/writer of prod",
    )  # fmt: skip
    assert [(failure["part"], failure["wanted"]) for failure in nearest["failed"]] == [("action", ["s3:GetObject"])]
    assert (answer["smallest_statement"], answer["allowed_by"]) == (None, [])
    assert [(use["kind"], use["service_account"]) for use in answer["used_by"]] == [("pod-identity", "writer")]
    assert "session policies" not in answer["not_looked_at"]
    arguments = [
        "--action",
        "s3:GetObject",
        "--resource",
        "arn:aws:s3:::acme-reports/2026/a.csv",
        "--role",
        "prod-reports",
    ]
    assert explain(*arguments)["verdict"] == "allowed"


def test_the_boundary_of_a_role_is_found_in_the_account(explain: Any, lasting_rig: "Rig") -> None:
    lasting_rig.reset(0)
    # The boundary, AmazonEKSClusterPolicy, holds no action of STS, whatever the role itself is given.
    target = ["--action", "sts:AssumeRole", "--resource", "*", "--role", "prod-orders"]
    answer = explain(*target)
    assert answer["verdict"] == "implicit-deny"


def test_bytes_that_are_no_text(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xff\xfe\x00"), encoding="utf-8"))
    assert main(["explain", "-"]) == 2
    assert capsys.readouterr().err == "ekstui: Standard input is not UTF-8 text.\n"


def organization(folder: Path) -> Path:
    """Two levels: the root allows everything, the unit allows everything and denies what is outside of a region."""
    full_access = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    outside = {
        "Sid": "Regions", "Effect": "Deny", "NotAction": ["iam:*"], "Resource": "*",
        "Condition": {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}},
    }  # fmt: skip
    for name, statement in (
        ("root/full", full_access),
        ("root/unit/full", full_access),
        ("root/unit/regions", outside),
    ):
        path = folder / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"Version": "2012-10-17", "Statement": [statement]}), encoding="utf-8")
    return folder / "root"


KARPENTER = (
    "User: arn:aws:sts::111122223333:assumed-role/karpenter/1 is not authorized to perform: ec2:RunInstances on resource: "
    "arn:aws:ec2:us-east-1:111122223333:instance/* with an explicit deny in a service control policy"
)


def test_the_statement_of_the_service_control_policy_that_a_message_blames(explain: Any, tmp_path: Path) -> None:
    answer = explain(KARPENTER, "--scp", str(organization(tmp_path)), "--context", "aws:RequestedRegion=us-east-1")
    assert answer["verdict"] == "explicit-deny"
    assert [(statement["policy"], statement["sid"], statement["layer"]) for statement in answer["nearest"]] == [
        ("regions", "Regions", "service-control")
    ]
    assert [(layer["layer"], layer["level"], layer["verdict"]) for layer in answer["layers"]] == [
        ("service-control", "root", "allowed"), ("service-control", "unit", "explicit-deny"), ("identity", None, "depends"),
    ]  # fmt: skip
    assert answer["layers"][1]["decided_by"]["sid"] == "Regions"
    assert "service control policies" not in answer["not_looked_at"]
    assert "resource control policies" in answer["not_looked_at"]
    assert any("neither the management account nor service-linked roles" in note for note in answer["notes"])


@pytest.mark.parametrize(
    ("region", "verdict"), [("us-east-1", "explicit-deny"), ("eu-west-1", "allowed"), (None, "depends")]
)
def test_each_level_has_its_verdict(explain: Any, tmp_path: Path, region: str | None, verdict: str) -> None:
    told_region = [] if region is None else ["--context", f"aws:RequestedRegion={region}"]
    options = [
        "--policy",
        "AmazonEKSClusterPolicy@v10",
        "--action",
        "ec2:DescribeInstances",
        "--resource",
        "*",
        *told_region,
    ]
    answer = explain(*options, "--scp", str(organization(tmp_path)))
    assert answer["verdict"] == verdict
    assert answer["missing_context"] == (["aws:RequestedRegion"] if verdict == "depends" else [])
    assert answer["layers"][-1]["verdict"] == "allowed"
    # No identity policy helps where the organization's decide or leave it open.
    assert not answer["allowed_by"] and not answer["fixes"]


def test_a_resource_control_policy_denies_the_bearer_of_a_token_too(explain: Any, tmp_path: Path) -> None:
    role = "arn:aws:iam::111122223333:role/app"
    trust, rcp = tmp_path / "trust.json", tmp_path / "rcp.json"
    provider = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/ABC"
    statement = {
        "Effect": "Allow", "Principal": {"Federated": provider}, "Action": "sts:AssumeRoleWithWebIdentity",
    }  # fmt: skip
    trust.write_text(json.dumps({"Version": "2012-10-17", "Statement": statement}), encoding="utf-8")
    deny = {"Sid": "No", "Effect": "Deny", "Principal": "*", "Action": "sts:*", "Resource": "*"}
    rcp.write_text(json.dumps({"Version": "2012-10-17", "Statement": deny}), encoding="utf-8")
    options = [
        "--action", "sts:AssumeRoleWithWebIdentity", "--resource", role, "--trust", str(trust), "--context",
        f"aws:FederatedProvider={provider}",
    ]  # fmt: skip
    assert explain(*options)["verdict"] == "allowed"
    answer = explain(*options, "--rcp", str(rcp))
    assert answer["verdict"] == "explicit-deny"
    assert answer["layers"][0]["decided_by"]["sid"] == "No"
    # Service control policies restrict no bearer of a token.
    assert explain(*options, "--scp", str(organization(tmp_path)))["verdict"] == "allowed"


@pytest.mark.parametrize(
    ("option", "text", "wrong"),
    [
        ("--scp", None, "has no policies"),
        (
            "--scp",
            '{"Statement": {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}}',
            "no principal",
        ),
        ("--rcp", '{"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}', 'is "*"'),
        ("--rcp", '{"Statement": {"Effect": "Deny", "Principal": "*", "Action": "*"}}', "neither"),
        ("--scp", "{", "not JSON"),
    ],
)
def test_organization_policies_that_cannot_be_read(
    option: str, text: str | None, wrong: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if text is not None:
        (tmp_path / "policy.json").write_text(text, encoding="utf-8")
    assert main(["explain", "--action", "ec2:RunInstances", option, str(tmp_path)]) == 2
    assert wrong in capsys.readouterr().err


def test_a_service_control_policy_as_the_command_line_prints_it(explain: Any, tmp_path: Path) -> None:
    document = {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "ec2:*", "Resource": "*"}}
    path = tmp_path / "deny.json"
    printed_policy = {"Policy": {"PolicySummary": {"Name": "deny"}, "Content": json.dumps(document)}}
    path.write_text(json.dumps(printed_policy), encoding="utf-8")
    options = ["--policy", "AmazonEKSClusterPolicy", "--resource", "*", "--scp", str(path)]
    assert explain(*options, "--action", "ec2:DescribeInstances")["verdict"] == "explicit-deny"
    answer = explain(*options, "--action", "kms:DescribeKey")
    assert (answer["verdict"], answer["layers"][0]["level"]) == ("implicit-deny", None)
    assert any("FullAWSAccess" in note for note in answer["notes"])


KEY = "arn:aws:kms:eu-west-1:111122223333:key/abc"
DECRYPT = (
    "User: arn:aws:sts::111122223333:assumed-role/app/1 is not authorized to perform: kms:Decrypt on resource: "
    f"{KEY} because no resource-based policy allows the kms:Decrypt action"
)


def printed(document: dict[str, Any], form: str) -> object:
    """A policy as the command of a service prints it."""
    text = json.dumps(document)
    return {
        "kms": {"Policy": text, "PolicyName": "default"},
        "sqs": {"Attributes": {"Policy": text}},
        "ecr": {"registryId": "111122223333", "repositoryName": "app", "policyText": text},
        "secretsmanager": {"ARN": "arn:…", "Name": "app", "ResourcePolicy": text},
        "bare": document,
    }[form]


@pytest.mark.parametrize("form", ["kms", "sqs", "ecr", "secretsmanager", "bare"])
def test_the_policy_of_the_resource_that_a_message_blames(explain: Any, tmp_path: Path, form: str) -> None:
    statement = {
        "Sid": "Admins", "Effect": "Allow", "Action": "kms:*", "Resource": "*",
        "Principal": {"AWS": "arn:aws:iam::111122223333:role/admin"},
    }  # fmt: skip
    path, own = tmp_path / "key.json", tmp_path / "own.json"
    path.write_text(json.dumps(printed({"Version": "2012-10-17", "Statement": statement}, form)), encoding="utf-8")
    own.write_text(
        json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}),
        encoding="utf-8",
    )
    answer = explain(DECRYPT, "--policy", str(own), "--resource-policy", str(path))
    assert [(layer["layer"], layer["verdict"]) for layer in answer["layers"]] == [
        ("resource", "implicit-deny"), ("identity", "allowed"),
    ]  # fmt: skip
    ((part, _, values),) = failed_conditions(answer, "key")
    assert (part, values) == ("principal", ["arn:aws:sts::111122223333:assumed-role/app/1"])
    assert "grants of the KMS key" in answer["not_looked_at"]
    assert not any("key policy" in note for note in answer["not_looked_at"])
    # Asked about without a message, the policies decide it, and no identity policy is offered for what the key denies.
    caller = "arn:aws:iam::111122223333:role/app"
    options = ["--policy", str(own), "--resource-policy", str(path), "--principal", caller]
    asked = explain("--action", "kms:Decrypt", "--resource", KEY, *options)
    assert (asked["verdict"], asked["allowed_by"], asked["fixes"]) == ("implicit-deny", [], [])
    admin = explain("--action", "kms:Decrypt", "--resource", KEY, *options[:-1], caller.replace("app", "admin"))
    assert (admin["verdict"], admin["must_allow_too"]) == ("allowed", None)


def test_every_layer_from_one_folder_of_iam_collect(explain: Any, tmp_path: Path) -> None:
    base, full_access = tmp_path / "aws" / "aws", {"Effect": "Allow", "Action": "*", "Resource": "*"}
    org, account = base / "organizations" / "o-1", base / "accounts" / "111122223333"
    for path, value in (
        (org / "metadata.json", {"rootAccountId": "999999999999"}),
        (org / "ous.json", {"r-1": {"scps": ["arn:…/p-a"], "rcps": []}}),
        (org / "accounts.json", {"111122223333": {"ou": "r-1", "scps": ["arn:…/p-a"], "rcps": ["arn:…/p-r"]}}),
        (org / "scps" / "p-a" / "policy.json", {"Statement": full_access}),
        (org / "rcps" / "p-r" / "policy.json", {"Statement": {**full_access, "Sid": "R", "Effect": "Deny", "Action": "s3:Put*", "Principal": "*"}}),
        (account / "s3" / "logs" / "metadata.json", {"arn": "arn:aws:s3:::logs"}),
        (account / "s3" / "logs" / "policy.json", {"Statement": {**full_access, "Principal": {"AWS": "111122223333"}}}),
    ):  # fmt: skip
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(value), encoding="utf-8")
    options = [
        word for option in ("--scp", "--rcp", "--resource-policy") for word in (option, str(tmp_path))
    ]  # fmt: skip
    request = ["--resource", "arn:aws:s3:::logs/a", "--principal", "arn:aws:iam::111122223333:role/app", *options]
    answer = explain("--action", "s3:PutObject", *request, "--policy", "AmazonS3FullAccess")
    assert [(layer["layer"], layer["level"], layer["verdict"]) for layer in answer["layers"]] == [
        ("resource-control", "r-1", "allowed"), ("resource-control", "account 111122223333", "explicit-deny"),
        ("service-control", "r-1", "allowed"), ("service-control", "account 111122223333", "allowed"),
        ("resource", None, "allowed"), ("identity", None, "allowed"),
    ]  # fmt: skip
    assert answer["verdict"] == "explicit-deny"
    unseen = explain("--action", "s3:GetObject", *request, "--policy", "AmazonS3FullAccess")
    assert unseen["verdict"] == "allowed"
    assert unseen["not_looked_at"][-1] == "VPC endpoint policies"


def test_layers_of_commands_that_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bucket.json"
    path.write_text('{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*"}}', encoding="utf-8")
    assert main(["role", "prod-node", "--demo", "--scp", str(tmp_path / "missing.json")]) == 2
    assert "cannot be read" in capsys.readouterr().err
    assert main(["role", "prod-node", "--demo", "--resource-policy", str(path)]) == 0
    assert "says nothing of the role alone" in capsys.readouterr().err
    assert main(["who-can", "s3:GetObject", "--demo", "--resource-policy", str(path)]) == 2
    assert "needs a resource" in capsys.readouterr().err
    assert main(["who-can", "s3:GetObject", "--demo", "--scp", str(tmp_path / "missing.json")]) == 2
    assert "cannot be read" in capsys.readouterr().err
