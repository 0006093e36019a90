"""Calls that run at once on daemon threads, which never keep the process from ending as a pool's threads do."""

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

from ekstui.sources.aws.connection import THREADS

Item = TypeVar("Item")
Answer = TypeVar("Answer")

CHECK_SECONDS = 0.1
"""How often a wait looks whether it was cancelled."""

Cancelled = Callable[[], bool]
"""Says whether nobody waits for the answer any more."""


class Outcome(Generic[Item, Answer]):
    """An item with its answer, or with the exception that took its place."""

    __slots__ = ("_answer", "error", "item")

    def __init__(self, item: Item, answer: Answer | None, error: Exception | None) -> None:
        self.item = item
        self._answer = answer
        self.error = error

    def answer(self) -> Answer:
        """Return the answer, or raise what took its place."""
        if self.error is not None:
            raise self.error
        return self._answer  # type: ignore[return-value]


def never() -> bool:
    """Return that nothing was cancelled."""
    return False


def each(
    function: Callable[[Item], Answer], items: Iterable[Item], cancelled: Cancelled = never
) -> Iterator[Outcome[Item, Answer]]:
    """Yield an outcome for every item as soon as it is there, in any order; stops early when cancelled."""
    waiting: queue.SimpleQueue[Item] = queue.SimpleQueue()
    done: queue.SimpleQueue[Outcome[Item, Answer]] = queue.SimpleQueue()
    stop = threading.Event()
    total = 0
    for item in items:
        waiting.put(item)
        total += 1

    def work() -> None:
        while not stop.is_set():
            try:
                item = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                done.put(Outcome(item, function(item), None))
            except Exception as error:  # noqa: BLE001 (handed to the caller, who raises what it does not know)
                done.put(Outcome(item, None, error))

    for number in range(min(THREADS, total)):
        threading.Thread(target=work, name=f"ekstui-aws-{number}", daemon=True).start()
    try:
        for _ in range(total):
            while True:
                if cancelled():
                    return
                try:
                    outcome = done.get(timeout=CHECK_SECONDS)
                    break
                except queue.Empty:
                    continue
            yield outcome
    finally:
        stop.set()
