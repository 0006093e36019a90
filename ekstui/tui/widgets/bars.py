"""The widgets of one line: header, details of the row under the cursor, progress, footer with its keys, and inputs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Click, Paste
from textual.getters import app
from textual.widget import Widget
from textual.widgets import Input, Static

from ekstui.change.policy import version_label
from ekstui.errors import EkstuiError
from ekstui.iam.text import age_in_words, clean, clean_line
from ekstui.named_tuples import NamedTuple
from ekstui.present.blocks import OLD
from ekstui.present.styled import Style, Styled, cells, cut_end, plain, wrap
from ekstui.tui.base import LibraryApp
from ekstui.tui.keys import Key, keys_as_shown
from ekstui.tui.messages import AccountView, Shown
from ekstui.tui.widgets.rows import RowList

if TYPE_CHECKING:
    from ekstui.library import AccountChoice
    from ekstui.library.library import DataStatus, Library
    from ekstui.library.notation import PolicyAt
    from ekstui.library.remembered import RememberedPlace

TWO_LINES = 24
"""Screen height from which the details take two lines."""

_THEME_STYLES: dict[Style, str] = {
    "muted": "$text-muted", "strong": "bold", "accent": "$text-accent", "good": "$text-success", "bad": "$text-error",
    "warn": "$text-warning", "added": "$text-success", "removed": "$text-error", "hit": "reverse", "cursor": "reverse",
    "key": "bold $text-accent",
}  # fmt: skip


def content(line: Styled) -> Content:
    """Return a line as Content, with the theme's styles."""
    return Content.assemble(*((text, _THEME_STYLES.get(style, "")) for text, style in line))


class HeaderBar(Static):
    """One line at the top of a screen."""

    DEFAULT_CSS = "HeaderBar { height: 1; background: $panel; text-wrap: nowrap; text-overflow: ellipsis; }"

    def show(self, line: Styled, right: Styled = ()) -> None:
        """Show a line, and another one right-aligned, which takes precedence if there is no room for both."""
        words = content(line)
        if right:
            end = content(right)
            room = max(self.size.width - end.cell_length - 1, 0)
            words = Content.assemble(words.truncate(room, ellipsis=True, pad=True), " ", end)
        height = self.styles.height
        self.update(words, layout=height is not None and height.is_auto)


class LineBar(Static):
    """The details of the row under the cursor, or the progress of a task."""

    DEFAULT_CSS = "LineBar { padding: 0 1; text-wrap: wrap; }"

    _line: Styled = ()

    def show(self, line: Styled) -> None:
        """Show a line, wrapped, with an ellipsis where it does not fit."""
        self._line = line
        width, height = self.size
        lines = wrap(line, width) if width and height else [line]
        if len(lines) > height > 0:
            lines[height - 1 :] = [cut_end((*lines[height - 1], (" ", ""), *lines[height]), width)]
        self.update(content(tuple(piece for row in lines for piece in (*row, ("\n", "")))[:-1]), layout=False)

    def on_resize(self) -> None:
        self.show(self._line)


class FooterBar(Static):
    """One line with the keys that work here; each can be clicked."""

    DEFAULT_CSS = "FooterBar { height: 1; background: $panel; text-wrap: nowrap; text-overflow: ellipsis; }"

    app = app(LibraryApp)

    _keys: Sequence[Key] = ()
    """The keys to show."""
    _shown: Sequence[tuple[Key, Styled]] = ()
    """Those that fit, with what is shown of them."""

    def show_keys(self, keys: Sequence[Key]) -> None:
        """Show keys with their labels; where these do not all fit, the last ones before the last two have none."""
        keys = self.app.usable(keys)
        if keys == self._keys:
            return
        self._keys = keys
        self._fit()

    def on_resize(self) -> None:
        if self._keys:
            self._fit()

    def _fit(self) -> None:
        *others, find, help_ = self._keys
        self._shown = [(key, self._pieces(key, f" {key.label} ")) for key in self._keys]
        for named in reversed(range(len(others))):
            if sum(cells(plain(words)) for _, words in self._shown) <= self.app.size.width:
                break
            self._shown = [
                *((key, self._pieces(key, f" {key.label} ")) for key in others[:named]),
                *((key, self._pieces(key, " " if key is others[-1] else "")) for key in others[named:]),
                *((key, self._pieces(key, f" {key.label.partition(' ')[0]} ")) for key in (find, help_)),
            ]
        self.update(content(tuple(piece for _, words in self._shown for piece in words)), layout=False)

    def _pieces(self, key: Key, label: str) -> Styled:
        return ((" ", ""), (keys_as_shown(self.app.keys_of(key)).split(" ")[0], "key"), (label, ""))

    def show_words(self, text: str) -> None:
        """Show a text instead of keys."""
        self._keys = self._shown = ()
        self.update(content(((f" {text}", "muted"),)), layout=False)

    def on_click(self, event: Click) -> None:
        """Press the key that was clicked."""
        end = 0
        for key, words in self._shown:
            end += cells(plain(words))
            if event.x < end:
                self.app.simulate_key(self.app.keys_of(key).split(",")[0])
                return


