"""Every denial of a text is read, in its order, whatever stands beside it: forty threads alone, and logs mixed of them."""

import random
import re
from pathlib import Path

import pytest

from ekstui.denial.message import Denial
from ekstui.denial.parsing import Refusal, refusals_in
from ekstui.library import Library
from tests.support.effort import EFFORT
from tests.support.filled import library_on
from tests.threads import Thread, count, first_lines, threads

THREADS = threads()
LOGS = 30 if EFFORT == 1 else 1000


@pytest.fixture(scope="module")
def filled_library(filled_cache: Path) -> Library:
    return library_on(filled_cache)


def test_there_are_forty_and_each_has_its_own() -> None:
    assert len(THREADS) >= 40
    assert len({thread.name for thread in THREADS}) == len(THREADS)
    assert all(re.fullmatch(r"[\w.-]+/[\w.-]+#\d+", thread.name) for thread in THREADS)


@pytest.mark.parametrize("thread", THREADS, ids=lambda thread: thread.name)
def test_the_first_lines_of_the_answers(thread: Thread, filled_library: Library) -> None:
    assert first_lines(thread.message, filled_library) == thread.answers


# Logs


PREFIXES = (
    "[pod/ebs-csi-controller-5c8/csi-provisioner] ",
    "2026-11-30T03:12:09.{:03}Z stderr F ",
    "Nov 30 03:12:{:02} ip-10-0-3-17 kubelet[2213]: ",
    "app-{}  | ",
    "> ",
    "03:12:{:02} ",
    "",
)


def wrapped(text: str, width: int) -> str:
    """As a terminal of that width shows it."""
    lines = text.split("\n")
    return "\n".join(line[start : start + width] for line in lines for start in range(0, max(len(line), 1), width))


def prefixed(text: str, prefix: str, chance: random.Random) -> str:
    number = chance.randrange(10)
    return "\n".join(prefix.format(number) + line for line in text.split("\n"))


def framed(text: str, width: int) -> str:
    rows = [f"│ {line.ljust(width)} │" for line in wrapped(text, width).split("\n")]
    return "\n".join(["┌" + "─" * (width + 2) + "┐", *rows, "└" + "─" * (width + 2) + "┘"])


def redacted(text: str, chance: random.Random) -> str:
    """With the numbers of accounts and the sessions blanked out, as people do before they share a log."""
    account = chance.choice(["***", "REDACTED", "xxxxxxxxxxxx", "<account>", "1234XXXXXXXX"])
    session = chance.choice(["***", "xxxx", "REDACTED", "<session>"])
    text = re.sub(r"(?<=:)\d{9,12}(?=:)", account, text)
    return re.sub(r"(assumed-role/[\w.+=@-]+/)[\w.+=@-]+", lambda match: match[1] + session, text)


def in_json(text: str) -> str:
    import json

    return json.dumps({"ts": "2026-11-30T03:12:09Z", "stream": "stderr", "log": text})


def changed(text: str, chance: random.Random) -> str:
    """A message in one of the forms in which logs have it."""
    text = text.strip("\n")
    if chance.random() < 0.3:
        text = redacted(text, chance)
    has_json = '{"' in text or '": "' in text
    match chance.randrange(6):
        case 0 if not has_json and "│" not in text:
            text = wrapped(text, chance.choice([72, 80, 100, 120, 160]))
        case 1 if not has_json and "│" not in text:
            text = framed(text, chance.choice([76, 100, 118]))
        case 2 if "│" not in text and "╷" not in text:
            text = in_json(text)
        case 3 if "│" not in text and not has_json:
            text = prefixed(text, chance.choice(PREFIXES), chance)
        case 4 if "│" not in text and not has_json:
            text = prefixed(wrapped(text, chance.choice([90, 120])), chance.choice(PREFIXES), chance)
    return text


def name(refusal: Refusal) -> str:
    subject = refusal.what
    return subject.action if isinstance(subject, Denial) else str(subject.request)


ALONE = {thread.name: count(thread.message) for thread in THREADS}
NAMED = [thread for thread in THREADS if ALONE[thread.name]]


@pytest.mark.parametrize("seed", range(LOGS))
def test_as_many_denials_out_as_went_in(seed: int) -> None:
    chance = random.Random(seed)
    cases = chance.sample(NAMED, chance.randint(3, 9))
    parts = [changed(thread.message, chance) for thread in cases]
    noise = [
        "I1130 03:12:09.000001 1 main.go:1] still here",
        "",
        "2026/11/30 03:12:09 [notice] worker process 31 exited",
    ]
    log = "\n".join(line for part in parts for line in (part, chance.choice(noise)))
    read = [name(refusal) for refusal in refusals_in(log)]
    expected = [name(refusal) for thread in cases for refusal in refusals_in(thread.message)]
    assert read == expected, log


def test_the_next_error_is_not_the_end_of_a_call() -> None:
    call = "[2021/05/12 19:36:11] [error] [output:cloudwatch_logs:cloudwatch_logs.0] CreateLogGroup API responded with error='AccessDeniedException'"
    sentence = "AccessDeniedException: not authorized to perform: secretsmanager:DeleteResourcePolicy"
    for between in ("\n", "\nok\n", '\n{"level":"info","msg":"ok"}\n'):
        read = [name(refusal) for refusal in refusals_in(call + between + sentence)]
        assert read == ["logs:CreateLogGroup", "secretsmanager:DeleteResourcePolicy"], between
