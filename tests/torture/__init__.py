"""What breaks ekstui on purpose, a program for each kind; `__main__` runs them all."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from ekstui import logbook

_BROKEN = (logbook.ending(None).partition(";")[0], logbook.unexpected(KeyError(), "a test").message.partition(" (")[0])
"""How the sentences about a bug of ekstui begin."""


def is_broken(output: str) -> bool:
    """Return whether what a program said is of a bug in it."""
    return "Traceback" in output or any(words in " ".join(output.split()) for words in _BROKEN)


Job = TypeVar("Job")


@dataclass(frozen=True, slots=True)
class Share:
    """One of several equal shares of a list of jobs, for as many processes."""

    number: int = 1
    of_all: int = 1

    def of(self, jobs: Sequence[Job]) -> Sequence[Job]:
        """Return every job of this share."""
        return jobs[self.number - 1 :: self.of_all]


def add_share(parser: argparse.ArgumentParser) -> None:
    """Declare `--share 1/2`, the first half of what there is to do."""
    parser.add_argument("--share", type=_share, default=Share(), metavar="N/M", help="do the N-th of M shares alone")


def _share(text: str) -> Share:
    number, _, of_all = text.partition("/")
    return Share(int(number), int(of_all))
