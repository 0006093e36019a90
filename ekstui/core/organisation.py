"""Who carries a policy in the accounts of an organisation, as AWS Config has recorded it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ekstui.core.account import CallerIdentity, CarriedAs, SourceError, Use

CarrierKind = Literal["role", "user", "group"]

NOT_IN_CONFIG = (
    "when a role was last used, which AWS Config does not record",
    "node groups, access entries, Pod Identity and capabilities, which AWS Config does not record",
    "accounts and regions whose recorder leaves IAM out: an empty answer may mean that nothing was recorded",
)
"""What an answer of AWS Config leaves out, a phrase each."""


@dataclass(frozen=True, slots=True)
class RecordedCarrier:
    """A role, user or group of some account that carries the policy, once."""

    kind: CarrierKind
    account: str
    name: str
    arn: str
    path: str
    carried_as: tuple[CarriedAs, ...]
    recorded_at: datetime | None
    """When Config last recorded a change of it."""
    used_by: tuple[Use, ...] = ()


@dataclass(frozen=True, slots=True)
class OrganisationAnswer:
    """What an aggregator of AWS Config says; it never proves that nothing carries the policy."""

    identity: CallerIdentity
    aggregator: str
    policy_arn: str
    carriers: tuple[RecordedCarrier, ...]
    """By account, then name."""
    complete: bool
    """Whether every page came; see `not_looked_at` for what no page holds."""
    not_looked_at: tuple[str, ...]
    errors: tuple[SourceError, ...]
