"""Serves the app to browsers through textual-serve, with what it leaves out: who may ask, and what pages may load."""

import logging
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

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class GuardedServer(Server):
    """A server that answers its own page only.

    Without this any page in the same browser could open the socket and drive the app, since browsers let sockets cross
    origins, and a name of an attacker's that leads to this machine could read the answers.
    """

    def initialize_logging(self) -> None:
        """Log failures only; textual-serve's own log prints the values of local variables."""
        logging.basicConfig(level=logging.WARNING, format="ekstui: %(message)s")

    def serve(self, debug: bool = False) -> None:  # noqa: ARG002 - the parameter is textual-serve's
        """Serve until SIGINT or SIGTERM, and end the apps then; textual-serve's own waits a minute for open pages."""
        self.initialize_logging()
        web.run_app(self._make_app(), host=self.host, port=self.port, shutdown_timeout=1, print=lambda *_: None)

    async def on_startup(self, app: web.Application) -> None:
        """Say nothing: the command has said where the page is."""

    async def _make_app(self) -> web.Application:
        app = await super()._make_app()
        app.middlewares.append(_guard(self.public_url))
        return app


def _guard(public_url: str) -> "web.middleware":  # type: ignore[valid-type]
    place = urlsplit(public_url).netloc
    own = f"{urlsplit(public_url).scheme}://{place}"

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        origin = request.headers.get("Origin")
        if request.host != place or (origin or own) != own or (request.path == "/ws" and not origin):
            raise web.HTTPForbidden(text=f"This page is at {public_url} only.\n")
        response = await handler(request)
        if not response.prepared:
            response.headers["Content-Security-Policy"] = _POLICY
            response.headers["Referrer-Policy"] = "no-referrer"
            response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    return guard
