"""The second pane: what the shown version permits, service by service."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from textual import on
from textual.getters import app
from textual.reactive import reactive

from ekstui.present.rows import Row, rows
from ekstui.tui.actions import ShowAction
from ekstui.tui.base import LibraryApp
from ekstui.tui.messages import RemainingLoaded, SummaryLoaded
from ekstui.tui.present.permissions import COLUMNS, columns_for, service_rows
from ekstui.tui.shown import Shown
from ekstui.tui.widgets.pane import Pane, rows_with
from ekstui.tui.widgets.rows import RowList

# What reads and judges policies is imported where it is used: the first paint does without (see `opening.py`).
if TYPE_CHECKING:
    from ekstui.core.knowledge import PolicyKnowledge, Symptom
    from ekstui.core.remaining import Remaining
    from ekstui.core.summary import ActionSummary, ServiceSummary
    from ekstui.tui.opening import PanePicture


class PermissionsPane(Pane):
    """The console's table of services; a service opens to its actions with the reason it is needed."""

    FILTER_HINT = "a part of a service, action, level or condition key"

    app = app(LibraryApp)

    shown: reactive[Shown | None] = reactive(None)

    def __init__(self, *, classes: str | None = None) -> None:
        super().__init__(2, "Permissions", COLUMNS, header=True, id="permissions", classes=classes)
        self._services: Sequence[ServiceSummary] = ()
        self._opened: set[tuple[str, str]] = set()
        self._knowledge: PolicyKnowledge | None = None
        self._symptoms: Sequence[Symptom] = ()
        self._whole = False
        self._remaining: Remaining | None = None

    def watch_shown(self, shown: Shown | None) -> None:
        """Work out what the version permits, in the background."""
        if shown is None:
            return
        from ekstui.core.policy import version_label
        from ekstui.library.knowledge import knowledge

        self.set_title(f"{shown.entry.policy.name} {version_label(shown.version)}")
        library = self.app.library
        policy, version = shown.entry.policy, shown.version
        self._remaining = None
        self.app.background.run(
            self,
            "summary",
            lambda _: SummaryLoaded(
                policy.arn,
                version,
                library.summary(policy, version),
                library.knowledge(policy),
                knowledge().symptoms_of(policy.name),
            ),
        )

    def show_picture(self, picture: PanePicture) -> None:
        """Show the pane as it was painted last time, in the columns that it had."""
        self.rows.set_columns(columns_for(picture.width))
        super().show_picture(picture)

    def show_about(self) -> None:
        """Show all that is known of the policy beyond its document, or the first line of it again."""
        self._whole = not self._whole
        self.show_rows()
        self.rows.scroll_home(animate=False)

    def show_remaining(self) -> None:
        """Show what the version does not permit, or what it does again."""
        shown = self.shown
        if self._remaining is not None or shown is None:
            self._remaining = None
            self.show_rows()
            return
        from ekstui.core.remaining import remaining

        library, policy, version = self.app.library, shown.entry.policy, shown.version
        self.app.background.run(
            self,
            "remaining",
            lambda _: RemainingLoaded(policy.arn, version, remaining(library.document(policy, version))),
        )

    @on(RemainingLoaded)
    def _loaded_remaining(self, message: RemainingLoaded) -> None:
        message.stop()
        shown = self.shown
        if shown and (shown.entry.policy.arn, shown.version) == (message.arn, message.version):
            self._remaining = message.remaining
            self.show_rows()

    def on_resize(self) -> None:
        """Choose the columns that there is room for."""
        super().on_resize()
        self.rows.set_columns(columns_for(self.rows.row_width))
        if self._services:
            self.show_rows()

    def build_rows(self) -> list[Row]:
        """Return the table; under a filter only the services and actions that match, opened."""
        reasons = self._knowledge.services if self._knowledge else {}
        words = self.words
        width = self.rows.row_width
        if self._remaining is not None:
            from ekstui.tui.present.remaining import remaining_rows

            return rows_with(words, remaining_rows(self._remaining, {service for _, service in self._opened}, width))
        if not words and self.shown:
            from ekstui.present.about import about_blocks, notes_blocks

            about = about_blocks(self.shown.entry, self._knowledge, self._symptoms, whole=self._whole)
            if self._whole:
                about += notes_blocks(self._knowledge, self._symptoms)
            return rows(about, width) + service_rows(self._services, self._opened, reasons, width)
        found = [service for service in (_matching(service, words) for service in self._services) if service]
        opened = {(service.effect, service.service) for service in found}
        return service_rows(found, opened, {}, self.rows.row_width)

    @on(SummaryLoaded)
    def _loaded_summary(self, message: SummaryLoaded) -> None:
        message.stop()
        shown = self.shown
        if shown is None or (shown.entry.policy.arn, shown.version) != (message.arn, message.version):
            return
        self._services, self._knowledge, self._symptoms = message.services, message.knowledge, message.symptoms
        self.show_rows()

    @on(RowList.Opened)
    def _toggle(self, event: RowList.Opened) -> None:
        from ekstui.core.summary import ActionSummary, ServiceSummary
        from ekstui.core.where import PolicyAt
        from ekstui.tui.present.remaining import RemainingService

        event.stop()
        value, shown = event.row.value if event.row else None, self.shown
        if isinstance(value, RemainingService):
            self._opened ^= {("Allow", value.service)}
            self.show_rows()
        elif isinstance(value, ServiceSummary):
            self._opened ^= {(value.effect, value.service)}
            self.show_rows()
        elif isinstance(value, ActionSummary) and shown:
            library, policy = self.app.library, shown.entry.policy
            place = PolicyAt(policy.name, shown.version)
            self.post_message(
                ShowAction(
                    value,
                    f"policy:{place}",
                    lambda: [(str(place), library.document(policy, shown.version))],
                    policy,
                )
            )


def _matching(service: ServiceSummary, words: Sequence[str]) -> ServiceSummary | None:
    """Return the service with the actions that have every word in their row, or None if there are none."""
    if all(word in service.service.casefold() for word in words):
        return service
    actions = tuple(action for action in service.actions if all(word in _text(action) for word in words))
    return replace(service, actions=actions) if actions else None


def _text(action: ActionSummary) -> str:
    """Return what a filter looks at: the action, its levels, and its condition keys."""
    keys = (condition.key for grant in action.grants for condition in grant.conditions)
    return " ".join((action.action, *action.levels, *keys)).casefold()
