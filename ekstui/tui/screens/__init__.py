"""The screens of the app: one for each kind of question, and the dialogs above them.

- `explorer_screen` is the first screen, with its four panes; `panes_layout` places them.
- `report` is the base of the others: a screen asks the library one question in the background, and shows the answer's
  blocks as rows. `asking` is the base of those whose question the user types. Start with `matrix_screen` and `report`.
- `dialogs`, `palette_screen`, `theme_screen` and `copying` let the user choose, and go away with the choice.
- `opening` and `found_things` say what opens a policy, a comparison, or what the user found.

A screen's module is imported when the app first asks for it, as `screens.help_screen`: all together take 110 ms.
"""

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ekstui.tui.screens import (
        account_screen,
        card_screens,
        changes_screen,
        cluster_screens,
        compare_screen,
        copying,
        dialogs,
        explain_screen,
        found_things,
        help_screen,
        matrix_screen,
        opening,
        palette_screen,
        pod_screen,
        role_screen,
        theme_screen,
        who_can_screen,
    )

__all__ = [
    "account_screen", "card_screens", "changes_screen", "cluster_screens", "compare_screen", "copying", "dialogs",
    "explain_screen", "found_things", "help_screen", "matrix_screen", "opening", "palette_screen", "pod_screen",
    "role_screen", "theme_screen", "who_can_screen",
]  # fmt: skip
"""The modules that are imported late."""


def __getattr__(name: str) -> ModuleType:
    """Import one of them; from then on it is an attribute of this package, as any module that was imported."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module(f"{__name__}.{name}")
