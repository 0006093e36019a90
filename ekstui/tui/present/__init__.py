"""The one place that turns values into styled text: rows, lines and words for every pane and screen."""
