"""Serves the app to browsers through textual-serve, with what it leaves out: who may ask, and what pages may load."""

import hmac
import logging
import os
import secrets
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web
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

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class GuardedServer(Server):
    """A server that answers only those who have its link.

    Everything is below a token that nobody can guess: any user of this machine can connect to a port of it. Host and
    Origin are checked as well, since browsers let sockets cross origins, and a name of an attacker's may lead here.
    """

    def __init__(self, command: str, host: str, port: int, title: str, public_url: str) -> None:
        super().__init__(command, host, port, title, public_url)
        self.token = secrets.token_urlsafe(24)

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

    async def _make_app(self) -> web.Application:
        app = web.Application(middlewares=[_guard(self.public_url, self.token)])
        app.add_subapp(f"/{self.token}/", await super()._make_app())
        return app


def _guard(public_url: str, token: str) -> "web.middleware":  # type: ignore[valid-type]
    place = urlsplit(public_url).netloc
    own = f"{urlsplit(public_url).scheme}://{place}"

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        origin = request.headers.get("Origin")
        given, _, rest = request.path.removeprefix("/").partition("/")
        if (
            not hmac.compare_digest(given.encode(), token.encode())
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
