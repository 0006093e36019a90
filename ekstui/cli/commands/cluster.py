"""`ekstui cluster`: a cluster's health, its roles, and what is missing, superseded or too much."""

import argparse
from datetime import UTC, datetime

from ekstui.cli.account import library_for, narrate_errors, read_account
from ekstui.cli.exit_code import ExitCode
from ekstui.cli.output import Tone, narrate, print_json, print_text, print_wrapped
from ekstui.core.words import age_in_words, use_in_words
from ekstui.export.account_shapes import cluster_shape
from ekstui.export.cluster_markdown import cluster_markdown
from ekstui.library import ClusterAnswer

_TONES: dict[str, Tone] = {"problem": "red", "advice": "yellow", "note": "dim"}


def run(arguments: argparse.Namespace) -> int:
    """Print what EKS reports, what AWS changed lately, then each role with its findings."""
    library = library_for(arguments)
    read_account(library)
    answer = library.cluster(arguments.name)
    data = library.data()
    if arguments.json:
        print_json(cluster_shape(data, answer))
    elif arguments.markdown:
        print_text(cluster_markdown(data, answer).rstrip("\n"))
    else:
        _print(answer, f"{data.newest:%Y-%m-%d}")
    narrate_errors(answer.errors)
    if not answer.complete:
        narrate("Incomplete: not everything about this cluster was read.")
    return ExitCode.DONE


def _print(answer: ClusterAnswer, known_until: str) -> None:
    cluster, now = answer.cluster, datetime.now(UTC)
    print_text(f"{cluster.name} in {cluster.region}", "bold")
    print_text(f"account {answer.identity.account}, as of {answer.fetched_at:%Y-%m-%d %H:%M} UTC")
    print_text()
    print_text("Health, as EKS reports it", "bold")
    for issue in cluster.all_issues:
        print_wrapped(f"{issue.kind} {issue.name}: {issue.code}: {issue.message}", "  ", "red")
    if not cluster.all_issues:
        print_text("  no issue is reported" if cluster.described else "  not read")
    print_text()
    print_text(f"Changed by AWS in the last 14 days (policies are known until {known_until})", "bold")
    for change in answer.recent:
        print_wrapped(
            f"{change.policy} v{change.version} on {change.created:%Y-%m-%d}: {', '.join(change.roles)}", "  "
        )
    if not answer.recent:
        print_text("  nothing, as far as is known")
    for role in answer.roles:
        print_text()
        print_text(role.arn, "bold")
        print_wrapped("; ".join(map(use_in_words, role.uses)), "  ")
        if role.subject is None:
            print_text("  not read: a role of another account, or one that is gone", "yellow")
            continue
        carried = ", ".join(policy.name for policy in role.subject.policies) or "nothing"
        print_wrapped(
            f"carries {carried}; last used {age_in_words(role.subject.role.last_used, now) if role.subject.role.last_used else '—'}",
            "  ",
        )
        for finding in role.findings:
            print_wrapped(f"{finding.severity}: {finding.text}", "  ", _TONES[finding.severity])
            for evidence in finding.evidence:
                print_wrapped(evidence, "      ", "dim")
    if answer.not_looked_at:
        print_text()
        print_text("Not looked at", "bold")
        for unseen in answer.not_looked_at:
            print_wrapped(unseen, "  ")
