"""The AWS managed policies as IAM has them: what there is in two calls, and the versions that somebody lacks.

Shapes: IAM API Reference, ListPolicies, ListPolicyVersions, GetPolicyVersion. `UpdateDate` of a policy with several
versions is when the newest one was made.
"""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ekstui.core.document import parse
from ekstui.core.history import PolicyHistory
from ekstui.core.policy import Policy, VersionInfo, parse_version, version_label
from ekstui.errors import AccountError
from ekstui.sources.aws.connection import Connection
from ekstui.sources.aws.errors import as_account_error, explain, failures
from ekstui.sources.policy_file import text_of, unwrapped

PAGE = 1000
"""Policies a page, the most that IAM gives."""


@dataclass(frozen=True, slots=True)
class ListedPolicy:
    """A policy as ListPolicies gives it."""

    name: str
    arn: str
    default_version: int
    updated: datetime


def list_managed(connection: Connection) -> tuple[ListedPolicy, ...]:
    """Return all AWS managed policies of the caller's partition; AccountError where they cannot be listed whole."""
    action = "iam:ListPolicies"
    try:
        return tuple(
            _listed(policy)
            for page in connection.pages(action, Scope="AWS", MaxItems=PAGE)
            for policy in page["Policies"]
        )
    except failures() as error:
        raise account_error(error, action, connection) from error


def fetch_history(connection: Connection, listed: ListedPolicy, known: Container[int]) -> PolicyHistory:
    """Return the times of all versions that IAM has of a policy, and the documents of those that are not known.

    Raises what a call raises, or DocumentError for a document that is none.
    """
    versions = {
        _number(version["VersionId"]): version
        for page in connection.pages("iam:ListPolicyVersions", PolicyArn=listed.arn, MaxItems=PAGE)
        for version in page["Versions"]
    }
    numbers = sorted(versions)
    texts = {number: _text(connection, listed.arn, number) for number in numbers if number not in known}
    return PolicyHistory(
        Policy(
            name=listed.name,
            arn=listed.arn,
            default_version=listed.default_version,
            versions=tuple(VersionInfo(number, versions[number].get("CreateDate")) for number in numbers),
        ),
        texts,
    )


def account_error(error: Exception, action: str, connection: Connection) -> AccountError:
    """Return what a call raised as the error that front ends show."""
    return as_account_error(explain(error, "counts", action, profile=connection.profile), error)


def _text(connection: Connection, arn: str, number: int) -> bytes:
    answer = connection.ask("iam:GetPolicyVersion", PolicyArn=arn, VersionId=version_label(number))
    document = unwrapped(answer["PolicyVersion"]["Document"])
    parse(document)
    return text_of(document)


def _listed(policy: Mapping[str, Any]) -> ListedPolicy:
    return ListedPolicy(
        name=str(policy["PolicyName"]),
        arn=str(policy["Arn"]),
        default_version=_number(policy["DefaultVersionId"]),
        updated=policy["UpdateDate"],
    )


def _number(label: str) -> int:
    number = parse_version(label)
    if number is None:
        raise ValueError(f"{label!r} is no version")
    return number
