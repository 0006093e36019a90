"""`ekstui explain`: why a request was denied, from a pasted message or from options."""

from __future__ import annotations

import os
import shlex
import sys
from argparse import Namespace
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from ekstui.cli.gates import gate
from ekstui.cli.parser import ACCOUNT, JSON, LAYERS, PARAMETERS, argument, command, flag, one_of, parameters, repeated
from ekstui.cli.session import could_read_account, library_for, open_library, read_account
from ekstui.cli.streams import print_answer, remark, remark_progress
from ekstui.denial.excerpt import excerpt
from ekstui.denial.parsing import MAX_CHARACTERS
from ekstui.denial.question import Question, parse_context
from ekstui.errors import InputError
from ekstui.export.shapes import explain_shape
from ekstui.iam.document import MAX_BYTES
from ekstui.library import Library
from ekstui.library.catalog import knowledge
from ekstui.library.explaining import ExplainAnswer, Inquiry, account_meant, explain_all
from ekstui.library.notation import FileSide, RoleSide, StandardInput, parse_side
from ekstui.present.explanation import explanation_blocks
from ekstui.sources.levels import read_layers

if TYPE_CHECKING:
    from ekstui.library.peeling import LayerSimulation


@command(
    "explain",
    "explain why a request was denied",
    "Explain why requests were denied, from error messages, a whole log, or an action. Options override what the "
    "message says. A context key counts as unknown unless --context or --absent names it. A role in the message is "
    "judged by all its policies if the account is known, from a file or an earlier run.",
    argument(
        "message",
        nargs="*",
        metavar="MESSAGE",
        help="an error message, a CloudTrail event or a decoded message; - reads standard input",
    ),
    repeated("--action", "ACTION", "such as ec2:CreateVolume; repeatable, and each is answered"),
    repeated("--resource", "ARN", "a resource of the request; repeatable, and every one must be allowed"),
    argument(
        "--principal",
        metavar="ARN",
        help="who makes the request: an ARN, a service, or system:serviceaccount:NAMESPACE:NAME",
    ),
    repeated("--context", "KEY=VALUE", "the value of a condition key"),
    repeated("--absent", "KEY", "a condition key that the request does not have"),
    repeated("--policy", "POLICY[@V]|FILE", "an identity policy to evaluate"),
    argument("--role", metavar="NAME", help="evaluate all policies of a role in the account"),
    argument("--boundary", metavar="POLICY[@V]|FILE|FOLDER", help="the permissions boundary"),
    repeated("--session-policy", "FILE|FOLDER", "a session policy"),
    *LAYERS,
    argument(
        "--trust",
        metavar="FILE",
        help="the trust policy of the role to be assumed, or the output of aws iam get-role (default: as in the "
        "account)",
    ),
    argument(
        "--pod",
        metavar="NAMESPACE/NAME",
        help="the pod that makes the request: its role, policies and session tags count",
    ),
    argument(
        "--cluster", metavar="NAME", help='the cluster whose access entries to check, for a "forbidden" of Kubernetes'
    ),
    flag(
        "--full",
        "print all that is folded: statements, policies, what was not looked at; of several denials, explain each",
    ),
    one_of(
        flag("--simulate", "also ask IAM's policy simulator about the role"),
        flag("--peel", "also ask the simulator without one layer after the other, to find the one that denies it"),
    ),
    flag("--exit-code", "exit with 1 unless all requests are allowed"),
    PARAMETERS,
    *ACCOUNT,
    *JSON,
    examples=(
        "kubectl logs … | ekstui explain",
        "ekstui explain - --policy AmazonEBSCSIDriverPolicy@v2 < message.txt",
        "ekstui explain - --policy ./mine.json --scp organization/",
        "ekstui explain --action ec2:CreateVolume --resource arn:aws:ec2:eu-west-1::snapshot/snap-1 --policy ./mine.json",
    ),
)
def explain(arguments: Namespace) -> int:
    """Print the verdict, the nearest statements, and what would allow the request."""
    try:
        inquiry = _inquiry(arguments)
    except UnicodeDecodeError:
        raise InputError("Standard input is not UTF-8 text.") from None
    library = _library(inquiry, arguments)
    if arguments.pod is not None:
        if inquiry.principal is not None:
            raise InputError("--role and --pod both say who asks.", "Give one of them.")
        read_account(library, refresh=False)
        from ekstui.library.pod_answers import pod_as_principal  # only with a pod

        role, pod = pod_as_principal(library, arguments.pod, inquiry.cluster)
        inquiry = inquiry._replace(principal=role, pod=pod)
    if account_meant(library, inquiry):
        could_read_account(library, refresh=False)
    questions = [inquiry.question._replace(action=action) for action in arguments.action] or [inquiry.question]
    with remark_progress() as report:
        answers = tuple(
            answer
            for question in questions
            for answer in explain_all(
                library,
                inquiry._replace(question=question),
                lambda done, total: report(f"{done:,} of {total:,} denials explained"),
            )
        )
    simulation = _simulation(library, inquiry, answers[0], arguments) if arguments.simulate or arguments.peel else None
    open_keys = None if arguments.full or arguments.markdown else ()
    print_answer(
        arguments,
        lambda: explain_shape(library.data(), answers, simulation),
        lambda: explanation_blocks(answers, simulation, now=datetime.now(UTC), open_keys=open_keys),
    )
    return gate(arguments.exit_code and any(answer.verdict != "allowed" for answer in answers))


