"""IAM documents that EKS controllers publish, as components with releases.

A component is what people install, such as Karpenter; what it needs may stand in several policies, which are compared as
their union. Releases are ordered by version, not by date: branches that are kept get patches later. Source: the files in
the projects' repositories that assets/build_published.py names.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from ekstui.core.document import Document, parse


class Release(NamedTuple):
    """A released tag of a project."""

    tag: str
    """As the project writes it, such as `v2.13.0` or `cluster-autoscaler-1.33.0`."""
    day: date
    """When the commit or the tag was made."""


@dataclass(frozen=True, slots=True)
class Correction:
    """What a project made of a document after it had released it."""

    source: str
    """The repository, commit and path."""
    day: date
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PublishedPolicy:
    """One document as a project publishes it."""

    name: str
    path: str
    """Where in the repository it is."""
    parameters: tuple[str, ...]
    """Names in `${…}` that whoever installs it fills in; the document's other `${…}` are policy variables."""
    document: Mapping[str, Any]
    corrected: Correction | None = None


@dataclass(frozen=True, slots=True)
class ComponentVersion:
    """A run of releases that publish the same documents."""

    number: int
    """From 1, by version."""
    releases: tuple[Release, ...]
    """In the order of their versions, at least one."""
    policies: tuple[PublishedPolicy, ...]

    @property
    def label(self) -> str:
        """The first release that has these documents."""
        return self.releases[0].tag

    def document(self, values: Mapping[str, str] | None = None) -> Document:
        """Return the union of the policies, with the parameters filled in as far as they are given.

        What is not given stays a variable, which stands for anything, the same wherever it is named.
        """
        return parse(filled(union(policy.document for policy in self.policies), values or {}))


@dataclass(frozen=True, slots=True)
class Component:
    """What a controller may be given, release by release."""

    name: str
    """Such as `karpenter`, `vpc-cni/ipv6` or `karpenter/KarpenterControllerZonalShiftPolicy`."""
    title: str
    repository: str
    """Such as `aws/karpenter-provider-aws`."""
    versions: tuple[ComponentVersion, ...]

    @property
    def newest(self) -> Release:
        """The newest release by version."""
        return self.versions[-1].releases[-1]

    @property
    def parameters(self) -> tuple[str, ...]:
        """The parameters of the newest version."""
        return tuple(sorted({name for policy in self.versions[-1].policies for name in policy.parameters}))

    def at(self, release: str) -> ComponentVersion | None:
        """Return the version that a release has; None for one that the data does not know."""
        wanted = release_numbers(release)
        return next(
            (
                version
                for version in self.versions
                if any(wanted == release_numbers(known.tag) for known in version.releases)
            ),
            None,
        )


class _Variant(NamedTuple):
    """Policies of a project that count together, and what they are called."""

    name: str
    title: str
    policies: re.Pattern[str]


_VARIANTS: dict[str, tuple[_Variant, ...]] = {
    project: tuple(_Variant(name, title, re.compile(policies)) for name, title, policies in variants)
    for project, variants in {
        "AWS Load Balancer Controller": (
            ("aws-load-balancer-controller", "AWS Load Balancer Controller", r"AWSLoadBalancerControllerIAMPolicy"),
            ("aws-load-balancer-controller/aws-cn", "AWS Load Balancer Controller in China",
             r"AWSLoadBalancerControllerIAMPolicy \(aws-cn\)"),
            ("aws-load-balancer-controller/aws-us-gov", "AWS Load Balancer Controller in GovCloud",
             r"AWSLoadBalancerControllerIAMPolicy \(aws-us-gov\)"),
            ("aws-load-balancer-controller/aga", "AWS Load Balancer Controller with Global Accelerator",
             r"AGAControllerIAMPolicy"),
        ),
        "Karpenter": (("karpenter", "Karpenter", r"KarpenterController\w*Policy"),),
        "EBS CSI driver": (("aws-ebs-csi-driver", "EBS CSI driver", r".*"),),
        "EFS CSI driver": (("aws-efs-csi-driver", "EFS CSI driver", r".*"),),
        "VPC CNI": (
            ("vpc-cni", "VPC CNI with IPv4", r"VPC CNI IPv4"),
            ("vpc-cni/ipv6", "VPC CNI with IPv6", r"VPC CNI IPv6"),
            ("vpc-cni/one-cluster", "VPC CNI with IPv4, for one cluster", r"VPC CNI IPv4 for one cluster"),
        ),
        "AWS Gateway API Controller": (("aws-gateway-api-controller", "AWS Gateway API Controller", r".*"),),
        "Cluster Autoscaler": (
            ("cluster-autoscaler", "Cluster Autoscaler, all features", r"Cluster Autoscaler, all features"),
            ("cluster-autoscaler/minimal", "Cluster Autoscaler, minimal", r"Cluster Autoscaler, minimal"),
        ),
    }.items()
}  # fmt: skip
"""What there is of each project: a table, since what belongs together is in no file of theirs."""

