"""`ekstui serve`: the app as a page, for a browser on this machine."""

import argparse
import importlib.util
import shlex
import sys

from ekstui.cli.exit_code import ExitCode
from ekstui.cli.output import narrate
from ekstui.errors import InputError


def run(arguments: argparse.Namespace) -> int:
    """Serve until interrupted; each browser's page is an app of its own."""
    if importlib.util.find_spec("textual_serve") is None:
        raise InputError("Serving to a browser needs an extra.", "Run pip install 'ekstui[web]'.")
    from ekstui.cli.web import LOOPBACK, GuardedServer  # 400 ms: aiohttp

    host, port = arguments.host, arguments.port
    if not 0 < port < 65536:
        raise InputError(f"{port} is no port.", "Give a number from 1 to 65535.")
    public_url = (arguments.public_url or f"http://{f'[{host}]' if ':' in host else host}:{port}").rstrip("/")
    server = GuardedServer(app_command(arguments), host, port, "ekstui", public_url)
    narrate(f"The app is at {server.public_url}; ctrl+c ends it.")
    if host in LOOPBACK:
        narrate("There is no login: whoever can use this machine's network can see what your credentials can read.")
    else:
        narrate(
            f"Warning: {host} can be reached from other machines and there is no login or encryption: whoever reaches "
            "it sees what your credentials can read."
        )
    try:
        server.serve()
    except OSError as error:
        raise InputError(f"{host}:{port} cannot be listened on: {error.strerror or error}.", "Try --port.") from None
    return ExitCode.DONE


def app_command(arguments: argparse.Namespace) -> str:
    """Return the shell's command that starts the app of one page."""
    words = [sys.executable, "-m", "ekstui", "open", f"--scope={arguments.scope}", f"--theme={arguments.theme}"]
    if arguments.profile:
        words.append(f"--profile={arguments.profile}")
    words += [f"--region={region}" for region in arguments.region]
    words.append("--offline" if arguments.offline else "--no-offline")
    if arguments.account_file:
        words.append(f"--account-file={arguments.account_file}")
    if arguments.where:
        words += ["--", arguments.where]
    return shlex.join(words)
