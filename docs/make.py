"""Make the manual: docs/keys.md, commands.md, settings.md, the figures in data.md; and ekstui.1, for releases only.

    python -m docs.make

Each page is made from the tables that the code itself uses, so they always agree. Nothing in them depends on the day or on
the version of Python.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from ekstui import files
from ekstui.cli.parser import ACCOUNT, JSON, ExitCode, build_parser, commands_of
from ekstui.settings import SETTINGS
from ekstui.tui import screens
from ekstui.tui.app import EkstuiApp
from ekstui.tui.keys import Key, keys_as_shown
from ekstui.tui.screens.explorer_screen import ExplorerScreen
from ekstui.tui.screens.palette_screen import PaletteScreen
from ekstui.tui.screens.report import ReportScreen
from ekstui.tui.widgets.pane import Pane
from ekstui.tui.widgets.rows import RowList

DOCS = Path(__file__).resolve().parent
MAN_PAGE = "ekstui.1"
"""The page for `man`, which `docs/package_page.py` puts into a wheel; the tree does not keep it."""

MADE = "<!-- Made by docs/make.py: change the table it is made from. -->\n\n"


def main() -> int:
    """Write each page that differs, and print its name."""
    for name, text in {**pages(), MAN_PAGE: man_page(build_parser())}.items():
        path = DOCS / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"wrote docs/{name}")
    return 0


def pages() -> dict[str, str]:
    """Return the text of every page that the tree keeps, by its file name."""
    parser = build_parser()
    return {
        "keys.md": keys_page(),
        "commands.md": commands_page(parser),
        "settings.md": settings_page(),
        "data.md": data_page((DOCS / "data.md").read_text(encoding="utf-8")),
    }


_SHARED_KEYS = {
    "Everywhere": EkstuiApp.KEYS,
    "Lists": RowList.KEYS,
    "The four panes": ExplorerScreen.KEYS,
    "Find anything": PaletteScreen.KEYS,
}
"""The keys that work in many places, by the heading over them."""


def _own_keys() -> dict[str, tuple[Key, ...]]:
    """Return the keys that one pane or screen has besides, by its title."""
    for module in iter_modules(screens.__path__):
        import_module(f"{screens.__name__}.{module.name}")
    return {
        **{f"{pane.TITLE} only": pane.KEYS for pane in Pane.__subclasses__() if pane.KEYS},
        ReportScreen.HEADING: ReportScreen.KEYS,
        **{screen.HEADING: screen.KEYS for screen in sorted(_reports(ReportScreen), key=lambda screen: screen.HEADING)},
    }


def _reports(base: type[ReportScreen[Any]]) -> Iterator[type[ReportScreen[Any]]]:
    for screen in base.__subclasses__():
        if "KEYS" in vars(screen):
            yield screen
        yield from _reports(screen)


def keys_page() -> str:
    """Return the page about the keys of many places; those of one are in the page for `man`, which the tree does not keep."""
    parts = [
        "# Keys\n\n",
        MADE,
        (
            "Keys work the same on every screen; `?` shows the keys of the current screen, with those that only it has, and "
            "`man ekstui` lists all. To change a key, set its id in the [settings](settings.md) to one or more of Textual's "
            "key names, separated by commas: `D`, `ctrl+n`, `f1`, `question_mark`.\n"
        ),
    ]
    for title, keys in _SHARED_KEYS.items():
        rows = [(f"`{keys_as_shown(key.keys)}`", key.help, f"`{key.id}`") for key in keys]
        parts += [f"\n## {title}\n\n", *table(("Keys", "What they do", "Id"), rows)]
    return "".join(parts)


def commands_page(parser: argparse.ArgumentParser) -> str:
    """Return the page about commands."""
    parts = [
        "# Commands\n\n",
        MADE,
        (
            "`ekstui COMMAND` runs a command; `ekstui POLICY` opens the app there. `ekstui help COMMAND` shows a command's "
            "help.\n\n"
            "Only the answer goes to stdout; progress and remarks go to stderr. `-q` leaves those out; `-v` logs each call to AWS, each file "
            "that is opened and each decision whether something is fresh, `--debug` names too. A table is fitted to the terminal; in a pipe its rows are not wrapped. Output in a pipe has no colour; "
            "`NO_COLOR`, `FORCE_COLOR`, `TERM=dumb` and `--color auto|always|never` are honoured. With `--json`, an error is "
            "one object on stderr with a code, a message and the next step; [a schema](../assets/schema.json) describes the "
            "JSON of every answer, which names its own definition in `schema`. All commands accept the options that choose the account, so an alias can contain them; "
            "commands that need no account ignore them.\n"
        ),
    ]
    parts.append("\n## Options of several commands\n")
    for group, options in shared_options().items():
        parts += [f"\nWhere the usage has `[{group}]`:\n\n", *options_table(options)]
    for name, command in commands_of(parser).items():
        parts.append(f"\n## ekstui {name}\n\n{command.description}\n\n```\n{command_usage(name, command)}\n```\n")
        if any(action.help for action in arguments_of(command)):
            parts += ["\n", *options_table(arguments_of(command))]
        parts.append("\nFor example:\n\n```sh\n" + "\n".join(examples_of(command)) + "\n```\n")
    meanings = {
        ExitCode.DONE: "done, whatever `diff` found or `explain` concluded, and even if the answer is partial",
        ExitCode.NOTHING: "nothing found: an unknown policy or version, or a definite empty result; or a gate such as `--fail-on` failed",
        ExitCode.USAGE: "wrong usage, or input that cannot be read",
        ExitCode.NO_ACCOUNT: "the account or a source of policies could not be asked at all, or there is no snapshot for `--offline`",
        ExitCode.NO_DATA: "neither the corpus nor the cache can be read",
        ExitCode.NO_OUTPUT: "standard output cannot be written",
        ExitCode.BROKEN: "a bug in ekstui; the message is one sentence, a log has more",
        ExitCode.INTERRUPTED: "interrupted; in general, 128 + n means ended by signal n",
    }
    parts += ["\n## Exit codes\n\n", *table(("Code", "Means"), [(str(int(code)), meanings[code]) for code in ExitCode])]
    return "".join(parts)


def options_table(actions: Iterable[argparse.Action]) -> Iterable[str]:
    """Yield the lines of a table of arguments and options."""
    return table(("", ""), [(f"`{spelling}`", words) for spelling, words in spelled_out(actions)])


def settings_page() -> str:
    """Return the page about settings, with a file that has an example of each."""
    rows = [
        (
            f"`{setting.name}`",
            setting.about.help,
            f"`{json.dumps(_plain(setting.default))}`",
            f"`{setting.variable}`" if setting.variable else "—",
        )
        for setting in SETTINGS
    ]
    example = "\n".join(f"{setting.name} = {setting.about.example}" for setting in SETTINGS)
    return "".join(
        [
            "# Settings\n\n",
            MADE,
            (
                "`ekstui config` shows the settings in effect, where each comes from, and where the file is: `config.toml` in "
                "`~/.config/ekstui` on Linux or `~/Library/Application Support/ekstui` on macOS, unless `EKSTUI_CONFIG` names "
                "another. The file overrides the defaults, a variable overrides the file, and an option overrides a variable. "
                "An unknown setting gives a warning with its line; an invalid value ends the command with an error.\n\n"
            ),
            *table(("Setting", "What it does", "Default", "Variable"), rows),
            "\nA file with all of them:\n\n```toml\n",
            example,
            (
                "\n```\n\nThree more variables set where files are: `EKSTUI_CACHE` the cache's folder, `EKSTUI_STATE` the folder "
                "for what is remembered between runs, and `EKSTUI_CONFIG` the settings file. AWS's own variables, such as "
                "`AWS_ENDPOINT_URL`, work as usual.\n"
            ),
        ]
    )


def data_page(text: str) -> str:
    """Return the page about the data, with its figures from the manifest."""
    manifest = json.loads((files.assets() / "manifest.json").read_text(encoding="utf-8"))
    figures = [
        *(
            ("Source", f"`{name}` {source['version']}, until {source['known_until']}")
            for name, source in manifest["sources"].items()
        ),
        (
            "Policies",
            f"{manifest['policies']:,}, of which {manifest['family']} are used with EKS",
        ),
        ("Versions", f"{manifest['versions']:,}, of which {manifest['undated']} have no known date"),
        ("Known until", f"{manifest['known_until']}"),
        ("Uncompressed", f"{manifest['bytes']:,} bytes, SHA-256 `{manifest['sha256']}`"),
    ]
    block = "".join(table(("", ""), figures))
    return re.sub(
        r"(<!-- figures -->\n).*?(<!-- end -->)", lambda match: match[1] + block + match[2], text, flags=re.DOTALL
    )


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterable[str]:
    """Yield the lines of a Markdown table."""
    yield f"| {' | '.join(titles)} |\n|{' --- |' * len(titles)}\n"
    for row in rows:
        cells = [cell.replace("|", "\\|") for cell in row]
        yield f"| {' | '.join(cells)} |\n"


def man_page(parser: argparse.ArgumentParser) -> str:
    """Return the page in man's macros."""
    lines = [
        '.TH EKSTUI 1 "" "ekstui" "User Commands"',
        ".SH NAME",
        "ekstui \\- explore the AWS managed IAM policies for Amazon EKS",
        ".SH SYNOPSIS",
        ".B ekstui",
        _text("[WHERE]"),
        ".br",
        ".B ekstui",
        _text("COMMAND ..."),
        ".SH DESCRIPTION",
        _text(parser.description or ""),
        ".PP",
        "If the first word is not a command, the app opens at it.",
        ".SH COMMANDS",
    ]
    for name, command in commands_of(parser).items():
        lines += [f".SS {_text(command_usage(name, command))}", _text(command.description or "")]
        lines += _man_options(arguments_of(command))
        lines += [".PP", "For example:", ".PP", ".nf", *map(_text, examples_of(command)), ".fi"]
    lines += [".SH OPTIONS OF SEVERAL COMMANDS"]
    for group, options in shared_options().items():
        lines += [f".SS [{group}]", *_man_options(options)]
    lines += [".SH KEYS", "Each with its id for the settings."]
    for title, keys in {**_SHARED_KEYS, **_own_keys()}.items():
        lines += [f".SS {_text(title)}"]
        for key in keys:
            lines += [".TP", f".B {_text(keys_as_shown(key.keys))}", _text(f"{key.help} ({key.id})")]
    lines += [".SH EXIT STATUS"]
    for code in ExitCode:
        lines += [".TP", f".B {int(code)}", _text(code.name.lower().replace("_", " "))]
    lines += [
        ".SH FILES",
        ".TP",
        ".I ~/.config/ekstui/config.toml",
        "The settings; ekstui config shows where they are and which are in effect.",
        ".TP",
        ".I ~/.cache/ekstui",
        "The policies, and a file for each account that was read, which only its owner can read.",
    ]
    return "\n".join(lines) + "\n"


