"""The command line: how a command is declared, the options that commands share, exit codes, and the parser."""

import argparse
import importlib
import re
import sys
from collections.abc import Callable, Iterable
from enum import IntEnum
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from ekstui import spelling
from ekstui.change.policy import SCOPE_WORDS, SCOPES, Scope
from ekstui.cli.streams import columns
from ekstui.errors import InputError
from ekstui.iam.text import clean_line, listed
from ekstui.named_tuples import NamedTuple

Run = Callable[[argparse.Namespace], int | None]

Adder = Callable[[argparse._ActionsContainer], object]
"""What adds an argument to a parser, or several that exclude each other."""


class _Command(NamedTuple):
    title: str
    """What the help of all commands says of it."""
    description: str
    arguments: tuple[Adder, ...]
    examples: tuple[str, ...]
    run: Run
    """Runs the command and returns its exit code; None means success."""
    answers: tuple[str, ...]
    """The classes that `answer_of` shows as JSON; `assets/build_schema.py` has the answers put together of several."""


declared_commands: dict[str, _Command] = {}
"""The commands whose modules were imported so far."""


def command(
    name: str, title: str, description: str, *arguments: Adder, examples: tuple[str, ...], answers: tuple[str, ...] = ()
) -> Callable[[Run], Run]:
    """Declare the function below as the command of this name; the first two are written out, as `titles` reads them."""

    def declare(run: Run) -> Run:
        declared_commands[name] = _Command(title, description, arguments, examples, run, answers)
        return run

    return declare


_FOLDER = Path(__file__).with_name("commands")

_DECLARATION = r'(?m)^@command\(\s*"([a-z-]+)",\s*"([^"]+)"'
"""How a module declares a command; compiled where titles are read, as most commands read none."""

_ORDER = (
    "open", "list", "show", "versions", "diff", "who-can", "changes", "attached", "clusters", "cluster", "account",
    "role", "used", "pod", "explain", "upgrade", "pin", "check", "review", "trim", "sync", "cache", "config", "schema",
    "completion",
    "serve",
)  # fmt: skip
"""The commands in the order of the help, which has any others after these."""


class _Title(NamedTuple):
    """What the text of a module says of a command before the module is imported."""

    text: str
    module: str


@cache
def titles() -> dict[str, _Title]:
    """Return what the help says of each command, in its order.

    It is read from the text of the modules, which takes three milliseconds: to import them all takes 200.
    """
    title_by_command = {
        name: _Title(text, path.stem)
        for path in sorted(_FOLDER.glob("*.py"))
        for name, text in re.findall(_DECLARATION, path.read_text(encoding="utf-8"))
    }
    return {**{name: title_by_command[name] for name in _ORDER}, **title_by_command}


@cache
def _modules() -> dict[str, str]:
    """Return the modules by the command that each is named after; for those no text needs to be read."""
    return {path.stem.replace("_", "-"): path.stem for path in _FOLDER.glob("[a-z]*.py")}


def is_command(word: str) -> bool:
    """Return whether a word is the name of a command."""
    return word in _modules() or word in titles()


def _module_of(name: str) -> str:
    return _modules().get(name) or titles()[name].module


def text_of_module(name: str) -> tuple[Path, str]:
    """Return the file of the module that declares a command, and its text."""
    path = _FOLDER / f"{_module_of(name)}.py"
    return path, path.read_text(encoding="utf-8")


def command_of(name: str) -> _Command:
    """Return a command's declaration, for which its module is imported unless it was declared before."""
    if name not in declared_commands:
        importlib.import_module(f"ekstui.cli.commands.{_module_of(name)}")
    return declared_commands[name]


def argument(*names: str, **settings: Any) -> Callable[[argparse._ActionsContainer], argparse.Action]:
    """Return what adds an argument, given as for `add_argument`."""
    return lambda parser: parser.add_argument(*names, **settings)


def flag(name: str, words: str) -> Callable[[argparse._ActionsContainer], argparse.Action]:
    """Return what adds an option without a value; `words` are its help."""
    return argument(name, action="store_true", help=words)


def repeated(
    name: str, metavar: str, words: str, **settings: Any
) -> Callable[[argparse._ActionsContainer], argparse.Action]:
    """Return what adds an option that may be given several times; its values are a list, `words` are its help."""
    return argument(name, action="append", default=[], metavar=metavar, help=words, **settings)


def one_of(*arguments: Adder) -> Adder:
    """Return what adds options of which only one may be given."""

    def add(parser: argparse._ActionsContainer) -> None:
        group = parser.add_mutually_exclusive_group()
        for argument in arguments:
            argument(group)

    return add


POLICY = "POLICY is a name, a unique part of one, or an ARN; @v5 picks a version."
"""How to name a policy, for descriptions."""