class BarLine(Input):
    """An input whose cursor does not blink, since each blink is sent to the terminal."""

    DEFAULT_CSS = """
    BarLine, BarLine:focus { border: none; height: 1; padding: 0; background: $surface; }
    """

    def __init__(self, value: str = "", *, placeholder: str = "") -> None:
        super().__init__(value, placeholder=placeholder, select_on_focus=False)
        self.cursor_blink = False

    def on_paste(self, event: Paste) -> None:
        """Insert the pasted text, cleaned."""
        event.prevent_default()
        event.stop()
        self.replace(self.pasted(event.text), *self.selection)

    def pasted(self, text: str) -> str:
        """Return what to insert of a pasted text: its first line."""
        return next(iter(clean(text.strip()).splitlines()), "")


class RowsLine(BarLine):
    """An input above the screen's rows; up, down and page keys move in the rows."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "rows('move(1)')", show=False),
        Binding("up", "rows('move(-1)')", show=False),
        Binding("pagedown", "rows('page(1)')", show=False),
        Binding("pageup", "rows('page(-1)')", show=False),
    ]

    async def action_rows(self, action: str) -> None:
        """Move in the rows; the input keeps the focus."""
        await self.screen.query_one(RowList).run_action(action)


class FilterLine(BarLine):
    """The input of a filter or search, hidden until it is opened."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "leave", show=False),
        Binding("escape", "clear", show=False),
    ]

    def __init__(self, *, placeholder: str = "type to filter") -> None:
        super().__init__(placeholder=placeholder)
        self.display = False

    def open(self) -> None:
        """Show and focus the empty input at once, for keys typed ahead."""
        self.value = ""
        self.display = True
        self.screen.set_focus(self, scroll_visible=False)

    def close(self) -> None:
        """Clear and hide the input."""
        self.value = ""
        self.display = False

    def action_leave(self) -> None:
        """Go back to the rows and keep the text; without one, hide the input."""
        if isinstance(self.parent, Widget):
            self.parent.query_one(RowList).focus()
        if not self.value.strip():
            self.close()

    def action_clear(self) -> None:
        """Clear the text and go back to the rows."""
        self.value = ""
        self.action_leave()


def short_name(name: str) -> str:
    """Return a policy's name without its usual prefix and suffix: `CNI` for AmazonEKS_CNI_Policy."""
    for prefix in ("AmazonEKS_", "AmazonEKS", "Amazon", "AWS"):
        if name.startswith(prefix) and len(name) > len(prefix):
            name = name.removeprefix(prefix)
            break
    return name.removesuffix("Policy").strip("_") or name


def marks_line(marks: Sequence[PolicyAt]) -> Styled:
    """Return the marks for the right of the header: `A CNI v5  B CNI v6  +2  d compare  u clear`."""
    if not marks:
        return ()
    parts: list[tuple[str, Style]] = []
    for letter, mark in zip("AB", marks, strict=False):
        version = f" {version_label(mark.version)}" if mark.version else ""
        parts += [(f"{letter} ", "accent"), (f"{clean_line(short_name(mark.name))}{version}  ", "strong")]
    if len(marks) > 2:
        parts.append((f"+{len(marks) - 2}  ", "strong"))
    return (*parts, ("d compare  u clear ", "muted"))


