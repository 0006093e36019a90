"""How an answer reads, in blocks, independent of any framework; nothing is decided here.

- `blocks` has the blocks (heading, sentence, table, tree, code), and the words that several answers share; start
  reading there. `styled` has a row of styled text.
- Each other module lays out the answers of its subject, once for the app and the commands: `who_can_report`,
  `explanation`.
- `rendering` turns blocks into rows of the app, lines of the terminal or Markdown, and cleans texts from AWS or files.
"""