def _simulation(library: Library, inquiry: Inquiry, answer: ExplainAnswer, arguments: Namespace) -> LayerSimulation:
    """Return what IAM's simulator decides, layer by layer if that is asked for."""
    from ekstui.library.peeling import peel, simulated

    role = inquiry.principal or getattr(answer, "role", None)
    if role is None:
        raise InputError("IAM's simulator needs a role.", "Name one with --role.")
    inquiry = inquiry._replace(principal=role)
    if not arguments.peel:
        return simulated(library, inquiry)
    with remark_progress() as report:
        return peel(
            library, inquiry, lambda so_far: report(f"IAM's simulator: {len(so_far.steps)} of {so_far.planned} asked")
        )


def _library(inquiry: Inquiry, arguments: Namespace) -> Library:
    """Open the library, over the account if the question or an option needs one."""
    is_account_chosen = arguments.demo or arguments.profile is not None or arguments.account_file is not None
    # What Kubernetes forbids is decided by the entries of a cluster, of which the last snapshot may know.
    in_cluster = inquiry.cluster is not None or "forbidden" in (inquiry.question.message or "").lower()
    if (
        inquiry.principal is None
        and arguments.pod is None
        and not (is_account_chosen or arguments.offline or in_cluster)
    ):
        return open_library(arguments)
    library = library_for(arguments)
    if inquiry.principal is not None:
        read_account(library)
    elif is_account_chosen:
        could_read_account(library)
    elif inquiry.cluster is not None:
        could_read_account(library, refresh=False)
    return library


def _inquiry(arguments: Namespace) -> Inquiry:
    policies = tuple(parse_side(text) for text in arguments.policy)
    folders, boundary_names = _folders((arguments.boundary,) if arguments.boundary else ())
    boundary = parse_side(boundary_names[0]) if boundary_names else None
    session_folders, session_names = _folders(arguments.session_policy)
    session = tuple(parse_side(text) for text in session_names)
    trust = (
        None if arguments.trust is None else StandardInput() if arguments.trust == "-" else FileSide(arguments.trust)
    )
    sides = [side for side in (*policies, *session, boundary, trust) if side is not None]
    if any(isinstance(side, RoleSide) for side in sides):
        raise InputError("A role is not a policy.", "--role NAME evaluates all of its policies.")
    document_on_stdin = StandardInput() in sides
    if sides.count(StandardInput()) > 1 or (document_on_stdin and arguments.message == ["-"]):
        raise InputError("Standard input can be used only once.")
    message, repeats = _message(arguments, document_on_stdin=document_on_stdin)
    return Inquiry(
        question=Question(
            message=message,
            repeats=repeats,
            action=next(iter(arguments.action), None),
            resources=tuple(arguments.resource),
            principal=arguments.principal,
            context=parse_context(arguments.context),
            absent=tuple(arguments.absent),
        ),
        policies=policies,
        boundary=boundary,
        session=session,
        layers=read_layers(arguments.scp, arguments.rcp, arguments.resource_policy, folders, session_folders),
        principal=arguments.role,
        trust=trust,
        standard_input=_standard_input(MAX_BYTES) if document_on_stdin else "",
        values=parameters(arguments),
        cluster=arguments.cluster,
    )


def _folders(texts: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return the texts that name folders, and those that name policies or files."""
    folders = [text for text in texts if Path(text).expanduser().is_dir()]
    return folders, [text for text in texts if text not in folders]


# A longer name of a file is none, and is refused by the system in its own way.
_LONGEST_FILE_NAME = 255


def _message(arguments: Namespace, *, document_on_stdin: bool) -> tuple[str | None, Mapping[str, int]]:
    """Return the message from the arguments, or from standard input unless a document is read there.

    With it, of a long log, comes how often its lines are repeated in what was left out.
    """
    words = " ".join(arguments.message)
    if len(arguments.message) == 1 and len(os.fsencode(words)) <= _LONGEST_FILE_NAME and Path(words).is_file():
        raise InputError(
            f"{words} is a file, not a message.", f"To read a log from it: ekstui explain - < {shlex.quote(words)}"
        )
    is_piped = not words and not arguments.action and not document_on_stdin and not sys.stdin.isatty()
    text, repeats = _log() if words == "-" or is_piped else (words, {})
    return text or None, repeats


def _log() -> tuple[str, Mapping[str, int]]:
    """Return standard input, of a long log the lines that say something about access, with how many repeat each."""
    text = _standard_input(MAX_CHARACTERS)
    if len(text) <= MAX_CHARACTERS:
        return text, {}

    whole_lines, newline, line_start = text.rpartition("\n")
    last_line = line_start + sys.stdin.readline(MAX_CHARACTERS)
    further_lines = iter(lambda: sys.stdin.readline(MAX_CHARACTERS), "")
    lines = chain(f"{whole_lines}{newline}".splitlines(keepends=True), (last_line,), further_lines)
    log_excerpt = excerpt(lines, MAX_CHARACTERS, lambda line: bool(knowledge().symptoms_in(line)))
    if not log_excerpt.kept and not newline:
        return text, {}  # one long line, which is refused
    if not log_excerpt.kept:
        raise InputError(
            f"none of the {log_excerpt.lines:,} lines is a denial.",
            "Paste the line that says “is not authorized to perform”.",
        )
    remark(
        f"{log_excerpt.kept:,} of {log_excerpt.lines:,} lines are about access and differ; "
        f"{sum(log_excerpt.repeats.values()):,} repeat them, and the rest was left out."
    )
    return log_excerpt.text, log_excerpt.repeats


def _standard_input(limit: int) -> str:
    """Return standard input, cut one character after `limit` so that too long a text shows as such."""
    return sys.stdin.read(limit + 1)
