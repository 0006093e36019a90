"""The AWS managed policies in IAM: a list in two calls, and the versions that are not known yet.

Shapes: IAM API Reference, ListPolicies, ListPolicyVersions, GetPolicyVersion. `UpdateDate` of a policy with several
versions is the time of the newest one.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime

from ekstui.change.policy import (
    Delivery,
    Policy,
    PolicyHistory,
    Provenance,
    SkippedPart,
    VersionInfo,
    parse_version,
    version_label,
)
from ekstui.errors import AccountError, DocumentError
from ekstui.iam.document import parse
from ekstui.named_tuples import NamedTuple
from ekstui.sources.aws.connection import Connection, in_parallel
from ekstui.sources.aws.failures import account_error, failures
from ekstui.sources.policy_file import inner_document, text_of
from ekstui.waiting import Cancelled

_PAGE = 1000
"""Policies per page, IAM's maximum."""


class ListedPolicy(NamedTuple):
    """A policy in ListPolicies' answer."""

    name: str
    arn: str
    default_version: int
    updated: datetime


class ManagedPolicies(NamedTuple):
    """The AWS managed policies of the caller's partition; an endpoint that is not AWS's counts as an archive."""

    connection: Connection
    family: Mapping[str, int]
    """The order of the EKS family, which is fetched first."""
    now: datetime
    latest: datetime
    """Later dates are not believed."""
    cancelled: Cancelled

    def deliver(self, stored_policies: Callable[[str], Mapping[str, Policy]]) -> Delivery:
        """Return the versions that are not known; AccountError if not all policies can be listed."""
        policies = list_managed(self.connection)
        if not policies:
            raise AccountError("IAM listed no AWS managed policies, which cannot be right.", "Nothing was changed.")
        endpoint = self.connection.custom_endpoint()
        collection = policies[0].arn.split(":", 2)[1]
        before = stored_policies(collection)
        believed_policies = [policy for policy in policies if policy.updated <= self.latest]
        pending_policies = [policy for policy in believed_policies if _lacks(before.get(policy.name), policy)]
        pending_policies.sort(key=lambda policy: (self.family.get(policy.name, len(self.family)), policy.name))
        newest = max((policy.updated for policy in believed_policies), default=self.now)
        until = newest if endpoint else max(self.now, newest)
        return Delivery(
            collection,
            Provenance(f"AWS at {endpoint}" if endpoint else "AWS", "archive" if endpoint else "aws", until, self.now),
            len(pending_policies),
            self._entries(policies, before, pending_policies),
            until,
            None if endpoint else frozenset(policy.name for policy in policies),
            asked=True,
            endpoint=endpoint,
        )

    def _entries(
        self, policies: tuple[ListedPolicy, ...], before: Mapping[str, Policy], pending_policies: list[ListedPolicy]
    ) -> Iterator[PolicyHistory | SkippedPart]:
        profile = self.connection.profile

        def fetched(policy: ListedPolicy) -> PolicyHistory:
            return fetch_history(self.connection, policy, before.get(policy.name))

        for policy, answer in in_parallel(fetched, pending_policies, self.cancelled):
            try:
                yield answer.result()
            except DocumentError as error:
                yield SkippedPart(policy.name, error.message)
            except Exception as error:  # noqa: BLE001 (everything that botocore raises is reported)
                yield SkippedPart(policy.name, account_error(error, "counts", "iam:GetPolicyVersion", profile).message)
        for policy in policies:
            stored_policy = before.get(policy.name)
            if policy.updated > self.latest:
                yield SkippedPart(policy.name, f"dated {policy.updated:%Y-%m-%d}, which is in the future.")
            elif (
                stored_policy
                and not _lacks(stored_policy, policy)
                and stored_policy.versions[-1] == VersionInfo(stored_policy.default_version, None)
            ):
                # The list has the missing time of the newest version, so no call is needed.
                dated_version = VersionInfo(policy.default_version, policy.updated)
                yield PolicyHistory(stored_policy._replace(versions=(*stored_policy.versions[:-1], dated_version)), {})


def list_managed(connection: Connection) -> tuple[ListedPolicy, ...]:
    """Return all AWS managed policies of the caller's partition; AccountError if not all can be listed."""
    action = "iam:ListPolicies"
    policies: list[ListedPolicy] = []
    try:
        for page in connection.pages(action, Scope="AWS", MaxItems=_PAGE):
            for policy in page["Policies"]:
                update_time = policy["UpdateDate"].astimezone(UTC)
                number = _number(policy["DefaultVersionId"])
                policies.append(ListedPolicy(policy["PolicyName"], policy["Arn"], number, update_time))
    except failures() as error:
        raise account_error(error, "counts", action, connection.profile) from error
    return tuple(policies)


def _lacks(stored_policy: Policy | None, listed_policy: ListedPolicy) -> bool:
    return (
        stored_policy is None
        or stored_policy.withdrawn
        or (stored_policy.default_version, stored_policy.arn) != (listed_policy.default_version, listed_policy.arn)
        or listed_policy.default_version not in {info.number for info in stored_policy.versions}
    )


def fetch_history(connection: Connection, listed_policy: ListedPolicy, stored_policy: Policy | None) -> PolicyHistory:
    """Return the times of all versions that IAM has of a policy, and the documents of those that are not known."""
    versions = {
        _number(version["VersionId"]): version
        for page in connection.pages("iam:ListPolicyVersions", PolicyArn=listed_policy.arn, MaxItems=_PAGE)
        for version in page["Versions"]
    }
    numbers = sorted(versions)
    stored_numbers = {info.number for info in stored_policy.versions} if stored_policy else set()
    texts = {number: _text(connection, listed_policy.arn, number) for number in numbers if number not in stored_numbers}
    return PolicyHistory(
        Policy(
            name=listed_policy.name,
            arn=listed_policy.arn,
            default_version=listed_policy.default_version,
            versions=tuple(VersionInfo(number, versions[number].get("CreateDate")) for number in numbers),
        ),
        texts,
    )


def _text(connection: Connection, arn: str, number: int) -> bytes:
    answer = connection.ask("iam:GetPolicyVersion", PolicyArn=arn, VersionId=version_label(number))
    document = inner_document(answer["PolicyVersion"]["Document"])
    parse(document)
    return text_of(document)


def _number(label: str) -> int:
    number = parse_version(label)
    if number is None:
        raise ValueError(f"{label!r} is not a version")
    return number
