"""`ekstui list`: the policies of a scope."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ekstui.cli.options import ExitCode, add_json, add_scope
from ekstui.cli.session import open_library
from ekstui.cli.streams import print_blocks, print_json
from ekstui.present.policy_report import policies_blocks

if TYPE_CHECKING:
    from ekstui.library.access_policies import AccessPolicyAnswer

DESCRIPTION = "List the policies: AWS's, what controllers publish, and EKS access policies."
EXAMPLES = ("ekstui list --scope all --json", "ekstui list --scope controllers")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_scope(parser)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print one line per policy: its name, default version, last update and kind."""
    library = open_library()
    entries = library.policies(arguments.scope)
    access = _access_policies() if arguments.scope in ("access", "any") else ()
    if arguments.json:
        from ekstui.export.shapes import list_shape  # 4 ms: imports what encodes documents

        print_json(list_shape(library.data(), entries, access))
        return ExitCode.DONE
    blocks = policies_blocks(entries) if entries else []
    if access:
        from ekstui.present.access import access_list_blocks

        blocks += access_list_blocks(access)
    print_blocks(blocks)
    return ExitCode.DONE


def _access_policies() -> tuple[AccessPolicyAnswer, ...]:
    from ekstui.library.access_policies import access_policies  # 10 ms, and only for this scope

    return access_policies()
