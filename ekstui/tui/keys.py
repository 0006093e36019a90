"""Every key of the app, declared once with the one meaning that it has everywhere.

A screen declares beside its class which of them it has, with a sentence for what they do there: its bindings, footer,
help, palette and page of the manual come from that. A key is rebound by its id, in the settings under `[keys]`.
"""

from collections.abc import Iterable
from typing import NamedTuple

from textual.binding import Binding, BindingType

from ekstui.settings import nearest_words


class Key(NamedTuple):
    """One thing that keys do."""

    id: str
    """What the user rebinds it by, such as `pane.policies`."""
    keys: str
    """The keys, in Textual's names, with commas between."""
    action: str
    """The Textual action."""
    label: str
    """A word or two, for the footer."""
    help: str
    """One sentence, for the help and the manual."""

    def here(self, help: str, label: str = "") -> "Key":  # noqa: A002
        """Return the key with a sentence, and a word, for what it does on one screen."""
        return self._replace(help=help, label=label or self.label)


# fmt: off
HELP = Key("help", "question_mark", "help", "help", "Show how to find the usual answers, the keys for where you are, and the signs.")
FIND = Key("find", "colon,ctrl+p", "find", "find anything", "Find anything: a policy, POLICY@v5..v6, an action, a role, a cluster, an ARN, a symptom, a command; or paste a denial.")
OPEN = Key("open", "enter", "open", "open", "Go deeper: open what the cursor is on.")
BACK = Key("back", "escape", "back", "back", "Go back one step: stop long work, clear the filter, clear the marks, leave the screen.")
LEAVE = Key("leave", "q", "leave", "leave", "Leave the screen; in the four panes quit.")
QUIT = Key("quit", "ctrl+q", "quit", "quit", "Quit from anywhere.")
REPAINT = Key("repaint", "ctrl+l", "repaint", "repaint", "Paint the whole screen again.")
SUSPEND = Key("suspend", "ctrl+z", "suspend_process", "suspend", "Leave the app stopped in the shell's background; fg brings it back.")
ACCOUNT = Key("account", "a", "account", "account", "Choose the profile and region of the account.")
CLUSTERS = Key("clusters", "c", "clusters", "clusters", "Choose a cluster: what is wrong with its roles, and what would help.")
CHANGES = Key("changes", "f", "changes", "changes", "Show what AWS changed across the policies, newest first.")
WHO_CAN = Key("who-can", "w", "who_can", "who can", "Show who can do the action under the cursor, or any other.")
EXPLAIN = Key("explain", "x", "explain", "explain", "Explain a denial: paste a message, or begin with the action under the cursor.")
DOWN = Key("down", "down,j", "down", "down", "Move down.")
UP = Key("up", "up,k", "up", "up", "Move up.")
PAGE_DOWN = Key("page-down", "pagedown", "page_down", "page down", "Move down one page.")
PAGE_UP = Key("page-up", "pageup", "page_up", "page up", "Move up one page.")
HALF_PAGE_DOWN = Key("half-page-down", "ctrl+d", "half_page_down", "half page down", "Move down half a page.")
HALF_PAGE_UP = Key("half-page-up", "ctrl+u", "half_page_up", "half page up", "Move up half a page.")
FIRST = Key("first", "home,g", "first", "first", "Move to the first row.")
LAST = Key("last", "end,G", "last", "last", "Move to the last row.")
FOLD = Key("fold", "left,h", "fold(True)", "fold", "Fold what the cursor is on, or go to what it is in.")
UNFOLD = Key("unfold", "right,l", "fold(False)", "unfold", "Unfold what the cursor is on.")
FOLD_ALL = Key("fold-all", "asterisk", "fold_all", "all", "Unfold everything, or fold it again.")
POLICIES = Key("pane.policies", "1", "pane('policies')", "policies", "Go to the policies.")
PERMISSIONS = Key("pane.permissions", "2", "pane('permissions')", "permissions", "Go to the permissions.")
VERSIONS = Key("pane.versions", "3", "pane('versions')", "versions", "Go to the versions; above them the changes per quarter, behind … the number of those before.")
ATTACHED = Key("pane.attached", "4", "pane('attached')", "attached", "Go to the roles, users and groups of the account.")
NEXT_PANE = Key("pane.next", "tab", "next_pane(1)", "next pane", "Go to the next pane.")
PREVIOUS_PANE = Key("pane.previous", "shift+tab", "next_pane(-1)", "previous pane", "Go to the pane before.")
ALONE = Key("alone", "z", "alone", "alone", "Give this pane the whole screen, or put it back.")
FILTER = Key("filter", "slash", "filter", "filter", "Filter a list, or search a text; esc clears it.")
NEXT = Key("next", "n", "next(1)", "next", "Go to the next match, change or problem.")
PREVIOUS = Key("previous", "N", "next(-1)", "previous", "Go to the match, change or problem before.")
OLDER = Key("older", "left_square_bracket", "walk(-1)", "older", "Show the version before.")
NEWER = Key("newer", "right_square_bracket", "walk(1)", "newer", "Show the next version.")
MARK = Key("mark", "space", "mark", "mark", "Mark the row under the cursor, or take its mark away.")
UNMARK = Key("unmark", "u", "unmark", "clear the marks", "Clear the marks.")
COMPARE = Key("compare", "d", "diff", "compare", "Compare the two marks, or the row with the one before.")
COPY = Key("copy", "y", "copy", "copy", "Copy what is under the cursor, or all that is shown.")
SAVE = Key("save", "e", "export", "save", "Save what is shown as a file.")
RESUME = Key("resume", "b", "resume", "back there", "Go back to where you were when the line was lost, within an hour.")
RENEW = Key("renew", "r", "refresh_data", "renew", "Renew what this screen shows.")
NOTES = Key("notes", "i", "notes", "notes", "Show all notes: why, what AWS contradicts, what was not looked at.")
VIEW = Key("view", "v", "view", "view", "Go to the next view of this screen.")
SCOPE = Key("scope", "s", "scope", "scope", "Switch between the EKS policies, all of AWS's, and what controllers publish.")
TABLE = Key("table", "t", "matrix", "table", "Show services by access levels, of the marked policies side by side or of the shown one.")
PERIOD = Key("period", "p", "period", "period", "Look further back.")
SWAP = Key("swap", "o", "swap", "other way round", "Swap the sides.")
SIMULATE = Key("simulate", "S", "simulate", "ask IAM", "Ask IAM's own simulator about the same request of a role, beside the verdict.")
UPGRADE = Key("upgrade", "U", "upgrade", "upgrade", "Show what the cluster's controllers need of IAM before an upgrade, and what may go afterwards.")
# fmt: on

