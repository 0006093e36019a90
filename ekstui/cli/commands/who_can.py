"""`ekstui who-can`: the policies that allow an action."""

import argparse

from ekstui.cli.commands.changes import fill_cache
from ekstui.cli.exit_code import ExitCode
from ekstui.cli.opening import open_library
from ekstui.cli.options import add_json
from ekstui.cli.output import narrate, narrate_progress, print_json, print_text, print_wrapped
from ekstui.core.policy import version_label
from ekstui.core.who_can import Holder, nearest_actions
from ekstui.export.shapes import who_can_shape
from ekstui.library.knowledge import knowledge
from ekstui.scope import SCOPES

DESCRIPTION = "Show which AWS managed policies allow an action in their default version, and since when."
EXAMPLES = (
    "ekstui who-can ec2:DescribeSecurityGroups",
    "ekstui who-can ec2:CreateVolume --resource 'arn:aws:ec2:*:*:snapshot/*' --scope eks",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("action", metavar="ACTION", help="such as ec2:CreateVolume; a pattern such as ec2:Create* too")
    parser.add_argument("--resource", metavar="ARN", help="only policies that have a grant which can match it")
    # "None exists" must not mean "none of those that belong to EKS" unless that was asked.
    parser.add_argument(
        "--scope", choices=SCOPES, default="all", help="the policies of EKS, or all (default: %(default)s)"
    )
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print each policy with the pattern that gives the action, since when, on what, and under which conditions."""
    library = open_library()
    if fill_cache(library):
        with narrate_progress() as tell:
            tell("first use: indexing the policies")
            library.index_actions()
    answer = library.who_can(arguments.action, arguments.resource, arguments.scope)
    data = library.data()
    if arguments.json:
        print_json(who_can_shape(data, answer))
    else:
        for holder in answer.holders:
            _print(holder, answer.action)
    where = "" if arguments.scope == "all" or not answer.is_named else " of scope eks (--scope all looks at every one)"
    if not answer.is_named:
        nearest = nearest_actions(answer.action)
        hint = f" Nearest: {', '.join(nearest)}." if nearest else ""
        narrate(f"No list and no policy names {answer.action}: these allow it by a pattern, if it exists.{hint}")
    if answer.holders:
        narrate(
            f"{len(answer.holders)} AWS managed policies{where} allow {answer.action}, as known until {data.newest:%Y-%m-%d}."
        )
        return ExitCode.DONE
    on = f" on {arguments.resource}" if arguments.resource else ""
    narrate(
        f"None exists: no AWS managed policy{where} allows {answer.action}{on}, as known until {data.newest:%Y-%m-%d}."
    )
    if absence := knowledge().absence(arguments.action):
        narrate(absence.text)
    return ExitCode.NOTHING


def _print(holder: Holder, action: str) -> None:
    since = holder.since
    when = f" ({since.created:%Y-%m-%d})" if since.created else " (date unknown)"
    latest = ", or an earlier version that nobody saw" if since.at_latest else ""
    print_text(f"{holder.policy.name} {version_label(holder.version)}", "bold")
    through = f"NotAction {holder.pattern}" if holder.via == "NotAction" else holder.pattern
    if holder.pattern.lower() != action.lower() or holder.via == "NotAction":
        print_wrapped(f"through {through}", "  ")
    print_wrapped(f"since {version_label(since.version)}{when}{latest}", "  ")
    for grant in holder.grants:
        where = ", ".join(grant.resources)
        print_wrapped(f"on {where if grant.resource_element == 'Resource' else f'everything but {where}'}", "  ")
        for condition in grant.conditions:
            print_wrapped(f"if {condition.key} {condition.operator} {' or '.join(condition.values)}", "     ")
    if holder.denied:
        print_wrapped(f"denied by the same policy: {holder.denied}", "  ", "red")
    if holder.lacks:
        print_wrapped(f"resource types that it does not reach: {', '.join(holder.lacks)}", "  ", "yellow")
    if not holder.applies:
        print_wrapped("none of its resources fits the action, so it gives nothing", "  ", "yellow")
