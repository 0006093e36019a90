"""What a role or a policy was last used for: a row a service, with the actions that IAM tracks."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from ekstui.eks.last_accessed import ActionAccess, RecentUse, ServiceAccess, use_in
from ekstui.iam.text import counted
from ekstui.present.ages import age_in_words
from ekstui.present.blocks import Block, Heading, Line, Node, Sentence, Span, Tree, as_of_words, muted, note
from ekstui.present.styled import Style

if TYPE_CHECKING:
    from ekstui.library.last_used import LessAnswer, UsedAnswer

_STYLES: dict[RecentUse, Style] = {
    "used": "good",
    "not-in-days": "warn",
    "not-in-period": "warn",
    "not-tracked": "muted",
}


def used_blocks(answer: UsedAnswer, now: datetime, open_services: Collection[str] | None = None) -> list[Block]:
    """Return the services, those used last first; `open_services` are unfolded, or all of them."""
    days = answer.days
    services = sorted(answer.report.services, key=_latest_first)
    used_services = [
        service for service in services if use_in(service.last_used, answer.report.fetched_at, days) == "used"
    ]
    words = f"{answer.name}: {len(used_services)} of {counted(len(services), 'service')} used in the last {days} days"
    blocks: list[Block] = [
        Sentence(Span(words, "strong")),
        Sentence(f"account {answer.account}, {as_of_words(answer.report.fetched_at)}"),
    ]
    blocks += _remarks(answer)
    if services:
        blocks.append(Heading("By service, and by action where IAM tracks it"))
        blocks.append(Tree([_service(service, answer, now, open_services) for service in services]))
    return blocks


def _latest_first(service: ServiceAccess) -> tuple[bool, float, str]:
    time = service.last_used
    return time is None, 0.0 if time is None else -time.timestamp(), service.service


def _remarks(answer: UsedAnswer) -> Iterator[Block]:
    yield muted(
        f"IAM tracks attempts, allowed or not, for {answer.tracked_days} days, or fewer where a Region began later; a "
        "use shows up within four hours. Actions that are not listed are not tracked: nothing is known of their use."
    )
    if answer.created is not None and (age := (answer.report.fetched_at - answer.created).days) < answer.days:
        yield note(f"The role is {counted(age, 'day')} old, so nothing is known of the rest of the {answer.days} days.")
    if not answer.report.services:
        yield note("IAM reports no service: the policies allow none, or it cannot tell.")


def _service(service: ServiceAccess, answer: UsedAnswer, now: datetime, open_services: Collection[str] | None) -> Node:
    use = use_in(service.last_used, answer.report.fetched_at, answer.days)
    unused_count = sum(
        use_in(action.last_used, answer.report.fetched_at, answer.days) != "used" for action in service.actions
    )
    tracking = (
        f"  {unused_count} of {counted(len(service.actions), 'tracked action')} not used"
        if service.actions
        else "  no action tracked"
    )
    line: Line = (
        Span(service.service, "strong"), "  ", Span(_when(service.last_used, now), _STYLES[use]), _where(service),
        Span(tracking, "muted"),
    )  # fmt: skip
    nodes = [_action(action, answer, now) for action in sorted(service.actions, key=lambda action: action.action)]
    is_open = open_services is None or service.service in open_services
    return Node(line, nodes if is_open else (), service, ("service", service.service), opened=is_open)


def _action(action: ActionAccess, answer: UsedAnswer, now: datetime) -> Node:
    use = use_in(action.last_used, answer.report.fetched_at, answer.days)
    line: Line = (action.action, "  ", Span(_when(action.last_used, now), _STYLES[use]), _where(action))
    return Node(line, (), action, ("action", action.action))


def _when(last_used: datetime | None, now: datetime) -> str:
    return "not in the tracking period" if last_used is None else age_in_words(last_used, now)


def _where(access: ServiceAccess | ActionAccess) -> Span:
    user = "" if access.by is None else f" by {access.by.rpartition('/')[2] or access.by}"
    return Span(f"{user} in {access.region}" if access.region else user, "muted")


def less_remarks(answer: UsedAnswer, less: LessAnswer) -> Iterator[str]:
    """Yield what was left out, what stays all the same, and what was proven."""
    if not less.dropped:
        yield f"Nothing is left out: nothing of {answer.name} is provably unused in the last {answer.days} days."
        return
    yield f"Left out, not used in the last {answer.days} days: {', '.join(less.dropped)}."
    for pattern, actions in less.kept:
        names = ", ".join(actions[:3]) + (f" and {len(actions) - 3:,} more" if len(actions) > 3 else "")
        yield f"{pattern} stays, since it matches actions that were used or are not tracked; unused is {names}."
    if less.document is None:
        yield "Nothing remains: detach the policy instead."
    else:
        yield "Compared with the original, the document only narrows."
