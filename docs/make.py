"""Make the manual: docs/keys.md, commands.md, settings.md, ekstui.1, and the figures in data.md.

    python -m docs.make

Each page comes from the table that the code itself uses, so it cannot say anything else. Nothing in the pages depends
on the day or on the version of Python.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from docs.manual import man_page
from docs.words import command_usage, examples_of, options_of
from ekstui import paths
from ekstui.cli.exit_codes import ExitCode
from ekstui.cli.parser import build_parser, commands_of
from ekstui.settings import SETTINGS, Settings
from ekstui.tui import screens
from ekstui.tui.app import EkstuiApp
from ekstui.tui.keys import Key, spelled
from ekstui.tui.screens.explorer_screen import ExplorerScreen
from ekstui.tui.screens.palette_screen import PaletteScreen
from ekstui.tui.screens.report import ReportScreen
from ekstui.tui.widgets.rows import RowList

DOCS = Path(__file__).resolve().parent
MADE = "<!-- Made by docs/make.py: change the table it is made from. -->\n\n"


def main() -> int:
    """Write each page that differs; say which."""
    for name, text in pages().items():
        path = DOCS / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"wrote docs/{name}")
    return 0


def pages() -> dict[str, str]:
    """Return the text of every page by its file's name."""
    parser = build_parser()
    return {
        "keys.md": keys_page(),
        "commands.md": commands_page(parser),
        "settings.md": settings_page(),
        "data.md": data_page((DOCS / "data.md").read_text(encoding="utf-8")),
        "ekstui.1": man_page(parser),
    }


def _places() -> dict[str, tuple[Key, ...]]:
    """Return the keys by the heading over them: those of several screens, then each screen with an answer."""
    for module in iter_modules(screens.__path__):
        import_module(f"{screens.__name__}.{module.name}")
    return {
        "Everywhere": EkstuiApp.KEYS,
        "Lists": RowList.KEYS,
        "The four panes": ExplorerScreen.KEYS,
        "Find anything": PaletteScreen.KEYS,
        ReportScreen.HEADING: ReportScreen.KEYS,
        **{screen.HEADING: screen.KEYS for screen in sorted(_reports(ReportScreen), key=lambda screen: screen.HEADING)},
    }


def _reports(base: type[ReportScreen]) -> Iterator[type[ReportScreen]]:
    for screen in base.__subclasses__():
        if "KEYS" in vars(screen):
            yield screen
        yield from _reports(screen)


def keys_page() -> str:
    """Return the page of the keys."""
    parts = [
        "# Keys\n\n",
        MADE,
        (
            "Every key can be changed by its id in the [settings](settings.md), in Textual's names: `D`, `ctrl+n`, `f1`, "
            "`question_mark`, with commas between several. A key means the same everywhere; `?` shows those for where you "
            "are.\n"
        ),
    ]
    for title, keys in _places().items():
        rows = [(f"`{spelled(key.keys)}`", key.help, f"`{key.id}`") for key in keys]
        parts += [f"\n## {title}\n\n", *table(("Keys", "What they do", "Id"), rows)]
    return "".join(parts)


