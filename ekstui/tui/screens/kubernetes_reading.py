"""Reading a cluster's Kubernetes by the user's kubectl from a screen about it, in the background."""

from __future__ import annotations

from ekstui.errors import AmbiguousError, EkstuiError
from ekstui.library.kubernetes import read_with_kubectl
from ekstui.present.styled import styled
from ekstui.tui import keys
from ekstui.tui.background import Job
from ekstui.tui.messages import AccountUpdated
from ekstui.tui.screens.dialogs import ChooserScreen
from ekstui.tui.screens.report import AccountReportScreen, Answer
from ekstui.tui.widgets.bars import LineBar
from ekstui.tui.widgets.pane import plain_failure

_JOB = "kubernetes"
"""The background job's group: only one cluster is read at a time."""


class KubernetesScreen(AccountReportScreen[Answer]):
    """A screen about a cluster, which can read its pods; the line above the footer shows how far that is."""

    KEYS: tuple[keys.Key, ...] = (keys.KUBERNETES,)

    _reading = ""
    """What is being read, in words; empty if nothing is."""

    @property
    def cluster_read(self) -> tuple[str, str | None]:
        """The name of the cluster to read, and its region if that is known."""
        raise NotImplementedError

    def action_kubernetes(self) -> None:
        """Read the cluster's Kubernetes, by the only context of kubectl that leads there."""
        self._read(None)

    def _read(self, context: str | None) -> None:
        library, (name, region) = self.app.library, self.cluster_read
        self._say(f"reading the pods of {name} by kubectl")

        def work(job: Job) -> str:
            def progress(words: str) -> None:
                job.tell(self._say, f"reading the pods of {name}: {words}")

            return read_with_kubectl(
                library, name, context, region=region, progress=progress, cancelled=job.is_cancelled
            )

        self.app.background.run(self, _JOB, work, lambda _: self._was_read(), self._not_read)

    def _was_read(self) -> None:
        """Show everything with what was read."""
        self._say("")
        library = self.app.library
        snapshot = library.account.last_snapshot()
        # The first screen has the account for all others.
        self.app.screen_stack[0].post_message(AccountUpdated(library, lambda view: view._replace(snapshot=snapshot)))
        for screen in self.app.screen_stack:
            if isinstance(screen, AccountReportScreen):
                screen.ask_again(keep=True)

    def _not_read(self, error: EkstuiError) -> None:
        """Say why nothing was read, or let the user choose one of several contexts."""
        self._say("")
        if not isinstance(error, AmbiguousError):
            self.notify(plain_failure(error), severity="error", timeout=15)
            return

        def chosen(context: str | None) -> None:
            if context is not None:
                self._read(context)

        title = f"Contexts of kubectl that lead to {self.cluster_read[0]}"
        self.app.push_screen(ChooserScreen(title, [((styled(name),), name) for name in error.candidates]), chosen)

    def step_back(self) -> bool:
        """Stop reading; else clear the search."""
        if not self._reading:
            return super().step_back()
        self.app.background.cancel(_JOB)
        self._say("")
        return True

    def _say(self, words: str) -> None:
        self._reading = words
        self._describe()

    def _describe(self) -> None:
        super()._describe()
        if self._reading:
            for line in self.query(LineBar):
                line.show(((f"{self._reading} … ", "accent"), ("esc stops", "muted")))
