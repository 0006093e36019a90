"""Errors of controllers, kubelets and kubectl that name no action, taken from public issues, lead to an answer."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from ekstui.cli.main import main

AGENT = (
    '{"client-addr":"10.0.0.1:1","cluster-name":"prod","level":"error","msg":"Error fetching credentials: error getting '
    "credentials to cache: unable to fetch credentials from EKS Auth: operation error EKS Auth: AssumeRoleForPodIdentity, https "
    'response error StatusCode: %s","operation":"AssumeRoleForPodIdentity","service":"EKS Auth","time":"2025-07-09T02:52:10Z"}'
)

PULL = (
    'Failed to pull image "111122223333.dkr.ecr.eu-west-1.amazonaws.com/hub/nginx:1": unexpected status from HEAD request to '
    "https://111122223333.dkr.ecr.eu-west-1.amazonaws.com/v2/hub/nginx/manifests/1: 403 Forbidden"
)

# The line, then what the answer must name: the role, the policy, the entry or the key that it takes.
LINES: list[tuple[str, list[str]]] = [
    # amazon-vpc-resource-controller-k8s, branch/trunk provider.
    (("Warning  TrunkENICreationFailed  5m  vpc-resource-controller  Failed to create trunk interface: Error Code: "
     "UnauthorizedOperation: Please verify the cluster IAM role has AmazonEKSVPCResourceController policy"),
     ["AmazonEKSVPCResourceController", "cluster role"]),
    # terraform-aws-eks, after its version 20.
    (("Warning  FailedScheduling  fargate-scheduler  Pod execution role is not found in auth config or does not have all required "
     "permissions for launching fargate pods."), ["FARGATE_LINUX", "eks-fargate-pods.amazonaws.com"]),
    # aws-ebs-csi-driver 1140, 2685, and aws-cli 2604.
    (('failed to provision volume with StorageClass "ebscsi": rpc error: code = Internal desc = Could not create volume '
     '"pvc-fe352e9e": failed to get an available volume in EC2: InvalidVolume.NotFound: The volume \'vol-036f\' does not exist.'),
     ["kms:CreateGrant", "kms:GenerateDataKeyWithoutPlaintext"]),
    (('Could not create volume "pvc-81b3839e": timed out waiting for volume to create: operation error EC2: DescribeVolumes, https '
     "response error StatusCode: 400, RequestID: 93c6, api error InvalidVolume.NotFound: The volume 'vol-x' does not exist."),
     ["kms:CreateGrant"]),
    ("An error occurred (InvalidVolume.NotFound) when calling the DescribeVolumes operation: The volume 'vol-0d' does not exist.",
     ["kms:CreateGrant"]),
    # aws-cdk 34491, terraform-provider-aws 39904.
    ("Cause: One or more of the attached Amazon EBS volumes are encrypted with an\ninaccessible AWS KMS key.",
     ["AWSServiceRoleForAutoScaling", "key policy"]),
    (("Instance became unhealthy while waiting for instance to be in InService state. Termination Reason: "
     "Client.InvalidKMSKey.InvalidState: The KMS key provided is in an incorrect state"), ["AWSServiceRoleForAutoScaling"]),
    # EKS Auth, by the agent, the AWS CLI and the Go SDK (eks-pod-identity-agent 139).
    (AGENT % "400, RequestID: a1, AccessDeniedException: Unauthorized Exception! EKS does not have permissions to assume the "
     "associated role.", ["sts:TagSession", "pods.eks.amazonaws.com"]),
    (("Error retrieving metadata: Received non 200 response 400 from container metadata: [042d]: (AccessDeniedException): "
     "Unauthorized Exception! EKS does not have permissions to assume the associated role., fault: client"), ["sts:TagSession"]),
    (AGENT % "0, RequestID: , canceled, context canceled", ["not a denial", "eks-auth"]),
    (AGENT % "404, RequestID: a1, ResourceNotFoundException: no association", ["association"]),
    (('{"level":"error","msg":"Error fetching credentials: Service account token cannot be parsed: token is malformed: could not '
     'base64 decode header: illegal base64 data at input byte 6"}'), ["not a denial", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"]),
    # kubectl, with both of its endings.
    ("error: You must be logged in to the server (Unauthorized)", ["access entry", "aws-auth"]),
    ("error: You must be logged in to the server (the server has asked for the client to provide credentials)", ["access entry"]),
    # secrets-store-csi-driver-provider-aws, before and after its pull request 448.
    ("MountVolume.SetUp failed for volume \"s\" : rpc error: code = Unknown desc = Failed to fetch secret from all regions: prod/db",
     ["secretsmanager:GetSecretValue", "service account"]),
    ("Failed to fetch secret from all regions. Verify secret exists and required permissions are granted for: prod/db",
     ["secretsmanager:GetSecretValue"]),
    (("WebIdentityErr: failed to retrieve credentials caused by: InvalidIdentityToken: No OpenIDConnect provider found in your "
     "account for https://oidc.eks.eu-west-1.amazonaws.com/id/A"), ["OpenID Connect provider"]),
    (PULL,
     ["ecr:BatchImportUpstreamImage", "node role"]),
    # The kubelet's and kubectl's own words, the VPC CNI's (amazon-vpc-cni-k8s 2030), the SDK for Go's, Karpenter's and EKS's.
    (("container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: "
     "cni plugin not initialized"), ["AmazonEKS_CNI_Policy", "aws-node"]),
    ("NodeCreationFailure: Instances failed to join the kubernetes cluster", ["EC2_LINUX", "AmazonEKSWorkerNodePolicy"]),
    ('"Unable to register node with API server" err="Unauthorized" node="ip-10-0-1-5.ec2.internal"', ["access entry", "aws-auth"]),
    (('Failed to create pod sandbox: plugin type="aws-cni" name="aws-cni" failed (add): add cmd: failed to assign an IP address to '
     "container"), ["subnet", "AmazonEKS_CNI_Policy"]),
    (("get credentials: failed to refresh cached credentials, no EC2 IMDS role found, operation error ec2imds: GetMetadata, canceled, "
     "context deadline exceeded"), ["hop limit", "Pod Identity"]),
    ("NoCredentialProviders: no valid providers in chain. Deprecated.", ["service account"]),
    (("AuthFailure.ServiceLinkedRoleCreationNotPermitted: The provided credentials do not have permission to create the service-linked "
     "role for EC2 Spot Instances."), ["create-service-linked-role", "spot.amazonaws.com"]),
    ("Output: mount.nfs4: access denied by server while mounting 127.0.0.1:/", ["elasticfilesystem:ClientMount", "file system policy"]),
    ("couldn't auto-discover subnets: unable to resolve at least one subnet (0 match VPC and tags)", ["kubernetes.io/role/elb"]),
    ('level=warning msg="access denied" error="ARN is not mapped" arn="arn:aws:iam::111122223333:role/dev"', ["access entry"]),
    (("Unable to connect to the server: getting credentials: exec: executable aws failed with exit code 255\nError loading SSO Token: "
     "The SSO session associated with this profile has expired"), ["aws sso login", "aws eks get-token"]),
    (('Failed to pull image "111122223333.dkr.ecr.eu-west-1.amazonaws.com/docker-hub/library/nginx:1.27": rpc error: code = NotFound '
     "desc = failed to pull and unpack image: not found"), ["ecr:BatchImportUpstreamImage", "AmazonEC2ContainerRegistryPullOnly"]),
    ('pods "web-1" is forbidden: exceeded quota: compute, requested: cpu=1, used: cpu=4, limited: cpu=4', ["ResourceQuota", "not access"]),
    ('nodes is forbidden: User "system:anonymous" cannot create resource "nodes"', ["API group"]),
]  # fmt: skip


@pytest.fixture
def explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    monkeypatch.setenv("EKSTUI_CACHE", str(tmp_path / "cache"))

    def answer(text: str, *arguments: str) -> tuple[dict[str, Any], str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(text))
        assert main(["explain", "-", "--json", *arguments]) == 0
        value = json.loads(capsys.readouterr().out)
        monkeypatch.setattr("sys.stdin", io.StringIO(text))
        assert main(["explain", "-", *arguments]) == 0
        return value, " ".join(capsys.readouterr().out.split())

    return answer


@pytest.mark.parametrize(("line", "names"), LINES, ids=range(len(LINES)))
def test_a_line_of_a_log_leads_to_an_answer(explained: Any, line: str, names: list[str]) -> None:
    answer, text = explained(line)
    (symptom,) = answer["symptoms"]
    assert symptom["symptom"] in text
    assert [name for name in names if name not in text] == []
    # Nothing of it is certain, so no policy is offered and no verdict is given, unless the text itself says what denied.
    is_decided = answer["cause"] is not None and answer["cause"]["policy_type"] == "trust"
    assert answer["verdict"] == ("implicit-deny" if is_decided else "depends")
    assert (answer["allowed_by"], answer["smallest_statement"]) == ([], None)
    assert is_decided or text.startswith(symptom["symptom"])


def test_what_the_policies_lack_of_it_is_said(explained: Any) -> None:
    answer, text = explained(LINES[0][0], "--policy", "AmazonEKSClusterPolicy")
    assert answer["verdict"] == "implicit-deny"
    assert "do not allow ec2:CreateNetworkInterface" in text
    assert {statement["policy"] for statement in answer["nearest"]} == {"AmazonEKSClusterPolicy"}
    answer, text = explained(PULL, "--policy", "AmazonEC2ContainerRegistryReadOnly@v3")
    assert answer["verdict"] == "implicit-deny"
    assert "The policies looked at do not allow ecr:BatchImportUpstreamImage." in text


def test_a_denial_in_the_same_text_is_answered_as_such(explained: Any) -> None:
    message = (
        "User: arn:aws:sts::111122223333:assumed-role/node/i-0123456789abcdef0 is not authorized to perform: "
        "eks-auth:AssumeRoleForPodIdentity on resource: arn:aws:eks:eu-west-1:111122223333:cluster/prod because no identity-based "
        "policy allows the eks-auth:AssumeRoleForPodIdentity action"
    )
    answer, _text = explained(AGENT % f"403, RequestID: a1, AccessDeniedException: {message}")
    assert (answer["verdict"], answer["symptoms"]) == ("implicit-deny", [])
    assert "AmazonEKSWorkerNodePolicy" in [entry["policy"] for entry in answer["allowed_by"]]
