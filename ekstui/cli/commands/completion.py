"""`ekstui completion`: completes commands, options, and names of policies, actions, clusters and profiles in a shell.

The shell runs ekstui with `_ARGCOMPLETE` set, and argcomplete answers from the parser. Nothing else imports this.
"""

import argparse
import ast
import os
import re
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from argcomplete.completers import FilesCompleter, SuppressCompleter
from argcomplete.finders import CompletionFinder
from argcomplete.shell_integration import shellcode

from ekstui.change.policy import Policy, version_label
from ekstui.cli.parser import argument, build_parser, command, commands_of, is_command, text_of_module
from ekstui.cli.streams import print_text
from ekstui.errors import EkstuiError
from ekstui.iam.reference import reference
from ekstui.library import AccountChoice, Library
from ekstui.library.access_policies import PREFIX, access_policies
from ekstui.sources.shipped import reader_of, shipped_in


@command(
    "completion",
    "print completion code for your shell",
    "Print the code that makes a shell complete commands, options, policies and actions.",
    argument("shell", choices=("bash", "zsh", "fish"), metavar="SHELL", help="bash, zsh or fish"),
    examples=(
        "source <(ekstui completion bash)  # in ~/.bashrc",
        "source <(ekstui completion zsh)   # in ~/.zshrc, after compinit",
        "ekstui completion fish | source   # in ~/.config/fish/config.fish",
    ),
)
def print_completion(arguments: argparse.Namespace) -> None:
    """Print the shell's code."""
    print_text(str(shellcode(["ekstui"], shell=arguments.shell)).rstrip("\n"))


Completer = Callable[..., Iterable[str]]
"""Returns words for a prefix; argcomplete keeps those that start with it."""


def command_of_line(line: str) -> str:
    """Return the command in a half-typed line, "" before there is one; the word being typed does not count."""
    words = line.split()[1:] if line.endswith(" ") else line.split()[1:-1]
    return next((word for word in words if is_command(word)), "")


