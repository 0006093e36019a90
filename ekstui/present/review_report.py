"""What a change to a repository changes in the access that its files give."""

from collections.abc import Iterator, Sequence

from ekstui.iam.text import counted
from ekstui.library.needs import ReleaseNeed
from ekstui.library.reviewed import Review, ReviewedDocument, UnreadFile
from ekstui.present.blocks import (
    Block,
    Column,
    Heading,
    Line,
    Sentence,
    Span,
    Table,
    TableRow,
    code,
    note,
    verdict_span,
)
from ekstui.present.styled import Style


def review_blocks(review: Review) -> list[Block]:
    """Return a summary, then one row per document: first what can change or pass on rights, then what widens access."""
    order = {"widened": 0, "mixed": 1, None: 2, "unknown": 3, "narrowed": 4, "same": 5}
    documents = sorted(
        review.documents,
        key=lambda document: (not document.rights, order[_reach(document)], document.path, document.place),
    )
    columns = (Column("Document", 20, shrink=1), Column("", 8), Column("Meaning", 20))
    return [
        Heading("IAM policies in this change", 1),
        Sentence(_sum(review)),
        *([Table(columns, [*map(_document, documents)])] if documents else ()),
        *_needs(review.needs),
        *(_not_read(review.not_read)),
        *(note(f"Not read, as {file.allowed_by} allows: {file.path}: {file.reason}.") for file in review.exceptions),
    ]


def _needs(needs: Sequence[ReleaseNeed]) -> Iterator[Block]:
    for need in needs:
        for rule, words in need.sentences:
            style: Style = "bad" if rule == "release-needs" else "muted"
            place = f"{need.path}:{need.line or 1}: " if need.path else ""
            because = f" ({need.because})" if need.because else ""
            yield Sentence((Span(f"{place}{words}{because}.", style),))


def _not_read(files: Sequence[UnreadFile]) -> Iterator[Block]:
    if files:
        noun = "file may hold a policy and was" if len(files) == 1 else "files may hold a policy and were"
        yield Sentence((Span(f"{len(files)} changed {noun} not read:", "warn"),))
        yield from (note(f"{file.path}: {file.reason}.") for file in files)


def _sum(review: Review) -> str:
    reaches = [_reach(document) for document in review.documents]
    if not reaches:
        result = "No policy document that was read changes what it allows"
        return f"{result if review.not_read else 'No policy document changes what it allows'} ({_counts(review)})."
    words = [
        f"{reaches.count(reach)} {verb}"
        for reach, verb in (
            ("widened", "widened"), ("mixed", "widened and narrowed"), ("narrowed", "narrowed"),
            ("same", "with the same access"), ("unknown", "undecided"), (None, "not judged"),
        )
        if reach in reaches
    ]  # fmt: skip
    noun = "policy document changes" if len(reaches) == 1 else "policy documents change"
    return f"{len(reaches)} {noun}: {', '.join(words)} ({_counts(review)})."


def _counts(review: Review) -> str:
    cannot = review.files - review.read - len(review.unread)
    parts = (f"{review.read} read", f"{cannot} cannot hold a policy", f"{len(review.unread)} not read")
    return f"{counted(review.files, 'changed file')}: {', '.join(part for part in parts if part[0] != '0')}"


def _document(document: ReviewedDocument) -> TableRow:
    file = f"{document.path}:{document.line}" if document.line else document.path
    place: Line = code(f"{file} › {document.place}" if document.place else file)
    if document.change is None:
        return TableRow((place, document.state, Span(f"not judged: {document.reason}", "warn")))
    rights = (Span(f"can change or pass on rights ({', '.join(document.rights)}); ", "bad"),) if document.rights else ()
    parts = ", ".join(f"{part.name} {_WORDS[part.reach]}" for part in document.statements)
    return TableRow(
        (
            place,
            document.state,
            (*rights, verdict_span(document.change), *((Span(f"; {parts}", "muted"),) if parts else ())),
        )
    )


_WORDS = {
    "widened": "wider", "narrowed": "narrower", "mixed": "wider and narrower", "same": "the same",
    "unknown": "cannot tell",
}  # fmt: skip


def _reach(document: ReviewedDocument) -> str | None:
    return None if document.change is None else document.change.reach
