"""The entry point: finds and runs the command, and turns an error into one sentence and an exit code."""

import argparse
import os
import re
import signal
import sys
import time
from collections.abc import Sequence

from ekstui import files, log
from ekstui.cli.parser import ExitCode, build_parser, command_of, is_command, nearest_option, takes_value, titles
from ekstui.cli.streams import (
    end_at_once,
    flush_out,
    form,
    prepare_streams,
    print_blocks,
    progress_line,
    remark,
    remark_json,
    require_terminal,
)
from ekstui.errors import (
    AccountError,
    DataError,
    EkstuiError,
    InputError,
    NetworkError,
    NotFoundError,
    OutputError,
    UnknownPolicyError,
)
from ekstui.iam.text import clean_line, listed
from ekstui.settings import Effective, Settings, effective

_CODE_OF: tuple[tuple[type[EkstuiError], ExitCode], ...] = (
    (NotFoundError, ExitCode.NOTHING),
    (InputError, ExitCode.USAGE),
    (AccountError, ExitCode.NO_ACCOUNT),
    (NetworkError, ExitCode.NO_ACCOUNT),
    (DataError, ExitCode.NO_DATA),
    (OutputError, ExitCode.NO_OUTPUT),
)

NO_NETWORK = "no-network"
"""The code of a NetworkError in JSON; those of others are the words of their exit codes."""

ERROR_CODES = (*dict.fromkeys(code.name.lower().replace("_", "-") for _, code in _CODE_OF), NO_NETWORK)
"""The codes of errors in JSON."""

_OPTIONS = ("theme", "scope", "profile", "regions", "offline", "mouse")
"""The options that override the setting of the same name."""


def main(arguments: list[str] | None = None) -> int:
    """Run ekstui with the given arguments and return the exit code; without any, take the process's own and end it."""
    words = sys.argv[1:] if arguments is None else arguments
    prepare_streams()
    if words == ["help", "findings"]:
        return list_findings()
    if "_ARGCOMPLETE" in os.environ:
        from ekstui.cli.commands.completion import answer_shell  # only where a shell asks

        answer_shell(os.environ.get("COMP_LINE", ""))
    try:
        code = _run(parse_arguments(words))
        flush_out()
    except BrokenPipeError:
        return end_quietly()
    except EkstuiError as error:
        code = refuse(error, words)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except Exception as error:  # noqa: BLE001 (a traceback helps no user, and may reveal names from the account)
        from ekstui import logbook  # only where something is to be logged

        logbook.unexpected(error, "it ends the command")
        sys.stderr.write(f"{clean_line(logbook.ending(error))}\n")
        return ExitCode.BROKEN
    if arguments is None:
        end_at_once(code)
    return code


def list_findings() -> int:
    """Print what `cluster` and `role` look for, from the table of findings."""
    from ekstui.present.cluster_report import findings_blocks

    print_blocks(findings_blocks())
    flush_out()
    return ExitCode.DONE


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """Return the parsed arguments with the settings in effect, and start the log if those ask for one."""
    words = with_command(arguments)
    arguments_read = build_parser(words[0] if is_command(words[0]) else "").parse_args(words)
    choose_form(arguments_read)
    if arguments_read.command == "open":
        require_terminal()
    arguments_read.settings = apply_settings(arguments_read)
    settings: Settings = arguments_read.settings.settings
    if settings.log is not None or arguments_read.verbose or arguments_read.debug:
        start_log(arguments_read, settings)
    return arguments_read


def start_log(arguments: argparse.Namespace, settings: "Settings") -> None:
    """Log to the file of the settings, and as -v or --debug ask to stderr or, since the app draws there, to a file."""
    from ekstui import __version__, logbook  # only where something is to be logged

    verbose = "debug" if arguments.debug else "info" if arguments.verbose else None
    in_app = arguments.command == "open" and verbose is not None
    if settings.log is not None or in_app:
        logbook.open_log(settings.log or "1", verbose if in_app and verbose else settings.log_level)
    if in_app:
        remark(f"{logbook.where().capitalize()}.")
    elif verbose:
        logbook.log_to_stderr(verbose)
    log.info("ekstui %s %s on Python %s, %s", __version__, arguments.command, sys.version.split()[0], sys.platform)
    effective: Effective = arguments.settings
    log.info("settings: %s", "of the file" if effective.file_found else "no file")
    log.debug("settings: %s, from %s", effective.settings._asdict(), dict(effective.origins))


def refuse(error: EkstuiError, words: list[str]) -> int:
    """Print an error on stderr, with the command that may have been meant, and return its exit code."""
    code = next((code for kind, code in _CODE_OF if isinstance(error, kind)), ExitCode.USAGE)
    log.info("ends with %d: %s", code, type(error).__name__)
    log.debug("%s", error)
    if isinstance(error, UnknownPolicyError):
        from ekstui.cli.session import age_of_policies  # only where policies were read

        age = age_of_policies(demo="--demo" in words) or ""
        error.next_step = f"{error.next_step} {age}".strip()
    if wants_json(words):
        name = NO_NETWORK if isinstance(error, NetworkError) else code.name.lower().replace("_", "-")
        remark_json(name, error)
    else:
        remark(error)
    return code


