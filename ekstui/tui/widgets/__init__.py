"""The widgets that the screens are made of: lists, the four panes, and the bars around them.

- `rows` has the one widget for every list, tree, table and text (`RowList`); what a row is, is `present`'s `Row`.
- `pane` is the base of the four panes, with a filter and a place for failures; start reading there. Each pane is a
  module: `policies_pane`, `permissions_pane` (with `last_use`), `versions_pane`, `attached_pane`. A pane is bound to
  what the first screen shows, and tells it what is chosen by a message.
- `bars` are the widgets of one line; `explorer_header` is the first screen's.
"""
