"""Fills an account of the rig in process, and keeps the truth about who uses which role beside it.

moto's own API would take 7 s for 300 roles, since it checks and copies what a seed need not check.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from moto.eks.models import Cluster, EKSBackend, FargateProfile, eks_backends
from moto.iam.models import (
    Group,
    IAMBackend,
    InstanceProfile,
    ManagedPolicy,
    OpenIDConnectProvider,
    Role,
    User,
    iam_backends,
)

from tests.rig.addons import ADDONS
from tests.rig.documents import Document
from tests.rig.eks import extend, issuer, resources, stamped
from tests.rig.iam import Entity
from tests.rig.world import world


@dataclass(frozen=True, slots=True)
class Use:
    """The truth that a role is used: what an app that looks everywhere must find."""

    role: str
    """ARN."""
    kind: str
    cluster: str
    region: str
    name: str = ""
    namespace: str = ""
    service_account: str = ""


@dataclass(slots=True)
class Builder:
    """One account in one partition; every method adds something and returns it."""

    account_id: str
    partition: str
    now: datetime
    uses: list[Use] = field(default_factory=list)

    def ago(self, **time: float) -> datetime:
        """Return the time that was `days`, `hours` or `minutes` before the account's now."""
        return self.now - timedelta(**time)

    @property
    def iam(self) -> IAMBackend:
        """Return moto's IAM of the account."""
        return iam_backends[self.account_id][self.partition]

    def eks(self, region: str) -> EKSBackend:
        """Return moto's EKS of the account in a region."""
        return eks_backends[self.account_id][region]

    def arn(self, service: str, resource: str, region: str = "") -> str:
        """Return an ARN in the account."""
        return f"arn:{self.partition}:{service}:{region}:{self.account_id}:{resource}"

    def aws_policy(self, name: str) -> str:
        """Return the ARN of an AWS managed policy."""
        return world.catalogue(self.partition).arn(name)

    def role(
        self,
        name: str,
        trust: Document,
        *policies: str,
        path: str = "/",
        boundary: str | None = None,
        inline: Mapping[str, Document] | None = None,
        tags: Mapping[str, str] | None = None,
        description: str = "",
        last_used: datetime | None = None,
        last_used_region: str | None = None,
        created: datetime | None = None,
    ) -> Role:
        """Add a role; `policies` are names of AWS managed policies or ARNs, `boundary` is one of them."""
        role = Role(
            account_id=self.account_id,
            partition=self.partition,
            role_id=_id("AROA", self.account_id + name),
            name=name,
            assume_role_policy_document=json.dumps(trust),
            path=path,
            permissions_boundary=self._policy_arn(boundary) if boundary else None,
            description=description,
            tags=[{"Key": key, "Value": value} for key, value in (tags or {}).items()],
            max_session_duration="3600",
        )
        role.create_date = created or self.now
        role.last_used = last_used
        role.last_used_region = last_used_region
        for policy_name, document in (inline or {}).items():
            role.policies[policy_name] = json.dumps(document)
        self.attach(role, *policies)
        self.iam.roles[role.id] = role
        return role

    def delete(self, role: Role) -> None:
        """Delete a role; what uses it goes on naming it, as in AWS."""
        del self.iam.roles[role.id]

    def user(self, name: str, *policies: str, path: str = "/", boundary: str | None = None) -> User:
        """Add a user."""
        user = User(self.account_id, self.partition, name, path)
        user.id = _id("AIDA", self.account_id + name)
        user.create_date = self.now
        setattr(user, "permissions_boundary_arn", self._policy_arn(boundary) if boundary else None)  # noqa: B010
        self.attach(user, *policies)
        self.iam.users[name] = user
        return user

    def group(self, name: str, *policies: str, path: str = "/", users: Sequence[User] = ()) -> Group:
        """Add a group with its members."""
        group = Group(self.account_id, self.partition, name, path)
        group.id = _id("AGPA", self.account_id + name)
        group.create_date = self.now
        group.users = list(users)
        self.attach(group, *policies)
        self.iam.groups[name] = group
        return group

    def attach(self, entity: Entity, *policies: str) -> None:
        """Attach managed policies, by name (AWS's) or ARN."""
        for policy in policies:
            arn = self._policy_arn(policy)
            entity.managed_policies[arn] = self.iam.managed_policies[arn]

    def policy(self, name: str, document: Document, path: str = "/", description: str = "") -> ManagedPolicy:
        """Add a customer-managed policy."""
        policy = ManagedPolicy(
            name,
            account_id=self.account_id,
            region=self.partition,
            document=json.dumps(document),
            path=path,
            description=description,
            create_date=self.now,
            update_date=self.now,
        )
        policy.id = _id("ANPA", self.account_id + name)
        self.iam.managed_policies[policy.arn] = policy
        return policy

    def oidc_provider(self, url: str) -> str:
        """Add an OpenID Connect provider for an issuer's URL; return its ARN."""
        provider = OpenIDConnectProvider(self.account_id, self.partition, url, [], ["sts.amazonaws.com"], {})
        provider.create_date = self.now
        self.iam.open_id_providers[provider.arn] = provider
        arn: str = provider.arn
        return arn

    def instance_profile(self, name: str, role: Role, path: str = "/") -> InstanceProfile:
        """Add an instance profile that holds a role."""
        profile = InstanceProfile(self.account_id, self.partition, _id("AIPA", name), name, path, [role])
        profile.create_date = self.now
        self.iam.instance_profiles[name] = profile
        return profile

    def instance(self, region: str, profile: InstanceProfile, tags: Mapping[str, str]) -> dict[str, Any]:
        """Add a running EC2 instance."""
        instances = world.instances.setdefault((self.account_id, region), [])
        instance = {
            "InstanceId": f"i-{_hex(f'{region}/{profile.name}/{len(instances)}', 17)}",
            "InstanceType": "m7g.large",
            "LaunchTime": self.now,
            "State": {"Code": 16, "Name": "running"},
            "IamInstanceProfile": {"Arn": profile.arn, "Id": profile.id},
            "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
        }
        instances.append(instance)
        return instance

    def cluster(
        self,
        region: str,
        name: str,
        role: Role,
        *,
        authentication_mode: str = "API_AND_CONFIG_MAP",
        version: str = "1.34",
        created: datetime | None = None,
        issues: Sequence[Mapping[str, Any]] = (),
        auto_mode_role: Role | None = None,
        tags: Mapping[str, str] | None = None,
        issuer_url: str | None = None,
    ) -> Cluster:
        """Add a cluster; with `auto_mode_role` it runs in Auto Mode."""
        backend = self.eks(region)
        # Not through backend.create_cluster, which makes a new session of boto3 to check the role's ARN.
        cluster = Cluster(
            name=name,
            role_arn=role.arn,
            resources_vpc_config={"subnetIds": ["subnet-0a1b2c3d", "subnet-1b2c3d4e"], "vpcId": "vpc-0a1b2c3d"},
            account_id=self.account_id,
            region_name=region,
            aws_partition=self.partition,
            version=version,
            tags=dict(tags or {}),
        )
        backend.clusters[name] = cluster
        cluster.created_at = created or self.now
        cluster.identity = {"oidc": {"issuer": issuer_url or issuer(region, name, self.account_id)}}
        attributes: dict[str, Any] = {
            "access_config": {"authenticationMode": authentication_mode},
            "health": {"issues": [dict(issue) for issue in issues]},
        }
        if auto_mode_role is not None:
            attributes["compute_config"] = {
                "enabled": True,
                "nodePools": ["general-purpose", "system"],
                "nodeRoleArn": auto_mode_role.arn,
            }
            attributes["storage_config"] = {"blockStorage": {"enabled": True}}
            self._used(auto_mode_role.arn, "auto-mode-node", cluster, region)
        extend(cluster, **attributes)
        self._used(role.arn, "cluster", cluster, region)
        return cluster

    def nodegroup(
        self, region: str, cluster: Cluster, name: str, role: Role, issues: Sequence[Mapping[str, Any]] = ()
    ) -> dict[str, Any]:
        """Add a managed node group."""
        # moto's own Nodegroup would import moto's EC2 and read its images, 2 s for nothing.
        group = stamped(
            {
                "nodegroupName": name,
                "nodegroupArn": self.arn(
                    "eks", f"nodegroup/{cluster.name}/{name}/{_uuid(cluster.name + name)}", region
                ),
                "clusterName": cluster.name,
                "version": cluster.version,
                "status": "DEGRADED" if issues else "ACTIVE",
                "capacityType": "ON_DEMAND",
                "scalingConfig": {"minSize": 1, "maxSize": 5, "desiredSize": 3},
                "instanceTypes": ["m7g.large"],
                "amiType": "AL2023_ARM_64_STANDARD",
                "nodeRole": role.arn,
                "health": {"issues": [dict(issue) for issue in issues]},
                "tags": {},
            },
            self.now,
        )
        cluster.nodegroups[name] = group
        self._used(role.arn, "nodegroup", cluster, region, name)
        return group

    def fargate_profile(self, region: str, cluster: Cluster, name: str, role: Role, namespace: str) -> FargateProfile:
        """Add a Fargate profile for a namespace."""
        profile = self.eks(region).create_fargate_profile(name, cluster.name, [{"namespace": namespace}], role.arn)
        profile.created_at = self.now
        setattr(profile, "health", {"issues": []})  # noqa: B010
        self._used(role.arn, "fargate", cluster, region, name)
        return profile

    def addon(
        self,
        region: str,
        cluster: Cluster,
        name: str,
        role: Role | None = None,
        associations: Sequence[str] = (),
        issues: Sequence[Mapping[str, Any]] = (),
    ) -> dict[str, Any]:
        """Add an add-on, with the role of its service account or the ARNs of its Pod Identity associations."""
        addon: dict[str, Any] = {
            "addonName": name,
            "clusterName": cluster.name,
            "status": "DEGRADED" if issues else "ACTIVE",
            "addonVersion": ADDONS[name][0],
            "health": {"issues": [dict(issue) for issue in issues]},
            "addonArn": self.arn("eks", f"addon/{cluster.name}/{name}/{_uuid(cluster.name + name)}", region),
            "tags": {},
        }
        if role is not None:
            addon["serviceAccountRoleArn"] = role.arn
            self._used(role.arn, "addon", cluster, region, name)
        if associations:
            addon["podIdentityAssociations"] = list(associations)
        stamped_addon = stamped(addon, self.now)
        resources(cluster, "addons")[name] = stamped_addon
        return stamped_addon

    def pod_identity(
        self,
        region: str,
        cluster: Cluster,
        namespace: str,
        service_account: str,
        role: Role,
        *,
        target: str | None = None,
        policy: Document | None = None,
        disable_session_tags: bool = False,
        addon: str | None = None,
    ) -> str:
        """Add a Pod Identity association; return its ARN. `target` is the ARN of a target role."""
        number = f"a-{_hex(f'{region}/{cluster.name}/{namespace}/{service_account}', 17)}"
        arn = self.arn("eks", f"podidentityassociation/{cluster.name}/{number}", region)
        association: dict[str, Any] = {
            "clusterName": cluster.name,
            "namespace": namespace,
            "serviceAccount": service_account,
            "roleArn": role.arn,
            "associationArn": arn,
            "associationId": number,
            "tags": {},
            "disableSessionTags": disable_session_tags,
        }
        if target:
            association |= {"targetRoleArn": target, "externalId": f"{region}/{self.account_id}/{cluster.name}"}
            self._used(target, "pod-identity-target", cluster, region, "", namespace, service_account)
        if policy is not None:
            association["policy"] = json.dumps(policy)
        if addon is not None:
            association["ownerArn"] = self.arn(
                "eks", f"addon/{cluster.name}/{addon}/{_uuid(cluster.name + addon)}", region
            )
        resources(cluster, "associations")[number] = stamped(association, self.now)
        self._used(role.arn, "pod-identity", cluster, region, "", namespace, service_account)
        return arn

    def access_entry(
        self, region: str, cluster: Cluster, principal: str, kind: str = "STANDARD", policies: Sequence[str] = ()
    ) -> dict[str, Any]:
        """Add an access entry of any type; `policies` are names of EKS access policies."""
        digest = _uuid(cluster.name + principal)
        entry = stamped(
            {
                "clusterName": cluster.name,
                "principalArn": principal,
                "kubernetesGroups": [] if kind == "STANDARD" else ["system:nodes"],
                "accessEntryArn": self.arn(
                    "eks", f"access-entry/{cluster.name}/role/{self.account_id}/{digest}", region
                ),
                "tags": {},
                "username": principal,
                "type": kind,
            },
            self.now,
        )
        resources(cluster, "access_entries")[principal] = entry
        associations = [
            {
                "policyArn": f"arn:{self.partition}:eks::aws:cluster-access-policy/{policy}",
                "accessScope": {"type": "cluster", "namespaces": []},
                "associatedAt": self.now,
                "modifiedAt": self.now,
            }
            for policy in policies
        ]
        resources(cluster, "access_policies")[principal] = {"policies": associations}
        return entry

    def capability(self, region: str, cluster: Cluster, name: str, kind: str, role: Role) -> dict[str, Any]:
        """Add a capability: ACK, KRO or ARGOCD."""
        capability = stamped(
            {
                "capabilityName": name,
                "arn": self.arn("eks", f"capability/{cluster.name}/{kind.lower()}/{name}", region),
                "clusterName": cluster.name,
                "type": kind,
                "roleArn": role.arn,
                "status": "ACTIVE",
                "version": "1.0.0",
                "tags": {},
                "health": {"issues": []},
            },
            self.now,
        )
        resources(cluster, "capabilities")[name] = capability
        self._used(role.arn, "capability", cluster, region, name)
        return capability

    def node(self, region: str, cluster: Cluster, role: Role, kind: str) -> None:
        """Say that a role is the role of nodes that EKS does not manage; `kind` is a use's kind."""
        self._used(role.arn, kind, cluster, region)

    def irsa(self, region: str, cluster: Cluster, role: Role, namespace: str = "*", service_account: str = "*") -> None:
        """Say that a role may be assumed by service accounts of a cluster, as its trust policy has it."""
        self._used(role.arn, "irsa", cluster, region, "", namespace, service_account)

    def _used(
        self,
        role: str,
        kind: str,
        cluster: Cluster,
        region: str,
        name: str = "",
        namespace: str = "",
        service_account: str = "",
    ) -> None:
        self.uses.append(Use(role, kind, cluster.name, region, name, namespace, service_account))

    def _policy_arn(self, policy: str) -> str:
        return policy if policy.startswith("arn:") else self.aws_policy(policy)


def _hex(text: str, length: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def _id(prefix: str, text: str) -> str:
    return prefix + _hex(text, 17).upper()


def _uuid(text: str) -> str:
    digest = _hex(text, 32)
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:]}"
