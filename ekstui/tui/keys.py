"""Every key of the app, declared once: the bindings, the footer, the help, the palette and the manual come from here.

A key can be rebound by its id, in the settings under `[keys]`.
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple

from textual.binding import Binding, BindingType

from ekstui.config.effective import nearest_words

Where = Literal[
    "app", "rows", "explorer", "report", "compare", "role", "changes", "asking", "who-can", "explain", "action",
    "matrix", "cluster", "map", "account",
]  # fmt: skip


class Key(NamedTuple):
    """One thing that keys do."""

    id: str
    """What the user rebinds it by, such as `pane.policies`."""
    where: Where
    """The screen or widget that it belongs to."""
    keys: str
    """The keys, in Textual's names, with commas between."""
    action: str
    """The Textual action."""
    label: str
    """A word or two, for the footer."""
    help: str
    """One sentence, for the help and the manual."""
    footer: bool = False
    """Whether the footer has room for it."""


KEYS: tuple[Key, ...] = (
    Key("app.help", "app", "question_mark", "help", "help", "Show the keys for where you are.", footer=True),
    Key("app.palette", "app", "ctrl+p,colon", "command_palette", "commands", "Open the palette: policies, versions, screens, commands."),
    Key("app.account", "app", "a", "account", "account", "Choose the profile and region of the account."),
    Key("app.repaint", "app", "ctrl+l", "repaint", "repaint", "Paint the whole screen again."),
    Key("app.back", "app", "escape", "back", "back", "Go back one step, with cursor and filter as they were."),
    Key("app.suspend", "app", "ctrl+z", "suspend_process", "suspend", "Leave the app stopped in the shell's background; fg brings it back."),
    Key("app.quit", "app", "q,ctrl+q", "quit", "quit", "Quit.", footer=True),
    Key("rows.down", "rows", "down,j", "down", "down", "Move down."),
    Key("rows.up", "rows", "up,k", "up", "up", "Move up."),
    Key("rows.page-down", "rows", "pagedown", "page_down", "page down", "Move down one page."),
    Key("rows.page-up", "rows", "pageup", "page_up", "page up", "Move up one page."),
    Key("rows.half-page-down", "rows", "ctrl+d", "half_page_down", "half page down", "Move down half a page."),
    Key("rows.half-page-up", "rows", "ctrl+u", "half_page_up", "half page up", "Move up half a page."),
    Key("rows.first", "rows", "home,g", "first", "first", "Move to the first row."),
    Key("rows.last", "rows", "end,G", "last", "last", "Move to the last row."),
    Key("rows.open", "rows", "enter", "open", "open", "Go deeper: open what the cursor is on."),
    Key("pane.policies", "explorer", "1", "pane('policies')", "policies", "Go to the policies."),
    Key("pane.permissions", "explorer", "2", "pane('permissions')", "permissions", "Go to the permissions."),
    Key("pane.versions", "explorer", "3", "pane('versions')", "versions", "Go to the versions; above them the changes per quarter, behind … the number of those before."),
    Key("pane.attached", "explorer", "4", "pane('attached')", "attached", "Go to the attachments in the account."),
    Key("pane.next", "explorer", "tab", "next_pane(1)", "next pane", "Go to the next pane."),
    Key("pane.previous", "explorer", "shift+tab", "next_pane(-1)", "previous pane", "Go to the pane before."),
    Key("pane.left", "explorer", "left,h", "next_pane(-1)", "pane left", "Go to the pane before."),
    Key("pane.right", "explorer", "right,l", "next_pane(1)", "pane right", "Go to the next pane."),
    Key("pane.zoom", "explorer", "z", "zoom", "zoom", "Let the pane fill the screen, or put it back."),
    Key("explorer.filter", "explorer", "slash", "filter", "filter", "Filter the focused pane; with nothing typed the filter is cleared.", footer=True),
    Key("explorer.older", "explorer", "left_square_bracket", "older", "older", "Show the version before."),
    Key("explorer.newer", "explorer", "right_square_bracket", "newer", "newer", "Show the next version."),
    Key("explorer.mark", "explorer", "space", "mark", "mark", "Mark the policy or version under the cursor: d compares the last two marks, t puts up to four side by side."),
    Key("explorer.diff", "explorer", "d", "diff", "diff", "Compare the last two marks, of one policy the older version first; or the shown version with the one before.", footer=True),
    Key("explorer.copy", "explorer", "y", "copy", "copy", "Copy the name, ARN, action, statement or document under the cursor."),
    Key("explorer.export", "explorer", "e", "export", "export", "Write the shown version to a file: JSON, Markdown, Terraform, CloudFormation."),
    Key("explorer.scope", "explorer", "s", "scope", "scope", "Switch between the EKS policies and all.", footer=True),
    Key("explorer.refresh", "explorer", "r", "refresh_data", "refresh", "Ask AWS again: for the account, and from the list of policies for what is new of those too.", footer=True),
    Key("explorer.clusters", "explorer", "c", "clusters", "clusters", "Choose a cluster: its health, its roles, and what is missing or too much.", footer=True),
    Key("explorer.map", "explorer", "M", "cluster_map", "map", "Choose a cluster: its roles and their policies as a tree that can be walked."),
    Key("explorer.changes", "explorer", "f", "changes", "changes", "Show what AWS changed across the policies, newest first.", footer=True),
    Key("explorer.who-can", "explorer", "w", "who_can", "who can", "Show which policies allow the action under the cursor, or any other.", footer=True),
    Key("explorer.explain", "explorer", "x", "explain", "explain", "Explain why a request is denied: paste a message, or begin with the action under the cursor.", footer=True),
    Key("explorer.about", "explorer", "i", "about", "about", "Show all that is known of the policy: its notes, and what people are paged for."),
    Key("explorer.remaining", "explorer", "m", "remaining", "remaining", "Show the services and actions that the version does not allow, or those it does."),
    Key("explorer.matrix", "explorer", "t", "matrix", "table", "Show services by access levels as a table, for the marked policies side by side or for the shown one."),
    Key("explorer.quiet", "explorer", "v", "quiet", "quiet steps", "Hide the versions that change nothing, or show them."),
    Key("changes.period", "changes", "p", "period", "period", "Look further back: 30 days, 90 days, a year, all years.", footer=True),
    Key("changes.scope", "changes", "s", "scope", "scope", "Switch between the EKS policies and all.", footer=True),
    Key("changes.quiet", "changes", "v", "quiet", "quiet steps", "Show or hide the steps that change nothing.", footer=True),
    Key("role.view", "role", "v", "view", "view", "Switch the view: about, permissions, trust policy.", footer=True),
    Key("role.explain", "role", "x", "explain", "explain", "Explain why a request of the role is denied, beginning with the action under the cursor."),
    Key("asking.edit", "asking", "i", "edit", "edit", "Change the question.", footer=True),
    Key("who-can.scope", "who-can", "s", "scope", "scope", "Switch between the EKS policies and all.", footer=True),
    Key("explain.simulate", "explain", "S", "simulate", "ask IAM", "Ask IAM's own simulator about the same request of a role, beside the verdict.", footer=True),
    Key("explain.again", "explain", "x", "explain", "explain", "Explain another request."),
    Key("action.explain", "action", "x", "explain", "explain", "Explain why a request for this action is denied.", footer=True),
    Key("matrix.view", "matrix", "v", "view", "view", "Switch between numbers and signs.", footer=True),
    Key("cluster.map", "cluster", "M", "map", "map", "Show the cluster as a tree: how roles are used, the roles, their policies.", footer=True),
    Key("map.unfold", "map", "right,l", "unfold", "unfold", "Unfold what the cursor is on, or go into it.", footer=True),
    Key("map.fold", "map", "left,h", "fold", "fold", "Fold what the cursor is on, or go to what it is in.", footer=True),
    Key("map.toggle", "map", "space", "toggle_fold", "toggle", "Fold or unfold what the cursor is on."),
    Key("map.toggle-all", "map", "z", "toggle_all", "all", "Unfold all roles, or fold them.", footer=True),
    Key("account.diff", "account", "d", "diff", "diff", "Compare the copy under the cursor with the version of AWS's policy that it is most like.", footer=True),
    Key("report.next", "report", "n", "next(1)", "next", "Go to the next change, or match of the search.", footer=True),
    Key("report.previous", "report", "N", "next(-1)", "previous", "Go to the previous change, or match of the search."),
    Key("report.search", "report", "slash", "search", "search", "Search in what is shown, or filter the table and the tree; n and N go between the matches.", footer=True),
    Key("report.refresh", "report", "r", "refresh_data", "refresh", "Ask again."),
    Key("report.who-can", "report", "w", "who_can", "who can", "Show which policies allow the action under the cursor, or any other."),
    Key("report.copy", "report", "y", "copy", "copy", "Copy what is under the cursor, or all that is shown."),
    Key("report.export", "report", "e", "export", "export", "Write what is shown to a file."),
    Key("compare.view", "compare", "v", "view", "view", "Switch the view: meaning, unified, side by side.", footer=True),
    Key("compare.swap", "compare", "x", "swap", "swap", "Swap the sides.", footer=True),
    Key("compare.older", "compare", "left_square_bracket", "walk(-1)", "older", "Compare the pair of versions before this one.", footer=True),
    Key("compare.newer", "compare", "right_square_bracket", "walk(1)", "newer", "Compare the pair of versions after this one.", footer=True),
)  # fmt: skip


