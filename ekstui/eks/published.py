"""IAM policies that EKS controllers publish, as components with releases.

A component is what people install, such as Karpenter. It may need several policies, which are compared as their union.
Releases are ordered by version, not by date, because maintained branches get later patches. Source: the files in the
projects' repositories that assets/build_published.py lists.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

from ekstui.change.policy import Policy, ReleaseNumber, VersionInfo
from ekstui.named_tuples import NamedTuple

if TYPE_CHECKING:
    from ekstui.iam.document import Document


class Release(NamedTuple):
    """A released tag of a project."""

    tag: str
    """As the project writes it, such as `v2.13.0` or `cluster-autoscaler-1.33.0`."""
    day: date
    """When the commit or the tag was made."""


class PublishedPolicy(NamedTuple):
    """One document as a project publishes it."""

    name: str
    path: str
    """Where in the repository it is."""
    parameters: tuple[str, ...]
    """Names in `${…}` that the installer fills in; other `${…}` in the document are policy variables."""
    document: Mapping[str, Any]


class ComponentVersion(NamedTuple):
    """A run of releases that publish the same documents."""

    number: int
    """From 1, by version."""
    releases: tuple[Release, ...]
    """In version order, at least one."""
    policies: tuple[PublishedPolicy, ...]

    @property
    def label(self) -> str:
        """The first release with these documents."""
        return self.releases[0].tag

    def document(self, values: Mapping[str, str] | None = None) -> Document:
        """Return the union of the policies, filled in; a parameter without a value stays, the same one everywhere."""
        from ekstui.iam.document import parse

        return parse(self.json(values))

    def json(self, values: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Return the same as a JSON value."""
        document: dict[str, Any] = filled(united_document(policy.document for policy in self.policies), values or {})
        return document

    def with_made(self, values: Mapping[str, str]) -> dict[str, str]:
        """Return values and the ARNs of what the template creates, where the values determine them."""
        created_arns = {name: filled(arn, values) for name, arn in ARNS_OF_TEMPLATE.items() if name in self.parameters}
        return {**{name: arn for name, arn in created_arns.items() if "${" not in arn}, **values}

    @property
    def to_fill_in(self) -> tuple[str, ...]:
        """The parameters that a user has to give: neither the partition nor ARNs that the template itself makes."""
        return tuple(name for name in self.parameters if name != "AWS::Partition" and name not in ARNS_OF_TEMPLATE)

    @property
    def parameters(self) -> tuple[str, ...]:
        """The parameters of all policies."""
        return tuple(sorted({name for policy in self.policies for name in policy.parameters}))

    def named(self, values: Mapping[str, str]) -> dict[str, str]:
        """Return values for all parameters: the given ones, and `<ClusterName>` and the like for others.

        What holds for a name that occurs nowhere else holds for any name, so documents without values can be compared.
        The ARNs of resources that the template creates are spelled out as it does.
        """
        placeholders = {name: f"<{name.rpartition(':')[2]}>" for name in (*_OF_ARNS, *self.parameters)}
        placeholders |= {"AWS::Partition": "aws", **values}
        placeholders |= {
            name: values.get(name, filled(pattern, placeholders)) for name, pattern in ARNS_OF_TEMPLATE.items()
        }
        return {name: placeholders[name] for name in (*self.parameters, "AWS::Partition")}


class Component(NamedTuple):
    """The policies of a controller, release by release."""

    name: str
    """Such as `karpenter`, `vpc-cni/ipv6` or `karpenter/KarpenterControllerZonalShiftPolicy`."""
    title: str
    repository: str
    """Such as `aws/karpenter-provider-aws`."""
    versions: tuple[ComponentVersion, ...]
    is_part: bool = False
    """Whether it is one policy of a component that has several."""

    def number(self, release: Release) -> ReleaseNumber:
        """Return the number of the version that a release belongs to."""
        number = next(version.number for version in self.versions if release in version.releases)
        return ReleaseNumber(number, self.short(release))

    def short(self, release: Release) -> str:
        """Return a release's tag without the component's name."""
        return release.tag.removeprefix(f"{self.whole}-")

    @property
    def whole(self) -> str:
        """The name without that of a variant or part: `vpc-cni` of `vpc-cni/ipv6`."""
        return self.name.partition("/")[0]

    @property
    def newest(self) -> Release:
        """The newest release by version."""
        return self.versions[-1].releases[-1]

    @property
    def parameters(self) -> tuple[str, ...]:
        """The parameters of the newest version."""
        return self.versions[-1].parameters

    def at(self, release: str) -> ComponentVersion | None:
        """Return the version that a release belongs to; None for an unknown release."""
        known_release = self.release(release)
        return next((version for version in self.versions if known_release in version.releases), None)

    def release(self, text: str) -> Release | None:
        """Return the release of a tag, with or without its prefix; for `v1.14` the newest of that branch."""
        numbers = release_numbers(text) or _branch(text)
        releases = [release for version in self.versions for release in version.releases]
        return next(
            (
                candidate
                for candidate in reversed(releases)
                if numbers and release_numbers(candidate.tag)[: len(numbers)] == numbers
            ),
            None,
        )


