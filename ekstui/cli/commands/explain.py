"""`ekstui explain`: why a request was denied, from a pasted message or a request in words."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ekstui.cli.exit_code import ExitCode
from ekstui.cli.opening import open_library
from ekstui.cli.options import add_account, add_json
from ekstui.cli.output import Cell, Tone, print_json, print_table, print_text, print_wrapped
from ekstui.core.denial import MAX_CHARACTERS
from ekstui.core.document import MAX_BYTES, serialise_statement
from ekstui.core.evaluation import RESOURCE, Verdict
from ekstui.core.explain import Explanation, NearStatement, Question, parse_context
from ekstui.core.explain.words import failure_in_words, simulated_in_words, statement_in_words, verdict_in_words
from ekstui.core.policy import version_label
from ekstui.core.where import RoleSide, StandardInput, parse_side
from ekstui.errors import InputError
from ekstui.export.explain_shape import decode_command, explain_shape
from ekstui.library import Library
from ekstui.library.explanation import Inquiry

if TYPE_CHECKING:
    from ekstui.sources.aws.simulation import SimulatedDecision

DESCRIPTION = (
    "Say why a request was denied: paste the message, or give the action. What is given beside a message goes before "
    "what the message says. A context key that is neither given nor absent stays unknown."
)
EXAMPLES = (
    "kubectl logs … | ekstui explain",
    "ekstui explain - --policy AmazonEBSCSIDriverPolicy@v2 < message.txt",
    "ekstui explain --action ec2:CreateVolume --resource arn:aws:ec2:eu-west-1::snapshot/snap-1 --policy ./mine.json",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "message", nargs="*", metavar="MESSAGE", help="a denial, a CloudTrail event or a decoded message; - reads it"
    )
    parser.add_argument("--action", metavar="ACTION", help="such as ec2:CreateVolume")
    parser.add_argument("--resource", action="append", default=[], metavar="ARN", help="all given must be allowed")
    parser.add_argument("--principal", metavar="ARN", help="who asks")
    parser.add_argument("--context", action="append", default=[], metavar="KEY=VALUE", help="a condition key's value")
    parser.add_argument("--absent", action="append", default=[], metavar="KEY", help="a key the request lacks")
    parser.add_argument(
        "--policy", action="append", default=[], metavar="POLICY[@V]|FILE", help="an identity policy to judge by"
    )
    parser.add_argument("--role", metavar="NAME", help="judge by all that a role of the account carries")
    parser.add_argument("--boundary", metavar="POLICY[@V]|FILE", help="the permissions boundary")
    parser.add_argument("--session-policy", action="append", default=[], metavar="FILE", help="a policy of the session")
    parser.add_argument("--simulate", action="store_true", help="ask IAM's own simulator about the role as well")
    add_account(parser)
    add_json(parser)


_TONES: dict[Verdict, Tone] = {
    "allowed": "green",
    "explicit-deny": "red",
    "implicit-deny": "red",
    "depends": "yellow",
}


def run(arguments: argparse.Namespace) -> int:
    """Print the verdict, the statements that came nearest, and what would allow the request."""
    inquiry = _inquiry(arguments)
    library = _library(inquiry, arguments)
    explanation = library.explain(inquiry)
    simulated = library.simulate_inquiry(inquiry) if arguments.simulate else None
    if arguments.json:
        print_json(explain_shape(library.data(), explanation, simulated))
    else:
        _print(explanation)
        _print_simulated(simulated or ())
    return ExitCode.DONE


def _library(inquiry: Inquiry, arguments: argparse.Namespace) -> Library:
    if inquiry.principal is None:
        if arguments.simulate:
            raise InputError("IAM's simulator is asked about a role.", "Name one with --role.")
        return open_library()
    # 70 ms, for what only a question about the account needs.
    from ekstui.cli.account import library_for, read_account

    library = library_for(arguments)
    read_account(library)
    return library


def _inquiry(arguments: argparse.Namespace) -> Inquiry:
    policies = tuple(parse_side(text) for text in arguments.policy)
    boundary = None if arguments.boundary is None else parse_side(arguments.boundary)
    session = tuple(parse_side(text) for text in arguments.session_policy)
    words = " ".join(arguments.message)
    sides = [*policies, *session, *((boundary,) if boundary else ())]
    if any(isinstance(side, RoleSide) for side in sides):
        raise InputError("A role is no policy.", "Judge by all that it carries with --role NAME.")
    document_on_stdin = StandardInput() in sides
    if sides.count(StandardInput()) > 1 or (document_on_stdin and words == "-"):
        raise InputError("Standard input can be one thing only.")
    message: str | None = words
    if words == "-" or (not words and arguments.action is None and not document_on_stdin and not sys.stdin.isatty()):
        message = _standard_input(MAX_CHARACTERS)
    return Inquiry(
        question=Question(
            message=message or None,
            action=arguments.action,
            resources=tuple(arguments.resource),
            principal=arguments.principal,
            context=parse_context(arguments.context),
            absent=tuple(arguments.absent),
        ),
        policies=policies,
        boundary=boundary,
        session=session,
        principal=arguments.role,
        standard_input=_standard_input(MAX_BYTES) if document_on_stdin else "",
    )


def _standard_input(limit: int) -> str:
    """Return what was piped in, and one character more than `limit` of what is longer."""
    try:
        return sys.stdin.read(limit + 1)
    except UnicodeDecodeError:
        raise InputError("Standard input is not UTF-8 text.") from None


def _print(explanation: Explanation) -> None:
    print_text(f"{explanation.action}: {verdict_in_words(explanation.verdict)}", _TONES[explanation.verdict])
    rows: list[tuple[Cell, ...]] = [("resource", explanation.resource or "not told")]
    if explanation.principal is not None:
        rows.append(("principal", explanation.principal))
    if explanation.used_by:
        # 20 ms, for what only a question about the account has.
        from ekstui.core.words import use_in_words

        rows.append(("used by", "; ".join(map(use_in_words, explanation.used_by))))
    if explanation.missing_context:
        told = ["--resource ARN" if key == RESOURCE else f"--context {key}=…" for key in explanation.missing_context]
        rows.append(("to tell", ", ".join(told)))
    print_table(rows, indent="  ")
    for note in explanation.notes:
        print_wrapped(f"! {note}", tone="yellow")
    if explanation.nearest:
        _title("Statements that allow it" if explanation.verdict == "allowed" else "Nearest statements")
        for near in explanation.nearest:
            _print_near(near)
    _print_remedies(explanation)
    if explanation.also_authorised_on:
        _title("The same call is also authorised on")
        print_wrapped(
            ", ".join(f"{use.name}{'' if use.required else ' (if used)'}" for use in explanation.also_authorised_on),
            "  ",
        )
    if explanation.hints:
        _title("Such a call often needs")
        for hint in explanation.hints:
            print_wrapped(f"{', '.join(hint.needs)}: {hint.text}", "  ")
    _title("Not looked at")
    print_wrapped(", ".join(explanation.not_looked_at), "  ")
    if explanation.encoded is not None:
        _title("More context is in the encoded part; to decode it")
        print_text(f"  {decode_command(explanation.encoded)}")


def _print_simulated(simulated: Sequence[SimulatedDecision]) -> None:
    """Print IAM's own verdict beside ours; the two may differ by what only one of them knows."""
    for decision in simulated:
        _title(f"IAM's own simulator: {simulated_in_words(decision.decision)}")
        rows: list[tuple[Cell, ...]] = [("resource", decision.resource)]
        if decision.matched:
            rows.append(("matched", ", ".join(decision.matched)))
        if decision.missing_context:
            rows.append(("not told", ", ".join(decision.missing_context)))
        if decision.allowed_by_organisation is not None:
            rows.append(("organisation", "allows" if decision.allowed_by_organisation else "does not allow"))
        if decision.allowed_by_boundary is not None:
            rows.append(("boundary", "allows" if decision.allowed_by_boundary else "does not allow"))
        print_table(rows, indent="  ")


