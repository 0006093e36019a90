"""The rig's EKS, EC2 and Config against their API models, where stock moto differs or has nothing."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.rig.clients import client, everything
from tests.rig.rig import Rig


def test_clusters_keep_what_makes_them_different(rig: Rig) -> None:
    home_client, away_client = client("eks"), client("eks", rig.account.away)
    assert home_client.list_clusters()["clusters"] == ["auto", "prod"]
    assert away_client.list_clusters()["clusters"] == ["legacy"]
    prod, auto = (home_client.describe_cluster(name=name)["cluster"] for name in ("prod", "auto"))
    legacy = away_client.describe_cluster(name="legacy")["cluster"]
    assert len({cluster["identity"]["oidc"]["issuer"] for cluster in (prod, auto, legacy)}) == 3
    assert auto["computeConfig"]["nodeRoleArn"] == "arn:aws:iam::123456789012:role/auto-node"
    assert "computeConfig" not in prod
    modes = [cluster["accessConfig"]["authenticationMode"] for cluster in (prod, auto, legacy)]
    assert modes == ["API_AND_CONFIG_MAP", "API", "CONFIG_MAP"]
    assert legacy["createdAt"] == datetime(2019, 6, 1, tzinfo=UTC)
    assert legacy["health"]["issues"][0]["code"] == "KmsGrantRevoked"


def test_a_cluster_created_over_http_keeps_its_configuration(rig: Rig) -> None:
    eks = client("eks")
    role = rig.account.role("auto-cluster").arn
    compute = {"enabled": True, "nodePools": ["system"], "nodeRoleArn": rig.account.role("auto-node").arn}
    eks.create_cluster(
        name="new",
        roleArn=role,
        resourcesVpcConfig={},
        computeConfig=compute,
        accessConfig={"authenticationMode": "API"},
    )
    cluster = eks.describe_cluster(name="new")["cluster"]
    assert cluster["computeConfig"] == compute
    assert cluster["accessConfig"]["authenticationMode"] == "API"
    assert eks.list_addons(clusterName="new")["addons"] == []


@pytest.mark.parametrize(
    "operation",
    ["list_nodegroups", "list_fargate_profiles", "list_addons", "list_access_entries", "list_capabilities"],
)
def test_a_cluster_that_is_not_there_is_a_404(rig: Rig, operation: str) -> None:
    with pytest.raises(ClientError) as error:
        getattr(client("eks"), operation)(clusterName="nowhere")
    assert error.value.response["Error"]["Code"] == "ResourceNotFoundException"
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404


def test_every_use_of_a_role_can_be_read(rig: Rig) -> None:
    """Walk EKS as an app would, and find each use that the seed says there is."""
    uses: set[tuple[str, str, str, str]] = set()
    for region in (rig.account.home, rig.account.away):
        eks = client("eks", region)
        for name in eks.list_clusters()["clusters"]:
            cluster = eks.describe_cluster(name=name)["cluster"]
            uses.add((cluster["roleArn"], "cluster", name, ""))
            if compute := cluster.get("computeConfig"):
                uses.add((compute["nodeRoleArn"], "auto-mode-node", name, ""))
            uses |= {(role, kind, name, use_name) for role, kind, use_name in _uses_in(eks, name)}
    expected = {
        (use.role, use.kind, use.cluster, use.name or use.service_account)
        for use in rig.account.builder.uses
        # IRSA is in trust policies, and nodes of one's own in access entries and instances.
        if use.kind not in {"irsa", "self-managed-node", "karpenter-node", "hybrid-node", "hyperpod-node"}
        and not use.role.endswith("/auto-gpu-node")
    }
    assert uses == expected
    assert {use.kind for use in rig.account.builder.uses} == {
        "cluster", "nodegroup", "self-managed-node", "karpenter-node", "hybrid-node", "hyperpod-node",
        "auto-mode-node", "fargate", "addon", "pod-identity", "pod-identity-target", "irsa", "capability",
    }  # fmt: skip


def _uses_in(eks: Any, name: str) -> set[tuple[str, str, str]]:
    uses = set()
    for group in everything(eks, "list_nodegroups", "nodegroups", clusterName=name):
        detail = eks.describe_nodegroup(clusterName=name, nodegroupName=group)["nodegroup"]
        uses.add((detail["nodeRole"], "nodegroup", group))
    for profile in everything(eks, "list_fargate_profiles", "fargateProfileNames", clusterName=name):
        detail = eks.describe_fargate_profile(clusterName=name, fargateProfileName=profile)["fargateProfile"]
        uses.add((detail["podExecutionRoleArn"], "fargate", profile))
    for addon in everything(eks, "list_addons", "addons", clusterName=name):
        detail = eks.describe_addon(clusterName=name, addonName=addon)["addon"]
        if role := detail.get("serviceAccountRoleArn"):
            uses.add((role, "addon", addon))
    for capability in everything(eks, "list_capabilities", "capabilities", clusterName=name):
        assert "roleArn" not in capability
        capability_name = capability["capabilityName"]
        detail = eks.describe_capability(clusterName=name, capabilityName=capability_name)["capability"]
        uses.add((detail["roleArn"], "capability", capability_name))
    for summary in everything(eks, "list_pod_identity_associations", "associations", clusterName=name):
        assert "roleArn" not in summary
        number = summary["associationId"]
        detail = eks.describe_pod_identity_association(clusterName=name, associationId=number)["association"]
        uses.add((detail["roleArn"], "pod-identity", detail["serviceAccount"]))
        if target := detail.get("targetRoleArn"):
            uses.add((target, "pod-identity-target", detail["serviceAccount"]))
    return uses


def test_pod_identity_associations_tell_everything_when_described(rig: Rig) -> None:
    eks = client("eks")

    def association(namespace: str) -> Any:
        (summary,) = eks.list_pod_identity_associations(clusterName="prod", namespace=namespace)["associations"]
        number = summary["associationId"]
        return eks.describe_pod_identity_association(clusterName="prod", associationId=number)["association"]

    orders, reports = association("orders"), association("reports")
    assert orders["targetRoleArn"] == "arn:aws:iam::123456789012:role/orders-data"
    assert orders["disableSessionTags"] is False
    assert reports["disableSessionTags"] is True
    assert json.loads(reports["policy"])["Statement"][0]["Action"] == ["s3:GetObject"]
    ebs = eks.describe_addon(clusterName="prod", addonName="aws-ebs-csi-driver")["addon"]
    (arn,) = ebs["podIdentityAssociations"]
    answer = eks.list_pod_identity_associations(clusterName="prod", serviceAccount="ebs-csi-controller-sa")
    assert [(one["associationArn"], one["ownerArn"]) for one in answer["associations"]] == [(arn, ebs["addonArn"])]


def test_access_entries_are_of_every_type(rig: Rig) -> None:
    types = set()
    for cluster in ("prod", "auto"):
        eks = client("eks")
        for arn in everything(eks, "list_access_entries", "accessEntries", clusterName=cluster):
            types.add(eks.describe_access_entry(clusterName=cluster, principalArn=arn)["accessEntry"]["type"])
    assert types == {"STANDARD", "EC2_LINUX", "FARGATE_LINUX", "HYBRID_LINUX", "HYPERPOD_LINUX", "EC2"}
    sso = rig.account.role("AWSReservedSSO_AdministratorAccess_0123456789abcdef").arn
    policies = eks.list_associated_access_policies(clusterName="prod", principalArn=sso)["associatedAccessPolicies"]
    assert policies[0]["policyArn"] == "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"


def test_a_cluster_by_config_map_has_no_access_entries(rig: Rig) -> None:
    eks = client("eks", rig.account.away)
    with pytest.raises(
        ClientError, match=r"InvalidRequestException.*must be set to one of \[API, API_AND_CONFIG_MAP\]"
    ):
        eks.list_access_entries(clusterName="legacy")


def test_addons_say_what_they_need(rig: Rig) -> None:
    eks = client("eks")
    versions = everything(eks, "describe_addon_versions", "addons")
    needy = {addon["addonName"]: addon["addonVersions"][0]["requiresIamPermissions"] for addon in versions}
    assert needy["vpc-cni"] is True
    assert needy["coredns"] is False
    configuration = eks.describe_addon_configuration(addonName="vpc-cni", addonVersion="v1.20.4-eksbuild.1")
    assert configuration["podIdentityConfiguration"] == [
        {"serviceAccount": "aws-node", "recommendedManagedPolicies": ["arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy"]}
    ]
    sick = eks.describe_addon(clusterName="prod", addonName="amazon-cloudwatch-observability")["addon"]
    assert (sick["status"], sick["health"]["issues"][0]["code"]) == ("DEGRADED", "AddonPermissionFailure")


def test_instances_lead_to_the_roles_of_nodes_of_ones_own(rig: Rig) -> None:
    def profiles(region: str, tag: str) -> set[str]:
        pages = everything(
            client("ec2", region), "describe_instances", "Reservations", Filters=[{"Name": "tag-key", "Values": [tag]}]
        )
        return {instance["IamInstanceProfile"]["Arn"] for page in pages for instance in page["Instances"]}

    home, away = rig.account.home, rig.account.away
    assert profiles(home, "karpenter.sh/nodepool") == {
        "arn:aws:iam::123456789012:instance-profile/karpenter/prod_1234567890"
    }
    assert profiles(away, "kubernetes.io/cluster/legacy") == {"arn:aws:iam::123456789012:instance-profile/legacy-nodes"}
    assert profiles(home, "kubernetes.io/cluster/legacy") == set()
    rig.world.not_opted_in = frozenset({"af-south-1"})
    regions = {region["RegionName"] for region in client("ec2").describe_regions()["Regions"]}
    assert "eu-central-1" in regions
    assert "af-south-1" not in regions


QUERY = """SELECT accountId, awsRegion, resourceId, resourceName, arn, configuration.path, configuration.roleLastUsed, tags
WHERE resourceType = 'AWS::IAM::Role'
  AND configuration.attachedManagedPolicies.policyArn = '{arn}'
  AND configurationItemStatus IN ('OK', 'ResourceDiscovered')"""


def aggregated(expression: str, limit: int = 100) -> list[dict[str, Any]]:
    pages = (
        client("config")
        .get_paginator("select_aggregate_resource_config")
        .paginate(ConfigurationAggregatorName="organisation", Expression=expression, Limit=limit)
    )
    return [json.loads(row) for page in pages for row in page["Results"]]


def test_config_answers_over_all_accounts(rig: Rig) -> None:
    second_account = rig.add_account("222233334444", roles=80)
    rows = aggregated(QUERY.format(arn="arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy"))
    by_account = {
        account: {row["resourceName"] for row in rows if row["accountId"] == account}
        for account in ("123456789012", "222233334444")
    }
    assert by_account["123456789012"] == rig.account.roles_with("AmazonEKS_CNI_Policy")
    assert by_account["222233334444"] == second_account.roles_with("AmazonEKS_CNI_Policy")
    # Each region of the aggregator gives the same global resource once more.
    assert len(rows) == 2 * sum(map(len, by_account.values()))
    assert all("roleLastUsed" not in row["configuration"] for row in rows)
    clusters = aggregated("SELECT resourceName, configuration.RoleArn WHERE resourceType = 'AWS::EKS::Cluster'")
    assert sorted(row["resourceName"] for row in clusters) == ["auto", "auto", "legacy", "legacy", "prod", "prod"]


def test_config_refuses_what_it_cannot_answer(rig: Rig) -> None:
    for expression in (
        "SELECT arn WHERE",
        "SELECT arn WHERE configuration.assumeRolePolicyDocument = 'x'",
        "SELECT arn WHERE resourceType LIKE 'x'",
    ):
        with pytest.raises(ClientError, match="InvalidExpressionException"):
            aggregated(expression)
    with pytest.raises(ClientError, match="NoSuchConfigurationAggregatorException"):
        client("config").select_aggregate_resource_config(
            ConfigurationAggregatorName="x", Expression="SELECT a WHERE b = 'c'"
        )
    rig.world.recorded = False
    assert aggregated(QUERY.format(arn="arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy")) == []
    assert client("config").describe_configuration_recorder_status()["ConfigurationRecordersStatus"] == []


def test_hostile_text_passes_unchanged(rig: Rig) -> None:
    rig.reset(roles=80, hostile=True)
    eks = client("eks")
    issue = eks.describe_cluster(name="hostile")["cluster"]["health"]["issues"][0]
    assert "\x1b[2J" in issue["message"]
    assert "[/oops]" in client("iam").get_role(RoleName="hostile")["Role"]["Description"]
    inline = client("iam").get_role_policy(RoleName="hostile", PolicyName="inline")["PolicyDocument"]
    assert "\x1b]0;owned" in inline["Statement"][0]["Sid"]
