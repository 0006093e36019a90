"""What is said about a role, and what it is said from."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from ekstui.core.account import Role
from ekstui.core.document import Document
from ekstui.core.eks import Cluster, EksFacts, PodIdentityAssociation
from ekstui.core.evaluation import AppliedPolicy

Severity = Literal["problem", "advice", "note"]

Code = Literal[
    "missing-policy", "superseded-policy", "broader-than-needed", "principal-tag-missing", "trust-lacks-principal",
    "trust-lacks-tag-session", "irsa-wildcard-with-stringequals", "irsa-issuer-of-another-cluster", "irsa-without-sub",
    "irsa-provider-missing", "orphaned-provider", "no-recorded-activity",
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


class Use(Protocol):
    """One way in which EKS uses a role."""

    @property
    def kind(self) -> str:
        """Such as `nodegroup`."""

    @property
    def cluster(self) -> str | None:
        """None where it is not known, as for an IRSA issuer that belongs to no cluster that was read."""

    @property
    def region(self) -> str | None: ...

    @property
    def name(self) -> str | None:
        """Of the node group, add-on, profile or capability."""

    @property
    def namespace(self) -> str | None: ...

    @property
    def service_account(self) -> str | None: ...

    @property
    def certainty(self) -> str:
        """`confirmed` by EKS, or `inferred` from the role."""


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

    def association(self, use: Use) -> PodIdentityAssociation | None:
        """Return the Pod Identity association of a use, or None where it was not read."""
        cluster = self.cluster(use)
        wanted = (use.namespace, use.service_account)
        found = [
            each
            for each in (cluster and cluster.associations) or ()
            if (each.namespace, each.service_account) == wanted
        ]
        return found[0] if use.kind.startswith("pod-identity") and len(found) == 1 else None


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
