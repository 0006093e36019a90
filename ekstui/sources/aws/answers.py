"""AWS's answers: read within limits of time and size, and checked against the service's model.

botocore limits the wait for each read, not for an answer, reads bodies of any size, and accepts whatever a captive
portal or a broken endpoint sends.
"""

import logging
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar

from ekstui.sources import aws

ANSWER_SECONDS = 30.0
"""How long a call waits for a whole answer, in seconds, in all its attempts together."""

CALL_SECONDS = 180.0
"""How long a call may be retried, in seconds."""

ANSWER_BYTES = 64 * 1024 * 1024
"""The largest answer, in bytes."""

ANSWER_VALUES = 2_000_000
"""The most values in an answer, counted by the signs around them: in memory each takes a hundred times its bytes."""

MOST_PAGES = 2000
"""The most pages of a list: two million roles."""

Item = TypeVar("Item")
_Result = TypeVar("_Result")

_logger = logging.getLogger("ekstui")
_CHUNK = 256 * 1024
_SIGNS = (b"<", b",", b"[", b"{")
_ARN = re.compile(r"arn:[^:\s]*:[^:\s]*:[^:\s]*:[^:\s]*:\S.*", re.DOTALL)


THROTTLED = (
    "Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded", "SlowDown",
    "PriorRequestNotComplete",
)  # fmt: skip
"""The codes with which AWS limits the rate of calls."""


class MalformedError(Exception):
    """An answer does not match the service's model."""


class BoundError(Exception):
    """An answer, or a list of them, is larger or slower than anything AWS sends."""


def bound_answers(client: Any, deadline: "Deadline") -> None:
    """Limit every answer to ANSWER_SECONDS and ANSWER_BYTES, if botocore's private HTTP session is found."""
    sender = getattr(getattr(client, "_endpoint", None), "http_session", None)
    if sender is None:
        _logger.warning("botocore's HTTP session was not found: only its own limits apply to answers")
        return

    def send(request: Any, **_: Any) -> Any:
        with deadline.waiting() as seconds:
            return _within(seconds, lambda stop: _read(sender, request, stop), request.url)

    client.meta.events.register("before-send", send)


def _within(seconds: float, work: Callable[[threading.Event], Any], url: str) -> Any:
    """Return or raise what `work` does; ReadTimeoutError if it takes longer, and its thread is left behind."""
    stop = threading.Event()
    outcome: list[Future[Any]] = []
    thread = threading.Thread(target=lambda: outcome.append(settled(work, stop)), name="ekstui-answer", daemon=True)
    thread.start()
    thread.join(seconds)
    if not outcome:
        stop.set()

        raise aws.sdk.ReadTimeoutError(endpoint_url=url, error="the answer did not end")
    return outcome[0].result()


def settled(function: Callable[[Item], _Result], item: Item) -> Future[_Result]:
    """Return what a call returns or raises, for another thread."""
    outcome: Future[_Result] = Future()
    try:
        outcome.set_result(function(item))
    except Exception as error:  # noqa: BLE001 (the receiver raises what it does not handle)
        outcome.set_exception(error)
    return outcome


def _read(sender: Any, request: Any, stop: threading.Event) -> Any:

    request.stream_output = True
    answer = sender.send(request)
    body = bytearray()
    values = 0
    try:
        for chunk in answer.raw.stream(_CHUNK):
            body += chunk
            values += sum(map(chunk.count, _SIGNS))
            if values > ANSWER_VALUES:
                answer.raw.close()
                raise BoundError(f"has more than {ANSWER_VALUES:,} values")
            if len(body) > ANSWER_BYTES or stop.is_set():
                answer.raw.close()
                raise BoundError(f"is larger than {ANSWER_BYTES // 1024 // 1024} MB")
        if len(body) < int(answer.headers.get("Content-Length") or 0):
            raise aws.sdk.ConnectionClosedError(endpoint_url=request.url, error="the answer was cut")
    except aws.sdk.http_exceptions.ReadTimeoutError as error:
        raise aws.sdk.ReadTimeoutError(endpoint_url=request.url, error=error) from None
    except (aws.sdk.http_exceptions.HTTPError, OSError) as error:
        raise aws.sdk.ConnectionClosedError(endpoint_url=request.url, error=error) from None
    answer._content = bytes(body)  # what `content` returns after reading
    return answer


