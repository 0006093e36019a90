"""The AWS managed policies that the rig serves: all of the corpus with every version, and what a test adds or withdraws."""

import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.iam.models import AWSManagedPolicy, PolicyVersion

from tests.support.corpus import raw_corpus

ABSENT_OUTSIDE_AWS = "ElasticContainerRegistryPublic"
"""Policies with this in their name exist only in the partition aws."""


class CataloguedVersion(PolicyVersion):
    """A version whose document becomes a string only when somebody asks for it."""

    def __init__(self, version_id: str, created: datetime, is_default: bool, document: Any, partition: str) -> None:
        self.version_id = version_id
        self.create_date = created
        self.is_default = is_default
        self._document = document
        self._partition = partition

    @functools.cached_property
    def text(self) -> str:
        """The document as JSON, with the ARNs of its partition."""
        document = json.dumps(self._document, separators=(",", ":"))
        return document if self._partition == "aws" else document.replace("arn:aws:", f"arn:{self._partition}:")

    @property
    def document(self) -> str:
        return self.text


class CataloguedPolicy(AWSManagedPolicy):
    """An AWS managed policy with every version that is known of it."""

    def __init__(self, name: str, path: str, partition: str, versions: list[CataloguedVersion]) -> None:
        self.name = name
        self.path = path
        self.partition = partition
        self.account_id = "aws"
        self.attachment_count = 0
        self.description = ""
        self.tags: dict[str, dict[str, str]] = {}
        self.id = "ANPA" + hashlib.sha256(name.encode()).hexdigest()[:17].upper()
        self.next_version_num = 1
        self.versions: list[CataloguedVersion] = []
        for version in versions:
            self.add(version)

    @functools.cached_property
    def arn(self) -> str:
        """The ARN, which moto would put together at each use: ListPolicies has three for each of 1,500 policies."""
        return f"arn:{self.partition}:iam::aws:policy{self.path}{self.name}"

    def add(self, version: CataloguedVersion) -> None:
        """Add a newer version; it becomes the default when it says so."""
        if version.is_default:
            for earlier in self.versions:
                earlier.is_default = False
            self.default_version_id = version.version_id
            self.update_date = version.create_date
        self.versions.append(version)
        self.create_date = self.versions[0].create_date
        self.next_version_num = 1 + max(int(v.version_id[1:]) for v in self.versions)


@dataclass(slots=True)
class Catalogue:
    """The AWS managed policies of one partition, by ARN, in the order ListPolicies gives them."""

    partition: str = "aws"
    policies: dict[str, CataloguedPolicy] = field(default_factory=dict)
    changed: bool = False
    """Whether a test published or withdrew anything."""
    _arns: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, partition: str) -> "Catalogue":
        """Return the corpus as `partition` would have it."""
        catalogue = cls(partition)
        # Not read through ekstui, so that what the rig serves does not depend on the code under test.
        for entry in raw_corpus():
            if partition != "aws" and ABSENT_OUTSIDE_AWS in entry["name"]:
                continue
            catalogue._keep(_policy(entry, partition))
        return catalogue

    def names(self) -> tuple[str, ...]:
        """Return the names of all policies."""
        return tuple(self._arns)

    def named(self, name: str) -> CataloguedPolicy:
        """Return the policy of that name."""
        return self.policies[self._arns[name]]

    def arn(self, name: str) -> str:
        """Return the ARN of the policy of that name, its path included."""
        return self._arns[name]

    def publish(self, name: str, document: Mapping[str, Any], created: datetime, path: str = "/") -> str:
        """Publish a new default version of a policy, or a new policy, as AWS would; return its version ID."""
        self.changed = True
        if name not in self._arns:
            self._keep(CataloguedPolicy(name, path, self.partition, []))
        policy = self.named(name)
        version_id = f"v{policy.next_version_num}"
        policy.add(CataloguedVersion(version_id, created, True, dict(document), self.partition))
        return version_id

    def withdraw(self, name: str) -> None:
        """Take a policy away, as AWS does with those it retires."""
        self.changed = True
        del self.policies[self._arns.pop(name)]

    def restore(self, policy: CataloguedPolicy) -> None:
        """List a policy again that was withdrawn."""
        self.changed = True
        self._keep(policy)

    def forget(self, name: str, version: str) -> None:
        """Take one version away, so that asking for it is NoSuchEntity."""
        self.changed = True
        policy = self.named(name)
        policy.versions = [v for v in policy.versions if v.version_id != version]

    def _keep(self, policy: CataloguedPolicy) -> None:
        self.policies[policy.arn] = policy
        self._arns[policy.name] = policy.arn


def _policy(entry: dict[str, Any], partition: str) -> CataloguedPolicy:
    path = entry["arn"].partition(":policy")[2].removesuffix(entry["name"])
    versions = []
    dates = [v["created"] for v in entry["versions"] if v["created"]]
    before = datetime.fromisoformat(dates[0]) if dates else datetime(2020, 1, 1, tzinfo=UTC)
    for version in entry["versions"]:
        # AWS dates every version; where the corpus does not know, the rig says a minute after the version before.
        created = datetime.fromisoformat(version["created"]) if version["created"] else before + timedelta(minutes=1)
        before = created
        is_default = version["version"] == entry["default"]
        versions.append(CataloguedVersion(version["version"], created, is_default, version["document"], partition))
    return CataloguedPolicy(entry["name"], path, partition, versions)
