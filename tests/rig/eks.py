"""EKS as AWS answers it: add-ons, Pod Identity, access entries and capabilities, and what moto drops from clusters."""

import hashlib
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from moto.core.responses import ActionResult
from moto.eks.exceptions import InvalidParameterException, InvalidRequestException, ResourceNotFoundException
from moto.eks.models import Cluster
from moto.eks.responses import EKSResponse

from tests.rig.addons import ADDONS, RECOMMENDED, addon_type
from tests.rig.world import SignedRegion, world

PATHS = (
    "/clusters/(?P<name>[^/]+)/addons",
    "/clusters/(?P<name>[^/]+)/addons/(?P<addonName>[^/]+)",
    "/clusters/(?P<name>[^/]+)/pod-identity-associations",
    "/clusters/(?P<name>[^/]+)/pod-identity-associations/(?P<associationId>[^/]+)",
    "/clusters/(?P<name>[^/]+)/access-entries",
    # The ARN comes percent-encoded and werkzeug decodes it, slashes and all.
    "/clusters/(?P<name>[^/]+)/access-entries/(?P<principalArn>.+)",
    "/clusters/(?P<name>[^/]+)/capabilities",
    "/clusters/(?P<name>[^/]+)/capabilities/(?P<capabilityName>[^/]+)",
    "/addons/supported-versions",
    "/addons/configuration-schemas",
)
"""Paths that moto does not route."""

KINDS = ("addons", "associations", "access_entries", "capabilities", "access_policies")


def issuer(region: str, name: str, account_id: str) -> str:
    """Return the OIDC issuer that the rig gives a cluster: unlike moto's, one of its own for each."""
    digest = hashlib.sha256(f"{account_id}/{region}/{name}".encode()).hexdigest()[:32].upper()
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return f"https://oidc.eks.{region}.{suffix}/id/{digest}"


def extend(cluster: Cluster, **attributes: Any) -> None:
    """Give a moto cluster what moto leaves out; `attributes` are further ones in snake case, such as compute_config."""
    for kind in KINDS:
        if not hasattr(cluster, kind):
            setattr(cluster, kind, {})
    defaults = {
        "health": {"issues": []},
        "access_config": {"authenticationMode": "CONFIG_MAP"},
        "compute_config": None,
        "storage_config": None,
        "upgrade_policy": {"supportType": "EXTENDED"},
    }
    for name, value in (defaults | attributes).items():
        setattr(cluster, name, value)


def resources(cluster: Cluster, kind: str) -> dict[str, dict[str, Any]]:
    """Return the cluster's add-ons, associations, access_entries, capabilities or access_policies, in API shape."""
    resource_by_name: dict[str, dict[str, Any]] = getattr(cluster, kind)
    return resource_by_name


