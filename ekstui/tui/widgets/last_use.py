"""The view of what a role or a policy was last used for: asked for when it is first shown, in the background."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ekstui.eks.last_accessed import ServiceAccess
from ekstui.errors import EkstuiError
from ekstui.present.last_used import used_blocks
from ekstui.present.rendering import rows
from ekstui.present.styled import Row, styled
from ekstui.tui.widgets.pane import failure

if TYPE_CHECKING:
    from textual.message_pump import MessagePump

    from ekstui.library.last_used import UsedAnswer
    from ekstui.tui.background import Job
    from ekstui.tui.base import LibraryApp

LAST_USED = "last used"


class LastUse:
    """IAM's report on one subject, such as `role:NAME`, and what was said instead of it."""

    def __init__(self, owner: MessagePump, group: str, subject: str, show: Callable[[], object]) -> None:
        """`group` is the background job's, for `owner`; `show` is called when there is more to show."""
        self._owner = owner
        self._group = group
        self._subject = subject
        self._show = show
        self._answer: UsedAnswer | None = None
        self._error: EkstuiError | None = None
        self._words = ""
        """How far it is; empty until it is asked for."""

    def rows(self, app: LibraryApp, width: int, open_names: Collection[str]) -> list[Row]:
        """Return the report, or that it is being made."""
        if not self._words:
            self._words = "asking IAM"
            self._ask(app)
        if self._error is not None:
            return [Row(("last use", index), (line,)) for index, line in enumerate(failure(self._error))]
        if self._answer is None:
            return [Row("last use", (styled(f"… {self._words}; IAM takes some seconds", "muted"),))]
        return rows(used_blocks(self._answer, datetime.now(UTC), open_names), width)

    def service_of(self, value: object) -> str | None:
        """Return the service that a row's value is about."""
        return value.service if isinstance(value, ServiceAccess) else None

    def _ask(self, app: LibraryApp) -> None:
        library = app.library

        def arrived(answer: UsedAnswer) -> None:
            self._answer = answer
            self._show()

        def failed(error: EkstuiError) -> None:
            self._error = error
            self._show()

        def note(words: str) -> None:
            self._words = words
            self._show()

        def work(job: Job) -> UsedAnswer:
            from ekstui.library.last_used import used_answer

            return used_answer(
                library, self._subject, progress=lambda words: job.tell(note, words), cancelled=job.is_cancelled
            )

        app.background.run(self._owner, self._group, work, arrived, failed)
