"""Denials as people paste them: log lines, SDK errors, CloudTrail events and decoded authorization messages."""

import re
from collections.abc import Iterator, Sequence

from ekstui.denial.calls import calls_in
from ekstui.denial.event import Piece, denials_of_object, pieces_of, strings_in
from ekstui.denial.forbidden import Forbidden, forbidden_in
from ekstui.denial.log_lines import bare_lines
from ekstui.denial.message import Denial, sentences_in, with_token
from ekstui.denial.patterns import compiled_later
from ekstui.denial.wrapping import JoinedText, joined_lines, unescaped, unframed, unwrapped
from ekstui.eks.commands import decode_message
from ekstui.errors import Advice, InputError
from ekstui.iam.reference import reference
from ekstui.named_tuples import NamedTuple

MAX_CHARACTERS = 200_000
"""The longest text that is read, in characters; a message has a few thousand."""

_MAX_DEPTH = 5
"""How often JSON in JSON is read; a log collector and a log driver put two around an event."""

_ENCODED = compiled_later(
    r"encoded authorization failure message:? ?([A-Za-z0-9_+/=-]{1,20000})(?![A-Za-z0-9_+/=:-])(\.\.\.|…)?",
    re.IGNORECASE,
)
_ENCODED_HEAD = compiled_later(r"encoded authorization failure message", re.IGNORECASE)
_ENCODED_LINE = compiled_later(r" ([A-Za-z0-9_+/=-]{1,20000})(\.\.\.|…)?(?=[ ,\"')]|$)")
_ONLY_ENCODED = compiled_later(r"[A-Za-z0-9_+/=-]{200,20000}")
_SHORTEST_LINE = 40
"""The shortest line of a wrapped encoded message, except for its last."""
_WORD_OF_LOG = compiled_later(r"[a-z]{1,39}")
"""A word that may follow an encoded message and is not part of it, such as `status`."""

_RECORD = compiled_later(
    r"^[ \t]*(?:[│|>╷╵][ \t]?){0,3}[ \t]*(?:\[pod/\S+\] )?"
    r"(?:[IWEF]\d{4} \d\d:|\[?\d{4}[-/]\d\d[-/]\d\d|\d\d:\d\d:\d\d|time=|level=|ts=|\{\"|(?:Warning|Normal) +[A-Z]|Error:|An error occurred"
    r"|[A-Z][a-z]{2} +\d{1,2} \d\d:|╷|$)",
    re.MULTILINE,
)
"""How a record of a log begins: what is before it does not belong to the record."""

_LEAD = compiled_later(
    r"[\w)>]{0,60}[,:]?(?: operation:?)?(?: https response error StatusCode: \d+,)?(?: RequestID: [^,]{0,100},)?"
    r"(?: HostID: [^,]{0,200},)?(?: api error)?(?: ?[\w.]{0,60}:)?"
    r"(?: ?(?:You are not authorized to perform this operation|Access Denied|Forbidden)[. ]*"
    r"|(?:(?!AccessDenied|Unauthorized|\{\")[^\[\]\n]){0,40})"
)
"""What may be between a call's name and its error's sentence, its encoded part, or words that say nothing.

After a whole sentence of the error nothing else may be: the next line of a log would pass for a part of it.
"""
_NEW_ERROR = compiled_later(
    r"You are not authorized to perform this operation|operation error |An error occurred|UnauthorizedOperation|AccessDenied"
)
_SAME_MESSAGE = 1_800
"""How far after an action the encoded part of its message may follow; an S3 ARN has up to 1,100 characters."""
_AROUND = 2_000
"""How much of the text around a refusal belongs to it at most, in characters."""

# Errors that people mistake for a denial.
_OF_A_PULL = "ecr:BatchGetImage, and ecr:BatchImportUpstreamImage for a pull-through cache."

_OTHERS = (
    (compiled_later(r"ExpiredToken|token (?:included in the request )?(?:has|is) expired", re.IGNORECASE),
     "the message says that the credentials have expired, which no policy changes.", ""),
    (compiled_later(r"InvalidClientTokenId|UnrecognizedClientException|SignatureDoesNotMatch|InvalidIdentityToken|InvalidSignature"),
     "the message says that the credentials were not accepted, which no policy changes.", ""),
    (compiled_later(r"is forbidden: User |cannot (?:get|list|watch|create|update|patch|delete) resource \""),
     "the message comes from Kubernetes (RBAC or an access entry), not from IAM.",
     "Paste all of it: who, which verb, and which resource in which API group and namespace."),
    (compiled_later(r"\.dkr\.ecr\."),
     "the registry names no action.",
     Advice(f"Ask about the actions of a pull: --action {_OF_A_PULL}", f"Ask about the actions of a pull: {_OF_A_PULL}")),
)  # fmt: skip


