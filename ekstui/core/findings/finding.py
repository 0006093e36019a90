"""What is said about a role, and what it is said from."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ekstui.core.account import Role, Use
from ekstui.core.document import Document
from ekstui.core.eks import Addon, Cluster, EksFacts, PodIdentityAssociation
from ekstui.core.evaluation import AppliedPolicy

Severity = Literal["problem", "advice", "note"]

Code = Literal[
    "missing-policy", "superseded-policy", "broader-than-needed", "scoping-cancelled", "principal-tag-missing", "trust-lacks-principal",
    "trust-lacks-tag-session", "irsa-wildcard-with-stringequals", "irsa-issuer-of-another-cluster", "irsa-without-sub",
    "irsa-provider-missing", "orphaned-provider", "no-recorded-activity", "role-not-found",
    "entry-missing", "entry-of-wrong-type", "auto-node-policy-missing", "capability-without-rights",
    "reserved-access-policy", "cluster-admin", "entry-principal-gone", "authentication-mode",
]  # fmt: skip

NODE_KINDS = ("nodegroup", "self-managed-node", "karpenter-node", "auto-mode-node", "hybrid-node", "hyperpod-node")


@dataclass(frozen=True, slots=True)
class Finding:
    """A statement about a role, with what it rests on."""

    code: Code
    severity: Severity
    """`problem`: something fails; `advice`: it works and could be better; `note`: not enough was looked at to say more."""
    text: str
    evidence: tuple[str, ...]
    policies: tuple[str, ...] = ()
    """AWS managed policies each of which would mend it, narrowest first."""


@dataclass(frozen=True, slots=True)
class CarriedPolicy:
    """A policy that a role carries, with its document."""

    name: str
    arn: str | None
    """None for an inline policy."""
    version: int | None
    document: Document | None
    """None where it could not be read."""

    @property
    def managed_by_aws(self) -> bool:
        """Whether it is AWS's own, and not a namesake of the account."""
        return self.arn is not None and self.arn.split(":", 5)[4:5] == ["aws"]

    def applied(self) -> AppliedPolicy | None:
        """Return it as evaluation takes it, or None where it could not be read."""
        return None if self.document is None else AppliedPolicy(self.name, self.version, self.document)


@dataclass(frozen=True, slots=True)
class RoleInUse:
    """A role, all that it carries, and every use of it that was seen, in whatever cluster and region."""

    role: Role
    policies: tuple[CarriedPolicy, ...]
    boundary: CarriedPolicy | None = None
    uses: tuple[Use, ...] = ()
    unseen: tuple[str, ...] = ()
    """Where further uses may hide, a phrase each, such as `Pod Identity of cluster b`; they turn findings into notes."""

    def carries(self, name: str) -> bool:
        """Return whether it carries AWS's policy of that name."""
        return any(policy.name == name and policy.managed_by_aws for policy in self.policies)

    @property
    def known_whole(self) -> bool:
        """Whether all that the role carries is known, if not read."""
        return self.role.extent == "full"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What was seen of the account beside the role."""

    now: datetime
    eks: EksFacts | None = None
    providers: tuple[str, ...] | None = None
    """ARNs of IAM's OIDC providers; None where they are not known."""
    account: str | None = None

    def cluster(self, use: Use) -> Cluster | None:
        """Return the cluster of a use, or None where it was not read."""
        found = () if self.eks is None or use.cluster is None else self.eks.find(use.cluster, use.region)
        return found[0] if len(found) == 1 else None

    def addon(self, use: Use) -> Addon | None:
        """Return the add-on of a use, or None where it is none, or was not read."""
        cluster = self.cluster(use) if use.kind == "addon" else None
        return next((addon for addon in (cluster and cluster.addons) or () if addon.name == use.name), None)

    def association(self, use: Use) -> PodIdentityAssociation | None:
        """Return the Pod Identity association of a use, or None where it is by none, or none that was read."""
        cluster = self.cluster(use)
        if cluster is None or use.kind not in ("pod-identity", "pod-identity-target", "addon"):
            return None
        wanted = (use.namespace, use.service_account)
        found = [each for each in cluster.associations or () if (each.namespace, each.service_account) == wanted]
        return found[0] if len(found) == 1 else None


def described(use: Use) -> str:
    """Return a use in words, as evidence."""
    what = use.kind.replace("-", " ")
    if use.name:
        what += f" {use.name}"
    if use.service_account:
        what += f" {use.namespace or '*'}/{use.service_account}"
    where = f" of cluster {use.cluster}" if use.cluster and use.kind != "cluster" else f" {use.cluster or ''}".rstrip()
    if use.kind == "cluster" and use.name == use.cluster:
        where = ""
    region = f" in {use.region}" if use.region else ""
    return f"{what}{where}{region} ({use.certainty})"


def listed(words: tuple[str, ...] | list[str], last: str = "and") -> str:
    """Return words as a list of prose: `a, b and c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}" if words else ""


def a_note_if_unseen(severity: Severity, subject: RoleInUse) -> Severity:
    """Return `note` where a use of the role may not have been seen: what is true of all uses seen may not hold for it."""
    return "note" if subject.unseen or not subject.known_whole else severity


def unseen_evidence(subject: RoleInUse) -> tuple[str, ...]:
    """Return what was not looked at, as evidence."""
    return tuple(f"not looked at: {place}" for place in subject.unseen)
