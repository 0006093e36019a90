"""Serves the app to browsers through textual-serve, with what it leaves out: who may ask, and what pages may load."""

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
"""Nothing is loaded from elsewhere, fonts included, and no other page may frame this one."""

_FOCUS = """<script>
const wait = setInterval(() => {
  const keys = document.querySelector(".xterm-helper-textarea");
  if (keys) { keys.focus(); clearInterval(wait); }
}, 50);
</script></body>"""
"""Keys work without a click: the terminal of the page is made by a script of textual-serve's."""

MOST_APPS = 8
"""Pages that are open at once: each is a process of a hundred megabytes."""

MOST_CELLS = 1000
"""Columns or rows of a page; the app holds each cell in memory."""

MOST_TEXT = 2 * 1024 * 1024
"""Characters that a page may type or paste at once."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class GuardedServer(Server):
    """A server that answers only those who have its link.

    Everything is below a token that nobody can guess: any user of this machine can connect to a port of it. Host and
    Origin are checked as well, since browsers let sockets cross origins, and a name of an attacker's may lead here.
    """

    def __init__(self, command: str, host: str, port: int, title: str, public_url: str) -> None:
        super().__init__(command, host, port, title, public_url)
        self.token = secrets.token_urlsafe(24)
        self.open = 0
        """How many pages are open."""

    @property
    def link(self) -> str:
        """Return the address of the page, token included."""
        return f"{self.public_url}/{self.token}/"

    def initialize_logging(self) -> None:
        """Log failures only; textual-serve's own log prints the values of local variables."""
        logging.basicConfig(level=logging.WARNING, format="ekstui: %(message)s")

    def serve(self, debug: bool = False) -> None:  # noqa: ARG002 - the parameter is textual-serve's
        """Serve until SIGINT or SIGTERM, and end the apps then; textual-serve's own waits a minute for open pages."""
        self.initialize_logging()
        # textual-serve gives its own environment to the apps, which read and write no file that a visitor names.
        os.environ["EKSTUI_SERVED"] = "1"
        web.run_app(self._make_app(), host=self.host, port=self.port, shutdown_timeout=1, print=lambda *_: None)

    async def on_startup(self, app: web.Application) -> None:
        """Say nothing: the command has said where the page is."""

    async def _process_messages(self, websocket: web.WebSocketResponse, app_service: AppService) -> None:
        """Pass on what a page sends, and end its app at anything that a page does not send."""
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
        """Start an app for a page, of no more than fits, and for no more pages than the machine bears."""
        width, height = (request.query.get(name, "80") for name in ("width", "height"))
        if not (width.isascii() and height.isascii() and width.isdecimal() and height.isdecimal()):
            raise web.HTTPBadRequest(text="A page has columns and rows.\n")
        if len(width + height) > len("10001000") or not _is_size(int(width), int(height)):
            raise web.HTTPBadRequest(text="A page has not so many columns or rows.\n")
        if self.open >= MOST_APPS:
            raise web.HTTPServiceUnavailable(text=f"{MOST_APPS} pages are open already; close one.\n")
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
    own = f"{urlsplit(public_url).scheme}://{place}"

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        origin = request.headers.get("Origin")
        given, _, rest = request.path.removeprefix("/").partition("/")
        if (
            not hmac.compare_digest(given.encode("utf-8", "replace"), token.encode())
            or request.host != place
            or (origin or own) != own
            or (rest == "ws" and not origin)
        ):
            raise web.HTTPForbidden(text="Open the link that ekstui serve printed.\n")
        response = await handler(request)
        if not response.prepared:
            response.headers["Content-Security-Policy"] = _POLICY
            response.headers["Referrer-Policy"] = "no-referrer"
            response.headers["X-Content-Type-Options"] = "nosniff"
            if not rest and isinstance(response, web.Response) and response.text:
                response.text = response.text.replace("</body>", _FOCUS)
        return response

    return guard
