"""`ekstui list`: the policies of a scope."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ekstui.cli.parser import JSON, command, scope
from ekstui.cli.session import open_library
from ekstui.cli.streams import print_blocks, print_shape
from ekstui.present.access import access_list_blocks
from ekstui.present.policy_report import policies_blocks

if TYPE_CHECKING:
    from ekstui.eks.kubernetes import AccessPolicyRules


@command(
    "list",
    "list policies",
    "List the policies: AWS's, what controllers publish, and EKS access policies.",
    scope(),
    *JSON,
    examples=("ekstui list --scope all --json", "ekstui list --scope controllers"),
)
def list_policies(arguments: Namespace) -> None:
    """Print one line per policy: its name, default version, last update and kind."""
    library = open_library(arguments)
    entries = library.policies(arguments.scope)
    access: Sequence[AccessPolicyRules] = ()
    if arguments.scope in ("access", "any"):
        from ekstui.library.access_policies import access_policies  # only for these scopes

        access = access_policies()
    if arguments.json:
        from ekstui.export.shapes import answer

        print_shape(answer(data=library.data(), policies=[*(row.component or row for row in entries), *access]))
        return
    blocks = policies_blocks(entries)
    if access:
        blocks += access_list_blocks(access)
    print_blocks(blocks)