def _print_near(near: NearStatement) -> None:
    print_wrapped(statement_in_words(near), "  ")
    for failure in near.failed:
        print_wrapped(failure_in_words(failure), "    ")


def _print_remedies(explanation: Explanation) -> None:
    if explanation.newer_version is not None:
        newer = explanation.newer_version
        _title("A newer version allows it")
        print_text(
            f"  {newer.policy} {version_label(newer.version)}{_dated(newer.created)}; "
            f"in force is {version_label(newer.current)}"
        )
    if explanation.allowed_by:
        _title("Would allow it, if attached")
        rows: list[tuple[Cell, ...]] = []
        for allower in explanation.allowed_by:
            depends = f"if {', '.join(allower.missing)}" if allower.missing else ""
            wide = "by a wildcard" if allower.wildcard else ""
            since = f"since {'at latest ' if allower.since.at_latest else ''}{version_label(allower.since.version)}"
            rows.append(
                (
                    allower.policy,
                    version_label(allower.version),
                    since + _dated(allower.since.created),
                    "; ".join(filter(None, (wide, depends))),
                )
            )
        print_table(rows, indent="  ")
        if explanation.allowed_by_more:
            print_text(
                f"  and {explanation.allowed_by_more} more: ekstui who-can {explanation.action} --scope all", "dim"
            )
    if explanation.smallest_statement is not None:
        _title("Smallest statement that allows it")
        text = json.dumps(serialise_statement(explanation.smallest_statement), indent=2)
        print_text("\n".join(f"  {line}" for line in text.splitlines()))


def _dated(created: object) -> str:
    return "" if created is None else f" ({created:%Y-%m-%d})"


def _title(text: str) -> None:
    print_text()
    print_text(text, "bold")
