"""Which credentials pods use and why, what is wrong with that, and what their role may do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from ekstui.eks.findings.table import Finding
from ekstui.eks.pods import PodPlace
from ekstui.library import Library
from ekstui.library.notation import RoleSide
from ekstui.library.pod_answers import CredentialsAnswer, PodAnswer, Wish, answers_for
from ekstui.present.ages import age_in_words
from ekstui.present.pod_report import pods_blocks
from ekstui.present.rendering import markdown, rows, styled_line
from ekstui.present.styled import Row, Styled
from ekstui.tui import keys
from ekstui.tui.messages import AskExplain, Bookmark, Open
from ekstui.tui.screens.copying import Extract
from ekstui.tui.screens.kubernetes_reading import KubernetesScreen
from ekstui.tui.screens.report import question_line


class PodScreen(KubernetesScreen[tuple[PodAnswer, ...]]):
    """A pod, the pods of an owner, or those of a service account: a part for those that were given the same."""

    HEADING = "Pods"
    KEYS = (
        keys.OPEN.here("Show the role of the credentials under the cursor."),
        keys.NEXT.here("Go to the next finding."),
        keys.EXPLAIN.here("Explain why a request of the pods' role is denied."),
    )  # fmt: skip
    WAITING = "reading the pods…"
    OPENS = (CredentialsAnswer,)
    STOP = "finding"

    def __init__(self, place: PodPlace) -> None:
        super().__init__()
        self._place = place

    @property
    def cluster_read(self) -> tuple[str, str | None]:
        region = self.answer[0].region if self.answer else None
        return self._place.cluster, region

    @property
    def read_at(self) -> datetime | None:
        return self.answer[0].fetched_at if self.answer else None

    def question(self) -> Styled:
        read_at = self.answer[0].kubernetes_read_at if self.answer else None
        when = f" · {age_in_words(read_at, datetime.now(UTC))}" if read_at else ""
        return question_line("pods", self._place.name, f" of {self._place.cluster}{when}")

    @property
    def bookmark(self) -> Bookmark | None:
        return Bookmark(f"pod {self._place.name}", of_account=True)

    def find(self, library: Library) -> tuple[PodAnswer, ...]:
        """Judge the pods by the last snapshot."""
        return answers_for(library, self._place.name, self._place.cluster, Wish())

    def answer_rows(self, answer: tuple[PodAnswer, ...]) -> list[Row]:
        """Return a part for each group of pods that were given the same."""
        return rows(pods_blocks(answer, datetime.now(UTC)), self.width)

    def about_row(self, row: Row) -> Styled:
        """Return the sentence of a finding, or why pods have their credentials."""
        match row.value:
            case Finding(text=text):
                return styled_line(text, "app")
            case CredentialsAnswer(credentials=credentials):
                return styled_line(credentials.reason, "app")
            case _:
                return ()

    def works(self, key: keys.Key, row: Row | None) -> bool:
        """Return whether a key works on a row: only a known role can be shown."""
        if key.id == keys.OPEN.id and row is not None and isinstance(row.value, CredentialsAnswer):
            return row.value.credentials.role_arn is not None
        return super().works(key, row)

    def is_stop(self, row: Row) -> bool:
        return isinstance(row.value, Finding)

    def action_explain(self) -> None:
        arns = [answer.credentials[0].credentials.role_arn for answer in self.answer or () if answer.credentials]
        arn = next(filter(None, arns), None)
        self.post_message(AskExplain(f"role:{arn} " if arn else ""))

    def open_row(self, row: Row) -> None:
        """Show the role of the credentials in the row."""
        if isinstance(row.value, CredentialsAnswer) and (arn := row.value.credentials.role_arn):
            self.post_message(Open(RoleSide(arn)))
        else:
            super().open_row(row)

    def forms(self, answer: tuple[PodAnswer, ...]) -> Sequence[Extract]:
        name = f"{self._place.name.replace('/', '-')}.md"
        return (Extract("Markdown", name, lambda: markdown(pods_blocks(answer, datetime.now(UTC)))),)
