"""Fixtures for every test: files and variables of its own, no way off loopback, and the rig for those that ask AWS."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.rig.isolation import isolated

if TYPE_CHECKING:
    from tests.rig.rig import Rig

_UNSET = ("NO_COLOR", "FORCE_COLOR", "TEXTUAL_THEME", "COLUMNS", "LINES")
"""Variables of the developer's terminal that would change what tests see."""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return the test's own home folder, where its cache, state and settings are, all absent at first."""
    return tmp_path


@pytest.fixture(autouse=True)
def isolation(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each test variables that lead nowhere: no real credentials, files or network."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "EKSTUI_", "BOTO_")) or name in _UNSET:
            monkeypatch.delenv(name)
    for name, value in isolated(home).items():
        monkeypatch.setenv(name, value)


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail the test if a socket of this process is connected off loopback, or a name is looked up."""
    strayed: list[str] = []
    connect, connect_ex, getaddrinfo = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def refuse(address: object) -> None:
        strayed.append(str(address))
        raise ConnectionRefusedError(f"tests may not connect to {address}")

    def guarded_connect(self: socket.socket, address: Any) -> None:
        if not _is_loopback(self, address):
            refuse(address)
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        if not _is_loopback(self, address):
            refuse(address)
        return connect_ex(self, address)

    def guarded_getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name in (None, "", "localhost") or _is_address(name):
            return getaddrinfo(host, *args, **kwargs)
        # Names under .invalid exist nowhere (RFC 2606), so a test of failing DNS may ask for one.
        if not name.endswith(".invalid"):
            strayed.append(name)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
    monkeypatch.setattr(socket, "getaddrinfo", guarded_getaddrinfo)
    yield
    if strayed:
        pytest.fail(f"the test went off loopback: {', '.join(strayed)}")


@pytest.fixture(scope="session")
def _rig() -> Iterator["Rig"]:
    # moto takes 2 s to import, which only the tests that ask AWS should pay.
    from tests.rig.rig import Rig

    with Rig() as running:
        yield running


@pytest.fixture
def rig(_rig: "Rig", home: Path, monkeypatch: pytest.MonkeyPatch) -> "Rig":
    """Return the rig, seeded anew with 300 roles, with the test's environment leading to it."""
    _rig.reset()
    for name, value in _rig.environment(home).items():
        monkeypatch.setenv(name, value)
    return _rig


def _is_loopback(sock: socket.socket, address: Any) -> bool:
    if sock.family not in (socket.AF_INET, socket.AF_INET6):
        return True
    host = address[0]
    return host in ("", "localhost", "::1") or host.startswith("127.")


def _is_address(name: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, name)
        except OSError:
            continue
        return True
    return False
