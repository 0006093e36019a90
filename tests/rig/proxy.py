"""A proxy in front of AWS that makes what can go wrong between an app and AWS go wrong, when a test says so."""

import contextlib
import io
import json
import re
import socket
import struct
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import unquote
from xml.etree import ElementTree

from tests.rig.isolation import ACCOUNT_ID
from tests.rig.wire import Call, Cause, call_of, error_body, error_for, message_for

Application = Callable[[dict[str, Any], Callable[..., None]], Iterable[bytes]]

Kind = Literal[
    "error",
    "delay",
    "hang",
    "reset",
    "truncate",
    "cut",
    "bad_xml",
    "garbage",
    "html",
    "no_marker",
    "same_marker",
    "unmarked",
    "no_lists",
    "odd_lists",
    "odd_arns",
    "body",
    "drip",
    "endless",
]

CAPTIVE_PORTAL = b"<!DOCTYPE html><html><head><title>Hotel Wi-Fi</title></head><body>Please log in.</body></html>"


@dataclass(frozen=True, slots=True)
class Effect:
    """What happens to a call.

    `error`: the service's own error, by `cause` or by `code`, `status` and `message`. `delay`: `seconds` longer.
    `hang`: no answer. `reset`: the connection is reset. `truncate`: half the body, as if whole. `cut`: half the body,
    then the connection ends. `bad_xml`: XML that does not parse. `garbage`: bytes. `html`: a captive portal, status 200.
    `no_marker`: truncated, but no marker. `same_marker`: the request's own marker again. `unmarked`: no word on whether
    the list is whole. `no_lists`: without any list. `odd_lists`: numbers in the place of lists. `odd_arns`: ARNs without
    colons. `body`: `message` in place of the body. `drip`: a byte every `seconds`. `endless`: bytes without end.
    """

    kind: Kind
    cause: Cause | None = None
    code: str = ""
    status: int = 0
    message: str = ""
    seconds: float = 0


@dataclass(slots=True)
class Rule:
    """Which calls an effect meets: patterns of service, action and region, the calls that match counted from 1."""

    effect: Effect
    service: str = "*"
    action: str = "*"
    region: str = "*"
    nth: int = 1
    """The first matching call that is met."""
    every: int = 1
    """From there, each `every`-th."""
    times: int | None = None
    """How many calls are met, or None for all."""
    matching_calls: int = 0
    met: int = 0

    @property
    def is_constant(self) -> bool:
        """Whether it answers every call that matches with the same error."""
        return self.effect.kind == "error" and (self.nth, self.every, self.times) == (1, 1, None)

    def meets(self, call: Call) -> bool:
        """Count a call, and return whether the effect meets it."""
        patterns = ((call.service, self.service), (call.action, self.action), (call.region, self.region))
        if not all(fnmatchcase(text, pattern) for text, pattern in patterns):
            return False
        self.matching_calls += 1
        if self.matching_calls < self.nth or (self.matching_calls - self.nth) % self.every or self.met == self.times:
            return False
        self.met += 1
        return True


@dataclass(slots=True)
class Bucket:
    """A token bucket: `rate` calls a second, up to `burst` at once."""

    rate: float
    burst: float
    tokens: float = field(init=False)
    at: float = field(init=False)

    def __post_init__(self) -> None:
        self.tokens, self.at = self.burst, time.monotonic()

    def take(self) -> bool:
        """Take a token if there is one."""
        now = time.monotonic()
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.rate)
        self.at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