class Refusal(NamedTuple):
    """What a text says was denied, by IAM or by Kubernetes."""

    what: Denial | Forbidden
    """A Denial without an action if the text does not name it."""
    text: str
    """The part of the text that is about it."""
    ambiguous: tuple[str, ...] = ()
    """The actions that it may be, if several services have an operation of that name."""

    @property
    def is_named(self) -> bool:
        """Whether the text names the action."""
        return isinstance(self.what, Forbidden) or bool(self.what.action)


def refusals_in(text: str) -> tuple[Refusal, ...]:
    """Return everything that a pasted text says was denied, in its order, with repeats.

    InputError if it is too long or names no action.
    """
    if len(text) > MAX_CHARACTERS:
        raise InputError(
            f"the message has more characters than the {MAX_CHARACTERS:,} that ekstui reads.",
            "Paste the line with the denial.",
        )
    plain_text = unframed(bare_lines(text))
    reader = _Reader()
    refusals = tuple(reader.of_text(plain_text, _MAX_DEPTH))
    if any(refusal.is_named for refusal in refusals):
        return refusals
    if reader.allowed is not None and not refusals:
        raise reader.allowed
    raise _no_denial(plain_text, [*reader.objects, plain_text], refusals)


def refusals_of_line(line: str) -> tuple[Refusal, ...]:
    """Return everything that a line of a log says was denied; nothing, where it says nothing of that."""
    return tuple(_Reader().of_text(unframed(bare_lines(line)), _MAX_DEPTH))


def parse_denial(text: str) -> Denial:
    """Return the denial in a pasted text; of several, the first of the most complete ones."""
    causes = (refusal.what for refusal in refusals_in(text))
    denials = [cause for cause in causes if isinstance(cause, Denial) and cause.action]
    if not denials:
        raise _no_denial(text, [text], ())
    return max(denials, key=lambda denial: (_completeness(denial, ""), denial.cause is not None))


class _Reader:
    """Reads a text, and keeps what only matters if it names no denial."""

    def __init__(self) -> None:
        self.allowed: InputError | None = None
        """That an event records a call that was allowed."""
        self.objects: list[str] = []
        """The texts in the JSON objects."""

    def of_text(self, text: str, depth: int) -> Iterator[Refusal]:
        """Yield what a text refuses; a JSON object in it is read by its strings, or as an event."""
        between = ""
        for piece in pieces_of(text) if depth else (Piece(text),):
            refusals = () if piece.value is None else self._of_object(piece.value, depth)
            if not refusals:
                between += " " if refusals is None else piece.text
                continue
            yield from refusals_of(between)
            yield from refusals
            between = ""
        yield from refusals_of(between)

    def _of_object(self, value: dict[str, object], depth: int) -> tuple[Refusal, ...] | None:
        """Return what a JSON object refuses; None for a call that was allowed, whose strings are no text of a log."""
        text = " ".join(strings_in(value))
        self.objects.append(text)
        try:
            denials = denials_of_object(value)
        except InputError as error:
            self.allowed = self.allowed or error
            return None
        if denials is None:
            return tuple(self.of_text(text, depth - 1))
        token = encoded_in(text) if len(denials) == 1 else None
        return tuple(Refusal(denial._replace(encoded=token) if token else denial, text) for denial in denials)


class _Hit(NamedTuple):
    """A refusal in one form of a text, with its place before the lines were joined."""

    start: int
    end: int
    refusal: Refusal
    score: int
    form: JoinedText
    at: tuple[int, int]
    """Its place in that form."""
    is_call: bool
    """Whether it is known by the name of the call alone, or not at all."""


def refusals_of(text: str) -> list[Refusal]:
    """Return what a text without JSON refuses, in order."""
    clean_text = unescaped(text)
    if not clean_text.strip():
        return []
    best: dict[int, _Hit] = {}
    forms = tuple(joined_lines(clean_text))
    for form in forms:
        for hit in _hits(form):
            if hit.start not in best or hit.score > best[hit.start].score:
                best[hit.start] = hit
    separate: list[_Hit] = []
    for start in sorted(best):
        hit = best[start]
        # A form may have only the end of an operation's name.
        if not separate or start >= separate[-1].end or not (hit.is_call and separate[-1].is_call):
            separate.append(hit)
        elif hit.score > separate[-1].score:
            separate[-1] = hit
    hits = _without_repeats(separate, forms)
    return [_complete(hits, index, clean_text) for index in range(len(hits))]


