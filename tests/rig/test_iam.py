"""The rig's IAM against what IAM's documentation says, where stock moto differs."""

from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError

from tests.rig.account import LONG_NAME, ODD_NAMES
from tests.rig.clients import client, everything
from tests.rig.isolation import access_key
from tests.rig.rig import Rig
from tests.support.bundled import POLICIES, newest

CNI = "arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy"
NEWEST = newest("AmazonEKS_CNI_Policy")


def names(entities: list[dict[str, str]], key: str) -> set[str]:
    return {entity[key] for entity in entities}


@pytest.mark.parametrize("short_pages", [None, 7])
def test_entities_of_a_policy_come_whole(rig: Rig, short_pages: int | None) -> None:
    # More than a hundred roles: stock moto looks at the first hundred roles only.
    rig.reset(roles=1000)
    rig.world.short_pages = short_pages
    pages = list(client("iam").get_paginator("list_entities_for_policy").paginate(PolicyArn=CNI))
    roles = [role for page in pages for role in page["PolicyRoles"]]
    assert len(roles) > 100
    assert len(pages) > len(roles) // (short_pages or 100)
    assert names(roles, "RoleName") == rig.account.roles_with("AmazonEKS_CNI_Policy")
    assert set(ODD_NAMES) <= names(roles, "RoleName")


def test_entities_are_filtered_by_usage_and_kind(rig: Rig) -> None:
    iam = client("iam")
    arn = "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"

    def entities(**filters: str) -> set[tuple[str, str]]:
        answer = iam.list_entities_for_policy(PolicyArn=arn, **filters)
        kinds = ("Role", "User", "Group")
        return {(kind, entity[f"{kind}Name"]) for kind in kinds for entity in answer[f"Policy{kind}s"]}

    bounded_roles = {("Role", "prod-orders")}
    attached_entities = {("Role", name) for name in rig.account.roles_with("AmazonEKSClusterPolicy")}
    attached_entities |= {("User", "bob"), ("Group", "platform")}
    assert entities(PolicyUsageFilter="PermissionsBoundary") == bounded_roles
    assert entities(PolicyUsageFilter="PermissionsPolicy") == attached_entities
    assert entities() == bounded_roles | attached_entities
    assert entities(EntityFilter="User") == {("User", "bob")}
    assert entities(PathPrefix="/operators/") == {("Role", "eks-operator")}


def test_a_policy_that_is_not_there_is_an_error(rig: Rig) -> None:
    iam = client("iam")
    for ask in (iam.list_entities_for_policy, iam.get_policy, iam.list_policy_versions):
        with pytest.raises(ClientError) as error:
            ask(PolicyArn="arn:aws:iam::aws:policy/NoSuchPolicy")
        assert error.value.response["Error"]["Code"] == "NoSuchEntity"
        assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404


def test_authorization_details_come_in_pages(rig: Rig) -> None:
    kinds = ["Role", "User", "Group", "LocalManagedPolicy"]
    paginator = client("iam").get_paginator("get_account_authorization_details")
    pages = list(paginator.paginate(Filter=kinds, PaginationConfig={"PageSize": 100}))
    sizes = [
        sum(len(page[key]) for key in ("RoleDetailList", "UserDetailList", "GroupDetailList", "Policies"))
        for page in pages
    ]
    assert sizes[:-1] == [100] * (len(pages) - 1)
    assert 0 < sizes[-1] <= 100
    roles = {role["RoleName"]: role for page in pages for role in page["RoleDetailList"]}
    assert len(roles) == 300
    policies = {policy["Arn"] for page in pages for policy in page["Policies"]}
    assert policies
    assert not any(":iam::aws:" in arn for arn in policies)

    boundary_arn = roles["prod-orders"]["PermissionsBoundary"]["PermissionsBoundaryArn"]
    assert boundary_arn == "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"
    assert roles["prod-node"]["RoleLastUsed"]["Region"] == "eu-central-1"
    assert "LastUsedDate" not in roles["prod-ebs-csi"]["RoleLastUsed"]
    profile = roles["KarpenterNodeRole-prod"]["InstanceProfileList"][0]
    assert profile["Arn"] == "arn:aws:iam::123456789012:instance-profile/karpenter/prod_1234567890"
    assert {tag["Key"]: tag["Value"] for tag in roles["prod-cluster"]["Tags"]} == {"team": "platform", "env": "prod"}
    users = {user["UserName"]: user for page in pages for user in page["UserDetailList"]}
    assert users["auditor"]["PermissionsBoundary"]["PermissionsBoundaryArn"].endswith("/AmazonEKSMCPReadOnlyAccess")
    assert users["bob"]["GroupList"] == ["platform"]