class CorrectedEks(SignedRegion, EKSResponse):
    """moto's EKS, with what it lacks kept on its clusters in the shape of the API."""

    def create_cluster(self) -> ActionResult:
        answer = super().create_cluster()
        cluster = self._cluster(self._get_param("name"))
        compute = self._get_param("computeConfig")
        access = {"authenticationMode": "API_AND_CONFIG_MAP"} | (self._get_param("accessConfig") or {})
        access.pop("bootstrapClusterCreatorAdminPermissions", None)
        extend(cluster, compute_config=compute, storage_config=self._get_param("storageConfig"), access_config=access)
        cluster.identity = {"oidc": {"issuer": issuer(self.region, cluster.name, self.current_account)}}
        return answer

    def list_clusters(self) -> ActionResult:
        return self._listed("clusters", sorted(self.eks_backend.clusters))

    def list_nodegroups(self) -> ActionResult:
        return self._listed("nodegroups", sorted(self._cluster().nodegroups))

    def list_fargate_profiles(self) -> ActionResult:
        return self._listed("fargateProfileNames", sorted(self._cluster().fargate_profiles))

    def list_addons(self) -> ActionResult:
        return self._listed("addons", sorted(self._of("addons")))

    def describe_addon(self) -> ActionResult:
        return ActionResult({"addon": self._one("addons", self._get_param("addonName"), "addon")})

    def list_pod_identity_associations(self) -> ActionResult:
        summaries = []
        for association in self._of("associations").values():
            for name in ("namespace", "serviceAccount"):
                value = self._get_param(name)
                if value and association[name] != value:
                    break
            else:
                # A summary holds no role: that is what makes the app describe each one.
                keys = ("clusterName", "namespace", "serviceAccount", "associationArn", "associationId", "ownerArn")
                summaries.append({key: association[key] for key in keys if key in association})
        return self._listed("associations", summaries)

    def describe_pod_identity_association(self) -> ActionResult:
        association = self._one("associations", self._get_param("associationId"), "association")
        return ActionResult({"association": association})

    def list_access_entries(self) -> ActionResult:
        return self._listed("accessEntries", list(self._of("access_entries")))

    def describe_access_entry(self) -> ActionResult:
        return ActionResult({"accessEntry": self._one("access_entries", self._principal(), "principalArn")})

    def list_associated_access_policies(self) -> ActionResult:
        arn = self._principal()
        self._one("access_entries", arn, "principalArn")
        associations = self._of("access_policies").get(arn, {"policies": []})["policies"]
        return self._listed(
            "associatedAccessPolicies", associations, clusterName=self._cluster().name, principalArn=arn
        )

    def list_capabilities(self) -> ActionResult:
        keys = ("capabilityName", "arn", "type", "status", "version", "createdAt", "modifiedAt")
        summaries = [{key: one[key] for key in keys if key in one} for one in self._of("capabilities").values()]
        return self._listed("capabilities", summaries)

    def describe_capability(self) -> ActionResult:
        capability = self._one("capabilities", self._get_param("capabilityName"), "capability")
        return ActionResult({"capability": capability})

    def describe_addon_versions(self) -> ActionResult:
        addon_name = self._get_param("addonName")
        addons = [addon_type(name) for name in ADDONS if not addon_name or name == addon_name]
        return self._listed("addons", addons)

    def describe_addon_configuration(self) -> ActionResult:
        name = self._get_param("addonName")
        if name not in ADDONS:
            raise ResourceNotFoundException(addonName=name, message=f"Addon {name} specified is not supported")
        partition = self.partition
        recommendations = [
            {
                "serviceAccount": account,
                "recommendedManagedPolicies": [world.catalogue(partition).arn(policy) for policy in policies],
            }
            for account, policies in RECOMMENDED.get(name, {}).items()
        ]
        answer = {"addonName": name, "addonVersion": self._get_param("addonVersion"), "configurationSchema": "{}"}
        return ActionResult(answer | {"podIdentityConfiguration": recommendations})

    def _cluster(self, name: str | None = None) -> Cluster:
        cluster: Cluster = self.eks_backend.describe_cluster(name=name or self._get_param("name"))
        return cluster

    def _of(self, kind: str) -> dict[str, dict[str, Any]]:
        cluster = self._cluster()
        if kind.startswith("access_") and cluster.access_config["authenticationMode"] == "CONFIG_MAP":
            raise InvalidRequestException(
                message="The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] to perform "
                "this operation."
            )
        return resources(cluster, kind)

    def _one(self, kind: str, key: str, noun: str) -> dict[str, Any]:
        element = self._of(kind).get(key)
        if element is None:
            raise ResourceNotFoundException(
                clusterName=self._cluster().name,
                message=f"No {noun} found for: {key} in cluster: {self._cluster().name}",
            )
        return element

    def _principal(self) -> str:
        # moto's router stops at the first decoded slash, so the ARN is cut out of the path itself.
        path_tail = unquote(self.path).partition("/access-entries/")[2]
        return path_tail.removesuffix("/access-policies")

    def _listed(self, key: str, items: list[Any], **fields: Any) -> ActionResult:
        page_size = self._get_int_param("maxResults")
        if page_size is not None and not 1 <= page_size <= 100:
            raise InvalidParameterException(message="maxResults needs to be between 1 and 100")
        page, token = world.page(items, self._get_param("nextToken"), page_size, limit=100)
        return ActionResult({key: page, "nextToken": token, **fields})


def stamped(resource: dict[str, Any], created: datetime) -> dict[str, Any]:
    """Return the resource with its times, for those shapes that have them."""
    return resource | {"createdAt": created, "modifiedAt": created}
