"""`ekstui serve`: the app as a page, for a browser on this machine."""

import argparse
import gc
import importlib.util
import shlex
import sys

from ekstui.cli.exit_codes import ExitCode
from ekstui.cli.options import add_account, add_scope, add_theme
from ekstui.cli.streams import narrate
from ekstui.errors import InputError

DESCRIPTION = "Serve the app as a page for whoever has its link. Needs the extra ekstui[web]."
EXAMPLES = ("ekstui serve --offline",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("where", nargs="?", metavar="WHERE", help="what the app opens at")
    parser.add_argument("--host", default="localhost", metavar="HOST", help="where to listen (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8000, metavar="PORT", help="the port (default: %(default)s)")
    parser.add_argument(
        "--yes-anyone-with-the-link",
        action="store_true",
        help="listen beyond this machine, where whoever has the link sees what your credentials can read",
    )
    parser.add_argument(
        "--public-url", metavar="URL", help="the address that browsers use, if they use another than HOST and PORT"
    )
    add_scope(parser)
    add_theme(parser)
    add_account(parser)


def run(arguments: argparse.Namespace) -> int:
    """Serve until interrupted; each browser's page is an app of its own."""
    if importlib.util.find_spec("textual_serve") is None:
        raise InputError(
            "Serving to a browser needs the extra `web`.",
            "In the checkout, run pipx install --force '.[web]' or uv tool install --force '.[web]'.",
        )
    from ekstui.cli.web import LOOPBACK, GuardedServer  # 400 ms: aiohttp

    host, port = arguments.host, arguments.port
    if not 0 < port < 65536:
        raise InputError("A port is a number from 1 to 65535.", "Leave out --port for 8000.")
    if arguments.account_file:
        raise InputError("A served app reads no files.", "Leave out --account-file; choose a profile with --profile.")
    if host not in LOOPBACK and not arguments.yes_anyone_with_the_link:
        raise InputError(
            f"{host} can be reached from other machines, and the connection is not encrypted: whoever has the link sees "
            "what your credentials can read.",
            "Add --yes-anyone-with-the-link if that is meant.",
        )
    public_url = (arguments.public_url or f"http://{f'[{host}]' if ':' in host else host}:{port}").rstrip("/")
    gc.enable()  # what serves for days is no command that ends
    server = GuardedServer(app_command(arguments), host, port, "ekstui", public_url)
    narrate(f"The app is at {server.link} (ctrl+c ends it).")
    narrate("Whoever has this link sees what your credentials can read: share it with nobody else.")
    try:
        server.serve()
    except OSError as error:
        raise InputError(f"Cannot listen on {host}:{port}: {error.strerror or error}.", "Try --port.") from None
    return ExitCode.DONE


def app_command(arguments: argparse.Namespace) -> str:
    """Return the shell's command that starts the app of one page."""
    # -P: no module of the folder where one happens to be is taken for Python's or ours.
    words = [sys.executable, "-P", "-m", "ekstui", "open", f"--scope={arguments.scope}", f"--theme={arguments.theme}"]
    if arguments.profile:
        words.append(f"--profile={arguments.profile}")
    words += [f"--region={region}" for region in arguments.region]
    words.append("--offline" if arguments.offline else "--no-offline")
    if arguments.where:
        words += ["--", arguments.where]
    return shlex.join(words)