def test_authorization_details_hold_only_the_aws_policies_in_use(rig: Rig) -> None:
    paginator = client("iam").get_paginator("get_account_authorization_details")
    pages = paginator.paginate(Filter=["AWSManagedPolicy"])
    policies = {policy["PolicyName"]: policy for page in pages for policy in page["Policies"]}
    in_use = {
        policy.name for role in rig.account.builder.iam.roles.values() for policy in role.managed_policies.values()
    }
    assert in_use & set(rig.catalogue.names()) <= set(policies)
    assert len(policies) < 60
    assert policies["AmazonEKS_CNI_Policy"]["AttachmentCount"] == len(rig.account.roles_with("AmazonEKS_CNI_Policy"))


def test_policies_are_listed_with_their_usage(rig: Rig) -> None:
    iam = client("iam")
    policies = everything(iam, "list_policies", "Policies", Scope="AWS", PaginationConfig={"PageSize": 1000})
    assert len(policies) == POLICIES
    # One page has all of them exactly: stock moto would add an empty one.
    size = next(size for size in range(1000, 0, -1) if POLICIES % size == 0)
    pages = list(iam.get_paginator("list_policies").paginate(Scope="AWS", PaginationConfig={"PageSize": size}))
    assert [len(page["Policies"]) for page in pages] == [size] * (POLICIES // size)
    attached_policies = iam.list_policies(Scope="AWS", OnlyAttached=True, MaxItems=1000)["Policies"]
    assert {p["PolicyName"] for p in attached_policies} == {p["PolicyName"] for p in policies if p["AttachmentCount"]}
    boundary_policies = iam.list_policies(Scope="AWS", PolicyUsageFilter="PermissionsBoundary")["Policies"]
    assert {p["PolicyName"]: p["PermissionsBoundaryUsageCount"] for p in boundary_policies} == {
        "AmazonEKSClusterPolicy": 1,
        "AmazonEKSMCPReadOnlyAccess": 1,
        "AmazonEC2ContainerRegistryReadOnly": 1,
    }
    local = iam.list_policies(Scope="Local")["Policies"]
    assert {"AmazonEKS_CNI_Policy", "acme-boundary"} <= {p["PolicyName"] for p in local}


def test_attaching_twice_counts_once(rig: Rig) -> None:
    iam = client("iam")
    before = iam.get_policy(PolicyArn=CNI)["Policy"]["AttachmentCount"]
    for _ in range(2):
        iam.attach_role_policy(RoleName="prod-fargate", PolicyArn=CNI)
    assert iam.get_policy(PolicyArn=CNI)["Policy"]["AttachmentCount"] == before + 1


def test_every_version_of_an_aws_policy_is_kept(rig: Rig) -> None:
    iam = client("iam")
    versions = iam.list_policy_versions(PolicyArn=CNI)["Versions"]
    assert [version["VersionId"] for version in versions] == [f"v{number}" for number in range(NEWEST, 0, -1)]
    assert [version["IsDefaultVersion"] for version in versions] == [True] + [False] * (NEWEST - 1)
    document = iam.get_policy_version(PolicyArn=CNI, VersionId="v5")["PolicyVersion"]["Document"]
    assert "ec2:DescribeSecurityGroups" not in document["Statement"][0]["Action"]
    with pytest.raises(ClientError, match="NoSuchEntity"):
        iam.get_policy_version(PolicyArn=CNI, VersionId=f"v{NEWEST + 1}")


def test_aws_publishes_and_withdraws(rig: Rig) -> None:
    iam = client("iam")
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}]}
    published_at = datetime(2026, 12, 1, tzinfo=UTC)
    assert rig.catalogue.publish("AmazonEKS_CNI_Policy", document, published_at) == f"v{NEWEST + 1}"
    assert rig.catalogue.publish("AmazonEKSBrandNewPolicy", document, published_at, path="/service-role/") == "v1"
    rig.catalogue.withdraw("AmazonEKSServicePolicy")
    rig.catalogue.forget("AmazonEKSClusterPolicy", "v2")

    policy = iam.get_policy(PolicyArn=CNI)["Policy"]
    assert (policy["DefaultVersionId"], policy["UpdateDate"]) == (f"v{NEWEST + 1}", published_at)
    assert iam.get_policy_version(PolicyArn=CNI, VersionId=f"v{NEWEST + 1}")["PolicyVersion"]["Document"] == document
    policy_arns = {p["Arn"] for p in everything(iam, "list_policies", "Policies", Scope="AWS")}
    assert "arn:aws:iam::aws:policy/service-role/AmazonEKSBrandNewPolicy" in policy_arns
    assert "arn:aws:iam::aws:policy/AmazonEKSServicePolicy" not in policy_arns
    versions = iam.list_policy_versions(PolicyArn="arn:aws:iam::aws:policy/AmazonEKSClusterPolicy")["Versions"]
    assert "v2" not in {version["VersionId"] for version in versions}

    rig.reset()
    assert iam.get_policy(PolicyArn=CNI)["Policy"]["DefaultVersionId"] == f"v{NEWEST}"


