"""The palette: looks up what the user types or pastes, as they type."""

import re
from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.events import Key as KeyPressed
from textual.events import Paste
from textual.getters import query_one
from textual.widgets import Input

from ekstui.eks.knowledge import Symptom
from ekstui.iam.text import clean_line
from ekstui.library.find_anything import all_actions, catalogue
from ekstui.library.lookup import Catalogue, PastedMessage, Thing, is_message
from ekstui.library.notation import RoleSide, Side
from ekstui.present.styled import Column, Row, Styled, mark_hits, plain, styled
from ekstui.tui import keys
from ekstui.tui.base import Debounce
from ekstui.tui.keys import Key, bindings, keys_as_shown
from ekstui.tui.messages import (
    AccountView,
    AskExplain,
    AskWhoCan,
    Marks,
    MarksChosen,
    ShowComparison,
    sides_to_compare,
    with_mark,
)
from ekstui.tui.screens.dialogs import ListDialog, box
from ekstui.tui.screens.found_things import policy_view_of
from ekstui.tui.widgets.bars import LineBar, RowsLine
from ekstui.tui.widgets.rows import RowList

EXCERPT = 80
"""The characters of a pasted message to show in the input."""

SHORTEST_TYPO = 6
"""The fewest characters for a search of similar names where nothing matches."""

_TYPING = "enter opens · tab: the rows · also NAME@v5..v6, diff A B, a denial"
_CHOOSING = "enter opens · space marks · w who can · x explain · d compare"


def _actions_behind(thing: Thing) -> tuple[str, ...]:
    """Return the actions that a thing is about: an action itself, or those missing behind a symptom."""
    if thing.kind == "action":
        return (str(thing.value),)
    return thing.value.actions if isinstance(thing.value, Symptom) else ()


def _columns(rows: Sequence[Row]) -> tuple[Column, ...]:
    """Return the columns: key or mark, name and description, kind."""
    label, kind = (max((len(plain(row.cells[at])) for row in rows), default=1) for at in (0, 2))
    return Column("", max(label, 1)), Column("", 20, share=1), Column("", kind, right=True)


class FindLine(RowsLine):
    """The input; a pasted message goes to the screen as a whole."""

    def on_paste(self, event: Paste) -> None:
        """Insert a pasted name, or pass a message on."""
        if is_message(event.text) and isinstance(self.screen, PaletteScreen):
            event.prevent_default()
            event.stop()
            self.screen.take(event.text)
        else:
            super().on_paste(event)


