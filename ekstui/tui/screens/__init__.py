"""The screens of the app: one for each kind of question, and the dialogs above them.

- `explorer_screen` is the first screen, with its four panes; `panes_layout` places them.
- `report` is the base of the others: a screen asks the library one question in the background, and shows the answer's
  blocks as rows. `asking` is the base of those whose question the user types. Start with `matrix_screen` and `report`.
- `dialogs`, `palette_screen`, `theme_screen` and `copying` let the user choose, and go away with the choice.
"""
