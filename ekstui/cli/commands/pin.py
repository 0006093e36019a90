"""`ekstui pin` and `ekstui check`: record the versions that policies are at, and show which have changed."""

from argparse import Namespace
from pathlib import Path

from ekstui.cli.gates import FAIL_ON, fails_on, gate, reaches_of
from ekstui.cli.parser import JSON, POLICY, argument, command, flag
from ekstui.cli.session import open_library, refuse_in_demo, remark_age
from ekstui.cli.streams import print_answer, remark
from ekstui.export.shapes import answer
from ekstui.iam.text import counted
from ekstui.library.pins import LOCK, moved_since, pin, read_lock, write_lock
from ekstui.present.change_lists import moved_blocks

_LOCK = argument("--lock", default=str(LOCK), metavar="FILE", help="the lock (default: %(default)s)")


@command(
    "pin",
    "record the versions that policies are at",
    f"Record the versions of policies, and checksums of their documents, in ekstui.lock for ekstui check. {POLICY}",
    argument(
        "policies",
        nargs="+",
        metavar="POLICY[@V]",
        help="or a file, such as ./cluster.yaml: the policies of AWS's that it attaches",
    ),
    _LOCK,
    examples=(
        "ekstui pin AmazonEKSClusterPolicy AmazonEKS_CNI_Policy",
        "ekstui pin AmazonEBSCSIDriverPolicy@v14 --lock clusters/prod.lock",
    ),
)
def pin_policies(arguments: Namespace) -> None:
    """Add the policies to ekstui.lock, or update them there."""
    refuse_in_demo(arguments)
    lock = Path(arguments.lock)
    pins = pin(open_library(arguments), arguments.policies)
    pins_before = {pin_before.name: pin_before for pin_before in (read_lock(lock) if lock.exists() else ())}
    write_lock(sorted({**pins_before, **{pin.name: pin for pin in pins}}.values(), key=lambda entry: entry.name), lock)
    remark(f"Pinned {counted(len(pins), 'policy', 'policies')} in {lock}.")


@command(
    "check",
    "show which pinned policies have changed",
    "Show which policies of ekstui.lock have changed since they were pinned, and what that means.",
    _LOCK,
    flag("--exit-code", "exit with 1 if any policy has changed"),
    FAIL_ON,
    *JSON,
    examples=("ekstui check", "ekstui check --fail-on widened"),
)
def check_pins(arguments: Namespace) -> int:
    """Print one row per policy that has changed."""
    library = open_library(arguments)
    pins = read_lock(Path(arguments.lock))
    changed_pins = moved_since(library, pins)
    is_complete = all(pin.change is not None for pin in changed_pins)
    print_answer(
        arguments,
        lambda: answer(moved=changed_pins, complete=is_complete),
        lambda: moved_blocks(changed_pins, len(pins)),
    )
    newest = library.data().newest
    remark(f"Known until {newest:%Y-%m-%d}.")
    remark_age(library, newest)
    reaches = [reach for pin in changed_pins for reach in reaches_of(pin.change)]
    return gate((arguments.exit_code and bool(changed_pins)) or fails_on(arguments.fail_on, reaches))