def _hits(form: JoinedText) -> Iterator[_Hit]:
    """Yield what one form of a text refuses."""

    def hit(start: int, end: int, refusal: Refusal, score: int, *, is_call: bool = False) -> _Hit:
        return _Hit(form.origin(start), form.origin(end - 1) + 1, refusal, score, form, (start, end), is_call)

    for sentence in sentences_in(form.text):
        score = _completeness(sentence.denial, sentence.rest)
        yield hit(sentence.start, sentence.end, Refusal(sentence.denial, ""), score)
    for refusal in forbidden_in(form.text):
        yield hit(refusal.start, refusal.end, Refusal(refusal.forbidden, ""), refusal.score)
    for call in calls_in(form.text):
        score = bool(call.denial.action) + (reference().find(call.denial.action) is not None)
        yield hit(call.start, call.end, Refusal(call.denial, "", call.ambiguous), score, is_call=True)


def _without_repeats(hits: Sequence[_Hit], forms: Sequence[JoinedText]) -> list[_Hit]:
    """Return the hits without those of which the same error says more: the sentence, or an encoded message."""
    distinct_hits: list[_Hit] = []
    for hit, next_hit in zip(hits, [*hits[1:], None], strict=False):
        if not hit.refusal.is_named and not hit.refusal.ambiguous:
            is_begin = next_hit is not None and _is_same_error(hit, next_hit, forms)
            if is_begin or (distinct_hits and _is_end_of(distinct_hits[-1], hit, forms)):
                continue
        distinct_hits.append(hit)
    return [
        hit
        for hit, next_hit in zip(distinct_hits, [*distinct_hits[1:], None], strict=False)
        if not (next_hit is not None and _says_more(next_hit, hit) and _is_same_error(hit, next_hit, forms))
    ]


def _says_more(next_hit: _Hit, hit: _Hit) -> bool:
    """Return whether what follows says more.

    That is the sentence or encoded part after a call, or a whole sentence after a bare action.
    """
    if hit.is_call:
        return not next_hit.is_call or not next_hit.refusal.is_named
    denial, next_denial = hit.refusal.what, next_hit.refusal.what
    return (
        isinstance(denial, Denial)
        and isinstance(next_denial, Denial)
        and denial == Denial(denial.action)
        and (
            denial.action == next_denial.action and (next_denial.principal is not None or next_denial.cause is not None)
        )
    )


def _is_same_error(call: _Hit, next_hit: _Hit, forms: Sequence[JoinedText]) -> bool:
    """Return whether what follows a call is of the same error, in one of the forms of the text."""
    # An encoded part ends its error.
    if isinstance(next_hit.refusal.what, Forbidden) or _ENCODED_HEAD.match(call.form.text, call.at[0]):
        return False
    for between in _between(call, next_hit, forms):
        lead = between if next_hit.is_call else _before_sentence(between)
        if lead is not None and _LEAD.fullmatch(lead):
            return True
    return False


def _before_sentence(between: str) -> str | None:
    """Return what is before who is not authorized; None if it is not a sentence's beginning."""
    phrase = re.search(r"(?:is |are )?n[o']t authorized to (?:perform|call):? ?[`'\"]?$", between, re.IGNORECASE)
    if phrase is None:
        return None
    before = between[: phrase.start()]
    user = before.rfind("User: ")
    if user >= 0:
        return before[:user]
    before = before.rstrip()
    # The word before is who is not authorized, unless it is the error's name.
    return before if before.endswith(":") else before.rpartition(" ")[0]


def _is_end_of(before: _Hit, hit: _Hit, forms: Sequence[JoinedText]) -> bool:
    """Return whether an encoded part, or words that name nothing, belong to what was named before."""
    text, (start, end) = hit.form.text, hit.at
    next_error = _NEW_ERROR.search(text, end, end + _SAME_MESSAGE)
    error_text = text[start : next_error.start() if next_error else None]
    if before.is_call:
        # Which action was denied in a call, only an encoded part that is whole tells.
        return encoded_in(error_text) is None and any(map(_LEAD.fullmatch, _between(before, hit, forms)))
    if not _ENCODED_HEAD.match(error_text) and not error_text.startswith("(Service: "):
        return False
    return any(
        len(between) <= _SAME_MESSAGE and not _NEW_ERROR.search(between) for between in _between(before, hit, forms)
    )


def _between(hit: _Hit, next_hit: _Hit, forms: Sequence[JoinedText]) -> Iterator[str]:
    """Yield the text between two hits, in each form."""
    if next_hit.start - hit.end <= 2 * _SAME_MESSAGE:
        yield from (form.text[form.place(hit.end) : form.place(next_hit.start)] for form in forms)


def _complete(hits: Sequence[_Hit], index: int, text: str) -> Refusal:
    """Return a refusal with the text that is about it, and with what that text adds."""
    hit = hits[index]
    begin = _after(hits[index - 1].end, hit.start, text) if index else 0
    end = _after(hit.end, hits[index + 1].start, text) if index + 1 < len(hits) else len(text)
    about = text[max(begin, hit.start - _AROUND) : min(end, hit.end + _AROUND)]
    refusal = hit.refusal.what
    if isinstance(refusal, Denial):
        next_hit = hits[index + 1] if index + 1 < len(hits) else None
        cut = next_hit.at[0] if next_hit is not None and next_hit.form is hit.form else None
        token = encoded_in(hit.form.text[hit.at[0] : cut])
        refusal = with_token(refusal._replace(encoded=token) if token else refusal, " ".join(about.split()))
    return hit.refusal._replace(what=refusal, text=about)


