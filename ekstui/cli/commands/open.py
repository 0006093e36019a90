"""`ekstui [WHERE]`, `ekstui open [WHERE]` and `ekstui serve`: the app in the terminal or in a browser."""

import argparse
import gc
import importlib.util
import shlex
import sys

from ekstui.cli.parser import ACCOUNT, THEME_OPTION, ExitCode, argument, command, flag, scope
from ekstui.cli.streams import remark
from ekstui.errors import InputError


@command(
    "open",
    "open the app",
    "Open the app.",
    argument("where", nargs="?", metavar="WHERE", help="POLICY, POLICY@v5, or POLICY@v5..v6 for a comparison"),
    scope(),
    THEME_OPTION,
    argument("--mouse", action=argparse.BooleanOptionalAction, help="use the mouse, which is the default"),
    *ACCOUNT,
    examples=("ekstui open AmazonEKSClusterPolicy@v8..v10",),
)
def open_app(arguments: argparse.Namespace) -> int:
    """Open the app at the named policy, version or comparison, if any."""
    from ekstui.cli.session import account_choice  # only where there is a terminal
    from ekstui.tui.app import run_app

    return run_app(arguments.where, arguments.settings, account_choice(arguments)) or ExitCode.DONE


@command(
    "serve",
    "serve the app to a browser",
    "Serve the app to browsers that have its secret link. Needs the extra ekstui[web].",
    argument("where", nargs="?", metavar="WHERE", help="where the app opens, such as POLICY@v5"),
    argument("--host", default="localhost", metavar="HOST", help="the address to listen on (default: %(default)s)"),
    argument("--port", type=int, default=8000, metavar="PORT", help="the port to listen on (default: %(default)s)"),
    flag(
        "--yes-anyone-with-the-link",
        "allow a HOST that other machines can reach; whoever has the link then sees what your credentials can read",
    ),
    argument("--public-url", metavar="URL", help="the address that browsers use, if not HOST and PORT"),
    scope(),
    THEME_OPTION,
    *ACCOUNT,
    examples=("ekstui serve --offline",),
)
def serve(arguments: argparse.Namespace) -> None:
    """Serve until interrupted; each page runs its own app."""
    if importlib.util.find_spec("textual_serve") is None:
        raise InputError(
            "Serving needs the extra `web`.",
            "In the checkout, run pipx install --force '.[web]' or uv tool install --force '.[web]'.",
        )
    from ekstui.cli.web import LOOPBACK, GuardedServer

    host, port = arguments.host, arguments.port
    if not 0 < port < 65536:
        raise InputError("PORT must be from 1 to 65535.", "Leave out --port for 8000.")
    if arguments.account_file:
        raise InputError(
            "A served app cannot read files.", "Leave out --account-file; choose a profile with --profile."
        )
    if host not in LOOPBACK and not arguments.yes_anyone_with_the_link:
        raise InputError(
            f"Other machines can reach {host}, and the connection is not encrypted: whoever has the link sees what "
            "your credentials can read.",
            "Add --yes-anyone-with-the-link if you want that.",
        )
    public_url = (arguments.public_url or f"http://{f'[{host}]' if ':' in host else host}:{port}").rstrip("/")
    gc.enable()  # a server, unlike other commands, runs for days
    server = GuardedServer(app_command(arguments), host, port, "ekstui", public_url)
    remark(f"The app is at {server.link} (press ctrl+c to stop).")
    remark("Whoever has this link sees what your credentials can read: do not share it.")
    try:
        server.serve()
    except OSError as error:
        raise InputError(f"Cannot listen on {host}:{port}: {error.strerror or error}.", "Try --port.") from None


def app_command(arguments: argparse.Namespace) -> str:
    """Return the shell command that starts the app of one page."""
    # -P: never import a module from the current folder in place of Python's or ours.
    words = [sys.executable, "-P", "-m", "ekstui", "open", f"--scope={arguments.scope}", f"--theme={arguments.theme}"]
    if arguments.profile:
        words.append(f"--profile={arguments.profile}")
    words += [f"--region={region}" for region in arguments.regions]
    words.append("--offline" if arguments.offline else "--no-offline")
    if arguments.demo:
        words.append("--demo")
    if arguments.where:
        words += ["--", arguments.where]
    return shlex.join(words)
