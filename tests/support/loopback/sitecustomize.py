"""Keeps this Python on loopback: connections and look-ups that lead off it raise at the call, and are written down.

Python imports a module of this name by itself at its start, wherever the folder is in PYTHONPATH. It imports nothing
that a Python without it would not have, so that tests of what a command loads and how fast it starts see no difference.
"""

import os
import sys

LOG = "TESTS_STRAYED"
"""The variable that names the file in which strays are written down, a line each."""


def _refuse_strays(event: str, arguments: tuple[object, ...]) -> None:
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = arguments[1]
        # Addresses of other families, such as the path of a Unix socket, lead nowhere else.
        if isinstance(address, tuple) and isinstance(address[0], str) and not _is_loopback(address[0]):
            _write_down(str(address))
            raise ConnectionRefusedError(f"tests may not connect to {address}")
    elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        host = arguments[0]
        name = host.decode() if isinstance(host, bytes) else str(host or "")
        if not _is_loopback(name) and not _is_address(name):
            # Names under .invalid exist nowhere (RFC 2606), so a test of failing DNS may ask for one.
            if not name.endswith(".invalid"):
                _write_down(name)
            import socket

            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def _is_loopback(host: str) -> bool:
    return host in ("", "localhost", "::1", "0.0.0.0", "::") or host.startswith("127.")


def _is_address(name: str) -> bool:
    return ":" in name or name.replace(".", "").isdecimal()


def _write_down(address: str) -> None:
    if log := os.environ.get(LOG):
        with open(log, "a", encoding="utf-8") as lines:  # noqa: PTH123 - pathlib takes longer than Python's start
            lines.write(f"{address} by {' '.join(sys.argv)[:200] or sys.executable}\n")


sys.addaudithook(_refuse_strays)