def commands_page(parser: argparse.ArgumentParser) -> str:
    """Return the page of the commands."""
    parts = [
        "# Commands\n\n",
        MADE,
        (
            "stdout is data only; progress and remarks go to stderr. Piped output has no colour; `NO_COLOR`, `FORCE_COLOR`, "
            "`TERM=dumb` and `--color auto|always|never` are heeded. `-q` leaves out remarks and progress, `-v` and `--debug` "
            "log to stderr. With `--json` an error is one object on stderr, with its code, sentence and next step. "
            "`ekstui help COMMAND` shows what a command takes. A table fits the terminal; piped it is whole, however wide that is. The options that choose the "
            "account may be given to every command, so that an alias can hold them; where no account is asked they "
            "change nothing. The first word that names a command is the command, else it is what the app opens at. The JSON of "
            "each command is described by [a schema](../assets/schema.json).\n"
        ),
    ]
    for name, command in commands_of(parser).items():
        parts.append(f"\n## ekstui {name}\n\n{command.description}\n\n```\n{command_usage(name, command)}\n```\n")
        if options := options_of(command):
            parts += ["\n", *table(("", ""), [(f"`{spelling}`", words) for spelling, words in options])]
        parts.append("\nFor example:\n\n```sh\n" + "\n".join(examples_of(command)) + "\n```\n")
    meanings = {
        ExitCode.DONE: "done: `diff` whatever it found, `explain` whatever the verdict, a partial answer too",
        ExitCode.NOTHING: "nothing: an unknown policy or version, or proven empty",
        ExitCode.USAGE: "usage, or input that cannot be read",
        ExitCode.NO_ACCOUNT: "the account could not be asked at all, or `--offline` without a snapshot",
        ExitCode.NO_DATA: "neither corpus nor cache can be read",
        ExitCode.NO_OUTPUT: "standard output cannot be written",
        ExitCode.BROKEN: "an error of ekstui's own; it is told in one sentence, and a log has more",
        ExitCode.INTERRUPTED: "interrupted; in general 128 + n is the end by signal n",
    }
    parts += ["\n## Exit codes\n\n", *table(("Code", "Means"), [(str(int(code)), meanings[code]) for code in ExitCode])]
    return "".join(parts)


def settings_page() -> str:
    """Return the page of the settings, with a file that holds an example of each."""
    rows = [
        (
            f"`{setting.name}`",
            setting.help,
            f"`{json.dumps(_plain(getattr(Settings(), setting.name)))}`",
            f"`{setting.variable}`" if setting.variable else "—",
        )
        for setting in SETTINGS
    ]
    example = "\n".join(f"{setting.name} = {setting.example}" for setting in SETTINGS)
    return "".join(
        [
            "# Settings\n\n",
            MADE,
            (
                "`ekstui config` shows the settings that hold, where each comes from, and where the file is: "
                "`config.toml` in the platform's folder for settings (`~/.config/ekstui` on Linux, `~/Library/Application "
                "Support/ekstui` on macOS), or `EKSTUI_CONFIG`. The file counts more than the defaults, a variable more "
                "than the file, an option more than a variable. A key that does not exist is a warning with its line; a "
                "value that cannot be ends the command with one sentence.\n\n"
            ),
            *table(("Setting", "What it does", "Default", "Variable"), rows),
            "\nA file with all of them:\n\n```toml\n",
            example,
            (
                "\n```\n\nThree more variables say where files are: `EKSTUI_CACHE` the folder of the cache, "
                "`EKSTUI_STATE` that of what is remembered between runs, `EKSTUI_CONFIG` the settings file. "
                "AWS's own variables hold as everywhere, `AWS_ENDPOINT_URL` among them.\n"
            ),
        ]
    )


def data_page(text: str) -> str:
    """Return the page of the data with its figures as the manifest has them."""
    manifest = json.loads((paths.assets() / "manifest.json").read_text(encoding="utf-8"))
    figures = [
        ("Source", f"npm package `{manifest['source']}` {manifest['source_version']}"),
        (
            "Policies",
            f"{manifest['policies']:,}, of which {manifest['family']} belong to EKS or are carried by its roles",
        ),
        ("Versions", f"{manifest['versions']:,}, of which {manifest['undated']} have no known date"),
        ("Known until", f"{manifest['known_until']}"),
        ("Uncompressed", f"{manifest['bytes']:,} bytes, SHA-256 `{manifest['sha256']}`"),
    ]
    block = "".join(table(("", ""), figures))
    return re.sub(
        r"(<!-- figures -->\n).*?(<!-- end -->)", lambda found: found[1] + block + found[2], text, flags=re.DOTALL
    )


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterable[str]:
    """Yield the lines of a Markdown table."""
    yield f"| {' | '.join(titles)} |\n|{' --- |' * len(titles)}\n"
    for row in rows:
        cells = [cell.replace("|", "\\|") for cell in row]
        yield f"| {' | '.join(cells)} |\n"


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return list(value)
    return value if value is None or isinstance(value, str | int) else {}


if __name__ == "__main__":
    sys.exit(main())
