"""Denials as people paste them: log lines, SDK errors, CloudTrail events and decoded authorization messages."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import islice
from operator import itemgetter
from typing import Any, NamedTuple

from ekstui.denial.event import denials_of_object, objects_in, strings_in
from ekstui.denial.message import Cause as Cause
from ekstui.denial.message import Denial as Denial
from ekstui.denial.message import PolicyType as PolicyType
from ekstui.denial.message import ambiguous_operation, denials_in, with_token, wrapped_denial
from ekstui.errors import InputError
from ekstui.iam.reference import reference

MAX_CHARACTERS = 200_000
"""The longest text that is read, in characters; a message has a few thousand."""

_MAX_DENIALS = 20
"""The most denials that are read from one text."""

_ENCODED = re.compile(
    r"encoded authorization failure message:? ?([A-Za-z0-9_+/=-]{1,20000})(?![A-Za-z0-9_+/=:-])(\.\.\.|…)?",
    re.IGNORECASE,
)
_ENCODED_HEAD = re.compile(r"encoded authorization failure message", re.IGNORECASE)
_ENCODED_LINE = re.compile(r" ([A-Za-z0-9_+/=-]{1,20000})(\.\.\.|…)?(?=[ ,\"')]|$)")
_ONLY_ENCODED = re.compile(r"[A-Za-z0-9_+/=-]{200,20000}")
_SHORTEST_LINE = 40
"""The shortest line of a wrapped encoded message, except for its last."""

# What terminals and tools put before each line: bars of Terraform and Rust, quotation marks of mail, tabs of kubectl.
_LINE_START = re.compile(r"^[ \t]*(?:[│|>╷╵][ \t]?){0,3}[ \t]*")

# Errors that people mistake for a denial.
_OTHERS = (
    (re.compile(r"ExpiredToken|token (?:included in the request )?(?:has|is) expired", re.IGNORECASE),
     "the message says that the credentials have expired, which no policy changes.", ""),
    (re.compile(r"InvalidClientTokenId|UnrecognizedClientException|SignatureDoesNotMatch|InvalidIdentityToken|InvalidSignature"),
     "the message says that the credentials were not accepted, which no policy changes.", ""),
    (re.compile(r"is forbidden: User |cannot (?:get|list|watch|create|update|patch|delete) resource \""),
     "the message comes from Kubernetes (RBAC or an access entry), not from IAM.",
     "Paste all of it: who, which verb, and which resource in which API group and namespace."),
    (re.compile(r"\.dkr\.ecr\."),
     "the registry names no action.",
     "Ask about the actions of a pull: --action ecr:BatchGetImage, and ecr:BatchImportUpstreamImage for a pull-through cache."),
)  # fmt: skip


def check_length(text: str) -> None:
    """Raise InputError for a text that is too long to be read."""
    if len(text) > MAX_CHARACTERS:
        raise InputError(
            f"the message has {len(text):,} characters; ekstui reads up to {MAX_CHARACTERS:,}.",
            "Paste the line with the denial.",
        )


def parse_denials(text: str) -> tuple[Denial, ...]:
    """Return the denials in a pasted text, at most 20, without duplicates, in text order.

    Raises InputError, with a next step, for text that is too long, encoded, ambiguous or not a denial.
    """
    check_length(text)
    text = unframed(text)
    objects = tuple(objects_in(text))
    if recorded := _recorded(objects):
        return _each_once(recorded)
    # A log line in JSON: its strings hold the message, without the escapes.
    candidates = [" ".join(strings_in(value)) for value in objects]
    found = [denial for candidate in candidates for denial in _denials_of_text(candidate)]
    candidates.append(text)
    denials = _each_once(found) or _each_once(_denials_of_text(text))
    if not denials:
        raise _no_denial(text, candidates)
    return denials


def _recorded(objects: Sequence[dict[str, Any]]) -> list[Denial]:
    """Return the denials that JSON objects record; InputError if they only record calls that were allowed."""
    found: list[Denial] = []
    allowed: InputError | None = None
    for value in objects:
        try:
            denials = denials_of_object(value) or ()
        except InputError as error:
            allowed = allowed or error
            continue
        encoded = unwrapped(" ".join(strings_in(value)))[0] if len(denials) == 1 else ""
        found += [_with_encoded(denial, encoded) for denial in denials]
    if allowed is not None and not found:
        raise allowed
    return found


def parse_denial(text: str) -> Denial:
    """Return the denial in a pasted text; of several, the first of the most complete ones."""
    return max(parse_denials(text), key=lambda denial: _completeness(denial, ""))


def _denials_of_text(text: str) -> Sequence[Denial]:
    lines = unwrapped(text)
    readings = [
        [(_completeness(denial, rest), denial) for denial, rest in islice(denials_in(line), _MAX_DENIALS)]
        for line in lines
    ]
    best = max(readings, key=lambda reading: max((score for score, _ in reading), default=-1))
    if best:
        # How the lines are joined affects only some denials, so each is taken from its best reading.
        alike = [reading for reading in readings if len(reading) == len(best)]
        once = _each_once([max(of_one, key=itemgetter(0))[1] for of_one in zip(*alike, strict=True)])
        return [with_token(_with_encoded(once[0], lines[0]), lines[0])] if len(once) == 1 else once
    # The encoded part may concern another action than the one that was called.
    wrapped = None if _encoded_in(lines[0]) else wrapped_denial(lines[0])
    return [] if wrapped is None else [with_token(wrapped, lines[0])]


def _each_once(denials: Sequence[Denial]) -> tuple[Denial, ...]:
    """Return the denials without those that another one includes."""
    kept: list[Denial] = []
    for denial in denials:
        if any(_includes(other, denial) for other in kept):
            continue
        kept = [other for other in kept if not _includes(denial, other)]
        kept.append(denial)
    return tuple(kept[:_MAX_DENIALS])


def _includes(more: Denial, less: Denial) -> bool:
    said = ((less.resource, more.resource), (less.principal, more.principal), (less.cause, more.cause))
    return more.action.lower() == less.action.lower() and all(one is None or one == other for one, other in said)


def unwrapped(text: str) -> tuple[str, ...]:
    """Return the possible forms of a text on one line, with single spaces; the first joins lines by spaces.

    A terminal that wraps at its edge splits words, with or without a bar before each line.
    """
    lines = _lines(unframed(text))
    bare = [_LINE_START.sub("", line) for line in lines]
    joined = [" ".join(bare)]
    if len(lines) > 1:
        joined += ["".join(lines), "".join(bare)]
    return tuple(" ".join(candidate.split()) for candidate in joined)


def _lines(text: str) -> list[str]:
    """Return the lines of text without colour codes and JSON escapes."""
    bare = _COLOUR.sub("", text)
    return bare.replace("\\n", "\n").replace("\\t", " ").replace('\\"', '"').replace("\r", "").split("\n")


def _completeness(denial: Denial, rest: str) -> int:
    """Return how complete a message is; words that were split or joined lower the score."""
    return (
        2 * (reference().find(denial.action) is not None)
        + 2 * (denial.cause is not None and denial.cause.policy_type is not None)
        + (denial.principal is not None)
        + (denial.resource is not None)
        + rest.lstrip(" \"'").startswith(("because", "with an", "(", "status", ".", ",", "Encoded", "{", "["))
    )


def _with_encoded(denial: Denial, spaced: str) -> Denial:
    encoded = _encoded_in(spaced)
    return replace(denial, encoded=encoded[0]) if encoded and encoded[1] else denial


def _encoded_in(spaced: str) -> tuple[str, bool] | None:
    """Return the encoded message in a text and whether it is whole; None if there is none or it was redacted."""
    found = _ENCODED.search(spaced)
    if found is None:
        return None
    parts = [found[1]]
    cut = found[2]
    while len(parts[-1]) >= _SHORTEST_LINE and (found := _ENCODED_LINE.match(spaced, found.end())):
        # Following words of the log, such as `status code`, do not belong to it.
        if len(found[1]) < _SHORTEST_LINE and (found[1].isalpha() and found[1].islower()):
            break
        parts.append(found[1])
        cut = found[2]
    message = "".join(parts)
    return (message, not cut) if _looks_encoded(message) else None


def _looks_encoded(message: str) -> bool:
    """Return whether it may be an encoded message: people put `xxxx` or `REDACTED` there before they share a log."""
    mixed = any(character.isdigit() or character in "_+/-" for character in message) or (
        message[1:] != message[1:].lower() and message != message.upper()
    )
    return mixed and len(set(message)) > min(4, len(message) - 1)


def _no_denial(text: str, candidates: list[str]) -> InputError:
    readings = [line for candidate in candidates for line in unwrapped(candidate)]
    spaced = " ".join(readings)
    if encoded := next(filter(None, map(_encoded_in, readings)), None):
        message, whole = encoded
        if whole:
            return _encoded(message)
        return InputError(
            "the message names no action, and its encoded part is cut off.",
            "Find the whole encoded message in the log, or give --action and --resource.",
        )
    if _ENCODED_HEAD.search(spaced):
        return InputError(
            "the message names no action, and its encoded part was taken out.",
            "Find the message with its encoded part in the log, or give --action and --resource.",
        )
    bare = "".join(text.split())
    if _ONLY_ENCODED.fullmatch(bare) and _looks_encoded(bare):
        return _encoded(bare)
    for pattern, meaning, next_step in _OTHERS:
        if pattern.search(spaced):
            return InputError(meaning, next_step)
    if actions := ambiguous_operation(spaced):
        return InputError(
            f"the message names an operation that several services have: {', '.join(actions[:8])}.",
            "Say which with --action.",
        )
    return InputError(
        "the text is not a denial that names an action.",
        "Paste the line that says “is not authorized to perform”, or give --action and --resource.",
    )


def _encoded(message: str) -> InputError:
    return InputError(
        "the message is encoded, and decoding it needs a permission of its own, so ekstui does not do it.",
        f"Decode it and paste what comes out: `aws sts decode-authorization-message --encoded-message {message} "
        "--query DecodedMessage --output text | ekstui explain -`.",
    )


_BARS = "│┃║▏▕▐▌"
_BAR = re.compile(f"[{_BARS}]")
_ASCII_TOO = re.compile(f"[{_BARS}|]")

_EDGE = re.compile(r"\s*(?:[┌┏╔╭├┣╠└┗╚╰].*[─━═┄┈╌]{2}.*|[─━═┄┈╌]{3,}.*|\+[-=+]{2,}\+)\s*")
"""A line of the frame itself, which may contain a title."""

_MOST_COLUMNS = 9
"""The most panes side by side; a line with more bars has none."""

_COLOUR = re.compile(r"(?:[\x1b␛]|\^\[|ESC|\\u001b|\\x1b|\\033)\[[\d;]*[mK]")
"""Colour codes in logs, raw, made visible, or copied from a pager."""


def unframed(text: str) -> str:
    """Return a text without colour codes and frames, with panes that were side by side one after the other."""
    text = _COLOUR.sub("", text)
    if not _ASCII_TOO.search(text):
        return text
    rows = _rows(text)
    counted = Counter(len(row) for row in rows if any(map(str.strip, row)) or row[1:])
    count = max(counted, key=lambda each: (counted[each], each), default=1)
    if not 2 <= count <= _MOST_COLUMNS:
        return text
    # A selection may start and end within a line, which then lacks a bar on that side.
    missing = [[""] * (count - len(row)) for row in rows]
    whole = [row + added for row, added in zip(rows, missing, strict=True)]
    whole[0] = missing[0] + rows[0]
    columns = [_without_margin([row[place] for row in whole]) for place in range(count)]
    return "\n".join("\n".join(column) for column in columns if any(cell.strip() for cell in column))


def _rows(text: str) -> list[list[str]]:
    """Return what is between the bars of each line that is not an edge; `|` is a bar only where it is around every line."""
    lines = [line.rstrip("\r") for line in text.split("\n") if not _EDGE.fullmatch(line)]
    written = [line.strip() for line in lines if line.strip()]
    boxed = all(len(line) > 1 and line[0] == line[-1] == "|" for line in written)
    bar = _ASCII_TOO if boxed and len(written) > 1 else _BAR
    return [bar.split(line) for line in lines]


def _without_margin(cells: Sequence[str]) -> list[str]:
    """Return the cells of a column without the space next to the frame that all of them have."""
    inner = [cell for cell in cells if cell.strip()]
    if len(inner) > 2:
        inner = inner[1:-1]
    left = int(all(cell.startswith(" ") for cell in inner))
    right = int(all(cell.endswith(" ") for cell in inner))
    return [cell[left : len(cell) - right] if cell.endswith(" ") else cell[left:] for cell in cells]


_ON_ACCESS = re.compile(
    r"not authorized|n[o']t authorized|unauthorized|access ?denied|is forbidden|explicit deny|NoSuchEntity|AuthFailure"
    r"|no (?:identity-based|resource-based|permissions|session|service control|resource control) polic"
    r"|permissions? (?:for|to perform|to call)|encoded authorization failure",
    re.IGNORECASE,
)
_CHANGING = re.compile(r"\b[0-9a-f]{8,}\b|\d+", re.IGNORECASE)
"""What differs between two lines that say the same: times, numbers, identifiers."""


class Excerpt(NamedTuple):
    """The lines of a log that were picked out."""

    text: str
    lines: int
    """How many lines the log has."""
    kept: int


def excerpt(log: Iterable[str], room: int, means_something: Callable[[str], bool]) -> Excerpt:
    """Return the lines of a log that have a denial, or that `means_something` knows, in at most `room` characters.

    Of lines that differ only in times, numbers and identifiers the first is kept. A line longer than `room` is left out.
    """
    kept: list[str] = []
    seen: set[str] = set()
    # A log repeats itself, down to a million empty lines.
    is_wanted = lru_cache(1000)(lambda line: bool(_ON_ACCESS.search(line)) or means_something(line))
    count = used = 0
    for line in log:
        count += 1
        if not is_wanted(line):
            continue
        alike = _CHANGING.sub("", line)
        if alike in seen or used + len(line) > room:
            continue
        seen.add(alike)
        kept.append(line)
        used += len(line)
    return Excerpt("".join(kept), count, len(kept))
