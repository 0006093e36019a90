"""The threads of `threads.toml`: what we answer to each, as a page; `python -m tests.threads` prints it with their answers."""

import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from ekstui.denial.parsing import refusals_in
from ekstui.denial.question import Question
from ekstui.errors import InputError
from ekstui.library import Library
from ekstui.library.explaining import Inquiry, explain_all
from ekstui.present.blocks import Heading, Sentence, spans
from ekstui.present.explanation import explanation_blocks


class Thread(NamedTuple):
    """A public thread."""

    name: str
    cause: str
    message: str
    answers: tuple[str, ...]


def threads() -> tuple[Thread, ...]:
    listed_threads = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))["threads"]
    return tuple(
        Thread(row["thread"], row["found"], row["message"], tuple(row.get("answers", ()))) for row in listed_threads
    )


def count(text: str) -> int:
    """How many denials are read in a text."""
    try:
        return len(refusals_in(text))
    except InputError:
        return 0


def first_lines(text: str, library: Library) -> tuple[str, ...]:
    """The first line of each answer to a text; of a refusal to answer, what it says."""
    try:
        answers = explain_all(library, Inquiry(Question(message=text)))
    except InputError as error:
        return (f"error: {error.message}",)
    lines = []
    for answer in answers:
        first = explanation_blocks((answer,), now=datetime.now(UTC))[0]
        assert isinstance(first, Sentence | Heading)
        times = "" if answer.times == 1 else f"{answer.times} × "
        lines.append(times + "".join(span.text for span in spans(first.line)))
    return tuple(lines)


if __name__ == "__main__":
    opened = Library.open()
    for thread in threads():
        print(thread.name, thread.cause, *first_lines(thread.message, opened), sep="\n    ")
