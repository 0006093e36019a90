"""The view of what a role or a policy was last used for: asked for when it is first shown, in the background."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import UTC, datetime
from threading import Event
from typing import TYPE_CHECKING

from ekstui.errors import EkstuiError
from ekstui.present.last_used import used_blocks
from ekstui.present.rendering import rows
from ekstui.present.styled import Row, styled
from ekstui.tui.widgets.pane import failure

if TYPE_CHECKING:
    from textual.message_pump import MessagePump

    from ekstui.library.last_used import UsedAnswer
    from ekstui.tui.base import LibraryApp

LAST_USED = "last used"
"""The view's name."""


class LastUse:
    """IAM's report on one subject, such as `role:NAME`, and what was said instead of it."""

    def __init__(self, group: str) -> None:
        self._group = group
        """The group of its background job."""
        self._subject = ""
        self._answer: UsedAnswer | None = None
        self._error: EkstuiError | None = None
        self._words = ""

    def rows(
        self,
        app: LibraryApp,
        owner: MessagePump,
        subject: str,
        width: int,
        opened: Collection[str],
        show: Callable[[], object],
    ) -> list[Row]:
        """Return the report, or that it is being made; `show` is called when there is more to show."""
        if subject != self._subject:
            self._ask(app, owner, subject, show)
        if self._error is not None:
            return [Row(("last use", index), (line,)) for index, line in enumerate(failure(self._error))]
        if self._answer is None:
            return [Row("last use", (styled(f"… {self._words}; IAM takes some seconds", "muted"),))]
        return rows(used_blocks(self._answer, datetime.now(UTC), opened), width)

    def forget(self, app: LibraryApp) -> None:
        """Drop the report and stop waiting for one, so that it is asked for when it is shown again."""
        app.background.cancel(self._group)
        self._subject, self._answer, self._error = "", None, None

    def _ask(self, app: LibraryApp, owner: MessagePump, subject: str, show: Callable[[], object]) -> None:
        self._subject, self._answer, self._error, self._words = subject, None, None, "asking IAM"
        library = app.library

        def arrived(answer: UsedAnswer) -> None:
            self._answer = answer
            show()

        def failed(error: EkstuiError) -> None:
            self._error = error
            show()

        def note(words: str) -> None:
            self._words = words
            show()

        def work(cancelled: Event) -> UsedAnswer:
            from ekstui.library.last_used import used_answer

            def progress(words: str) -> None:
                if not cancelled.is_set():
                    owner.call_later(note, words)

            return used_answer(library, subject, progress=progress, cancelled=cancelled.is_set)

        app.background.run(owner, self._group, work, arrived, failed)