_NUMBERS = re.compile(r"(\d+)\.(\d+)\.(\d+)")
_PLACEHOLDER = re.compile(r"\$\{([A-Za-z_][\w.:]*)\}")


def read_components(lines: Iterable[bytes]) -> dict[str, Component]:
    """Return the components by name, of the lines of assets/published.jsonl.xz.

    A component of several policies stands a second time for each of them, as `COMPONENT/POLICY`.
    """
    rows: dict[str, list[Mapping[str, Any]]] = {}
    for line in lines:
        row = json.loads(line)
        rows.setdefault(row["component"], []).append(row)
    components: dict[str, Component] = {}
    for project, of_project in rows.items():
        for variant in _VARIANTS[project]:
            own = [row for row in of_project if variant.policies.fullmatch(row["policy"])]
            components[variant.name] = _component(variant.name, variant.title, own)
            names = dict.fromkeys(str(row["policy"]) for row in own)
            if len(names) > 1:
                for name in names:
                    whole = f"{variant.name}/{name}"
                    components[whole] = _component(whole, name, [row for row in own if row["policy"] == name])
    return components


def release_numbers(tag: str) -> tuple[int, ...]:
    """Return the numbers of a release for comparison: of `v1.20.4-eksbuild.1` as of `1.20.4`; empty for none."""
    found = _NUMBERS.search(tag)
    return tuple(int(number) for number in found.groups()) if found else ()


def union(documents: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return one document with the statements of all; ValueError if they are of several versions of the language."""
    documents = list(documents)
    versions = {document.get("Version") for document in documents}
    if len(versions) != 1:
        raise ValueError("documents of several versions of the policy language have no union")
    statements: list[Any] = []
    for document in documents:
        listed = document["Statement"]
        statements.extend(listed if isinstance(listed, list) else [listed])
    return {"Version": versions.pop(), "Statement": statements}


def filled(document: Any, values: Mapping[str, str]) -> Any:
    """Return a document with `${NAME}` replaced in values and condition keys, for the names that are given.

    `AWS::Partition` is `aws` unless another is given.
    """
    known = {"AWS::Partition": "aws", **values}

    def replaced(value: Any) -> Any:
        if isinstance(value, str):
            return _PLACEHOLDER.sub(lambda found: known.get(found[1], found[0]), value)
        if isinstance(value, Mapping):
            return {replaced(key): replaced(entry) for key, entry in value.items()}
        return [replaced(entry) for entry in value] if isinstance(value, list) else value

    return replaced(document)


def shown(text: str, parameters: Iterable[str]) -> str:
    """Return a text with parameters as people read them: `<ClusterName>` for `${ClusterName}`."""
    names = set(parameters)
    return _PLACEHOLDER.sub(lambda found: f"<{found[1]}>" if found[1] in names else found[0], text)


def _component(name: str, title: str, rows: list[Mapping[str, Any]]) -> Component:
    by_release: dict[Release, list[PublishedPolicy]] = {}
    for row in rows:
        policy = PublishedPolicy(
            row["policy"], row["path"], tuple(row["parameters"]), row["document"], _correction(row.get("corrected"))
        )
        for tag, day in row["releases"]:
            by_release.setdefault(Release(tag, date.fromisoformat(day)), []).append(policy)
    runs: list[tuple[list[Release], list[PublishedPolicy]]] = []
    for release in sorted(by_release, key=lambda each: release_numbers(each.tag)):
        policies = by_release[release]
        if not runs or runs[-1][1] != policies:
            runs.append(([], policies))
        runs[-1][0].append(release)
    return Component(
        name,
        title,
        rows[0]["repository"],
        tuple(
            ComponentVersion(number, tuple(releases), tuple(policies))
            for number, (releases, policies) in enumerate(runs, start=1)
        ),
    )


def _correction(row: Mapping[str, Any] | None) -> Correction | None:
    return None if row is None else Correction(row["source"], date.fromisoformat(row["date"]), row["document"])
