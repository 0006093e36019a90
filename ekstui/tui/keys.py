"""The keys that several screens have, each declared once: a key means the same everywhere.

A screen or pane lists its keys in `KEYS`, with a sentence for what they do there; its bindings, footer, help, palette
entries and section of the manual all come from that list. A key that only one pane or screen has is declared there. The
settings rebind a key by its id, under `[keys]`.
"""

from collections.abc import Collection, Iterable, Mapping
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, ClassVar

from textual.binding import Binding, BindingType

from ekstui.named_tuples import NamedTuple
from ekstui.settings import nearest_words


class Key(NamedTuple):
    """One or more keys, and what they do."""

    id: str
    """The name to rebind it by, such as `pane.policies`."""
    keys: str
    """Textual's names of the keys, separated by commas."""
    action: str
    label: str
    """A word or two, for the footer."""
    help: str
    """One sentence, for the help, the manual, and whoever reads the action's code."""

    def here(self, help: str, label: str = "") -> "Key":  # noqa: A002
        """Return the key with the help, and the label, that it has on one screen."""
        return self._replace(help=help, label=label or self.label)


# fmt: off
HELP = Key("help", "question_mark", "help", "help", "Show common tasks, the keys of this screen, and what the symbols mean.")
FIND = Key("find", "colon,ctrl+p", "find", "find anything", "Find anything: a policy, POLICY@v5..v6, an action, a role, a cluster, an ARN, a symptom, a command; or paste a denial.")
OPEN = Key("open", "enter", "open", "open", "Open what is under the cursor.")
BACK = Key("back", "escape", "back", "back", "Go back one step: stop a running task, clear the filter, clear the marks, or leave the screen.")
LEAVE = Key("leave", "q", "leave", "leave", "Leave the screen; from the last one, quit.")
QUIT = Key("quit", "ctrl+q", "quit", "quit", "Quit from anywhere.")
REPAINT = Key("repaint", "ctrl+l", "repaint", "repaint", "Redraw the whole screen.")
SUSPEND = Key("suspend", "ctrl+z", "suspend_process", "suspend", "Suspend the app; fg in the shell brings it back.")
ACCOUNT = Key("account", "a", "account", "account", "Choose the profile and region of the account.")
CLUSTERS = Key("clusters", "c", "clusters", "clusters", "Choose a cluster, to see what is wrong with its roles and how to fix it.")
CHANGES = Key("changes", "f", "changes", "changes", "Show what AWS changed across the policies, newest first.")
WHO_CAN = Key("who-can", "w", "screen.who_can", "who can", "Show who can do the action under the cursor, or any other.")
EXPLAIN = Key("explain", "x", "screen.explain", "explain", "Explain a denial: paste a message, or start from the action under the cursor.")
DOWN = Key("down", "down,j", "move(1)", "down", "Move down.")
UP = Key("up", "up,k", "move(-1)", "up", "Move up.")
FIRST = Key("first", "home,g", "first", "first", "Move to the first row.")
LAST = Key("last", "end,G", "last", "last", "Move to the last row.")
UNFOLD = Key("unfold", "right,l", "fold(False)", "unfold", "Unfold the row under the cursor.")
POLICIES = Key("pane.policies", "1", "pane('policies')", "policies", "Go to the policies.")
PERMISSIONS = Key("pane.permissions", "2", "pane('permissions')", "permissions", "Go to the permissions.")
VERSIONS = Key("pane.versions", "3", "pane('versions')", "versions", "Go to the versions, below the line of time on which they are to scale.")
ATTACHED = Key("pane.attached", "4", "pane('attached')", "attached", "Go to the roles, users and groups of the account.")
FILTER = Key("filter", "slash", "filter", "filter", "Filter a list, or search a text; esc clears it.")
NEXT = Key("next", "n", "next(1)", "next", "Go to the next match, change or problem.")
PREVIOUS = Key("previous", "N", "next(-1)", "previous", "Go to the previous match, change or problem.")
OLDER = Key("older", "left_square_bracket", "walk(-1)", "older", "Show the previous version.")
NEWER = Key("newer", "right_square_bracket", "walk(1)", "newer", "Show the next version.")
MARK = Key("mark", "space", "mark", "mark", "Mark the row under the cursor, or unmark it.")
UNMARK = Key("unmark", "u", "unmark", "clear the marks", "Clear the marks.")
COMPARE = Key("compare", "d", "diff", "compare", "Compare the two marked rows, or this version with the one before it.")
COPY = Key("copy", "y", "copy", "copy", "Copy what is under the cursor, or everything shown.")
SAVE = Key("save", "e", "export", "save", "Save what is shown to a file.")
THEME = Key("theme", "T", "theme", "theme", "Choose the colours, shown as the cursor moves; they are written to the settings only if you say so.")
SYNC = Key("sync", "R", "sync", "sync", "Update the policies: from AWS or, without credentials, from a public archive.")
RENEW = Key("renew", "r", "refresh_data", "renew", "Refresh what this screen shows.")
NOTES = Key("notes", "i", "notes", "notes", "Show all notes on the policy: reasons, and where AWS contradicts itself; i or esc closes them.")
VIEW = Key("view", "v", "view", "view", "Go to the next view of this screen.")
SCOPE = Key("scope", "s", "scope", "scope", "Next list: the EKS policies, all of AWS's, what controllers publish, EKS access policies, or all of these.")
TABLE = Key("table", "t", "matrix", "table", "Show services by access level, for the marked policies side by side or for the one shown.")
SIMULATE = Key("simulate", "S", "simulate", "ask IAM", "Also ask IAM's policy simulator about a role's request, and which layer denies it.")
KUBERNETES = Key("kubernetes", "K", "kubernetes", "pods", "Read the cluster's pods, service accounts and aws-auth by your kubectl; esc stops.")
# fmt: on