_VARIANTS: dict[str, tuple[tuple[str, str, str], ...]] = {
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
}  # fmt: skip
"""The components of each project: name, title, and a pattern of the names of its policies.

It is a table, because the projects do not say which policies belong together.
"""

_HEADS = frozenset(name.partition("/")[0] for variants in _VARIANTS.values() for name, _, _ in variants)

ARNS_OF_TEMPLATE = {
    "KarpenterNodeRole.Arn": "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/KarpenterNodeRole-${ClusterName}",
    "KarpenterInterruptionQueue.Arn": "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:${ClusterName}",
}
"""The ARNs of resources that a template creates, from their `RoleName` and `QueueName`."""

_OF_ARNS = ("AWS::AccountId", "AWS::Region", "ClusterName")

# Compiled where they are used: most commands know no policy that a controller publishes.
_NUMBERS = r"(\d+)\.(\d+)\.(\d+)"
_BRANCH = r"v?(\d+)\.(\d+)"
_PLACEHOLDER = r"\$\{([A-Za-z_][\w.:]*)\}"


def read_components(lines: Iterable[bytes]) -> dict[str, Component]:
    """Return the components by name, from assets/published.jsonl.xz.

    Each policy of those that have several is there as `COMPONENT/POLICY` too.
    """
    rows: dict[str, list[Mapping[str, Any]]] = {}
    for line in lines:
        row = json.loads(line)
        rows.setdefault(row["component"], []).append(row)
    components: dict[str, Component] = {}
    for project, of_project in rows.items():
        for name, title, policies in _VARIANTS[project]:
            variant_rows = [row for row in of_project if re.fullmatch(policies, row["policy"])]
            components[name] = _component(name, title, variant_rows)
            parts = dict.fromkeys(str(row["policy"]) for row in variant_rows)
            for part in parts if len(parts) > 1 else ():
                rows_of = [row for row in variant_rows if row["policy"] == part]
                components[f"{name}/{part}"] = _component(f"{name}/{part}", part, rows_of)._replace(is_part=True)
    return components


def is_component(text: str) -> bool:
    """Return whether a text, such as `karpenter@v1.14.1` or `vpc-cni/ipv6`, starts with the name of a component."""
    name = text.partition("@")[0].lower().removeprefix("published:")
    return name.partition("/")[0] in _HEADS and not name.endswith(".json")


def policy_of(component: Component) -> Policy:
    """Return a component as a policy whose versions are its runs of releases; the newest by version is the default."""
    return Policy(
        name=component.name,
        arn=f"published:{component.name}",
        default_version=component.number(component.newest),
        versions=tuple(
            VersionInfo(
                component.number(version.releases[0]),
                datetime.combine(version.releases[0].day, datetime.min.time(), UTC),
                component.short(version.releases[-1]),
            )
            for version in component.versions
        ),
        home=f"https://github.com/{component.repository}",
    )


def values_in(version: ComponentVersion, copy: Document) -> dict[str, str]:
    """Return a filled-in copy's values of a template's parameters, as most places have them; not wildcards."""
    open_document = version.document({"AWS::Partition": "${AWS::Partition}"})
    templates = (text for text in dict.fromkeys(_places(open_document)) if "${" in text)
    patterns = [pattern for template in templates for pattern in _patterns(template, version.parameters)]
    votes: dict[str, Counter[str]] = {}
    for text in set(_places(copy)):
        for names, shape in patterns:
            if match := shape.fullmatch(text):
                for group, name in enumerate(names, start=1):
                    votes.setdefault(name, Counter())[match[group]] += 1
    values = {name: max(sorted(counts), key=lambda value: counts[value]) for name, counts in sorted(votes.items())}
    return {
        name: value
        for name, value in values.items()
        if name not in ARNS_OF_TEMPLATE or filled(ARNS_OF_TEMPLATE[name], values) != value
    }


