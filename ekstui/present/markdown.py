"""Markdown, made of blocks: for an incident channel or a pull request. What is data shows as it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ekstui.core.text import clean, clean_line
from ekstui.present.blocks import Block, Code, Heading, Line, Node, Sentence, Span, Table, Tree, spans
from ekstui.present.layout import fitted


def markdown(blocks: Sequence[Block]) -> str:
    """Return an answer as Markdown."""
    found = ["\n".join(lines) for block in blocks if (lines := list(_block(block)))]
    return "\n\n".join(found) + "\n"


def escaped(text: str) -> str:
    """Return text that Markdown shows as it is."""
    return "".join(f"\\{character}" if character in r"\`*_{}[]<>#|" else character for character in clean_line(text))


def _block(block: Block) -> Iterator[str]:
    match block:
        case Heading(line, level):
            if fitted(line, "markdown"):
                yield f"{'#' * level} {_line(line, strong=False)}"
        case Sentence(line):
            if fitted(line, "markdown"):
                yield _line(line)
        case Tree(nodes):
            for node in nodes:
                yield from _node(node, "")
        case Code(text, language):
            fence = "```"
            while fence in text:
                fence += "`"
            yield f"{fence}{language}"
            yield clean(text).rstrip("\n")
            yield fence
        case Table(columns, rows) if rows:
            yield f"| {' | '.join(escaped(column.title) for column in columns)} |"
            yield "|" + "|".join("---:" if column.right else "---" for column in columns) + "|"
            for row in rows:
                cells = [_line(cell, strong=False) for cell in row.cells]
                cells[-1] += "".join(f"<br>{_line(below)}" for below in row.below if fitted(below, "markdown"))
                yield f"| {' | '.join([*cells, *[''] * (len(columns) - len(cells))])} |"


def _node(node: Node, indent: str) -> Iterator[str]:
    if not fitted(node.line, "markdown"):
        return
    yield f"{indent}- {_line(node.line)}"
    for child in node.children:
        yield from _node(child, indent + "  ")


def _line(line: Line, *, strong: bool = True) -> str:
    return "".join(_span(span, strong=strong) for span in spans(line) if span.is_for("markdown")).strip()


def _span(span: Span, *, strong: bool) -> str:
    if span.code:
        return _code(span.text)
    text = escaped(span.text)
    if not strong or span.style not in ("strong", "bad") or not text.strip():
        return text
    # Markdown takes no spaces between the asterisks and the words.
    words = text.strip()
    return text.replace(words, f"**{words}**", 1)


def _code(text: str) -> str:
    """Return text as inline code, safe inside a table; a backtick becomes an apostrophe."""
    text = clean_line(text)
    return "`" + text.replace("`", "'").replace("|", "\\|") + "`" if text else ""