def _after(end: int, start: int, text: str) -> int:
    """Return where the text about what ends here ends, before something else starts: at a record or else at a line."""
    record = next((match.start() for match in _RECORD.finditer(text, end, start)), -1)
    if record < 0:
        record = text.rfind("\n", end, start)
    return end if record < 0 else record


def _completeness(denial: Denial, text_after: str) -> int:
    """Return how complete a message is; words that were split or joined lower the score."""
    return sum(
        (
            2 * (reference().find(denial.action) is not None),
            2 * (denial.cause is not None and denial.cause.policy_type is not None),
            denial.principal is not None
            and (":assumed-role/" not in denial.principal or denial.principal.count("/") > 1),
            denial.principal is not None,
            denial.resource is not None or denial.is_resource_cut_off,
            text_after.lstrip(" \"'").startswith(("because", "with an", "(", "status", ".", ",", "Encoded", "{", "[")),
        )
    )


def encoded_in(text: str) -> str | None:
    """Return the encoded message in a text on one line, if it is whole and nobody has redacted it."""
    part = _encoded_part(text)
    return part[0] if part and part[1] else None


def _encoded_part(text: str) -> tuple[str, bool] | None:
    """Return the encoded message in a text and whether it is whole; None if there is none or it was redacted."""
    match = _ENCODED.search(text)
    if match is None:
        return None
    parts = [match[1]]
    cut = match[2]
    while len(parts[-1]) >= _SHORTEST_LINE and (match := _ENCODED_LINE.match(text, match.end())):
        # Following words of the log, such as `status code`, do not belong to it.
        if _WORD_OF_LOG.fullmatch(match[1]):
            break
        parts.append(match[1])
        cut = match[2]
    message = "".join(parts)
    return (message, not cut) if _looks_encoded(message) else None


def _looks_encoded(message: str) -> bool:
    """Return whether it may be an encoded message: people put `xxxx` or `REDACTED` there before they share a log."""
    is_mixed = any(character.isdigit() or character in "_+/-" for character in message) or (
        message[1:] != message[1:].lower() and message != message.upper()
    )
    return is_mixed and len(set(message)) > min(4, len(message) - 1)


def _no_denial(text: str, candidates: list[str], refusals: Sequence[Refusal]) -> InputError:
    readings = [line for candidate in candidates for line in unwrapped(candidate)]
    joined_text = " ".join(readings)
    if part := next(filter(None, map(_encoded_part, readings)), None):
        message, is_whole = part
        if is_whole:
            return _encoded(message)
        return InputError(
            "the message names no action, and its encoded part is cut off.",
            _or_name("Find the whole encoded message in the log, or "),
        )
    if _ENCODED_HEAD.search(joined_text):
        return InputError(
            "the message names no action, and its encoded part was taken out.",
            _or_name("Find the message with its encoded part in the log, or "),
        )
    bare = "".join(text.split())
    if _ONLY_ENCODED.fullmatch(bare) and _looks_encoded(bare):
        return _encoded(bare)
    for pattern, meaning, next_step in _OTHERS:
        if pattern.search(joined_text):
            return InputError(meaning, next_step)
    if actions := next((refusal.ambiguous for refusal in refusals if refusal.ambiguous), ()):
        return InputError(
            f"the message names an operation that several services have: {', '.join(actions[:8])}.",
            Advice("Say which with --action.", "Type the action that is meant."),
        )
    if refusals:
        return InputError(
            "the message says that access was denied, but not to which action.",
            _or_name("Paste the lines around it, an event of CloudTrail with its errorCode, or "),
        )
    return InputError(
        "the text is not a denial that names an action.",
        _or_name(
            "Paste the line that says “is not authorized to perform”, “is forbidden: User …” or “AccessDenied” with "
            "the name of the operation, an event of CloudTrail, or a decoded message; or "
        ),
    )


def _or_name(first: str) -> Advice:
    return Advice(f"{first}give --action and --resource.", f"{first}type the action and an ARN.")


def _encoded(message: str) -> InputError:
    decode = decode_message(message).text
    return InputError(
        "the message is encoded, and decoding it needs a permission of its own, so ekstui does not do it.",
        Advice(
            f"Decode it and paste what comes out: `{decode} | ekstui explain -`.",
            f"y copies what decodes it, to paste what comes out: `{decode}`.",
        ),
    )
