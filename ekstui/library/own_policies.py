"""The account's own managed policies, by their ARN."""

from ekstui.core.account import AccountSnapshot, LocalPolicy
from ekstui.core.policy import parse_version, version_label
from ekstui.errors import InputError, NotFoundError
from ekstui.library.values import ComparedSide


def is_own(text: str) -> bool:
    """Return whether a text is the ARN of a policy that belongs to an account."""
    parts = text.split(":", 5)
    return len(parts) == 6 and parts[0] == "arn" and parts[4] != "aws" and parts[5].startswith("policy/")


def own_policy(arn: str, snapshot: AccountSnapshot) -> LocalPolicy:
    """Return a policy of the account; NotFoundError where no such one was read."""
    found = next((policy for policy in snapshot.local_policies if policy.arn == arn), None)
    if found is None:
        where = "" if snapshot.complete else "the part that was read of "
        raise NotFoundError(f"No policy of {where}account {snapshot.identity.account} has the ARN {arn}.")
    return found


def own_policy_side(arn: str, version: int | None, snapshot: AccountSnapshot) -> ComparedSide:
    """Return an own policy's default version, the only one that the snapshot has.

    Raises NotFoundError for a policy or version that is not there, InputError for a document that could not be read.
    """
    found = own_policy(arn, snapshot)
    default = parse_version(found.default_version)
    if version is not None and version != default:
        raise NotFoundError(
            f"{version_label(version)} of {found.name} was not read: of an account's own policies only the default "
            f"version is, {found.default_version}."
        )
    if found.document is None:
        raise InputError(f"The document of {arn} could not be read.")
    return ComparedSide(f"{found.name}@{found.default_version} (the account's own)", found.document)