def scope(default: Scope | None = None) -> Adder:
    """Return the option for the scope; without a default the settings decide."""
    words = "; ".join(f"{scope}: {words}" for scope, words in SCOPE_WORDS.items())
    return argument(
        "--scope", choices=SCOPES, default=default, help=f"which policies (default: {default or 'eks'}); {words}"
    )


PARAMETERS = repeated("--param", "NAME=VALUE", "fill in a parameter of a controller's policy, such as ClusterName=prod")


def parameters(arguments: argparse.Namespace) -> dict[str, str]:
    """Return the values of PARAMETERS."""
    return pairs(arguments.param, "NAME=VALUE", "--param ClusterName=prod")


def pairs(texts: Iterable[str], form: str, example: str) -> dict[str, str]:
    """Return values by name; InputError for one that does not have this form."""
    values: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise InputError(f"{text!r} is not {form}.", f"For example: {example}.")
        values[name] = value
    return values


THEME_OPTION = argument("--theme", metavar="NAME", help="a Textual theme, such as textual-light or ansi-dark")

JSON = (
    flag("--json", "print one JSON object instead of text"),
    argument("-o", "--output", choices=("json", "yaml", "table", "names"), help="the output format (default: table)"),
    flag("--markdown", "print the answer as Markdown"),
)
"""The forms of an answer."""

CONTEXT = argument(
    "--context",
    metavar="CONTEXT",
    help="the context of kubectl to read Kubernetes with (default: the one of the cluster)",
)

ACCOUNT = (
    argument("--profile", metavar="NAME", help="the AWS profile to use"),
    repeated("--region", "REGION", "an AWS region, or all; repeatable", dest="regions"),
    argument("--offline", action=argparse.BooleanOptionalAction, help="use the last snapshot without calling AWS"),
    flag("--demo", "use a made-up account: makes no AWS calls, reads and writes nothing of yours"),
    argument(
        "--account-file",
        metavar="FILE",
        help="read the account from the output of `aws iam get-account-authorization-details`",
    ),
)
"""Options that choose the account; every command accepts them, so that a shell alias can always pass them."""

LAYERS = (
    repeated(
        "--scp",
        "FILE|FOLDER",
        "service control policies of the caller's account; a folder is a level of the organization, or what "
        "iam-collect wrote",
    ),
    repeated("--rcp", "FILE|FOLDER", "resource control policies of the resource's account; folders as for --scp"),
    repeated(
        "--resource-policy",
        "FILE|FOLDER",
        "the policy of the resource, such as a bucket's or a key's; a folder may have those of many resources",
    ),
)
"""Files with the policies of further layers."""

LIMITS = (
    repeated("--boundary", "FILE|FOLDER", "a permissions boundary besides its own"),
    repeated("--session-policy", "FILE|FOLDER", "a session policy"),
)
"""Files with what limits principals of an account further."""

_COMMON_OPTIONS = (
    argument("-q", "--quiet", action="store_true", help=argparse.SUPPRESS),
    argument("-v", "--verbose", action="store_true", help=argparse.SUPPRESS),
    flag("--debug", argparse.SUPPRESS),
    argument("--color", choices=("auto", "always", "never"), default="auto", help=argparse.SUPPRESS),
)
"""What every command takes; only the main help shows it."""


class ExitCode(IntEnum):
    """How the process ended; 128 + n means by signal n."""

    DONE = 0
    NOTHING = 1
    """Nothing was found: an unknown policy or version, no match for who-can, attached or changes proven empty."""
    USAGE = 2
    """A wrong option, or input that cannot be read."""
    NO_ACCOUNT = 3
    """The account or a source of policies could not be asked at all, or there is no snapshot for --offline."""
    NO_DATA = 4
    """Neither the corpus nor the cache can be read."""
    BROKEN = 70
    """A bug in ekstui (EX_SOFTWARE of sysexits)."""
    NO_OUTPUT = 74
    """Standard output cannot be written (EX_IOERR of sysexits)."""
    INTERRUPTED = 130
    """Ended by SIGINT."""


_EXAMPLES = (
    ("ekstui", "open the app"),
    ("ekstui AmazonEKSClusterPolicy@v8", "open the app at this version"),
    ("ekstui show AmazonEKS_CNI_Policy", "show what a policy permits"),
    ("ekstui diff AmazonEKSLoadBalancingPolicy@v5..v6", "show what changed"),
)

_GENERAL = """

Options of every command:
  -q, --quiet                  print only the answer and errors
  -v, --verbose                log calls to AWS and decisions to stderr; --debug logs names too
  --color auto|always|never    when to use colours (default: auto); see also NO_COLOR and FORCE_COLOR

Account selection:
  --profile, --region          of the AWS CLI; --offline uses the last snapshot without calling AWS
  --demo                       a made-up account, to try everything without AWS

  ekstui help COMMAND          show the help of a command"""

_MORE_OPTIONS = "\nekstui --help has the options of every command: -q, -v, --debug and --color.\n"


