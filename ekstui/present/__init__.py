"""Answers as blocks, independent of any framework, and renderers for the app, the terminal and Markdown."""
