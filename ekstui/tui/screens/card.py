"""What is known of something that has no screen of its own."""

from collections.abc import Callable, Sequence

from textual import on

from ekstui.core.lookup import Thing
from ekstui.core.reference import ActionInfo
from ekstui.core.text import clean_line
from ekstui.core.where import PolicyAt, RoleSide
from ekstui.errors import EkstuiError
from ekstui.present.blocks import Block
from ekstui.present.rendering import Row, rows
from ekstui.present.styled import Styled
from ekstui.tui import keys
from ekstui.tui.keys import bindings
from ekstui.tui.messages import AskWhoCan, ShowPolicy, ShowRole
from ekstui.tui.screens.report import ReportScreen
from ekstui.tui.shown import Shown, Sought
from ekstui.tui.widgets.rows import RowList


class CardScreen(ReportScreen):
    """A card: what it is in blocks; policies, roles and actions in it are opened."""

    KEYS = (keys.OPEN.here("Open the policy or role under the cursor, or show who can do the action."), keys.WHO_CAN)
    BINDINGS = bindings(KEYS)

    OPENS = (ActionInfo, RoleSide, PolicyAt)

    def __init__(self, thing: Thing, blocks: Callable[[], Sequence[Block]]) -> None:
        super().__init__()
        self._thing = thing
        self._blocks = blocks

    def question(self) -> Styled:
        """Return what it is, and its name."""
        return ((f"{self._thing.kind} ", ""), (clean_line(self._thing.name), "strong"))

    @property
    def sought(self) -> Sought | None:
        """What finds this screen again."""
        thing = self._thing
        return Sought(thing.arn or thing.name, of_account=thing.kind not in ("symptom", "access policy"))

    def ask(self) -> Callable[[], object]:
        """Return the question for the card."""
        return self._blocks

    def answer_rows(self, answer: object) -> list[Row]:
        """Return the card as rows."""
        return rows(answer, self.width) if isinstance(answer, list) else []

    @on(RowList.Opened)
    def _open(self, event: RowList.Opened) -> None:
        event.stop()
        value = event.row.value if event.row else None
        if isinstance(value, ActionInfo):
            self.post_message(AskWhoCan(value.name))
        elif isinstance(value, RoleSide):
            self.post_message(ShowRole(value.name))
        elif isinstance(value, PolicyAt):
            try:
                entry = self.app.library.find(value.name)
            except EkstuiError as error:
                self.notify(clean_line(error.message), markup=False)
            else:
                self.post_message(ShowPolicy(Shown(entry, entry.policy.default_version)))
        else:
            self.notify("There is nothing deeper here; y copies it.", markup=False)