class PaletteScreen(ListDialog[Thing]):
    """Finds anything, and dismisses with it, or with None."""

    KEYS = (
        keys.MARK.here("Mark the policy or version in the row for a comparison."),
        keys.WHO_CAN.here("Show who can do the action in the row."),
        keys.EXPLAIN.here("Explain the message, or the action in the row."),
        keys.COMPARE.here("Compare the two marks; or the row with the mark, or with the version before it."),
    )
    """Keys that work on the rows; in the input they are letters."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab,shift+tab", "other", show=False, priority=True),
        *bindings(KEYS),
    ]
    DEFAULT_CSS = """
    PaletteScreen { align: center top; }
    PaletteScreen > Vertical { width: 96; max-width: 98%; height: 36%; min-height: 13; margin-top: 1; padding: 0; }
    PaletteScreen LineBar { height: 2; color: $text-muted; }
    """

    about = query_one(LineBar)

    def __init__(
        self,
        commands: Sequence[Key],
        recent: Sequence[Thing],
        account: AccountView,
        marks: Marks,
        pasted: str = "",
        current_policy: str = "",
    ) -> None:
        """`current_policy` is the policy whose versions `v5..v6` alone means."""
        super().__init__()
        self._current_policy = current_policy
        self._keys = commands
        self._recent = recent
        self._account = account
        self.marks = marks
        self._pasted = pasted
        """A pasted message, of which the input shows the beginning."""
        self._catalogue: Catalogue | None = None
        self._made_of: object = None
        self._is_whole = False
        """Whether the catalogue has all actions."""
        self._describing = Debounce(self)

    def compose(self) -> ComposeResult:
        hint = "a policy, POLICY@v5, an action, a role, a cluster, a pod, an ARN, a symptom"
        yield box("Find anything", _TYPING, FindLine(placeholder=hint), RowList(_columns(())), LineBar())

    def on_mount(self) -> None:
        """Show recent things and commands at once; the slower parts of the catalogue follow."""
        self._commands = [
            Thing("command", key.label, key.help, aliases=(key.id,), eks=True, value=key) for key in self._keys
        ]
        library, snapshot, commands = self.app.library, self._account.snapshot, self._commands
        self.line.focus()
        self._made_of = (library, snapshot, library.data())
        last = self.app.catalogue
        kept_catalogue = last[1] if last and last[0] == self._made_of else None
        self._catalogue = (
            kept_catalogue.with_things(commands) if kept_catalogue else catalogue(library, snapshot, commands)
        )
        if self._pasted:
            self.take(self._pasted)
        else:
            self._show()
        self._is_whole = kept_catalogue is not None
        if kept_catalogue is None:
            self.app.background.run(self, "catalogue", lambda _: self._whole_catalogue(), self._catalogue_read)

    def _whole_catalogue(self) -> Catalogue:
        """Return the catalogue with all actions and the uses of the roles; 0.4 s."""
        library, snapshot = self.app.library, self._account.snapshot
        uses = library.account.uses(snapshot) if snapshot else None
        return catalogue(library, snapshot, uses=uses, actions=all_actions())

    @on(Input.Submitted)
    def _submitted(self) -> None:
        """Choose among everything, however early the user presses enter."""
        if not self._is_whole and self.line.value.strip():
            self._catalogue_read(self._whole_catalogue())

    def _catalogue_read(self, catalogue: Catalogue) -> None:
        if self._is_whole:
            return
        self._is_whole = True
        self.app.catalogue = self._made_of, catalogue
        self._catalogue = catalogue.with_things(self._commands)
        # A cursor that the user has not moved stays on the best match, which may be another now.
        self._show(keep=bool(self.rows.cursor))

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._pasted = ""
        self._show()

    def take(self, text: str) -> None:
        """Look up a pasted text; the input shows its beginning."""
        # Terminals send a pasted line break as a carriage return.
        self._pasted = text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
        beginning = " ".join(text[: 4 * EXCERPT].split())
        with self.line.prevent(Input.Changed):
            self.line.value = clean_line(f"{beginning[:EXCERPT]}…" if len(beginning) > EXCERPT else beginning)
            self.line.cursor_position = len(self.line.value)
        self._show()

    @on(RowList.Highlighted)
    def _highlighted(self, event: RowList.Highlighted) -> None:
        event.stop()
        self._describing.call(self._describe)

    def _describe(self) -> None:
        """Show the details of the row under the cursor."""
        thing = self._thing
        arn = thing.arn if thing and thing.arn.startswith("arn:") else ""
        parts = [thing.name, thing.about, arn] if thing else []
        self.about.show(styled(clean_line("  ".join(filter(None, parts)))))

    def on_descendant_focus(self) -> None:
        """Show a hint for the keys."""
        self.query_one(Vertical).border_subtitle = Content(_TYPING if self.line.has_focus else _CHOOSING)

    def on_key(self, event: KeyPressed) -> None:
        """Type into the input if a letter is not a key of the rows."""
        means_nothing = event.key not in self.active_bindings
        if self.rows.has_focus and event.character and event.is_printable and means_nothing:
            event.stop()
            self.line.focus()
            self.line.insert_text_at_cursor(event.character)

    def action_other(self) -> None:
        """Move the focus between the input and the rows."""
        self.set_focus(self.rows if self.line.has_focus else self.line, scroll_visible=False)

    @property
    def _thing(self) -> Thing | None:
        row = self.rows.current
        return row.value if row is not None and isinstance(row.value, Thing) else None

    # The keys of a row

    def action_mark(self) -> None:
        thing = self._thing
        policy_view = policy_view_of(thing) if thing else None
        if policy_view is None:
            self.notify("Only policies and versions can be marked.")
            return
        self.marks = with_mark(self.marks, policy_view.place)
        self.post_message(MarksChosen(self.marks))
        self._show(keep=True)

    def action_who_can(self) -> None:
        actions = _actions_behind(self._thing) if self._thing else ()
        if not actions:
            self.notify("w works on actions only.")
            return
        self.dismiss(None)
        self.app.post_message(AskWhoCan(actions[0]))

    def action_explain(self) -> None:
        """Explain the message or the action in the row."""
        thing = self._thing
        actions = _actions_behind(thing) if thing else ()
        if thing is None or not (actions or isinstance(thing.value, PastedMessage)):
            self.notify("x works on actions and pasted messages only.")
            return
        self.dismiss(None)
        self.app.post_message(AskExplain(thing.value.text if isinstance(thing.value, PastedMessage) else actions[0]))

    def action_diff(self) -> None:
        thing = self._thing
        sides: tuple[Side, Side] | None = None
        if thing is not None and thing.kind == "comparison":
            self.dismiss(thing)
            return
        if thing is not None and isinstance(thing.value, RoleSide) and self.marks:
            sides = (self.marks[-1], thing.value)
        elif thing is not None and (policy_view := policy_view_of(thing)):
            sides = sides_to_compare(self.marks, policy_view)
        if sides is None:
            self.notify("Mark a policy or version with space; d then compares it with another row.")
            return
        self.dismiss(None)
        self.app.post_message(ShowComparison(*sides))

    # Rows

    def _show(self, *, keep: bool = False) -> None:
        """Show the matches; with `keep` the cursor stays on its row."""
        text = self._pasted or self.line.value
        catalogue = self._catalogue
        if catalogue is None:
            return
        things = (
            catalogue.find(text, current_policy=self._current_policy)
            if text.strip()
            else [*self._recent, *self._commands]
        )
        if not things and len(text.strip()) >= SHORTEST_TYPO:
            things = catalogue.nearest(text)
        if not things:
            hint = "s in the four panes lists all policies; a reads the account, with its roles and clusters."
            self.rows.show_message(styled(clean_line(f"Nothing matches “{text}”."), "warn"), styled(hint, "muted"))
            return
        words = () if self._pasted else text.casefold().replace("@", " ").split()
        recent = 0 if text.strip() else len(self._recent)
        rows = [
            Row((*thing.key, at < recent), self._cells(thing, words, recent=at < recent), thing)
            for at, thing in enumerate(things)
        ]
        self.rows.set_columns(_columns(rows))
        cursor = (self.rows.key if keep else None) or rows[0].key
        self.rows.set_rows(rows, cursor=cursor)

    def _cells(self, thing: Thing, words: Sequence[str], *, recent: bool) -> tuple[Styled, ...]:
        label = styled("recent", "muted") if recent else ()
        if isinstance(thing.value, Key):
            label = styled(keys_as_shown(self.app.keys_of(thing.value)), "accent")
            # The details have the whole sentence.
            thing = thing._replace(about=re.split("[:;,.]", thing.about)[0])
        elif (policy_view := policy_view_of(thing)) and policy_view.place in self.marks:
            label = styled("ABCD"[self.marks.index(policy_view.place)], "accent")
        name = styled(clean_line(thing.name))
        for word in words:
            name = mark_hits(name, word)
        about = clean_line(thing.about)
        return label, (*name, (f"  {about}" if about else "", "muted")), styled(thing.kind, "muted")
