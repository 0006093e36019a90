"""The real app with a bug in it: `python -m tests.tui.crashing WHERE`."""

import sys

from ekstui.cli.main import main as run
from ekstui.tui.app import EkstuiApp
from ekstui.tui.screens.explorer_screen import ExplorerScreen
from ekstui.tui.screens.help_screen import HelpScreen
from ekstui.tui.widgets.policies_pane import PoliciesPane
from ekstui.tui.widgets.rows import RowList
from ekstui.tui.widgets.versions_pane import VersionsPane

SECRET = "".join(["arn:aws:iam::", "999988887777", ":role/secret-\x1b[31m"])


def broken(*_: object, **__: object) -> None:
    """Fail with a secret in a local variable and in the error's message."""
    token = SECRET
    raise KeyError(token)


def broken_once(kind: type, name: str) -> None:
    """Make a method fail on its first call."""
    original = getattr(kind, name)

    def first(*arguments: object, **options: object) -> object:
        setattr(kind, name, original)
        broken()
        return original(*arguments, **options)

    setattr(kind, name, first)


def main() -> int:
    """Install the bug and start the app."""
    match sys.argv[1]:
        case "pane":
            VersionsPane.build_rows = broken  # type: ignore[assignment, method-assign]
        case "key":
            ExplorerScreen.action_mark = broken  # type: ignore[method-assign]
        case "timer":
            broken_once(ExplorerScreen, "catch_up")
        case "paint":
            move = RowList.action_move

            def break_and_move(self: RowList, step: int) -> None:
                broken_once(RowList, "render_line")
                move(self, step)

            RowList.action_move = break_and_move  # type: ignore[method-assign]
        case "background":
            EkstuiApp.on_mount = lambda self: self.library  # type: ignore[method-assign, assignment]
            from ekstui.library import Library

            Library.summary = broken  # type: ignore[assignment, method-assign]
        case "always":
            PoliciesPane.watch_marks = broken  # type: ignore[method-assign]
            RowList.render_line = broken  # type: ignore[assignment, method-assign]
        case "mount":
            HelpScreen.on_mount = broken  # type: ignore[attr-defined]
        case "compose":
            ExplorerScreen.compose = broken  # type: ignore[assignment, method-assign]
        case "exit":
            EkstuiApp.on_unmount = broken  # type: ignore[method-assign]
    sys.argv[1:] = ["open", "--offline"]
    return run()


if __name__ == "__main__":
    sys.exit(main())