class FaultProxy:
    """Listens on a free port of 127.0.0.1 and hands every call on to `upstream`, a WSGI application, unless a rule meets it.

    `prepare` is called before each call is handed on.
    """

    def __init__(self, upstream: Application, prepare: Callable[[], object] = lambda: None) -> None:
        self.upstream = upstream
        self.prepare = prepare
        self.latency = 0.0
        """Seconds that every call takes longer."""
        self.calls: list[Call] = []
        """Every call since the last clear, in the order in which their answers were ready."""
        self.hangs = threading.Event()
        """Set once a call hangs."""
        self.kept: Answers | None = None
        """What `upstream` answered, while it answers the same each time; else None."""
        self._allowed: frozenset[str] | None = None
        self._rules: list[Rule] = []
        self._buckets: list[tuple[str, str, Bucket]] = []
        self._lock = threading.Lock()
        self._release = threading.Event()
        self._server = _Listener(("127.0.0.1", 0), _Handler)
        self._server.proxy = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Return where the proxy listens."""
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    def add(self, effect: Effect, service: str = "*", action: str = "*", region: str = "*", **limits: Any) -> Rule:
        """Add a rule; the first that meets a call decides. `limits` are any of nth, every, times."""
        rule = Rule(effect, service, action, region, **limits)
        with self._lock:
            self._rules.append(rule)
        return rule

    def fail(self, cause: Cause, service: str = "*", action: str = "*", region: str = "*", **limits: Any) -> Rule:
        """Let calls fail with the service's own error for `cause`."""
        return self.add(Effect("error", cause=cause), service, action, region, **limits)

    def limit(self, rate: float, burst: float, service: str = "*", action: str = "*") -> None:
        """Throttle the calls that match beyond a token bucket."""
        with self._lock:
            self._buckets.append((service, action, Bucket(rate, burst)))

    def allow(self, actions: Iterable[str]) -> None:
        """Deny every call but these, as `iam:GetRole`; GetCallerIdentity needs no permission."""
        self._allowed = frozenset({*actions, "sts:GetCallerIdentity"})

    @property
    def always_failing(self) -> tuple[object, ...] | None:
        """Which calls fail with an error each time, and how; None if any fails by turns or otherwise, or comes late."""
        with self._lock:
            if self._buckets or self.latency or not all(rule.is_constant for rule in self._rules):
                return None
            rules = ((rule.effect, rule.service, rule.action, rule.region) for rule in self._rules)
            return (self._allowed, *rules)

    def clear(self) -> None:
        """Forget rules, limits and calls, and let go of what hangs."""
        with self._lock:
            self._rules.clear()
            self._buckets.clear()
            self._allowed = self.kept = None
            self.latency = 0.0
            self.calls = []
            self.hangs.clear()
            self._release.set()
            self._release = threading.Event()

    def counts(self) -> Counter[str]:
        """Return how many calls each action got, as `iam:GetRole`."""
        with self._lock:
            return Counter(f"{call.service}:{call.action}" for call in self.calls)

    def close(self) -> None:
        """Stop listening."""
        self._release.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def effect_on(self, call: Call) -> Effect | None:
        """Return what happens to a call, by the allow-list, then the rules, then the buckets."""
        with self._lock:
            if self._allowed is not None and f"{call.service}:{call.action}" not in self._allowed:
                return Effect("error", cause="denied")
            met = [rule.effect for rule in self._rules if rule.meets(call)]
            if met:
                return met[0]
            for service, action, bucket in self._buckets:
                matches = fnmatchcase(call.service, service) and fnmatchcase(call.action, action)
                if matches and not bucket.take():
                    return Effect("error", cause="throttled")
        return None

    def ended(self, call: Call, status: int) -> None:
        """Log a call with the status that was sent, 0 for none."""
        with self._lock:
            self.calls.append(replace(call, status=status))

    def wait(self, seconds: float) -> None:
        """Wait, but not beyond a clear."""
        self._release.wait(seconds)

    def released(self) -> Callable[[], bool]:
        """Return what says whether the rules were cleared since."""
        return self._release.is_set

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    proxy: FaultProxy

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that hangs up is what many tests are about.
        return


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # With Nagle on and an unbuffered file, each answer waits 40 ms for an acknowledgement.
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Listener

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        proxy = self.server.proxy
        call = call_of(self.command, self.path, dict(self.headers.items()), body)
        effect = proxy.effect_on(call)
        proxy.wait(proxy.latency)
        answer = self._answer(call, effect, body)
        # Before it is sent, so that whoever has the answer finds the call in the log.
        proxy.ended(call, answer.status if answer else 0)
        if answer:
            self._send(answer)
        elif effect and effect.kind == "reset":
            self._reset()

    do_POST = do_DELETE = do_GET  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        return

    def _answer(self, call: Call, effect: Effect | None, body: bytes) -> "_Answer | None":
        match effect:
            case None:
                return self._upstream(body)
            case Effect(kind="error"):
                return _error(call, effect)
            case Effect(kind="delay"):
                self.server.proxy.wait(effect.seconds)
                return self._upstream(body)
            case Effect(kind="hang"):
                self.server.proxy.hangs.set()
                self.server.proxy.wait(600)
                self.close_connection = True
                return None
            case Effect(kind="reset"):
                return None
            case Effect(kind="html"):
                return _Answer(200, {"Content-Type": "text/html"}, CAPTIVE_PORTAL)
            case Effect(kind="body"):
                answer = self._upstream(body)
                return replace(answer, body=effect.message.encode())
            case Effect(kind="drip" | "endless"):
                self._trickle(effect)
                return None
            case Effect(kind="garbage"):
                return _Answer(200, {"Content-Type": "application/octet-stream"}, bytes(range(256)))
        answer = self._upstream(body)
        if effect.kind == "cut":
            self.close_connection = True
            return replace(answer, body=answer.body[: len(answer.body) // 2], promised=len(answer.body))
        return replace(answer, body=_changed(answer.body, effect.kind, call))

    def _upstream(self, body: bytes) -> "_Answer":
        """Return what AWS answers, or answered: two thirds of what an answer takes is moto's."""
        answers = self.server.proxy.kept
        if answers is None or _CHANGES in body:
            return self._asked(body)
        # Who asks which service in which region is the first part of a signature.
        question = (self.command, self.path, self.headers.get("Authorization", "").partition(",")[0], body)
        if question not in answers:
            answers[question] = self._asked(body)
        return answers[question]

    def _asked(self, body: bytes) -> "_Answer":
        """Call AWS in this thread: a second server would parse each call and each answer again."""
        self.server.proxy.prepare()
        path, _, query = self.path.partition("?")
        environ: dict[str, Any] = {
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            # WSGI wants the bytes of the path as so many characters.
            "PATH_INFO": unquote(path, "latin-1"),
            "QUERY_STRING": query,
            "REQUEST_URI": self.path,
            "RAW_URI": self.path,
            "REMOTE_ADDR": self.client_address[0],
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": str(self.server.server_port),
            "SERVER_PROTOCOL": self.request_version,
        }
        for name, value in self.headers.items():
            key = name.upper().replace("-", "_")
            environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
        responses: list[tuple[int, dict[str, str]]] = []

        def start(status: str, headers: list[tuple[str, str]], _: object = None) -> None:
            response_headers = {name: value for name, value in headers if name.lower() not in _OF_THE_CONNECTION}
            responses.append((int(status.split()[0]), response_headers))

        content = b"".join(self.server.proxy.upstream(environ, start))
        status, headers = responses[-1]
        return _Answer(status, headers, content)

    def _send(self, answer: "_Answer") -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        content_length = len(answer.body) if answer.promised is None else answer.promised
        self.send_header("Content-Length", str(content_length))
        self.end_headers()
        self.wfile.write(answer.body)
        self.wfile.flush()

    def _trickle(self, effect: Effect) -> None:
        """Send a body that never ends: slowly, or as fast as it is taken."""
        self.send_response(200)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(1 << 40))
        self.end_headers()
        self.close_connection = True
        is_released = self.server.proxy.released()
        with contextlib.suppress(OSError):
            while not is_released():
                self.wfile.write(b" " if effect.kind == "drip" else b" " * (1 << 20))
                self.wfile.flush()
                if effect.seconds:
                    self.server.proxy.wait(effect.seconds)

    def _reset(self) -> None:
        # Closing with a linger of zero sends RST in place of FIN.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True


_CHANGES = b"LastAccessed"
"""In the calls whose answers are others each time: a report is begun, and ready in the end."""

_OF_THE_CONNECTION = frozenset({"content-length", "connection", "transfer-encoding", "date", "server"})


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: dict[str, str]
    body: bytes
    promised: int | None = None
    """The length that the header promises, where it is not the body's."""


Answers = dict[tuple[str, str, str, bytes], _Answer]
"""What was answered, by method, path, who asked which service where, and body."""


def _error(call: Call, effect: Effect) -> _Answer:
    code, status, message = effect.code, effect.status, effect.message
    if effect.cause:
        known_code, known_status = error_for(effect.cause, call.service)
        code, status = code or known_code, status or known_status
        message = message or message_for(effect.cause, call, ACCOUNT_ID)
    headers, body = error_body(call.service, code, message)
    return _Answer(status or 400, headers, body)


def _changed(body: bytes, kind: str, call: Call) -> bytes:
    """Return the body of an answer with one thing wrong."""
    match kind:
        case "truncate":
            return body[: len(body) // 2]
        case "unmarked":
            return re.sub(rb"<IsTruncated>[^<]*</IsTruncated>", b"", body)
        case "bad_xml":
            return body[: len(body) // 2] + b"<&>" + body[len(body) // 2 :]
        case "no_marker":
            without = re.sub(rb"<(Marker|nextToken|NextToken)>[^<]*</\1>", b"", body)
            return re.sub(rb'"(nextToken|NextToken)"\s*:\s*("[^"]*"|null)', rb'"\1": null', without)
        case "no_lists" | "odd_lists":
            return _with_lists(body, b"42" if kind == "odd_lists" else None)
        case "odd_arns":
            return re.sub(rb'arn:[^"<]*', b"no-arn", body)
        case "same_marker" if call.marker is not None:
            marker = call.marker.encode()
            xml = re.sub(rb"<(Marker|nextToken|NextToken)>[^<]*<", rb"<\1>" + marker + b"<", body)
            return re.sub(rb'"(nextToken|NextToken)"\s*:\s*"[^"]*"', rb'"\1": "' + marker + b'"', xml)
    return body


def _with_lists(body: bytes, instead: bytes | None) -> bytes:
    """Return a body with something in the place of each list, or without any; in XML a list is what has members."""
    if not body.lstrip().startswith(b"<"):
        return json.dumps(_without_lists(json.loads(body), instead)).encode()
    root = ElementTree.fromstring(body)
    for parent in list(root.iter()):
        for child in list(parent):
            if any(element.tag.rpartition("}")[2] in ("member", "item") for element in child):
                if instead is None:
                    parent.remove(child)
                else:
                    child.clear()
                    child.text = instead.decode()
    return ElementTree.tostring(root)


def _without_lists(value: Any, instead: bytes | None) -> Any:
    if isinstance(value, dict):
        return {
            name: _without_lists(member, instead)
            for name, member in value.items()
            if instead is not None or not isinstance(member, list)
        }
    return value if instead is None or not isinstance(value, list) else json.loads(instead)