def progress_words(doing: str, done: int, total: int) -> str:
    """Return a progress bar, and how to stop the task."""
    filled = min(20 * done // total, 20) if total else 0
    return f"{doing} {'━' * filled}{'─' * (20 - filled)} {done:,} of {total:,} · esc stops"


def header(
    status: DataStatus, shown: int, scope: str, account: AccountView, choice: AccountChoice, now: datetime, width: int
) -> Styled:
    """Return the explorer's header: number of policies, age of the data, and account, in the longest form that fits."""
    ways = _ways_to_renew(account, choice)
    forms: list[Styled] = [
        (
            (" ekstui ", "strong"),
            (f" {_count_words(status, shown, scope, whole=room > 2)}", ""),
            (" · ", "muted"),
            *_age_words(status, now, way, whole=room > 0),
            (" · ", "muted"),
            *_account_words(account, choice, now, whole=room > 1),
        )
        # What renews old data comes before the longer words for the rest.
        for way_to_renew in (ways, [""])
        for room in (3, 2, 1, 0)
        for way in way_to_renew
    ]
    return next((form for form in forms if len(plain(form)) <= width), forms[-1])


class Offer(NamedTuple):
    """A saved place to go back to, as far as it still exists."""

    place: RememberedPlace
    shown: Shown
    marks: tuple[PolicyAt, ...]
    opened: str
    """What to type into the palette to get to the screen over the panes; empty if there was none."""

    def line(self, now: datetime, width: int) -> Styled:
        """Return the offer as the header, in the longest form that fits."""
        where = f"{self.shown.entry.policy.name} {version_label(self.shown.version)}"
        opened = " ".join(self.opened.split())
        age = age_in_words(self.place.at, now)
        names = [f"{where} › {opened}", opened, opened[:40]] if opened else [where, where[:40]]
        forms: list[Styled] = [
            (
                (" b", "accent"),
                (": back to ", "muted"),
                (clean_line(name), "strong"),
                (f", where you were {age} · " if whole else f", {age} · ", "muted"),
                ("esc", "accent"),
                (": no", "muted"),
            )
            for name in names
            for whole in (True, False)
        ]
        return next((form for form in forms if len(plain(form)) <= width), forms[-1])


def offer_of(place: RememberedPlace, library: Library) -> Offer | None:
    """Return the offer for a place; None if its policy or version no longer exists."""
    from ekstui.library.notation import parse_policy

    try:
        entry = library.find(place.policy)
        marks = tuple(parse_policy(mark) for mark in place.marks)
    except EkstuiError:
        return None
    if place.version not in [info.number for info in entry.policy.versions]:
        return None
    return Offer(place, Shown(entry, place.version), marks, place.opened)


def _count_words(status: DataStatus, shown: int, scope: str, *, whole: bool) -> str:
    if scope == "eks":
        return f"EKS {shown} of {status.policies:,}" if whole else f"EKS {shown}"
    words = {"all": f"all {status.policies:,}", "any": f"every family {shown:,}"}
    return words.get(scope, f"{scope} {shown}")


def _ways_to_renew(account: AccountView, choice: AccountChoice) -> tuple[str, ...]:
    """Return what renews the policies, in forms that get shorter; none where nothing may be asked, or before it is known."""
    if choice.demo or choice.offline:
        return ()
    if account.error or choice.file:
        return "ekstui sync or :sync renews", ":sync renews"
    return ("r renews",) if account.snapshot or account.asking else ()


def _age_words(status: DataStatus, now: datetime, way: str, *, whole: bool) -> Styled:
    # A custom endpoint matters more than the age of the data.
    custom = status.source.partition("AWS at ")[2]
    age = (now - status.newest).days if status.newest else None
    old = age is not None and age >= OLD
    data = f"data {status.newest:%Y-%m-%d}" if status.newest else "data of unknown age"
    days = "" if age is None else f", {age} day{'' if age == 1 else 's'} old" if whole else f", {age} d old"
    renews = f" ({way})" if old and way else ""
    return (f"from {custom}" if custom else f"{data}{days}", "warn" if old or custom else ""), (renews, "muted")


def _account_words(view: AccountView, choice: AccountChoice, now: datetime, *, whole: bool) -> Styled:
    """Return the account for the header: its name and number, its age, and whether it is incomplete."""
    if choice.demo:
        number = f" {view.snapshot.identity.account}" if view.snapshot else ""
        return ((f"demo{number}", ""), (", made up" if whole else "", "muted"))
    parts: list[tuple[str, Style]] = []
    if view.snapshot:
        identity = view.snapshot.identity
        name = clean_line(identity.profile or identity.method or "account")
        parts.append((f"{name} {identity.account}", ""))
        if identity.partition != "aws":
            parts.append((f" {identity.partition}", "warn"))
        if identity.endpoint:
            parts.append((f" via {clean_line(identity.endpoint.partition('://')[2] or identity.endpoint)}", "warn"))
        offline = ", offline" if choice.offline else ""
        parts.append((f" · {age_in_words(view.snapshot.fetched_at, now)}{offline}", "muted"))
        if not view.snapshot.complete or view.snapshot.errors:
            parts.append((" · incomplete", "warn"))
        if view.error and not view.asking:
            parts.append((" · not renewed (i says why)" if whole else " · not renewed", "warn"))
    elif view.asking:
        parts.append(("asking AWS", "muted"))
    elif choice.offline:
        parts.append(("offline, no snapshot" if whole else "offline", "muted"))
    else:
        parts.append(("no account (a chooses one)" if whole else "no account", "muted"))
    return tuple(parts)
