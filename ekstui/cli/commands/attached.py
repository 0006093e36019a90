"""`ekstui attached`: who carries a policy in the account."""

import argparse
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from ekstui.cli.account import library_for, narrate_errors, read_account
from ekstui.cli.exit_code import ExitCode
from ekstui.cli.output import Cell, narrate, print_json, print_table, print_text, print_wrapped
from ekstui.core.trust import trust_word
from ekstui.core.words import age_in_words, use_in_words
from ekstui.export.account_shapes import attached_shape, organisation_shape
from ekstui.library import AttachedAnswer, Library

LONGEST_IN_COLUMN = 28
"""A longer name stands on a line of its own, so that who uses a role is still seen in 80 columns."""


def run(arguments: argparse.Namespace) -> int:
    """Print a carrier a line: name, what uses it, when it was last used; and what was not looked at."""
    library = library_for(arguments)
    if arguments.aggregator:
        return _everywhere(library, arguments)
    if not arguments.policy.startswith("arn:"):
        library.find(arguments.policy)
    read_account(library)
    answer = library.attached(arguments.policy)
    attachments = answer.attachments
    if arguments.json:
        print_json(attached_shape(library.data(), answer))
    else:
        _print(answer)
    narrate_errors(attachments.errors)
    if not attachments.complete:
        narrate("Incomplete: not every role, user and group was read, so there may be more.")
    return ExitCode.NOTHING if attachments.proven_empty else ExitCode.DONE


def _everywhere(library: Library, arguments: argparse.Namespace) -> int:
    """Print a carrier of any account a line; an empty answer proves nothing, since Config may not have recorded it."""
    answer = library.attached_everywhere(library.find(arguments.policy).policy, arguments.aggregator)
    if arguments.json:
        print_json(organisation_shape(library.data(), answer))
    else:
        print_text(answer.policy_arn.rpartition("/")[2], "bold")
        print_text(f"aggregator {answer.aggregator} of AWS Config, as far as it has recorded")
        rows: list[tuple[Cell, ...]] = [
            (
                carrier.account,
                carrier.name,
                carrier.kind,
                ", ".join(carrier.carried_as),
                "; ".join(map(use_in_words, carrier.used_by)),
            )
            for carrier in answer.carriers
        ]
        if rows:
            print_text()
            print_table(rows, ("ACCOUNT", "NAME", "KIND", "AS", "USED BY"))
            print_text()
        else:
            print_text("AWS Config has recorded nobody who carries it.")
        for unseen in answer.not_looked_at:
            print_wrapped(f"Not looked at: {unseen}", tone="dim")
    narrate_errors(answer.errors)
    return ExitCode.DONE


def _print(answer: AttachedAnswer) -> None:
    attachments, identity, now = answer.attachments, answer.identity, datetime.now(UTC)
    print_text(attachments.policy_arn.rpartition("/")[2], "bold")
    print_text(f"account {identity.account} ({identity.partition}), as of {answer.fetched_at:%Y-%m-%d %H:%M} UTC")
    rows: list[tuple[Cell, ...]] = []
    for entry in attachments.roles:
        role = entry.role
        uses = "; ".join(map(use_in_words, entry.used_by)) or trust_word(role.trust, identity.account)
        ways = "boundary" if entry.carried_as == ("boundary",) else ", ".join(entry.carried_as)
        rows.append(
            (
                role.name,
                "service-linked role" if role.service_linked else "role",
                ways,
                age_in_words(role.last_used, now) if role.last_used else "—",
                uses,
            )
        )
    rows += [(entry.user.name, "user", ", ".join(entry.carried_as), "", "") for entry in attachments.users]
    rows += [(group.name, "group", "permissions", "", "") for group in attachments.groups]
    if rows:
        print_text()
        print_table(_spanned(rows), ("NAME", "KIND", "AS", "LAST USED", "USED BY"), wrap_last=True)
        print_text()
        print_text("Last used: IAM tracks 400 days; — means no activity in them.", "dim")
    elif attachments.proven_empty:
        print_text("Nothing in this account carries it.")
    for unseen in attachments.not_looked_at:
        print_wrapped(f"Not looked at: {unseen}", tone="dim")


def _spanned(rows: Sequence[tuple[Cell, ...]]) -> Iterator[tuple[Cell, ...]]:
    for row in rows:
        if len(row[0]) > LONGEST_IN_COLUMN:
            yield row[:1]
            yield ("", *row[1:])
        else:
            yield row
