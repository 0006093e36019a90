"""`ekstui who-can`: which policies allow an action, and who in the account has them."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from ekstui.cli.first_use import prepare
from ekstui.cli.parser import ACCOUNT, JSON, LAYERS, LIMITS, ExitCode, argument, command, flag, one_of, scope
from ekstui.cli.session import library_for, read_account, remark_age, remark_missing
from ekstui.cli.streams import print_blocks, print_shape, print_text, remark, terminal_width, to_terminal
from ekstui.errors import InputError, NotFoundError
from ekstui.export.encoding import shape
from ekstui.export.shapes import answer_of, kubernetes_holders_shape
from ekstui.library import Library, maintenance
from ekstui.library.account_choice import FRESH
from ekstui.library.catalog import knowledge
from ekstui.library.searching import is_kubernetes
from ekstui.library.who_can import WhoCanAnswer, who_can_in_account, who_can_in_clusters
from ekstui.present.access import kubernetes_holders_blocks, no_holder_words, principals_in_clusters_blocks
from ekstui.present.who_can_report import NARROW, principals_blocks, unknown_words, who_can_blocks, who_can_remarks

if TYPE_CHECKING:
    from ekstui.eks.account_snapshot import AccountSnapshot
    from ekstui.library.who_can import ReadAccount
    from ekstui.sources.levels import LayerFiles


@command(
    "who-can",
    "find the policies that allow an action, and who has them",
    "List the policies that allow an action in their default version, each with its resources and conditions and the "
    "version since which it allows it continuously. If an account is known or chosen, also list who in it may do the "
    "action.",
    argument("action", metavar="ACTION", help="such as ec2:CreateVolume, ec2:Create* or k8s:create:pods/exec"),
    argument("--resource", metavar="ARN", help="only policies with a grant that can match this ARN"),
    # "No policy allows it" must not mean "none of those that belong to EKS" unless that was asked.
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
    answer = who_can_in_account(
        library,
        arguments.action,
        arguments.resource,
        arguments.scope,
        types=types,
        history=not arguments.names,
        account=_account(library, arguments, _fresh_account),
        layers=layers,
    )
    policies, principals = answer.policies, answer.principals
    if answer.near:
        raise NotFoundError(unknown_words(policies.action), answer.near, f"Nearest: {', '.join(answer.near)}.")
    if answer.error is not None:
        remark(answer.error)
    for note in principals.notes if principals else ():
        remark(note)
    _print(library, answer, arguments, types=types)
    if principals is not None:
        remark_missing((), principals.complete, "every role, user, group and policy", "there may be more")
    for text in who_can_remarks(policies, arguments.scope, arguments.resource, library.known_until(arguments.scope)):
        remark(text)
    if not policies.holders:
        remark_age(library, library.known_until(arguments.scope))
    if not policies.holders and (absence := knowledge().absence(arguments.action)):
        remark(absence.text)
    return ExitCode.DONE if policies.holders or (principals and principals.principals) else ExitCode.NOTHING


def _print(library: Library, answer: WhoCanAnswer, arguments: Namespace, *, types: bool) -> None:
    policies, principals = answer.policies, answer.principals
    if arguments.json:
        print_shape(answer_of(library.data(), policies) | (shape(principals) if principals else {}))
        return
    if arguments.names:
        for holder in policies.holders:
            print_text(holder.policy.name)
        return
    blocks = who_can_blocks(
        policies,
        arguments.scope,
        library.known_until(arguments.scope),
        full=arguments.full or arguments.resource is not None,
        types=types,
        narrow=to_terminal() and terminal_width() < NARROW,
    )
    if principals is not None:
        blocks += principals_blocks(principals, policies.action, datetime.now(UTC), is_named=policies.is_named)
    print_blocks(blocks)


def _in_kubernetes(library: Library, arguments: Namespace) -> int:
    """Print which EKS access policies allow a request in Kubernetes, and whose access entries have them."""
    account = _account(library, arguments, lambda library: library.account.last_snapshot() or read_account(library))
    answer = who_can_in_clusters(library, arguments.action, account=account, ask=_asks_aws(arguments))
    holders, in_clusters = answer.holders, answer.in_clusters
    if answer.error is not None:
        remark(answer.error)
    remark_missing(in_clusters.errors if in_clusters else ())
    if arguments.json:
        principals = in_clusters.principals if in_clusters else ()
        print_shape(kubernetes_holders_shape(library.data(), holders, principals))
    elif arguments.names:
        for access, _ in holders.holders:
            print_text(access.policy.name)
    else:
        blocks = kubernetes_holders_blocks(holders)
        if in_clusters is not None:
            blocks += principals_in_clusters_blocks(in_clusters)
        print_blocks(blocks)
    if holders.holders:
        return ExitCode.DONE
    remark(no_holder_words(holders))
    return ExitCode.NOTHING


def _layers(arguments: Namespace) -> tuple[LayerFiles, ...]:
    """Return what the options for layers name; empty without them."""
    files = (arguments.scp, arguments.rcp, arguments.resource_policy, arguments.boundary, arguments.session_policy)
    if not any(files):
        return ()
    if arguments.resource_policy and arguments.resource is None:
        raise InputError("The policy of a resource needs a resource.", "Name it with --resource ARN.")
    from ekstui.sources.levels import read_layers  # only for those options

    return (read_layers(*files),)


def _account(library: Library, arguments: Namespace, ask: Callable[[Library], AccountSnapshot]) -> ReadAccount | None:
    """Return what reads the account, `ask` if AWS may be asked; None without one, or for policies' names alone."""
    if arguments.names or not (library.has_account_without_lookup or arguments.regions):
        return None
    return partial(ask, library) if _asks_aws(arguments) else lambda: library.account.last_snapshot()


def _asks_aws(arguments: Namespace) -> bool:
    return bool(arguments.profile or arguments.regions) and not arguments.offline


def _fresh_account(library: Library) -> AccountSnapshot:
    """Return the account, read again unless the last snapshot is recent and complete."""
    snapshot = library.account.last_snapshot()
    if snapshot is None or not snapshot.complete or datetime.now(UTC) - snapshot.fetched_at > FRESH:
        snapshot = read_account(library)
        remark_missing(snapshot.errors)
    return snapshot