KEYS: tuple[Key, ...] = tuple(value for value in globals().values() if isinstance(value, Key))
"""All of them."""


def declared(owner: object) -> tuple[Key, ...]:
    """Return the keys that a screen or widget has, those of the class itself first, each once."""
    found: dict[str, Key] = {}
    for kind in type(owner).__mro__:
        for key in vars(kind).get("KEYS", ()):
            found.setdefault(key.id, key)
    return tuple(found.values())


def bindings(keys: Iterable[Key]) -> list[BindingType]:
    """Return the Textual bindings of the keys of one screen or widget."""
    return [Binding(key.keys, key.action, key.label, id=key.id, tooltip=key.help) for key in keys]


def unknown_ids(ids: Iterable[str]) -> tuple[str, ...]:
    """Return a sentence for each id that no key has, with the nearest that one has."""
    known = tuple(key.id for key in KEYS)
    return tuple(f"No key has the id {name}{nearest_words(name, known)}." for name in ids if name not in known)


_SPELLED = {
    "question_mark": "?", "slash": "/", "colon": ":", "left_square_bracket": "[", "right_square_bracket": "]",
    "pagedown": "PgDn", "pageup": "PgUp", "down": "↓", "up": "↑", "left": "←", "right": "→", "escape": "esc",
    "asterisk": "*",
}  # fmt: skip


def spelled(keys: str) -> str:
    """Return keys as people read them: `? `, `↓ j`, `^p :`."""
    return " ".join(_SPELLED.get(key, key.replace("ctrl+", "^")) for key in keys.split(","))


def without(keys: Iterable[Key], *gone: Key) -> tuple[Key, ...]:
    """Return the keys without some of them."""
    names = {key.id for key in gone}
    return tuple(key for key in keys if key.id not in names)
