"""Answers as blocks, without a framework, and three renderers: rows of the app, lines of a terminal, Markdown."""
