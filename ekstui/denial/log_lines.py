"""The lines of a log, without the JSON object that a log driver or collector puts around each, and without HTML.

Docker, "JSON File logging driver" and "Fluentd logging driver"; CloudWatch Logs API, "OutputLogEvent" and
"FilteredLogEvent", and the fields of Logs Insights; Fluent Bit, "Kubernetes" filter; Loki, `logcli --output=jsonl`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from ekstui.denial.event import pieces_of
from ekstui.denial.patterns import compiled_later
from ekstui.denial.wrapping import without_entities

_LINE_FIELDS = frozenset(("log", "message", "@message", "line"))
"""The fields that have the line itself."""
_OTHER_FIELDS = frozenset(
    ("stream", "time", "attrs", "container_id", "container_name", "source", "timestamp", "ingestionTime", "eventId",
     "logStreamName", "@timestamp", "@ingestionTime", "@logStream", "@log", "@ptr", "_p", "logtag", "date",
     "kubernetes",
     "labels")
)  # fmt: skip
"""The fields that come with it. An object with any other is a structured message, whose texts belong together."""

_AROUND_EVENTS = frozenset(("events", "nextForwardToken", "nextBackwardToken", "nextToken", "searchedLogStreams"))
"""The fields of an answer of CloudWatch Logs, which lists lines."""

_LAYER = compiled_later(r"(?:log|message|line)\\*\"\s*:|&[a-z#\d]{2,6};")
_MOST_LAYERS = 5
"""How many layers are taken off; a log driver, a collector and a web page put three around a line."""


def bare_lines(text: str) -> str:
    """Return a text with lines of a log in place of the objects around them, and without the entities of HTML."""
    for _ in range(_MOST_LAYERS):
        if not _LAYER.search(text):
            return text
        text = "".join(_without_layer(text))
    return text


def _without_layer(text: str) -> Iterator[str]:
    before = ""
    is_after_line = False
    for piece in pieces_of(text):
        if piece.value is None:
            before = without_entities(piece.text)
            continue
        # A message alone after a colon is the body of the error that is named before it.
        is_body = len(piece.value) == 1 and before.rstrip(" ").endswith(":")
        lines = None if is_body else _lines_of(piece.value)
        yield "\n" if lines and is_after_line and before.strip() in ("", ",") else before
        yield "\n".join(lines) if lines else piece.text
        before, is_after_line = "", bool(lines)
    yield before


def _lines_of(value: Mapping[str, Any]) -> list[str] | None:
    """Return the line in a log driver's object, or the lines in an answer of CloudWatch Logs; None for others."""
    events = value.get("events") if value.keys() <= _AROUND_EVENTS else None
    lines = [_line_of(event) for event in (events if isinstance(events, list) else [value])]
    texts = [line for line in lines if line is not None]
    return texts if len(texts) == len(lines) else None


def _line_of(value: object) -> str | None:
    if not isinstance(value, dict) or not value.keys() <= _LINE_FIELDS | _OTHER_FIELDS:
        return None
    texts = [value[field] for field in _LINE_FIELDS.intersection(value)]
    return texts[0].rstrip("\r\n") if len(texts) == 1 and isinstance(texts[0], str) else None
