"""`ekstui who-can`: which policies allow an action, and who in the account has them."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from ekstui.change.holders import WhoCan, nearest_actions
from ekstui.cli.first_use import prepare
from ekstui.cli.parser import ACCOUNT, JSON, LAYERS, LIMITS, ExitCode, argument, command, flag, one_of, scope
from ekstui.cli.session import library_for, read_account, remark_age, remark_missing
from ekstui.cli.streams import print_blocks, print_shape, print_text, remark, terminal_width, to_terminal
from ekstui.errors import AccountError, InputError, NotFoundError
from ekstui.export.encoding import shape
from ekstui.export.shapes import answer_of, kubernetes_holders_shape
from ekstui.library import Library, maintenance
from ekstui.library.catalog import knowledge
from ekstui.library.searching import is_kubernetes, who_can_answer
from ekstui.present.access import kubernetes_holders_blocks, no_holder_words, principals_in_clusters_blocks
from ekstui.present.who_can_report import NARROW, principals_blocks, who_can_blocks, who_can_remarks

# The imports for who in the account may do it take 80 ms, and are needed only if an account is known.
if TYPE_CHECKING:
    from ekstui.eks.principals import PrincipalsCan
    from ekstui.library.cluster_access import PrincipalsInClusters
    from ekstui.sources.levels import LayerFiles


@command(
    "who-can",
    "find the policies that allow an action, and who has them",
    "List the policies that allow an action in their default version, each with its resources and conditions and the "
    "first version that allowed it without a break. If an account is known or chosen, also list who in it may do the "
    "action.",
    argument("action", metavar="ACTION", help="such as ec2:CreateVolume, ec2:Create* or k8s:create:pods/exec"),
    argument("--resource", metavar="ARN", help="only policies with a grant that can match this ARN"),
    # "None exists" must not mean "none of those that belong to EKS" unless that was asked.
    scope(default="all"),
    one_of(
        flag("--full", "print every grant, and the resource types that it does not match"),
        flag("--names", "print only the names of the policies"),
    ),
    *LAYERS,
    *LIMITS,
    *ACCOUNT,
    *JSON,
    examples=(
        "ekstui who-can ec2:DescribeSecurityGroups",
        "ekstui who-can ec2:CreateVolume --resource 'arn:aws:ec2:*:*:snapshot/*' --scope eks",
        "ekstui who-can ec2:CreateTags --scope eks --profile prod --scp organization/",
        "ekstui who-can k8s:create:pods/exec",
    ),
)
def who_can(arguments: Namespace) -> int:
    """Print a row per policy that allows the action, then who in the account may do it."""
    library = library_for(arguments)
    if is_kubernetes(arguments.action):
        return _in_kubernetes(library, arguments)
    layers = _layers(arguments)
    prepare(library, maintenance.index_actions_of)
    types = arguments.full or arguments.json or arguments.resource is not None
    answer = who_can_answer(
        library, arguments.action, arguments.resource, arguments.scope, types=types, history=not arguments.names
    )
    if not answer.is_named and (near := nearest_actions(answer.action)):
        # A pattern such as ec2:* allows a misspelt action too, so a list of policies would hide the mistake.
        raise NotFoundError(f"There is no known action {answer.action}.", near, f"Nearest: {', '.join(near)}.")
    principals = (
        None
        if arguments.names
        else _of_account(library, arguments, lambda ask: _principals(library, arguments, layers, ask=ask))
    )
    _print(library, answer, principals, arguments, types=types)
    if principals is not None:
        remark_missing((), principals.complete, "every role, user, group and policy", "there may be more")
    for text in who_can_remarks(answer, arguments.scope, arguments.resource, library.known_until(arguments.scope)):
        remark(text)
    if not answer.holders:
        remark_age(library, library.known_until(arguments.scope))
    if not answer.holders and (absence := knowledge().absence(arguments.action)):
        remark(absence.text)
    return ExitCode.DONE if answer.holders or (principals and principals.principals) else ExitCode.NOTHING


def _print(
    library: Library, answer: WhoCan, principals: PrincipalsCan | None, arguments: Namespace, *, types: bool
) -> None:
    if arguments.json:
        print_shape(answer_of(library.data(), answer) | (shape(principals) if principals else {}))
        return
    if arguments.names:
        for holder in answer.holders:
            print_text(holder.policy.name)
        return
    blocks = who_can_blocks(
        answer,
        arguments.scope,
        library.known_until(arguments.scope),
        full=arguments.full or arguments.resource is not None,
        types=types,
        narrow=to_terminal() and terminal_width() < NARROW,
    )
    if principals is not None:
        blocks += principals_blocks(principals, answer.action, datetime.now(UTC), is_named=answer.is_named)
    print_blocks(blocks)


def _in_kubernetes(library: Library, arguments: Namespace) -> int:
    """Print which EKS access policies allow a request in Kubernetes."""
    from ekstui.library.access_policies import who_can_in_kubernetes

    holders = who_can_in_kubernetes(arguments.action)
    names = {policy.policy.name for policy, _ in holders.holders}
    in_clusters = (
        None if arguments.names else _of_account(library, arguments, lambda ask: _in_clusters(library, names, ask=ask))
    )
    if arguments.json:
        principals = in_clusters.principals if in_clusters else ()
        print_shape(kubernetes_holders_shape(library.data(), holders, principals))
    elif arguments.names:
        for answer, _ in holders.holders:
            print_text(answer.policy.name)
    else:
        blocks = kubernetes_holders_blocks(holders)
        if in_clusters is not None:
            blocks += principals_in_clusters_blocks(in_clusters)
        print_blocks(blocks)
    if holders.holders:
        return ExitCode.DONE
    remark(no_holder_words(holders))
    return ExitCode.NOTHING


def _in_clusters(library: Library, policies: set[str], *, ask: bool) -> PrincipalsInClusters:
    from ekstui.library.cluster_access import principals_in_clusters

    if ask and library.account.last_snapshot() is None:
        read_account(library)
    return principals_in_clusters(library, policies, ask=ask)


def _layers(arguments: Namespace) -> tuple[LayerFiles, ...]:
    """Return what the options for layers name; empty without them."""
    files = (arguments.scp, arguments.rcp, arguments.resource_policy, arguments.boundary, arguments.session_policy)
    if not any(files):
        return ()
    if arguments.resource_policy and arguments.resource is None:
        raise InputError("The policy of a resource needs a resource.", "Name it with --resource ARN.")
    from ekstui.sources.levels import read_layers  # only for those options

    return (read_layers(*files),)


def _principals(
    library: Library, arguments: Namespace, layers: Sequence[LayerFiles], *, ask: bool
) -> PrincipalsCan | None:
    """Return who in the account may do it; None if the account was never read."""
    from ekstui.library.own_account import FRESH
    from ekstui.library.principals_can import principals_can

    snapshot = library.account.last_snapshot()
    if ask and (snapshot is None or not snapshot.complete or datetime.now(UTC) - snapshot.fetched_at > FRESH):
        snapshot = read_account(library)
        remark_missing(snapshot.errors)
    if snapshot is None:
        return None
    principals = principals_can(library, arguments.action, arguments.resource, *layers)
    for note in principals.notes:
        remark(note)
    return principals


_Answer = TypeVar("_Answer")


def _of_account(library: Library, arguments: Namespace, answer: Callable[[bool], _Answer]) -> _Answer | None:
    """Return `answer`, called with whether to ask AWS; None without an account that can be read, with a remark."""
    if not (library.has_account_without_lookup or arguments.regions):
        return None
    try:
        return answer(bool(arguments.profile or arguments.regions) and not arguments.offline)
    except (AccountError, InputError) as error:
        remark(error)
        return None