def _places(document: Document) -> Iterator[str]:
    """Yield the content of a document, place by place: action and resource, condition key, condition key and value."""
    for statement in document.statements:
        for resource in statement.resources:
            yield from (f"{action.lower()} on {resource}" for action in statement.actions)
        for condition in statement.conditions:
            yield condition.key
            yield from (f"{condition.key} is {value}" for value in condition.values)


def _patterns(template: str, parameters: Sequence[str]) -> Iterator[tuple[tuple[str, ...], re.Pattern[str]]]:
    """Yield a template's parameters in order, with a pattern of the texts that fill them in.

    An ARN that the template creates may have that form or any other.
    """
    expanded_template = filled(template, {**ARNS_OF_TEMPLATE, "AWS::Partition": "${AWS::Partition}"})
    for text in dict.fromkeys((expanded_template, template)):
        pieces = re.split(_PLACEHOLDER, text)
        names: list[str] = []
        regex = re.escape(pieces[0])
        for name, after in zip(pieces[1::2], pieces[2::2], strict=True):
            if name in names:
                regex += rf"\{names.index(name) + 1}"
            elif name in parameters or name in _VALUES:
                names.append(name)
                regex += _VALUES.get(name, r"(arn:[^*?$]+)" if name in ARNS_OF_TEMPLATE else r"([^*?$:/]+)")
            else:
                regex += re.escape(f"${{{name}}}")
            regex += re.escape(after)
        if names:
            yield tuple(names), re.compile(regex)


_VALUES = {"AWS::AccountId": r"(\d{12})", "AWS::Partition": r"(aws[a-z-]*)", "AWS::Region": r"([a-z]{2}-[a-z-]+-\d+)"}


def _branch(text: str) -> tuple[int, ...]:
    match = re.fullmatch(_BRANCH, text)
    return tuple(int(number) for number in match.groups()) if match else ()


def release_numbers(tag: str) -> tuple[int, ...]:
    """Return the numbers of a release for comparison, the same for `v1.20.4-eksbuild.1` as for `1.20.4`, or none."""
    match = re.search(_NUMBERS, tag)
    return tuple(int(number) for number in match.groups()) if match else ()


def united_document(documents: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return one document with all statements; ValueError if the documents have different language versions."""
    documents = list(documents)
    versions = {document.get("Version") for document in documents}
    if len(versions) != 1:
        raise ValueError("documents of several versions of the policy language have no union")
    statements: list[Any] = []
    for document in documents:
        entries = document["Statement"]
        statements.extend(entries if isinstance(entries, list) else [entries])
    return {"Version": versions.pop(), "Statement": statements}


def filled(document: Any, values: Mapping[str, str]) -> Any:
    """Return a document with `${NAME}` replaced in values and condition keys; `AWS::Partition` is `aws` by default."""
    values_of_names = {"AWS::Partition": "aws", **values}

    def replaced(value: Any) -> Any:
        if isinstance(value, str):
            # Hardly any has one.
            return (
                re.sub(_PLACEHOLDER, lambda match: values_of_names.get(match[1], match[0]), value)
                if "$" in value
                else value
            )
        if isinstance(value, Mapping):
            return {replaced(key): replaced(entry) for key, entry in value.items()}
        return [replaced(entry) for entry in value] if isinstance(value, list) else value

    return replaced(document)


def readable_text(text: str) -> str:
    """Return text of a controller's policy with its parameters as people read them: `<ClusterName>`.

    IAM's variables have a prefix and a colon; CloudFormation's have two colons, as in `${AWS::Region}`.
    """
    return re.sub(
        _PLACEHOLDER,
        lambda match: f"<{match[1].rpartition(':')[2]}>" if ":" not in match[1].replace("::", "") else match[0],
        text,
    )


def _component(name: str, title: str, rows: list[Mapping[str, Any]]) -> Component:
    by_release: dict[Release, list[PublishedPolicy]] = {}
    for row in rows:
        policy = PublishedPolicy(row["policy"], row["path"], tuple(row["parameters"]), row["document"])
        for tag, day in row["releases"]:
            by_release.setdefault(Release(tag, date.fromisoformat(day)), []).append(policy)
    in_order = sorted(by_release, key=lambda release: release_numbers(release.tag))
    runs = groupby(in_order, key=by_release.__getitem__)
    return Component(
        name,
        title,
        rows[0]["repository"],
        tuple(
            ComponentVersion(number, tuple(releases), tuple(policies))
            for number, (policies, releases) in enumerate(runs, start=1)
        ),
    )