def refuse_misspelt_command(word: str) -> None:
    """Raise InputError if a word is a misspelt command rather than the name of a policy."""
    may_be_command = word.replace("-", "").replace("_", "").isalpha() and len(word) <= 2 * max(map(len, titles()))
    if may_be_command and (nearest := nearest_option(word.lower(), (*titles(), "help"))):
        raise InputError(
            f"There is no command {word}.", f"Did you mean ekstui {nearest}? A policy: ekstui open {word}."
        )


_FORMS = ("json", "markdown", "patch", "terraform", "cloudformation")
"""The options that choose the form of an answer; `--document` is another answer, with forms of its own."""


def choose_form(arguments: argparse.Namespace) -> None:
    """Set how to print, as the options say; InputError if they ask for two forms of one answer."""
    form.quiet, form.colour, form.silent = arguments.quiet, arguments.color, True
    form.command = f"cache {arguments.what}" if arguments.command == "cache" else arguments.command
    output = getattr(arguments, "output", None)
    is_json = getattr(arguments, "json", False)
    form.answer = output if output in ("yaml", "names") else "json"
    form.markdown = getattr(arguments, "markdown", False) or getattr(arguments, "format", None) == "markdown"
    forms = [f"--{name}" for name in _FORMS if getattr(arguments, name, False)]
    if output and not (is_json and output == "json"):
        forms.append(f"-o {output}")
    if getattr(arguments, "format", None) not in (None, "text"):
        forms.append(f"--format {arguments.format}")
    if len(forms) > 1:
        raise InputError(f"{listed(forms)} are different forms of the answer.", "Choose one of them.")
    if output and output != "table":
        arguments.json = True


def wants_json(words: Sequence[str]) -> bool:
    """Return whether JSON or YAML, which contains JSON, was asked for, and errors should be JSON too."""
    return re.search(r"(?:^| )(?:--json|(?:-o|--output)[ =]?(?:json|yaml))(?: |$)", " ".join(words)) is not None


def apply_settings(arguments: argparse.Namespace) -> "Effective":
    """Fill in what the options leave open; InputError says where an invalid setting is."""
    # Broken settings never block what mends them, or ignores them.
    is_of_file = arguments.command == "config" and arguments.what != "show"
    if is_of_file or arguments.command in ("completion", "schema"):
        return Effective(Settings(), {}, (), files.config_file(), file_found=False)
    options = {
        option: tuple(value) if isinstance(value, list) else value
        for option in _OPTIONS
        if (value := getattr(arguments, option, None)) not in (None, [])
    }
    # The demo reads nothing of the user's.
    settings_in_effect = effective(files.config_file(), os.environ, options, reads_file=not arguments.demo)
    arguments.set_by_option = frozenset(options)
    for option in _OPTIONS:
        if hasattr(arguments, option):
            setattr(arguments, option, getattr(settings_in_effect.settings, option))
    for warning in settings_in_effect.warnings:
        remark(warning)
    return settings_in_effect


def _run(arguments: argparse.Namespace) -> int:
    """Run the parsed command; only its own module is imported."""
    start = time.monotonic()
    try:
        code = command_of(arguments.command).run(arguments) or ExitCode.DONE
    finally:
        if session := sys.modules.get("ekstui.cli.session"):
            session.remark_notices()
        progress_line.end()
    log.info("ends with %d after %.2f s", code, time.monotonic() - start)
    if form.silent and hasattr(arguments, "json"):
        remark("In this form there is nothing to print; --json prints the whole answer.")
    return code


def end_quietly() -> int:
    """End by SIGPIPE, as any command does whose reader (such as head) has stopped reading.

    The default is restored only now: with it, a dropped connection to AWS would kill the process too.
    """
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        signal.raise_signal(signal.SIGPIPE)
    return ExitCode.INTERRUPTED


_ABOUT = ("help", "-h", "--help", "-V", "--version")
"""What asks about ekstui itself, where it stands before any command."""


def with_command(words: list[str]) -> list[str]:
    """Return the arguments with the command first, `open` if there is none; InputError for a misspelt one."""
    if words and words[0] in _ABOUT[1:]:
        return words
    if words and words[0] == "help":
        topics = [word for word in words[1:] if not word.startswith("-")]
        if topics and not is_command(topics[0]):
            nearest = nearest_option(topics[0], titles())
            raise InputError(
                f"There is no command {topics[0]}.", f"Did you mean {nearest}?" if nearest else "See ekstui help."
            )
        return [*topics[:1], "--help"]
    value_expected = False
    for index, word in enumerate(words):
        if word == "--":
            break
        if value_expected:
            value_expected = False
        elif word in _ABOUT:
            return with_command(words[index:])
        elif word.startswith("-") and word != "-":
            value_expected = takes_value(word)
        elif is_command(word):
            return [word, *words[:index], *words[index + 1 :]]
        else:
            refuse_misspelt_command(word)
            break
    return ["open", *words]