def _man_options(actions: Iterable[argparse.Action]) -> list[str]:
    return [line for spelling, words in spelled_out(actions) for line in (".TP", f".B {_text(spelling)}", _text(words))]


def _text(text: str) -> str:
    """Return text escaped for man."""
    roff = text.replace("\\", "\\e").replace("-", "\\-").replace("…", "...").replace("–", "\\(en")
    return f"\\&{roff}" if roff.startswith((".", "'")) else roff


def command_usage(name: str, command: argparse.ArgumentParser) -> str:
    """Return the usage in one line; argparse's own differs between versions of Python."""
    parts = ["ekstui", name]
    for action in arguments_of(command):
        spelling = action.option_strings[0] if action.option_strings else ""
        value = value_of(action)
        words = f"{spelling} {value}".strip()
        optional = bool(spelling) or action.nargs in ("?", "*")
        parts.append(f"[{words}]" if optional else words)
    spellings = {option for action in _visible(command) for option in action.option_strings}
    parts += [f"[{group}]" for group, options in shared_options().items() if spellings & {*options[0].option_strings}]
    return " ".join(parts)


def spelled_out(actions: Iterable[argparse.Action]) -> list[tuple[str, str]]:
    """Return each argument and option as it is written, with its help."""
    return [
        (
            " ".join(filter(None, (", ".join(action.option_strings), value_of(action)))),
            (action.help or "") % {"default": action.default},
        )
        for action in actions
        if action.help
    ]


