"""The table of findings: each is an entry above the function that looks for it.

The entry has all that is known before anything is looked at: the code, the worst severity, a title, what has to have
been read, what the finding means, and what to change about it. The function yields a case for each time it is found.
The order of severities, the enums of the JSON schema, `ekstui help findings` and the remedies come from here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args

from ekstui.eks.findings.subjects import About, AccountContext, Need, RoleInUse
from ekstui.named_tuples import NamedTuple

if TYPE_CHECKING:
    from ekstui.eks.account_snapshot import Role, Use
    from ekstui.eks.cluster import Cluster, HealthIssue
    from ekstui.eks.commands import Command
    from ekstui.eks.pods import KubernetesServiceAccount, Workload

Severity = Literal["problem", "advice", "note"]
"""`problem`: something fails; `advice`: it works but could be better; `note`: too little is known to say more."""

SEVERITIES: tuple[Severity, ...] = get_args(Severity)
"""Worst first."""


def severities_from(least: Severity) -> tuple[Severity, ...]:
    """Return a severity and those that are worse."""
    return SEVERITIES[: SEVERITIES.index(least) + 1]


TITLE_WIDTH = 40
"""The most columns of a title."""


class Case(NamedTuple):
    """One case of a finding."""

    text: str
    """What is wrong and what follows from it, in sentences."""
    evidence: Iterable[str] = ()
    uses: Iterable[Use] = ()
    """The uses that fail or could be better; empty if it is about the subject itself."""
    severity: Severity | None = None
    """None for that of the entry."""
    title: str = ""
    """Empty for that of the entry; one that is too wide counts as empty."""
    policies: tuple[str, ...] = ()
    """AWS managed policies that would each fix it, narrowest first."""
    undecided: bool = False
    """Whether what was read does not tell if something fails."""
    only_if: str = ""
    """Where AWS does not show whether it matters: in which case it does, as the end of `only if …`."""
    reported: tuple[HealthIssue, ...] = ()
    """What EKS reports that it is about."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a subject, outdated or too broad, with its evidence."""

    code: str
    """Stable; that of an entry of the table."""
    severity: Severity
    text: str
    evidence: tuple[str, ...]
    policies: tuple[str, ...] = ()
    uses: tuple[Use, ...] = ()
    undecided: bool = False
    commands: tuple[Command, ...] = ()
    """What fixes it, to be run in this order; empty if no command does."""
    title: str = ""
    """What is wrong in at most TITLE_WIDTH columns."""
    only_if: str = ""
    reported: tuple[HealthIssue, ...] = ()
    """What EKS reports that it explains."""
    change: str = ""
    """What to change, in words; empty if its text says so, or if it is no problem."""
    fixed_by: str = "to fix it"
    """What introduces its commands, such as `only if an ECR pull-through cache is used`."""


class FixPlace(NamedTuple):
    """Where a finding is to be fixed."""

    principal: str
    """An ARN."""
    role: Role | None
    """None if it is not a role, or was not read."""
    cluster: Cluster | None
    account: AccountContext
    workload: Workload | None = None
    """The pods, if it is about some."""
    service_account: KubernetesServiceAccount | None = None


_Fix = Callable[[Finding, FixPlace], "tuple[Command, ...]"]
"""Returns the commands that fix a finding, in order; empty if none do."""


Look = TypeVar("Look", bound=Callable[..., Iterator[Case]])


@dataclass
class FindingType:
    """An entry of the table, and the decorator that adds it."""

    code: str
    severity: Severity
    """The worst that a case has."""
    title: str
    about: About
    meaning: str
    """A sentence for the manual."""
    needs: tuple[Need, ...] = ()
    """What has to have been read of the subject; without it the finding is not looked for."""
    change: str = ""
    """What to change about a problem, in words, for where no command does."""
    fix: _Fix = lambda _finding, _place: ()
    fixed_by: str = "to fix it"
    """What introduces its commands."""
    explains_denials: bool = False
    """Whether it explains why the role is denied, even where it is not certain enough to be a problem."""
    look: Callable[[Any, AccountContext], Iterator[Case]] = lambda _subject, _account: iter(())
    """The function below the entry, which takes the subject and the account, and yields its cases."""

    def __call__(self, look: Look) -> Look:
        """Add the entry to the table, with the function that looks for it."""
        if self.code in TYPES:
            raise ValueError(f"two findings have the code {self.code}")
        self.look = look
        TYPES[self.code] = self
        return look


finding = FindingType
"""How an entry is written: `@finding(…)` above the function that looks for it."""

TYPES: dict[str, FindingType] = {}
"""The entries of the modules that were imported; `looking.table` has all of them."""


def downgraded_if_uses_unknown(severity: Severity, subject: RoleInUse) -> Severity:
    """Return `note` if the role may have unknown uses, for which the finding may not hold."""
    return "note" if subject.unseen or not subject.known_whole else severity
