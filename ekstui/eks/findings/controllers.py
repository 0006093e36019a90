"""What a controller's release needs of its role, by the policy that its project publishes.

EKS's own add-ons are left to what EKS requires of them (`permissions`).
"""

from __future__ import annotations

from collections.abc import Iterator

from ekstui.eks.account_snapshot import Use
from ekstui.eks.cluster import Cluster
from ekstui.eks.commands import Command
from ekstui.eks.findings.permissions import NAMED_ACTIONS, missing_actions, only_assumes_target_role
from ekstui.eks.findings.subjects import AccountContext, RoleInUse, use_as_evidence
from ekstui.eks.findings.table import Case, Finding, FixPlace, finding
from ekstui.eks.pods import releases_run
from ekstui.eks.published import Component, ComponentVersion, Release
from ekstui.eks.uses import controllers_run_by, uses_running
from ekstui.iam.text import counted, listed
from ekstui.iam.wildcard import is_wild
from ekstui.named_tuples import NamedTuple

_LEAST = {"cluster-autoscaler": "cluster-autoscaler/minimal"}
"""The variant of a component that has what it cannot do without."""


class _Gap(NamedTuple):
    """What a role lacks of a published policy."""

    version: ComponentVersion
    actions: tuple[str, ...]
    """All of the policy's."""
    lacking: tuple[str, ...]

    @property
    def is_most(self) -> bool:
        """Whether it is more than half of the policy."""
        return 2 * len(self.lacking) > len(self.actions)


def _show_what_is_missing(problem: Finding, place: FixPlace) -> tuple[Command, ...]:
    name = next((name for use in problem.uses for name in controllers_run_by(use)), None)
    if place.cluster is None or name is None:
        return ()
    component = place.account.components[name]
    release = _running(component, place.cluster) or component.newest
    arguments = ("ekstui", "upgrade", place.cluster.name, "--to", f"{name}={component.short(release)}")
    return (Command(arguments, "lists what it lacks for that release, and the command that gives it"),)


def _running(component: Component, cluster: Cluster | None) -> Release | None:
    """Return the release that a cluster's pods run; None if they run none that is known, or several."""
    tags = releases_run(cluster.kubernetes if cluster else None, component.whole)
    return component.release(tags[0]) if len(tags) == 1 else None


@finding(
    "controller-lacks-actions",
    "problem",
    "lacks most of what its controller needs",
    about="role",
    needs=("policies",),
    meaning="The role lacks actions of the policy that its controller's project publishes for the release that the "
    "pods run or, if that is not known, whichever runs; advice if it has most of them, since some are for features "
    "that may not be used, and a note if the release is not known either.",
    change="give it the policy that the project publishes for the release that runs",
    fix=_show_what_is_missing,
)
def lacking_controllers(subject: RoleInUse, account: AccountContext) -> Iterator[Case]:
    """Yield each controller that runs with the role and whose policy it lacks a part of."""
    required_names = {
        name.removeprefix("addon:") for requirement in account.knowledge.requirements for name in requirement.when
    }
    for name, component in account.components.items():
        uses = [
            use
            for use in (() if component.is_part or "/" in name else uses_running(name, subject.uses))
            if not use.overruled and not only_assumes_target_role(use, subject, account)
        ]
        if name in required_names or not uses:
            continue
        variants = (f"{name}/{account.partition}", _LEAST.get(name, name), name)
        published_component = next(account.components[variant] for variant in variants if variant in account.components)
        gaps = [_gap(version, uses, subject) for version in published_component.versions]
        if None in gaps:
            continue
        known_gaps = [gap for gap in gaps if gap is not None]
        by_release: dict[Release | None, list[Use]] = {}
        for use in uses:
            by_release.setdefault(_running(component, account.cluster(use)), []).append(use)
        for release, release_uses in by_release.items():
            if release is not None:
                yield from _case_of_release(component, release, known_gaps, release_uses)
            elif (closest := min(known_gaps, key=lambda gap: len(gap.lacking))).lacking:
                yield _case(component, closest, known_gaps[-1], release_uses)


def _gap(version: ComponentVersion, uses: list[Use], subject: RoleInUse) -> _Gap | None:
    """Return what a role lacks of one version's policy; None if a policy that was not read may allow it."""
    statements = version.document(version.named({})).statements
    actions = dict.fromkeys(
        action
        for statement in statements
        if statement.effect == "Allow"
        for action in statement.actions
        if not is_wild(action)
    )
    lacking, unknown, _ = missing_actions(actions, uses, subject)
    return None if unknown else _Gap(version, tuple(actions), tuple(lacking))


def _case_of_release(component: Component, release: Release, gaps: list[_Gap], uses: list[Use]) -> Iterator[Case]:
    """Yield what the role lacks for the release that runs, if it lacks anything."""
    gap = next((gap for gap in gaps if release in gap.version.releases), None)
    if gap is None or not gap.lacking:
        return
    runs, count = f"{component.title} {component.short(release)}", len(gap.lacking)
    enough = next((older for older in reversed(gaps) if not older.lacking), None)
    has_enough = f"has what releases up to {component.short(enough.version.releases[-1])} need and " if enough else ""
    short = listed(gap.lacking) if count <= NAMED_ACTIONS else counted(count, "action")
    cluster_names = listed(list(dict.fromkeys(use.cluster or "?" for use in uses)))
    follows = _consequence(component, gap, "What calls them is denied; some may be for features that are not used")
    yield Case(
        f"{cluster_names} runs {runs}; its role {has_enough}lacks {short} of the {len(gap.actions)} that {component.title} publishes "
        f"for that release. {follows}.",
        (*map(use_as_evidence, uses), f"lacks {', '.join(gap.lacking)}"),
        uses,
        None if gap.is_most and _is_confirmed(uses) else "advice",
        "" if gap.is_most else "its policy is of another release",
    )


def _case(component: Component, closest: _Gap, newest: _Gap, uses: list[Use]) -> Case:
    release = component.short(newest.version.releases[-1])
    count, total = len(newest.lacking), len(newest.actions)
    lacks = "all" if count == total else f"{count} of"
    at_least = "" if closest is newest else f", and at least {len(closest.lacking)} of any other known release"
    is_certain = closest.is_most and _is_confirmed(uses)
    follows = _consequence(component, closest, "Some of them may be for features that are not used")
    return Case(
        f"It lacks {lacks} the {total} actions that {component.title} publishes for {release}{at_least}. {follows}.",
        (*map(use_as_evidence, uses), f"lacks {', '.join(newest.lacking)}"),
        uses,
        None if is_certain else "note",
        "" if closest.is_most else "lacks a part of what its controller needs",
        only_if="" if is_certain else f"{component.title} runs with it and needs them",
    )


def _consequence(component: Component, gap: _Gap, otherwise: str) -> str:
    return f"Until it has them, most of what {component.title} does is denied" if gap.is_most else otherwise


def _is_confirmed(uses: list[Use]) -> bool:
    return any(use.certainty == "confirmed" for use in uses)
