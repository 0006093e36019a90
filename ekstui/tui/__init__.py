"""The app, on Textual.

- `app.EkstuiApp` is the app, which opens screens: `crash` keeps it alive, `base` has its library, sends keys, and says
  what it asks of a screen.
- `screens.explorer_screen` is the first screen, whose panes are in `widgets`; start reading there. A screen with an
  answer is a `screens.report.ReportScreen`: a question, and its answer as rows.
- `keys` has the keys that several places share, `messages` what panes and screens ask for, `background` runs slow work.
- `driver` sends only what changed to the terminal, and knows nothing of ekstui.
"""