def bindings(where: Where) -> list[BindingType]:
    """Return the Textual bindings of one screen or widget."""
    return [
        Binding(key.keys, key.action, key.label, show=key.footer, id=key.id, tooltip=key.help)
        for key in keys_of((where,))
    ]


def keys_of(places: Iterable[Where]) -> tuple[Key, ...]:
    """Return the keys of these places in the table's order."""
    wanted = set(places)
    return tuple(key for key in KEYS if key.where in wanted)


def key_of(name: str) -> Key:
    """Return the key with this id, which it must be one of."""
    return next(key for key in KEYS if key.id == name)


def unknown_ids(ids: Iterable[str]) -> tuple[str, ...]:
    """Return a sentence for each id that no key has, with the nearest that one has."""
    known = tuple(key.id for key in KEYS)
    return tuple(f"No key has the id {name}{nearest_words(name, known)}." for name in ids if name not in known)


_SPELLED = {
    "question_mark": "?", "slash": "/", "colon": ":", "left_square_bracket": "[", "right_square_bracket": "]",
    "pagedown": "PgDn", "pageup": "PgUp", "down": "↓", "up": "↑", "left": "←", "right": "→", "escape": "esc",
}  # fmt: skip


def spelled(keys: str) -> str:
    """Return keys as people read them: `? `, `↓ j`, `^p :`."""
    return " ".join(_SPELLED.get(key, key.replace("ctrl+", "^")) for key in keys.split(","))