def build_parser(command_name: str | None = None) -> argparse.ArgumentParser:
    """Return the parser of all commands, of one, or, for "", of their names alone (for the help)."""
    parser = _Parser(
        prog="ekstui",
        description="Explore the AWS managed IAM policies for Amazon EKS: what they permit, what AWS changed, and "
        "where your account uses them.",
        epilog=_examples(f"{command:<48} {title}" for command, title in _EXAMPLES) + _GENERAL,
        formatter_class=_Help,
    )
    parser.help_of = f"{parser.prog} {command_name}" if command_name else parser.prog
    parser.add_argument("-V", "--version", action=_Version, nargs=0, help="print the version of ekstui and of its data")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name in [command_name] if command_name else titles():
        if command_name == "":
            commands.add_parser(name, help=titles()[name].text)
        else:
            declaration = command_of(name)
            command = commands.add_parser(
                name,
                help=declaration.title,
                description=declaration.description,
                epilog=_examples(declaration.examples),
                formatter_class=_Help,
            )
            for add in (*declaration.arguments, *_COMMON_OPTIONS):
                add(command)
            if ACCOUNT[0] not in declaration.arguments:
                for add_hidden in ACCOUNT:
                    add_hidden(command).help = argparse.SUPPRESS
    return parser


def commands_of(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Return each command's parser by name, in the order of the help."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def takes_value(option: str) -> bool:
    """Return whether an option of any command takes a value, which is then never taken for a command."""
    common = argparse.ArgumentParser(add_help=False)
    for add in (*ACCOUNT, *JSON, scope(), *_COMMON_OPTIONS):
        add(common)
    if action := common._option_string_actions.get(option):
        return action.nargs is None
    return option in _value_options()


@cache
def _value_options() -> frozenset[str]:
    """Return the options of all commands that take a value; importing all commands takes 200 ms."""
    parsers = commands_of(build_parser()).values()
    return frozenset(
        option for parser in parsers for option, action in parser._option_string_actions.items() if action.nargs is None
    )


def nearest_option(word: str, words: Iterable[str]) -> str | None:
    """Return the word that a misspelled one may mean."""
    return next(iter(spelling.nearest(word, words, alike=0.7)), None)


def _examples(lines: Iterable[str]) -> str:
    return "Examples:\n" + "\n".join(f"  {line}" for line in lines)


class _Help(argparse.HelpFormatter):
    """Wraps descriptions, but leaves examples as they are."""

    def __init__(self, prog: str) -> None:
        # argparse makes one for each option, and would import shutil for the width.
        super().__init__(prog, width=columns() - 2)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return text if text.startswith("Examples:\n") else super()._fill_text(text, width, indent)


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one sentence and a next step."""

    help_of = ""
    """The command whose help an error points at, if not the parser's own."""

    def format_help(self) -> str:
        """Return the help; that of a command says where the options of every command are."""
        return super().format_help() + (_MORE_OPTIONS if " " in self.prog else "")

    def error(self, message: str) -> NoReturn:
        """Raise InputError with what is wrong, what may be meant, and where the help is."""
        suggestion = ""
        if missing := re.match(r"the following arguments are required: (.*)", message):
            message = f"{self.prog} needs {missing[1]}"
        if numberless := re.match(r"argument (?:.*/)?(\S+): invalid int value: '(.*)'", message):
            message = f'{numberless[1]} takes a number, not "{numberless[2]}"'
        if valueless := re.match(r"argument (?:.*/)?(\S+): expected (?:one|at least one) argument", message):
            message = f"{valueless[1]} needs a value"
        if unknown := re.match(r"unrecognized arguments: (-\S+)", message):
            options = [
                option for parser in (self, *commands_of(self).values()) for option in parser._option_string_actions
            ]
            word = unknown[1].partition("=")[0]
            nearest = nearest_option(word, options)
            # One that only ekstui itself takes was spelled right.
            suggestion = (
                f" Did you mean {self.prog} {nearest}?"
                if nearest == word
                else f" Did you mean {nearest}?"
                if nearest
                else ""
            )
        raise InputError(f"{clean_line(message)}.", f"{suggestion} See {self.help_of or self.prog} --help.".lstrip())

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Raise InputError for a value that is not one of an argument's choices, with those and the nearest."""
        if action.choices is None or value in action.choices:
            return
        choices = [str(choice) for choice in action.choices]
        refusal = f"{action.option_strings[-1]} takes no" if action.option_strings else f"{self.prog} has no"
        nearest = nearest_option(str(value), choices)
        raise InputError(
            f'{refusal} "{clean_line(str(value))}"; it {"takes" if action.option_strings else "has"} {listed(choices)}.',
            f"{f'Did you mean {nearest}? ' if nearest else ''}See {self.prog} --help.",
        )


class _Version(argparse.Action):
    def __call__(self, *_: object) -> None:
        from ekstui.cli.version import print_version  # only where the version is asked for

        print_version()
        sys.exit(0)