class Deadline:
    """Ends a call that gets no answer in ANSWER_SECONDS, or was tried for CALL_SECONDS; safe for any thread."""

    def __init__(self) -> None:
        self._call = threading.local()

    def start(self) -> None:
        """Start the time of a call in this thread."""
        self._call.began = time.monotonic()
        self._call.waited = 0.0

    @contextmanager
    def waiting(self) -> Iterator[float]:
        """Count the time of an attempt, and give it what is left of the time for an answer, in seconds."""
        start = time.monotonic()
        wait_seconds = getattr(self._call, "waited", 0.0)
        try:
            yield max(ANSWER_SECONDS - wait_seconds, 0.0)
        finally:
            self._call.waited = wait_seconds + time.monotonic() - start

    def check(self, caught_exception: Exception | None = None, **_: Any) -> None:
        """Raise if this thread's call has waited or was tried too long: a handler of `needs-retry`.

        A timeout has the seconds that it waited.
        """

        wait_seconds = getattr(self._call, "waited", 0.0)
        if isinstance(caught_exception, aws.sdk.ReadTimeoutError):
            caught_exception.kwargs["seconds"] = f"{wait_seconds:.0f}"
            if wait_seconds > ANSWER_SECONDS - 1:
                raise caught_exception
        elif caught_exception is None:
            self._call.waited = 0.0  # it was answered, if only with an error
        began = getattr(self._call, "began", None)
        if began is not None and time.monotonic() - began > CALL_SECONDS:
            raise BoundError(f"was tried for {CALL_SECONDS:.0f} s")


def check_lists(response_dict: Mapping[str, Any], operation_model: Any, **_: Any) -> None:
    """Raise MalformedError for text in place of a list in XML, which botocore reads as empty (`before-parse`)."""
    shape = operation_model.output_shape
    if shape is not None and operation_model.service_model.resolved_protocol in ("query", "ec2"):
        tags = _tags_of_lists(shape, {})
        lists = b"|".join(re.escape(tag.encode()) for tag, is_list in tags.items() if is_list)
        if lists and (match := re.search(rb"<(?:\w+:)?(%b)(?:\s[^>]*)?>\s*[^<\s]" % lists, response_dict["body"])):
            raise MalformedError(match[1].decode())


def _tags_of_lists(shape: Any, tags: dict[str, bool]) -> dict[str, bool]:
    """Return the XML tags below a shape, and whether each is used for lists only."""
    if shape.type_name == "list":
        return _tags_of_lists(shape.member, tags)
    for name, member in shape.members.items() if shape.type_name == "structure" else ():
        tag = member.serialization.get("name", name)
        is_list = member.type_name == "list" and not member.serialization.get("flattened")
        tags[tag] = is_list and tags.get(tag, True)
        _tags_of_lists(member, tags)
    return tags


def is_arn(text: str) -> bool:
    """Return whether a text has the six parts of an ARN."""
    return _ARN.fullmatch(text) is not None


_TYPES: Mapping[str, type] = {
    "structure": Mapping, "list": list, "map": Mapping, "string": str, "boolean": bool, "integer": int, "long": int,
    "timestamp": datetime,
}  # fmt: skip
"""By the type of a shape in botocore's model; floats and blobs are not checked."""


def check_form(answer: object, shape: Any) -> None:
    """Raise MalformedError unless `answer` matches `shape`, a shape of botocore's model."""
    if shape is not None:
        _check(answer, shape, shape.name)


def _is_of_type(value: object, shape: Any) -> bool:
    type_of_value = _TYPES.get(shape.type_name, object)
    is_truth = type_of_value is int and isinstance(value, bool)
    # botocore decodes policy documents.
    return (isinstance(value, type_of_value) and not is_truth) or shape.name == "policyDocumentType"


def _check(value: Any, shape: Any, place: str) -> None:
    kind = shape.type_name
    if not _is_of_type(value, shape):
        raise MalformedError(place)
    if kind == "structure":
        for name, member in shape.members.items():
            if name in value:
                _check(value[name], member, f"{place}.{name}")
            elif name in shape.required_members:
                raise MalformedError(f"{place}.{name}")
    elif kind == "list":
        for entry in value:
            _check(entry, shape.member, place)
    elif kind == "map":
        for key, entry in value.items():
            _check(key, shape.key, place)
            _check(entry, shape.value, place)
    elif value and kind == "string" and place.lower().endswith("arn") and not is_arn(value):
        raise MalformedError(place)
