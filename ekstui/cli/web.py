"""Serves the app to browsers through textual-serve, and adds access control, limits and security headers."""

import hmac
import json
import logging
import os
import secrets
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import WSMsgType, web
from textual_serve.app_service import AppService
from textual_serve.server import Server

LOOPBACK = ("localhost", "127.0.0.1", "::1")

_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; frame-ancestors 'none'; form-action 'none'; base-uri 'none'"
)
"""Loads nothing from elsewhere, fonts included, and lets no other page frame this one."""

_FOCUS = """<script>
const wait = setInterval(() => {
  const keys = document.querySelector(".xterm-helper-textarea");
  if (keys) { keys.focus(); clearInterval(wait); }
}, 50);
</script></body>"""
"""Focuses the terminal, which a script of textual-serve makes, so that keys work without a click."""

MOST_APPS = 8
"""The most pages open at once; each is a process of about 100 MB."""

MOST_CELLS = 1000
"""The most columns or rows of a page; the app keeps every cell in memory."""

MOST_TEXT = 2 * 1024 * 1024
"""The most characters that a page may send at once."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class GuardedServer(Server):
    """A server that answers only to those who have its link.

    Every path starts with an unguessable token, since any user of this machine can connect to its ports. Host and
    Origin are checked too: browsers allow sockets across origins, and an attacker's host name may resolve to this
    machine.
    """

    def __init__(self, command: str, host: str, port: int, title: str, public_url: str) -> None:
        super().__init__(command, host, port, title, public_url)
        self.token = secrets.token_urlsafe(24)
        self.open = 0
        """The number of open pages."""

    @property
    def link(self) -> str:
        """The address of the page, with its token."""
        return f"{self.public_url}/{self.token}/"

    def initialize_logging(self) -> None:
        """Log failures only; textual-serve's own log would print the values of local variables."""
        logging.basicConfig(level=logging.WARNING, format="ekstui: %(message)s")

    def serve(self, debug: bool = False) -> None:  # noqa: ARG002 - a parameter of textual-serve
        """Serve until SIGINT or SIGTERM, then end the apps; textual-serve would wait a minute for open pages."""
        self.initialize_logging()
        # The apps inherit this; it keeps them from reading or writing a file that a visitor names.
        os.environ["EKSTUI_SERVED"] = "1"
        web.run_app(self._make_app(), host=self.host, port=self.port, shutdown_timeout=1, print=lambda *_: None)

    async def on_startup(self, app: web.Application) -> None:
        """Print nothing; the command has printed the link."""

    async def _process_messages(self, websocket: web.WebSocketResponse, app_service: AppService) -> None:
        """Pass on what a page sends; end its app if anything else arrives."""
        async for message in websocket:
            if message.type != WSMsgType.TEXT:
                continue
            match _envelope(message.data):
                case ["stdin", str(text)] if len(text) <= MOST_TEXT:
                    await app_service.send_bytes(text.encode("utf-8", "replace"))
                case ["resize", {"width": int(width), "height": int(height)}] if _is_size(width, height):
                    await app_service.set_terminal_size(width, height)
                case ["ping", str(text)] if len(text) <= MOST_CELLS:
                    await websocket.send_json(["pong", text])
                case ["blur", *_]:
                    await app_service.blur()
                case ["focus", *_]:
                    await app_service.focus()
                case _:
                    return

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """Start the app for a page, within the limits on size and number of pages."""
        width, height = (request.query.get(name, "80") for name in ("width", "height"))
        if not (width.isascii() and height.isascii() and width.isdecimal() and height.isdecimal()):
            raise web.HTTPBadRequest(text="A page needs a width and a height in cells.\n")
        if len(width + height) > len("10001000") or not _is_size(int(width), int(height)):
            raise web.HTTPBadRequest(text=f"A page has at most {MOST_CELLS} columns and rows.\n")
        if self.open >= MOST_APPS:
            raise web.HTTPServiceUnavailable(text=f"{MOST_APPS} pages are already open; close one.\n")
        self.open += 1
        try:
            return await super().handle_websocket(request)
        finally:
            self.open -= 1

    async def _make_app(self) -> web.Application:
        app = web.Application(middlewares=[_guard(self.public_url, self.token)])
        app.add_subapp(f"/{self.token}/", await super()._make_app())
        return app


def _envelope(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _is_size(width: int, height: int) -> bool:
    return 0 < width <= MOST_CELLS and 0 < height <= MOST_CELLS


def _guard(public_url: str, token: str) -> "web.middleware":  # type: ignore[valid-type]
    place = urlsplit(public_url).netloc
    own_origin = f"{urlsplit(public_url).scheme}://{place}"

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        origin = request.headers.get("Origin")
        sent_token, _, path = request.path.removeprefix("/").partition("/")
        if (
            not hmac.compare_digest(sent_token.encode("utf-8", "replace"), token.encode())
            or request.host != place
            or (origin or own_origin) != own_origin
            or (path == "ws" and not origin)
        ):
            raise web.HTTPForbidden(text="Open the link that ekstui serve printed.\n")
        response = await handler(request)
        if not response.prepared:
            response.headers["Content-Security-Policy"] = _POLICY
            response.headers["Referrer-Policy"] = "no-referrer"
            response.headers["X-Content-Type-Options"] = "nosniff"
            if not path and isinstance(response, web.Response) and response.text:
                response.text = response.text.replace("</body>", _FOCUS)
        return response

    return guard
