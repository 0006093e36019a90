"""The page answers only those who have its link, and gives none of them access to files of the server."""

import asyncio
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import ClientSession, WSMsgType, WSServerHandshakeError
from aiohttp.test_utils import TestServer, unused_port

from ekstui.cli.commands.open import app_command
from ekstui.cli.main import apply_settings, main, with_command
from ekstui.cli.parser import build_parser
from ekstui.cli.web import MOST_APPS, GuardedServer
from ekstui.errors import InputError
from ekstui.library.remembered import seen_versions
from ekstui.sources.policy_file import read_document
from tests.support.patience import PATIENCE

ROOT = Path(__file__).parents[2]

APP = "printf '__GANGLION__\\n'; head -c 1 > /dev/null"


def serving(journey: Callable[[ClientSession, str], Awaitable[None]], command: str = APP) -> None:
    async def run() -> None:
        port = unused_port()
        server = GuardedServer(command, "127.0.0.1", port, "ekstui", f"http://127.0.0.1:{port}")
        test_server = TestServer(await server._make_app(), host="127.0.0.1", port=port)
        await test_server.start_server()
        try:
            async with ClientSession() as session:
                await journey(session, server.link)
        finally:
            await test_server.close()
            await asyncio.sleep(0.1)  # textual-serve does not wait for the app's process, whose end the loop must hear

    asyncio.run(run())


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "attacker.example"}, 403),
        ({"Origin": "http://attacker.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
def test_who_may_see_the_page(headers: dict[str, str], status: int) -> None:
    async def journey(session: ClientSession, url: str) -> None:
        async with session.get(url, headers=headers) as answer:
            assert answer.status == status
            if status == 200:
                assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
                assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]

    serving(journey)


@pytest.mark.parametrize("path", ["", "ws", "static/js/textual.js", "download/x"])
def test_nothing_answers_without_the_token(path: str) -> None:
    async def journey(session: ClientSession, url: str) -> None:
        own, _, token = url.rstrip("/").rpartition("/")
        for wrong in ("", "x/", f"{token[:-1]}/", f"{token}x/", f"{token.swapcase()}/"):
            async with session.get(f"{own}/{wrong}{path}", headers={"Origin": own}) as answer:
                assert answer.status == 403

    serving(journey)


def test_a_visitor_gets_files_and_the_server_keeps_its_own(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through the whole chain: the page, its socket, the app, and the download."""
    monkeypatch.setenv("EKSTUI_SERVED", "1")
    monkeypatch.chdir(own_home)

    async def journey(session: ClientSession, url: str) -> None:
        own = url.rpartition("/")[0].rpartition("/")[0]
        async with session.ws_connect(f"{url}ws?width=120&height=40", origin=own) as socket:
            key = ""
            screen = ""
            pressed_keys: list[str] = []
            while not key:
                message = await socket.receive(timeout=PATIENCE)
                if message.type is WSMsgType.BINARY:
                    screen += message.data.decode(errors="replace")
                elif message.type is WSMsgType.TEXT:
                    words = json.loads(message.data)
                    key = words[1] if words[0] == "deliver_file_start" else ""
                else:
                    pytest.fail(f"the app ended: {message}")
                if "AmazonEKS_CNI_Policy" in screen and not pressed_keys:
                    pressed_keys.append("e")
                    await socket.send_json(["stdin", "e"])
                if "CloudFormation" in screen and pressed_keys == ["e"]:
                    pressed_keys.append("enter")
                    await socket.send_json(["stdin", "\r"])
            async with session.get(f"{url}download/{key}") as answer:
                assert answer.status == 200
                assert "Statement" in json.loads(await answer.text())

    serving(journey, shlex.join([sys.executable, "-m", "ekstui", "open", "AmazonEKS_CNI_Policy", "--offline"]))
    assert list(own_home.rglob("AmazonEKS*")) == []


def test_a_served_app_reads_no_file(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = own_home / "policy.json"
    path.write_text('{"Version": "2012-10-17", "Statement": []}')
    monkeypatch.setenv("EKSTUI_SERVED", "1")
    with pytest.raises(InputError, match="does not read files of the server"):
        read_document(path)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [(["--host", "0.0.0.0"], "--yes-anyone-with-the-link"), (["--account-file", "x"], "cannot read files")],
)
def test_what_serve_refuses(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", *words]) == 2
    assert sentence in capsys.readouterr().err


def test_who_may_open_the_socket() -> None:
    async def journey(session: ClientSession, url: str) -> None:
        own = url.rpartition("/")[0].rpartition("/")[0]
        for origin in (None, "http://attacker.example", own.replace("127.0.0.1", "localhost")):
            with pytest.raises(WSServerHandshakeError) as error:
                await session.ws_connect(f"{url}ws", origin=origin)
            assert error.value.status == 403
        async with session.ws_connect(f"{url}ws", origin=own) as socket:
            await socket.send_json(["ping", "1"])
            assert await socket.receive_json(timeout=PATIENCE) == ["pong", "1"]

    serving(journey)


def test_what_is_chosen_reaches_the_app_as_words_and_not_as_shell() -> None:
    words = ["serve", "--profile", "a; touch b", "--region", "eu-west-1", "--offline", "Amazon$(id)"]
    arguments = build_parser().parse_args(with_command(words))
    apply_settings(arguments)
    command = app_command(arguments)
    assert "'--profile=a; touch b'" in command
    assert command.endswith("-- 'Amazon$(id)'")
    assert "--region=eu-west-1 --offline" in command
    assert "--demo" not in command
    arguments = build_parser().parse_args(with_command(["serve", "--demo"]))
    apply_settings(arguments)
    assert app_command(arguments).endswith("--demo")


@pytest.mark.parametrize(
    "frame",
    [
        "", "{", "[]", "{}", "null", "7", '["stdin"]', '["stdin", 7]', '["stdin", null]', '["stdin", ["a"]]', '["resize", 7]',
        '["resize", {"width": "80", "height": 24}]', '["resize", {"width": 1e9, "height": 24}]', '["quit"]', '["ping", {}]',
        '["resize", {"width": 1000000000, "height": 24}]', '["resize", {"width": -1, "height": 0}]', '[["stdin"], "q"]',
        '["deliver_chunk_request", {"key": "x", "size": 1}]', "[" * 100_000,
    ],
    ids=range(20),
)  # fmt: skip
def test_a_frame_that_no_page_sends_ends_its_own_app_alone(frame: str, caplog: pytest.LogCaptureFixture) -> None:
    async def journey(session: ClientSession, url: str) -> None:
        own = url.rpartition("/")[0].rpartition("/")[0]
        async with (
            session.ws_connect(f"{url}ws", origin=own) as neighbour,
            session.ws_connect(f"{url}ws", origin=own) as socket,
        ):
            await socket.send_str('["stdin", "\\ud800"]')
            await socket.send_str(frame)
            while (await socket.receive(timeout=PATIENCE)).type not in (
                WSMsgType.CLOSE,
                WSMsgType.CLOSED,
                WSMsgType.CLOSING,
            ):
                pass
            await neighbour.send_json(["ping", "1"])
            assert await neighbour.receive_json(timeout=PATIENCE) == ["pong", "1"]

    serving(journey)
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize(
    "size", ["width=999999999&height=24", "width=-5&height=24", "width=80&height=x", "width=²&height=1"]
)
def test_no_page_is_larger_than_fits(size: str) -> None:
    async def journey(session: ClientSession, url: str) -> None:
        own = url.rpartition("/")[0].rpartition("/")[0]
        with pytest.raises(WSServerHandshakeError) as error:
            await session.ws_connect(f"{url}ws?{size}", origin=own)
        assert error.value.status == 400

    serving(journey)


def test_so_many_pages_and_no_more() -> None:
    async def journey(session: ClientSession, url: str) -> None:
        own = url.rpartition("/")[0].rpartition("/")[0]
        sockets = [await session.ws_connect(f"{url}ws", origin=own) for _ in range(MOST_APPS)]
        with pytest.raises(WSServerHandshakeError) as error:
            await session.ws_connect(f"{url}ws", origin=own)
        assert error.value.status == 503
        for socket in sockets:
            await socket.close()
        async with session.ws_connect(f"{url}ws", origin=own) as socket:
            await socket.send_json(["ping", "1"])
            assert await socket.receive_json(timeout=PATIENCE) == ["pong", "1"]

    serving(journey)


def test_no_module_of_the_folder_is_taken_for_the_apps(tmp_path: Path) -> None:
    (tmp_path / "ekstui.py").write_text("print('not ours')")
    (tmp_path / "textual.py").write_text("print('not ours')")
    arguments = build_parser().parse_args(with_command(["serve"]))
    apply_settings(arguments)
    words = shlex.split(app_command(arguments))
    process = subprocess.run(
        [*words[: words.index("open")], "-V"],
        cwd=tmp_path, capture_output=True, text=True, check=True, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert "not ours" not in process.stdout


def test_what_a_visitor_looks_at_is_not_what_the_user_looked_at(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EKSTUI_SERVED", "1")
    seen_versions().changed_since((), datetime(2026, 1, 1, tzinfo=UTC))
    assert not list(own_home.rglob("looked.json"))