def declare_from_text(name: str) -> None:
    """Declare the commands of a command's module from its text, with what their declarations name and nothing else.

    Importing the module, with all that its commands run, would take up to 100 ms of a key press.
    """
    path, text = text_of_module(name)
    statements: list[ast.stmt] = []
    names = {"command"}
    for statement in reversed(ast.parse(text).body):
        match statement:
            case ast.FunctionDef(decorator_list=[_, *_]):
                statement = ast.FunctionDef(statement.name, _NO_ARGUMENTS, [ast.Pass()], statement.decorator_list)
            case ast.Import() | ast.ImportFrom():
                statement.names = [alias for alias in statement.names if (alias.asname or alias.name) in names]
                if not statement.names:
                    continue
            case ast.FunctionDef(name=bound) | ast.Assign(targets=[ast.Name(id=bound)]) if bound in names:
                pass
            case _:
                continue
        names |= {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
        statements.insert(0, statement)
    code = compile(ast.fix_missing_locations(ast.Module(statements, [])), path, "exec")
    exec(code, {"__name__": f"{__package__}.{path.stem}"})  # noqa: S102 (our own module)


_NO_ARGUMENTS = ast.arguments([], [], None, [], [], None, [])


def answer_shell(line: str) -> None:
    """Answer the shell about a half-typed line and end the process."""
    name = command_of_line(line)
    if name:
        declare_from_text(name)
    parser = build_parser(name)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            # A word that is not a command is a policy to open.
            _attach(action, _policies_if_started)
    for name, subparser in commands_of(parser).items():
        for action in subparser._actions:
            if completer := _COMPLETERS.get(f"{name} {action.dest}") or _COMPLETERS.get(action.dest):
                _attach(action, completer)
    _Finder()(parser, always_complete_options=False, default_completer=SuppressCompleter())


class _Finder(CompletionFinder):
    """argcomplete, adapted to bash: bash breaks words at `@`, but keeps the `@` in the word that is replaced."""

    def quote_completions(
        self, completions: list[str], cword_prequote: str, last_wordbreak_pos: int | None
    ) -> list[str]:
        """Return what the shell replaces the word with."""
        at = last_wordbreak_pos
        if (
            at
            and os.environ.get("_ARGCOMPLETE_SHELL") == "bash"
            and all(completion[at : at + 1] == "@" for completion in completions)
        ):
            last_wordbreak_pos = at - 1
        quoted_words: list[str] = super().quote_completions(completions, cword_prequote, last_wordbreak_pos)
        return quoted_words


def _attach(action: argparse.Action, completer: Completer) -> None:
    """Attach a completer that offers nothing where ekstui would raise: a half-typed line has no place for errors."""

    def quietly(prefix: str, parsed_args: argparse.Namespace | None = None, **_: object) -> Iterable[str]:
        try:
            # A shell would take such a name for several words, or hand its characters to the terminal.
            words = completer(prefix=prefix, parsed_args=parsed_args)
            return tuple(word for word in words if word.isprintable())
        except EkstuiError:
            return ()

    action.completer = quietly  # type: ignore[attr-defined]


def _policies(prefix: str, **_: object) -> Iterable[str]:
    library = Library.open()
    name, at, _version = prefix.partition("@")
    if at:
        before, dots, _after = _version.partition("..")
        start = f"{name}@{before}.." if dots else f"{name}@"
        return [f"{start}{label}" for label in _versions(library.find(name).policy)]
    return [
        *library.ask(lambda reader: tuple(reader.names())),
        *(name for family in shipped_in("any") for name in family.names()),
    ]


def _versions(policy: Policy) -> list[str]:
    """Return the versions of a policy, or all releases of a component."""
    return (
        reader_of(policy).labels(policy.name)
        if policy.home
        else [version_label(version.number) for version in policy.versions]
    )


def _policies_if_started(prefix: str, **_: object) -> Iterable[str]:
    """Return policies for a word that has been started; an empty one is completed with the commands."""
    return _policies(prefix) if prefix else ()


_files: Completer = FilesCompleter()


def _sides(prefix: str, **arguments: Any) -> Iterable[str]:
    if prefix.startswith("role:"):
        return [f"role:{name}" for name in _roles(**arguments)]
    return [*_policies(prefix), *_files(prefix=prefix)]


def _sides_with_access(prefix: str, **arguments: Any) -> Iterable[str]:
    start = PREFIX if prefix.startswith(PREFIX) else ""
    return [*_sides(prefix, **arguments), *(f"{start}{policy.policy.name}" for policy in access_policies())]


def _actions(prefix: str, **_: object) -> Iterable[str]:
    service, colon, _name = prefix.partition(":")
    service_reference = reference()
    if colon:
        return [action.name for action in service_reference.actions(service).values()]
    return [f"{name}:" for name in service_reference.services()]


def _library(arguments: argparse.Namespace | None) -> Library:
    """Return the library of what was typed so far: the demo's after --demo."""
    in_demo = getattr(arguments, "demo", False)
    return Library.open(AccountChoice(offline=True, demo=True) if in_demo else None)


def _clusters(parsed_args: argparse.Namespace | None = None, **_: object) -> Iterable[str]:
    snapshot = _library(parsed_args).account.last_snapshot()
    return [cluster.name for cluster in snapshot.clusters] if snapshot else ()


def _roles(parsed_args: argparse.Namespace | None = None, **_: object) -> Iterable[str]:
    snapshot = _library(parsed_args).account.last_snapshot()
    return [role.name for role in snapshot.roles] if snapshot else ()


def _accounts(**_: object) -> Iterable[str]:
    return [entry.account for entry in Library.open().account.stored()]


def _releases(prefix: str, **_: object) -> Iterable[str]:
    """Return `COMPONENT=`, and then its releases."""
    name, equals, _release = prefix.partition("=")
    components = {name: reader for reader in shipped_in("controllers") for name in reader.names() if "/" not in name}
    if not equals:
        return [f"{name}=" for name in components]
    return [f"{name}={label}" for label in components[name].labels(name)] if name in components else ()


def _profiles(**_: object) -> Iterable[str]:
    from ekstui.sources.aws.credentials import profile_names  # only for a profile

    return profile_names()


def _regions(parsed_args: argparse.Namespace | None = None, **_: object) -> Iterable[str]:
    snapshot = _library(parsed_args).account.last_snapshot()
    return ["all", *(snapshot.eks.regions if snapshot and snapshot.eks else ())]


def themes(**_: object) -> Iterable[str]:
    """Return the names of Textual's themes."""
    # Importing Textual takes 250 ms, which a key press has not; its file of themes takes two.
    spec = find_spec("textual")
    if spec is None or spec.origin is None:
        return ()
    return re.findall(r'\bname="([\w-]+)"', Path(spec.origin).with_name("theme.py").read_text(encoding="utf-8"))


_COMPLETERS: dict[str, Completer] = {
    "show policy": _sides_with_access,
    "policy": _sides,
    "where": _policies,
    "before": _sides_with_access,
    "after": _sides_with_access,
    "boundary": _sides,
    "session_policy": _files,
    "scp": _files,
    "rcp": _files,
    "resource_policy": _files,
    "trust": _files,
    "account_file": _files,
    "source": _files,
    "action": _actions,
    "name": _clusters,
    "cluster": _clusters,
    "account": _accounts,
    "upgrade to": _releases,
    "upgrade since": _releases,
    "policies": _policies,
    "role": _roles,
    "profile": _profiles,
    "regions": _regions,
    "theme": themes,
}
"""The completer of each argument, by its dest, or by command and dest."""