RENEWING = (SYNC.id, RENEW.id, KUBERNETES.id)
"""The ids of the keys that ask for newer data."""

bound_keys: dict[str, Key] = {value.id: value for value in globals().values() if isinstance(value, Key)}
"""The keys above, and those that a screen or pane has bound besides."""


def declared_keys(owner: object) -> tuple[Key, ...]:
    """Return the keys of a screen or widget, those of its own class first, without duplicates."""
    keys: dict[str, Key] = {}
    for kind in type(owner).__mro__:
        for key in vars(kind).get("KEYS", ()):
            keys.setdefault(key.id, key)
    return tuple(keys.values())


class HasKeys:
    """A screen or widget whose bindings are its `KEYS`, unless it says otherwise."""

    KEYS: tuple[Key, ...] = ()
    BINDINGS: ClassVar[list[BindingType]] = []

    def __init_subclass__(cls, **options: Any) -> None:
        if "KEYS" in vars(cls) and "BINDINGS" not in vars(cls):
            cls.BINDINGS = bindings(cls.KEYS)
        super().__init_subclass__(**options)


def bindings(keys: Iterable[Key]) -> list[BindingType]:
    """Return Textual's bindings for these keys."""
    keys = tuple(keys)
    for key in keys:
        bound_keys.setdefault(key.id, key)
    return [Binding(key.keys, key.action, key.label, id=key.id, tooltip=key.help) for key in keys]


_SHOWN_NAMES = {
    "question_mark": "?", "slash": "/", "colon": ":", "left_square_bracket": "[", "right_square_bracket": "]",
    "pagedown": "PgDn", "pageup": "PgUp", "down": "↓", "up": "↑", "left": "←", "right": "→", "escape": "esc",
    "asterisk": "*",
}  # fmt: skip


def keys_as_shown(keys: str) -> str:
    """Return keys as they are shown: `?`, `↓ j`, `^p :`."""
    return " ".join(_SHOWN_NAMES.get(key, key.replace("ctrl+", "^")) for key in keys.split(","))


def without(keys: Iterable[Key], *unwanted: Key) -> tuple[Key, ...]:
    """Return the keys, except those that are `unwanted`."""
    names = {key.id for key in unwanted}
    return tuple(key for key in keys if key.id not in names)


# The user's own keys, as the settings have them under `[keys]`


def all_keys() -> tuple[Key, ...]:
    """Return all keys, those that only one pane or screen has included."""
    for room in ("ekstui.tui.widgets", "ekstui.tui.screens"):
        for module in iter_modules(import_module(room).__path__):
            import_module(f"{room}.{module.name}")
    return tuple(bound_keys.values())


def unknown_ids(ids: Collection[str]) -> tuple[str, ...]:
    """Return a warning for each unknown id, with the most similar known one."""
    if not ids:
        return ()  # like nearly every user's, and all keys are in modules that the start does not need
    declared_ids = tuple(key.id for key in all_keys())
    return tuple(
        f"No key has the id {name}{nearest_words(name, declared_ids)}." for name in ids if name not in declared_ids
    )


def clashes(keymap: Mapping[str, str]) -> dict[str, str]:
    """Return why keys in the settings cannot be used, by id: a key of two ids would do only one of two things."""
    if not keymap:
        return {}
    by_id = {key.id: keymap.get(key.id, key.keys) for key in all_keys()}
    owners: dict[str, list[str]] = {}
    for name, keys in by_id.items():
        # Textual spells `/` and `slash` in one way.
        for binding in Binding.make_bindings([Binding(keys, name)]):
            owners.setdefault(binding.key, []).append(name)
    return {
        name: f"{keys_as_shown(key)} is also the key of {neighbour}"
        for key, names in owners.items()
        for name in names
        for neighbour in names
        if name in keymap and neighbour != name
    }
