"""What a controller's release needs of its role, by the policy that its project publishes.

EKS's own add-ons are left to what EKS requires of them (`permissions`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ekstui.eks.account_snapshot import Use
from ekstui.eks.commands import Command
from ekstui.eks.findings.permissions import missing_actions, only_assumes_target_role
from ekstui.eks.findings.subjects import AccountContext, RoleInUse, use_as_evidence
from ekstui.eks.findings.table import Case, Finding, FixPlace, finding
from ekstui.eks.published import Component, ComponentVersion
from ekstui.eks.uses import controllers_run_by, uses_running
from ekstui.iam.wildcard import is_wild

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
    component = next((name for use in problem.uses for name in controllers_run_by(use)), None)
    if place.cluster is None or component is None:
        return ()
    arguments = ("ekstui", "upgrade", place.cluster.name, "--to", f"{component}={_newest(component, place.account)}")
    return (Command(arguments, "lists what it lacks for that release, and the command that gives it"),)


def _newest(component: str, account: AccountContext) -> str:
    published = account.components[component]
    return published.short(published.newest)


@finding(
    "controller-lacks-actions",
    "problem",
    "lacks most of what its controller needs",
    about="role",
    needs=("policies",),
    meaning="The role lacks actions of the policy that its controller's project publishes, whichever known release runs; a note "
    "if it has most of them, since some are for features that may not be used.",
    change="give it the policy that the project publishes for the release that runs",
    fix=_show_what_is_missing,
)
def lacking_controllers(subject: RoleInUse, account: AccountContext) -> Iterator[Case]:
    """Yield each controller that runs with the role and whose policy it lacks a part of."""
    required = {
        name.removeprefix("addon:") for requirement in account.knowledge.requirements for name in requirement.when
    }
    for name, component in account.components.items():
        uses = [
            use
            for use in (() if component.is_part or "/" in name else uses_running(name, subject.uses))
            if not use.overruled and not only_assumes_target_role(use, subject, account)
        ]
        if name in required or not uses:
            continue
        variants = (f"{name}/{account.partition}", _LEAST.get(name, name), name)
        published = next(account.components[variant] for variant in variants if variant in account.components)
        gaps = [_gap(version, uses, subject) for version in published.versions]
        closest = min((gap for gap in gaps if gap is not None), key=lambda gap: len(gap.lacking), default=None)
        if closest is not None and closest.lacking and None not in gaps:
            yield _case(component, closest, gaps[-1] or closest, uses)


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


def _case(component: Component, closest: _Gap, newest: _Gap, uses: list[Use]) -> Case:
    release = component.short(newest.version.releases[-1])
    count, total = len(newest.lacking), len(newest.actions)
    lacks = "all" if count == total else f"{count} of"
    at_least = "" if closest is newest else f", and at least {len(closest.lacking)} of any other known release"
    is_certain = closest.is_most and any(use.certainty == "confirmed" for use in uses)
    follows = (
        f"Until it has them, most of what {component.title} does is denied"
        if closest.is_most
        else "Some of them may be for features that are not used"
    )
    return Case(
        f"It lacks {lacks} the {total} actions that {component.title} publishes for {release}{at_least}. {follows}.",
        (*map(use_as_evidence, uses), f"lacks {', '.join(newest.lacking)}"),
        uses,
        None if is_certain else "note",
        "" if closest.is_most else "lacks a part of what its controller needs",
        only_if="" if is_certain else f"{component.title} runs with it and needs them",
    )