@cache
def shared_options() -> dict[str, list[argparse.Action]]:
    """Return the options that many commands take, which the manual lists once, by the name of their group."""
    parser = argparse.ArgumentParser(add_help=False)
    groups = {"account options": ACCOUNT, "output options": JSON}
    return {group: [add(parser) for add in options] for group, options in groups.items()}


def examples_of(command: argparse.ArgumentParser) -> Sequence[str]:
    """Return the examples from the help, one command each."""
    lines = (command.epilog or "").splitlines()[1:]
    return [line.strip() for line in lines if line.strip()]


def arguments_of(command: argparse.ArgumentParser) -> list[argparse.Action]:
    """Return the command's own arguments and options."""
    shared_spellings = {
        option for options in shared_options().values() for action in options for option in action.option_strings
    }
    return [action for action in _visible(command) if not shared_spellings & {*action.option_strings}]


def _visible(command: argparse.ArgumentParser) -> list[argparse.Action]:
    """Return all of a command's arguments and options but --help and hidden ones."""
    return [
        action
        for action in command._actions
        if not isinstance(action, argparse._HelpAction | argparse._SubParsersAction)
        and action.help != argparse.SUPPRESS
    ]


def value_of(action: argparse.Action) -> str:
    """Return the name of an option's value, as in the help; "" for a switch."""
    if action.nargs == 0 or isinstance(action, argparse.BooleanOptionalAction):
        return ""
    if action.metavar is not None:
        return action.metavar if isinstance(action.metavar, str) else " ".join(action.metavar)
    return "|".join(map(str, action.choices)) if action.choices else action.dest.upper()


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return list(value)
    return value if value is None or isinstance(value, str | int) else {}


if __name__ == "__main__":
    sys.exit(main())
