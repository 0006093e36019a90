"""`ekstui sync`: bring the cache up to date from AWS, or from an archive that others publish."""

import argparse
from pathlib import Path

from ekstui.cli.account import library_for
from ekstui.cli.exit_code import ExitCode
from ekstui.cli.output import narrate, narrate_progress, print_json, print_text
from ekstui.core.policy import version_label
from ekstui.export.shapes import sync_shape
from ekstui.library.syncing import SyncReport


def run(arguments: argparse.Namespace) -> int:
    """Print what is new, what differs and what could not be read."""
    library = library_for(arguments)
    archive = None if arguments.source == "aws" else Path(arguments.source)
    with narrate_progress() as tell:
        report = library.sync(archive, lambda done, total: tell(f"reading {done:,} of {total:,}"))
        library.index(lambda done, total: tell(f"indexing {done:,} of {total:,}"))
    if arguments.json:
        print_json(sync_shape(report))
    else:
        _print(report)
    for entry in report.skipped:
        narrate(f"{entry.place}: {entry.reason}")
    if not report.complete:
        narrate("Incomplete: run ekstui sync again, it goes on where this stopped.")
    return ExitCode.DONE


def _print(report: SyncReport) -> None:
    until = f", known until {report.known_until:%Y-%m-%d %H:%M} UTC" if report.known_until else ""
    print_text(f"{report.source} (partition {report.partition}){until}", "bold")
    for name in report.new_policies:
        print_text(f"  new policy {name}", "green")
    for name, version in report.new_versions:
        print_text(f"  new version {name} {version_label(version)}", "green")
    for name, version in report.conflicts:
        print_text(f"  another document for {name} {version_label(version)}", "yellow")
    for name in report.withdrawn:
        print_text(f"  no longer listed by AWS, kept here: {name}", "yellow")
    if not report.changed:
        print_text("  nothing is new")
