"""What keeps tests off the network and off the user's own files."""

import contextlib
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

ACCOUNT_ID = "123456789012"


def access_key(account_id: str) -> str:
    """Return an access key that belongs to `account_id`: the rig reads the account from the key itself."""
    return f"AKIA{account_id}EKST"


def account_of(key: str) -> str:
    """Return the account that an access key belongs to."""
    found = re.fullmatch(r"A[A-Z]IA(\d{12})EKST", key)
    return found[1] if found else ACCOUNT_ID


def isolated(home: Path) -> dict[str, str]:
    """Return the variables that lead nowhere: files in `home`, dummy keys, an endpoint that refuses."""
    return {
        "HOME": str(home),
        "EKSTUI_CACHE": str(home / "cache"),
        "EKSTUI_STATE": str(home / "state"),
        "EKSTUI_CONFIG": str(home / "config.toml"),
        "AWS_CONFIG_FILE": str(home / ".aws" / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(home / ".aws" / "credentials"),
        "AWS_ACCESS_KEY_ID": access_key(ACCOUNT_ID),
        "AWS_SECRET_ACCESS_KEY": "not-a-secret",
        "AWS_EC2_METADATA_DISABLED": "true",
        # Nothing listens on the discard port, so what a test does not lead to the rig is refused at once.
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_DEFAULT_REGION": "eu-central-1",
    }


@contextlib.contextmanager
def loopback_guard() -> Iterator[list[str]]:
    """Refuse connections off loopback and look-ups of names; yield the list of what was refused."""
    strayed: list[str] = []
    connect, connect_ex, getaddrinfo = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def check(sock: socket.socket, address: Any) -> None:
        if sock.family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(address[0]):
            strayed.append(str(address))
            raise ConnectionRefusedError(f"tests may not connect to {address}")

    def guarded_connect(sock: socket.socket, address: Any) -> None:
        check(sock, address)
        connect(sock, address)

    def guarded_connect_ex(sock: socket.socket, address: Any) -> int:
        check(sock, address)
        return connect_ex(sock, address)

    def guarded_getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if not name or name == "localhost" or _is_address(name):
            return getaddrinfo(host, *args, **kwargs)
        # Names under .invalid exist nowhere (RFC 2606), so a test of failing DNS may ask for one.
        if not name.endswith(".invalid"):
            strayed.append(name)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with (
        mock.patch.object(socket.socket, "connect", guarded_connect),
        mock.patch.object(socket.socket, "connect_ex", guarded_connect_ex),
        mock.patch.object(socket, "getaddrinfo", guarded_getaddrinfo),
    ):
        yield strayed


def _is_loopback(host: str) -> bool:
    return host in ("", "localhost", "::1") or host.startswith("127.")


def _is_address(name: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        with contextlib.suppress(OSError):
            socket.inet_pton(family, name)
            return True
    return False
