"""Which layer denies a request, by IAM's simulator: asked with every policy, then without one layer after another.

IAM API Reference, SimulatePrincipalPolicy (PolicyExclusionList).
"""

from collections.abc import Callable, Iterator, Sequence

from ekstui.denial.question import denied_requests
from ekstui.eks.account_snapshot import Role
from ekstui.errors import ANOTHER_PROFILE, AccountError, Advice, InputError, NotFoundError
from ekstui.iam.request import Request
from ekstui.library.explaining import Inquiry
from ekstui.library.library import Library
from ekstui.library.requester import principal_arn
from ekstui.library.roles import find_role
from ekstui.named_tuples import NamedTuple
from ekstui.sources.aws.connection import Connection
from ekstui.sources.aws.iam import Exclusion, SimulatedDecision, ask_simulator, can_exclude
from ekstui.waiting import Cancelled, never, silent

MAX_CALLS = 12
"""How often the simulator is asked about one request."""


class PeelStep(NamedTuple):
    """What the simulator decides without some policies."""

    without: str | None
    """What was left out, such as `the service control policies`; None for nothing."""
    decisions: tuple[SimulatedDecision, ...]
    """One for each resource of the request."""

    @property
    def decision(self) -> str:
        """The decision about the request: it is allowed only if every resource is."""
        order = ("explicitDeny", "implicitDeny", "allowed")
        return min((decision.decision for decision in self.decisions), key=order.index, default="implicitDeny")


class LayerSimulation(NamedTuple):
    """What the simulator decided so far."""

    steps: tuple[PeelStep, ...]
    planned: int
    """How many steps there are."""
    error: str | None = None
    """Why the rest could not be asked."""

    @property
    def complete(self) -> bool:
        """Whether every step was asked."""
        return self.error is None and len(self.steps) == self.planned

    @property
    def deciding(self) -> tuple[PeelStep, ...]:
        """The steps without which the request is allowed."""
        first, *steps_without_layer = self.steps
        return tuple(step for step in steps_without_layer if step.decision == "allowed" != first.decision)

    @property
    def verdict(self) -> str:
        """What this says, in a sentence."""
        first, *steps_without_layer = self.steps
        if first.decision == "allowed":
            return "IAM's simulator allows it with every layer that it knows, so none of them denied it."
        if self.deciding:
            return f"Without {' or without '.join(step.without or '' for step in self.deciding)} it is allowed."
        if not self.complete:
            return "So far no layer alone denies it, and the rest was not asked."
        weaker = [
            step for step in steps_without_layer if first.decision == "explicitDeny" and step.decision == "implicitDeny"
        ]
        if weaker:
            layers = " or ".join(step.without or "" for step in weaker)
            return f"The Deny is in {layers}; without it, nothing allows the request either."
        if first.decision == "explicitDeny":
            return "More than one policy denies it: it stays denied whichever is left out."
        return "No layer above denies it: no identity policy allows it."


def peel(
    library: Library,
    inquiry: Inquiry,
    report: Callable[[LayerSimulation], object] = silent,
    cancelled: Cancelled = never,
) -> LayerSimulation:
    """Return what IAM's simulator decides about an inquiry's request, layer by layer up to a failure.

    AccountError if not even the first is decided.
    """
    role, request, connection = _asked_about(library, inquiry)
    first = PeelStep(None, ask_simulator(connection, role, request))
    if first.decision == "allowed":
        return LayerSimulation((first,), 1)
    if not can_exclude(connection):
        raise AccountError(
            "The installed AWS SDK cannot leave a layer out of a simulation.",
            "Update it: python -m pip install -U boto3 (1.43.60 or later).",
        )
    plan = [*_layers(library, role), *(_policies(library, role) if first.decision == "explicitDeny" else ())]
    plan = plan[: MAX_CALLS - 1]
    answer = LayerSimulation((first,), len(plan) + 1)
    for words, policy_arns in plan:
        if len(policy_arns) > 1 and any(step.decision != first.decision for step in answer.steps):
            # One layer alone makes the difference.
            answer = answer._replace(planned=answer.planned - 1)
            continue
        report(answer)
        if cancelled():
            return answer._replace(error="It was cancelled.")
        try:
            step = PeelStep(words, ask_simulator(connection, role, request, policy_arns))
        except AccountError as error:
            return answer._replace(error=f"{error.message} {error.next_step}".strip())
        answer = answer._replace(steps=(*answer.steps, step))
    return answer


def simulated(library: Library, inquiry: Inquiry) -> LayerSimulation:
    """Return the first step alone: what the simulator decides with every policy."""
    role, request, connection = _asked_about(library, inquiry)
    return LayerSimulation((PeelStep(None, ask_simulator(connection, role, request)),), 1)


def _asked_about(library: Library, inquiry: Inquiry) -> tuple[str, Request, Connection]:
    account = library.account
    snapshot = account.last_snapshot_or_error()
    if inquiry.principal is None:
        raise InputError(
            "IAM's simulator is asked about a role.",
            Advice("Name one with --role.", "Write role:NAME before the request."),
        )
    role, request = principal_arn(inquiry.principal, snapshot), denied_requests(inquiry.question)[0].request
    if account.choice.demo:
        raise AccountError(
            "The demo makes no AWS calls, so it cannot ask IAM's simulator.",
            Advice("Leave out --demo.", ANOTHER_PROFILE),
        )
    if not account.choice.asks_aws:
        raise AccountError(
            "IAM's simulator has to be asked in AWS.",
            Advice("Leave out --offline and --account-file.", ANOTHER_PROFILE),
        )
    return role, request, account.connection()


def _layers(library: Library, role: str) -> Iterator[tuple[str, Sequence[Exclusion]]]:
    """Yield the layers to leave out, and then both."""
    scps, boundary = Exclusion(layer="scp"), Exclusion(layer="permission-boundary")
    yield "the service control policies", (scps,)
    entity = _entity(library, role)
    if entity is None or entity.boundary_arn is not None:
        yield "the permissions boundary", (boundary,)
        yield "the service control policies and the permissions boundary together", (scps, boundary)


def _policies(library: Library, role: str) -> Iterator[tuple[str, Sequence[Exclusion]]]:
    """Yield each policy of a role, to find the one with the Deny."""
    entity = _entity(library, role)
    for policy in entity.attached if entity is not None else ():
        yield policy.name, (Exclusion(arn=policy.arn),)
    for inline in entity.inline if entity is not None else ():
        yield f"the inline policy {inline.name}", (Exclusion(inline=inline.name, role=entity.name if entity else ""),)


def _entity(library: Library, role: str) -> Role | None:
    try:
        return find_role(role, library.account.last_snapshot_or_error())
    except NotFoundError:
        return None
