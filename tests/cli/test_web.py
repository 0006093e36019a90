"""The page answers itself only: other pages of the browser and other names of this machine are refused."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import ClientSession, WSServerHandshakeError
from aiohttp.test_utils import TestServer, unused_port

from ekstui.cli.commands.serve import app_command
from ekstui.cli.main import with_command
from ekstui.cli.parser import build_parser
from ekstui.cli.settings import apply_settings
from ekstui.cli.web import GuardedServer

APP = "printf '__GANGLION__\\n'; head -c 1 > /dev/null"


def serving(journey: Callable[[ClientSession, str], Awaitable[None]]) -> None:
    async def run() -> None:
        port = unused_port()
        server = GuardedServer(APP, "127.0.0.1", port, "ekstui")
        served = TestServer(await server._make_app(), host="127.0.0.1", port=port)
        await served.start_server()
        try:
            async with ClientSession() as session:
                await journey(session, server.public_url)
        finally:
            await served.close()
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


def test_who_may_open_the_socket() -> None:
    async def journey(session: ClientSession, url: str) -> None:
        for origin in (None, "http://attacker.example", url.replace("127.0.0.1", "localhost")):
            with pytest.raises(WSServerHandshakeError) as refused:
                await session.ws_connect(f"{url}/ws", origin=origin)
            assert refused.value.status == 403
        async with session.ws_connect(f"{url}/ws", origin=url) as socket:
            await socket.send_json(["ping", "1"])
            assert await socket.receive_json(timeout=10) == ["pong", "1"]

    serving(journey)


def test_what_is_chosen_reaches_the_app_as_words_and_not_as_shell() -> None:
    words = ["serve", "--profile", "a; touch b", "--region", "eu-west-1", "--offline", "Amazon$(id)"]
    arguments = build_parser().parse_args(with_command(words))
    apply_settings(arguments)
    command = app_command(arguments)
    assert "'--profile=a; touch b'" in command
    assert command.endswith("-- 'Amazon$(id)'")
    assert "--region=eu-west-1 --offline" in command