def test_a_role_tells_what_the_lists_leave_out(rig: Rig) -> None:
    iam = client("iam")
    role = iam.get_role(RoleName="prod-cluster")["Role"]
    assert role["RoleLastUsed"]["Region"] == "eu-central-1"
    assert role["Description"] == "Control plane of prod"
    role_in_list = next(r for r in everything(iam, "list_roles", "Roles") if r["RoleName"] == "prod-cluster")
    assert not {"RoleLastUsed", "PermissionsBoundary", "Tags"} & set(role_in_list)
    assert len(LONG_NAME) == 64
    for name in ODD_NAMES:
        assert iam.get_role(RoleName=name)["Role"]["RoleName"] == name
    rig.account.builder.delete(rig.account.role("x"))
    with pytest.raises(ClientError, match="NoSuchEntity"):
        iam.get_role(RoleName="x")
    linked_role = iam.get_role(RoleName="AWSServiceRoleForAmazonEKS")["Role"]
    assert linked_role["Path"] == "/aws-service-role/eks.amazonaws.com/"


def test_users_have_boundaries(rig: Rig) -> None:
    iam = client("iam")
    iam.put_user_permissions_boundary(UserName="alice", PermissionsBoundary=CNI)
    assert iam.get_user(UserName="alice")["User"]["PermissionsBoundary"]["PermissionsBoundaryArn"] == CNI
    iam.delete_user_permissions_boundary(UserName="alice")
    assert "PermissionsBoundary" not in iam.get_user(UserName="alice")["User"]
    iam.create_user(UserName="carol", PermissionsBoundary=CNI)
    assert iam.get_user(UserName="carol")["User"]["PermissionsBoundary"]["PermissionsBoundaryArn"] == CNI


def test_a_simulation_answers_as_the_test_says(rig: Rig) -> None:
    iam = client("iam")
    question = {"PolicySourceArn": "arn:aws:iam::123456789012:role/prod-node", "ActionNames": ["ec2:CreateTags"]}
    assert iam.simulate_principal_policy(**question)["EvaluationResults"][0]["EvalDecision"] == "implicitDeny"
    rig.world.simulation = lambda request: [
        {"EvalActionName": action, "EvalResourceName": "*", "EvalDecision": "allowed"}
        for action in request["ActionNames"]
    ]
    assert iam.simulate_principal_policy(**question)["EvaluationResults"][0]["EvalDecision"] == "allowed"


@pytest.mark.parametrize(("partition", "region"), [("aws-us-gov", "us-gov-west-1"), ("aws-cn", "cn-north-1")])
def test_other_partitions_have_their_own_arns_and_policies(rig: Rig, partition: str, region: str) -> None:
    rig.reset(roles=100, partition=partition)
    assert client("sts", region).get_caller_identity()["Arn"].startswith(f"arn:{partition}:sts::123456789012:")
    iam = client("iam", region)
    arn = f"arn:{partition}:iam::aws:policy/AmazonEKS_CNI_Policy"
    assert iam.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"] > 0
    document = iam.get_policy_version(PolicyArn=arn, VersionId="v6")["PolicyVersion"]["Document"]
    assert document["Statement"][1]["Resource"] == [f"arn:{partition}:ec2:*:*:network-interface/*"]
    with pytest.raises(ClientError, match="NoSuchEntity"):
        iam.get_policy(PolicyArn=f"arn:{partition}:iam::aws:policy/AmazonElasticContainerRegistryPublicReadOnly")
    assert client("eks", region).list_clusters()["clusters"] == ["auto", "prod"]


def test_an_access_key_tells_its_account(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", access_key("222233334444"))
    assert client("sts").get_caller_identity()["Account"] == "222233334444"
    assert client("iam").list_roles()["Roles"] == []
    rig.add_account("222233334444", roles=80)
    assert len(client("iam").list_roles()["Roles"]) == 80
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", access_key("123456789012"))
    assert len(everything(client("iam"), "list_roles", "Roles")) == 300
