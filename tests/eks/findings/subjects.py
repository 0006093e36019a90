"""Roles, uses and clusters as small values for the tables of the tests; AWS's policies come from the corpus."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from ekstui import files
from ekstui.eks.account_snapshot import Certainty, Role, Use, UseKind
from ekstui.eks.cluster import Addon, Cluster, EksFacts, PodIdentityAssociation
from ekstui.eks.commands import Command
from ekstui.eks.findings.looking import findings_of, table
from ekstui.eks.findings.subjects import AccountContext, RoleInUse, RolePolicy
from ekstui.eks.findings.table import Finding, FixPlace
from ekstui.eks.knowledge import Knowledge, parse_knowledge
from ekstui.iam.document import Document, parse
from tests.support.corpus import raw_policies

NOW = datetime(2026, 9, 1, tzinfo=UTC)
ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/r"
ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/AAAA"
OTHER_ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/BBBB"
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"


def used(kind: UseKind, certainty: Certainty = "confirmed", **fields: Any) -> Use:
    """A use of a role, of the cluster `c` unless another is given."""
    return Use(kind, certainty, **{"cluster": "c", "region": "eu-west-1", **fields})


@cache
def knowledge() -> Knowledge:
    return parse_knowledge((files.assets() / "eks.json").read_text(encoding="utf-8"))


def aws(name: str, *, read: bool = True) -> RolePolicy:
    """AWS's policy of that name as it was at the time of the tables, which AWS may have changed since; a later one's first."""
    policy = raw_policies()[name]
    versions = [
        version for version in policy["versions"] if version["created"] and version["created"] < NOW.isoformat()
    ]
    version = [policy["versions"][0], *versions][-1]
    return RolePolicy(name, policy["arn"], int(version["version"][1:]), parse(version["document"]) if read else None)


def policy_allowing(name: str, *actions: str, effect: str = "Allow", arn: str | None = None) -> RolePolicy:
    """A policy of the account's own that allows actions on everything."""
    statement = {"Effect": effect, "Action": list(actions), "Resource": "*"}
    return RolePolicy(name, arn, None, parse({"Version": "2012-10-17", "Statement": statement}))


def unread(name: str) -> RolePolicy:
    return RolePolicy(name, f"arn:aws:iam::{ACCOUNT}:policy/{name}", 1, None)


def web_identity(issuer: str, subject: str | None, operator: str = "StringEquals") -> dict[str, Any]:
    """A statement that trusts service accounts of a cluster."""
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{issuer}"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{issuer}:aud": "sts.amazonaws.com"}},
    }
    if subject is not None:
        statement["Condition"].setdefault(operator, {})[f"{issuer}:sub"] = subject
    return statement


def trust_of(*statements: dict[str, Any]) -> Document:
    return parse({"Statement": list(statements)})


def role(trust: Document | None = None, **fields: Any) -> Role:
    fields = {"name": "r", "arn": ROLE, "created": datetime(2026, 8, 1, tzinfo=UTC), **fields}
    return Role(trust=trust, **fields)


def cluster(**fields: Any) -> Cluster:
    fields = {
        "name": "c", "region": "eu-west-1", "issuer": ISSUER, "created": datetime(2024, 1, 1, tzinfo=UTC),
        "auto_mode": False, "ip_family": "ipv4", "described": True, "addons": (), "associations": (), **fields,
    }  # fmt: skip
    return Cluster(**fields)


CNI_WITH_ITS_OWN_ROLE = Addon("vpc-cni", "v1", f"arn:aws:iam::{ACCOUNT}:role/cni")
CNI_WITHOUT = Addon("vpc-cni", "v1", None)


def association(**fields: Any) -> PodIdentityAssociation:
    fields = {"id": "a-1", "namespace": "kube-system", "service_account": "sa", "role_arn": ROLE, **fields}
    return PodIdentityAssociation(**fields)


def around(*clusters: Cluster, **fields: Any) -> AccountContext:
    """What is known of an account with these clusters."""
    values = {"account": ACCOUNT, "eks": EksFacts(clusters, ("eu-west-1",)), **fields}
    return AccountContext(NOW, knowledge(), **values)


def findings_with(
    policies: tuple[RolePolicy, ...] = (),
    uses: tuple[Use, ...] = (),
    account: AccountContext | None = None,
    subject_role: Role | None = None,
    **fields: Any,
) -> tuple[Finding, ...]:
    """What is said about a role."""
    subject = RoleInUse(subject_role or role(), policies, uses=uses, **fields)
    return findings_of(subject, account or around(cluster()))


def coded(findings: tuple[Finding, ...], code: str) -> list[Finding]:
    return [finding for finding in findings if finding.code == code]


def fixing(
    finding: Finding, role_to_fix: Role | None = None, cluster_to_fix: Cluster | None = None, **fields: Any
) -> tuple[Command, ...]:
    """The commands of the finding's own entry: for a role, in a cluster."""
    place = FixPlace(ROLE, role_to_fix, cluster_to_fix, replace(around(), **fields))
    return table()[finding.code].fix(finding, place)
