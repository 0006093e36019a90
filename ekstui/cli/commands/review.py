"""`ekstui review`: what a change to a git repository changes in the access that its files give."""

from argparse import Namespace
from pathlib import Path

from ekstui import __version__
from ekstui.cli.gates import FAIL_ON, fails_on, gate, reaches_of
from ekstui.cli.parser import JSON, argument, command, repeated
from ekstui.cli.session import open_library
from ekstui.cli.streams import print_answer
from ekstui.errors import InputError
from ekstui.export.encoding import shape
from ekstui.export.sarif import annotations_text, sarif_text
from ekstui.files import create_file
from ekstui.library.reviewing import review
from ekstui.present.review_report import review_blocks


@command(
    "review",
    "review changes to the policies in a repository",
    "Compare the access that the files of a git repository give with that of a base commit: policy documents in JSON "
    "and YAML, Terraform plans (terraform show -json), which are compared with their own prior state, and "
    "CloudFormation templates. A changed file that may hold a policy and cannot be read is listed, and fails the gate.",
    argument("paths", nargs="*", metavar="PATH", help="files or folders (default: the whole repository)"),
    argument("--base", default="HEAD", metavar="REV", help="the commit to compare with (default: %(default)s)"),
    repeated(
        "--allow-unread",
        "PATTERN",
        "files that need not be read, such as 'tests/*'; also allow_unread in the repository's ekstui.toml",
    ),
    repeated(
        "--needs",
        "[FILE=]COMPONENT@RELEASE",
        "fail if the repository's policies for a controller lack what a release needs; also needs in ekstui.toml; "
        "repeatable",
    ),
    argument("--sarif", metavar="FILE", help="also write the review as SARIF 2.1.0, for code scanning"),
    argument(
        "--annotations",
        metavar="FILE",
        help="also write it as annotations of a GitHub workflow, which are to be printed",
    ),
    FAIL_ON,
    *JSON,
    examples=(
        "ekstui review --base origin/main",
        "ekstui review --base HEAD --fail-on widened policies/",
        "ekstui review --markdown plan.json",
        "ekstui review --needs vpc-cni@v1.23.0 --needs karpenter@v1.14",
    ),
)
def review_repository(arguments: Namespace) -> int:
    """Print one row per document with what its change means, and fail the gate if access changed that way."""
    answer = review(
        Path(), arguments.base, tuple(arguments.paths), arguments.allow_unread, open_library(arguments), arguments.needs
    )
    if arguments.sarif:
        _write(arguments.sarif, sarif_text(answer, __version__))
    if arguments.annotations:
        _write(arguments.annotations, annotations_text(answer))
    print_answer(arguments, lambda: shape(answer), lambda: review_blocks(answer))
    reaches = [reach for document in answer.documents for reach in reaches_of(document.change)]
    if answer.not_read:
        reaches.append("unknown")
    return gate(fails_on(arguments.fail_on, reaches) or any(need.required for need in answer.needs))


def _write(name: str, text: str) -> None:
    try:
        create_file(Path(name), text.encode(errors="replace"), 0o644)
    except OSError as error:
        raise InputError(f"{name} cannot be written: {error.strerror or error}.") from None
