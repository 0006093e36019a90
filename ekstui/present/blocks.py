"""What an answer is made of (headings, sentences, tables, trees and code), and the pieces that several answers share.

Texts are unchanged data; the renderers clean them (`iam/text.py`). Blocks do not depend on where they are shown.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal, TypeAlias

from ekstui.eks.use_words import use_in_words
from ekstui.errors import EkstuiError, in_app
from ekstui.iam.text import listed
from ekstui.named_tuples import NamedTuple
from ekstui.present.ages import age_in_words
from ekstui.present.styled import Column as Column
from ekstui.present.styled import Style

if TYPE_CHECKING:
    from ekstui.change.comparison import Change
    from ekstui.eks.account_snapshot import AccountSnapshot, Role, SourceError, Use
    from ekstui.eks.commands import Command
    from ekstui.eks.findings.subjects import RolePolicy
    from ekstui.eks.findings.table import Finding
    from ekstui.eks.knowledge import DependentActions
    from ekstui.eks.principals import Subject
    from ekstui.iam.document import Condition
    from ekstui.iam.grants import Grant
    from ekstui.library.cluster_answers import CommonCause

Medium = Literal["app", "terminal", "markdown"]

Media = Literal["", "app", "terminal", "markdown", "outside"]
"""Where a span is shown: in one place, everywhere (empty), or everywhere but in the app."""


class Span(NamedTuple):
    """A piece of text in one style."""

    text: str
    style: Style = ""
    code: bool = False
    """Whether it is an identifier, such as an action or an ARN, which is code in Markdown."""
    media: Media = ""
    """Where it is shown; a hint about a key, for example, only in the app."""

    def is_for(self, place: Medium) -> bool:
        """Return whether it is shown in this place."""
        return self.media in ("", place) or (self.media == "outside" and place != "app")


Line: TypeAlias = str | Span | tuple[str | Span, ...]
"""Text of one paragraph; the renderers wrap it."""


def code(text: str, style: Style = "") -> Span:
    """Return an identifier."""
    return Span(text, style, code=True)


def level_style(level: str) -> Style:
    """Return the style of an access level."""
    return _LEVELS.get(level, "muted")


def severity_sign(severity: str) -> Span:
    """Return the sign of a finding's severity."""
    return Span(SEVERITY_SIGNS[severity], SEVERITY_STYLES[severity])


def reach_style(reach: str | None) -> Style:
    """Return the style of a change's reach."""
    return _REACHES.get(reach or "", "muted")


def joined(separator: str, lines: Sequence[Line]) -> tuple[str | Span, ...]:
    """Return the lines as one, with a separator between them."""
    pieces: list[str | Span] = []
    for line in lines:
        if pieces:
            pieces.append(separator)
        pieces += parts(line)
    return tuple(pieces)


def parts(line: Line) -> tuple[str | Span, ...]:
    """Return a line's pieces."""
    return (line,) if isinstance(line, str | Span) else line


def spans(line: Line) -> tuple[Span, ...]:
    """Return a line as spans, wherever they are shown."""
    return tuple(part if isinstance(part, Span) else Span(part) for part in parts(line))


def by_place(app: str, outside: str, style: Style = "") -> tuple[Span, Span]:
    """Return what is said in the app, where a key does it, and what elsewhere."""
    return Span(app, style, media="app"), Span(outside, style, media="outside")


def restyled(line: Line, style: Style) -> tuple[Span, ...]:
    """Return a line with this style where it had none."""
    return tuple(span._replace(style=span.style or style) for span in spans(line))


class Heading(NamedTuple):
    """The title of the answer (level 1, which the app shows in its header) or of a section."""

    line: Line
    level: int = 2
    value: object = None
    """What opening or copying it in the app acts on; the cursor rests only on what has a value."""
    key: Hashable = None
    """Identifies it, so that the cursor stays when the answer is laid out again; default: its position."""


class Sentence(NamedTuple):
    """One sentence, or a line about one thing."""

    line: Line
    value: object = None
    key: Hashable = None


def note(text: Line, style: Style = "warn") -> Sentence:
    """Return a warning: a sentence after an exclamation mark."""
    words = restyled(text, style)
    return Sentence((Span("! ", style, media=words[0].media), *words))


class TableRow(NamedTuple):
    """A row of a table; a single cell spans the columns."""

    cells: tuple[Line, ...]
    value: object = None
    key: Hashable = None
    below: tuple[Line | Node, ...] = ()
    """What is below the row; Markdown has the lines only, in the row's last cell."""


class Table(NamedTuple):
    """Rows in columns; if they are too wide, cells are wrapped, unless each row is to stay on one line."""

    columns: tuple[Column, ...]
    rows: Sequence[TableRow]
    one_line: bool = False
    """Whether the app cuts cells to keep each row on one line."""


class Node(NamedTuple):
    """A node of a tree, or an item of a list; a command is a node of its own, on one line."""

    line: Line | Code
    children: Sequence[Node] = ()
    value: object = None
    key: Hashable = None
    opened: bool | None = None
    """Whether it is unfolded in the app; None if it cannot be folded."""


class Tree(NamedTuple):
    """Nodes, one below the other; a list if they have no children."""

    nodes: Sequence[Node]


class Code(NamedTuple):
    """A document or a command, shown unchanged; only the app wraps a command, which is copied whole there."""

    text: str
    language: str = "json"
    value: object = None
    key: Hashable = None
    media: Media = ""


Block: TypeAlias = Heading | Sentence | Table | Tree | Code

_LEVELS: dict[str, Style] = {"Tagging": "warn", "Write": "warn", "Permissions management": "bad"}
SEVERITY_STYLES: dict[str, Style] = {"problem": "bad", "advice": "warn", "note": "muted"}
SEVERITY_SIGNS = {"problem": "✗", "advice": "!", "note": "·"}
_REACHES: dict[str, Style] = {"widened": "warn", "narrowed": "good", "mixed": "warn"}


def muted(text: str) -> Sentence:
    """Return a muted sentence."""
    return Sentence(Span(text, "muted"))


def section(title: Line, nodes: Sequence[Node]) -> list[Block]:
    """Return a list with its heading; nothing if it is empty."""
    return [Heading(title), Tree(nodes)] if nodes else []


class Fold(NamedTuple):
    """The title of a part that can be unfolded."""

    title: str


class Part(NamedTuple):
    """A part of an answer that is folded at first."""

    key: Hashable
    title: str
    blocks: Sequence[Block]


def folded(
    parts: Sequence[Part], open_keys: Collection[Hashable] | None, *, level: int = 2, besides: str = ""
) -> list[Block]:
    """Return parts of which the app shows the titles, and what is in `open_keys`; None shows all, under headings.

    Outside the app, the titles are one line, with what else there is in full.
    """
    if open_keys is None:
        return [block for part in parts for block in (Heading(part.title, level), *part.blocks)]
    blocks: list[Block] = []
    for part in parts:
        title = Span(part.title, media="app")
        blocks.append(Tree([Node(title, value=Fold(part.title), key=part.key, opened=part.key in open_keys)]))
        if part.key in open_keys:
            blocks += part.blocks
    titles = "   ".join(f"▸ {title}" for title in (*([besides] if besides else ()), *(part.title for part in parts)))
    return [*blocks, Sentence(Span(f"{titles}   (--full)", "muted", media="terminal"))] if parts else []


def iso_day(day: date | None, unknown: str = "") -> str:
    """Return a day in ISO 8601."""
    return f"{day:%Y-%m-%d}" if day else unknown


def as_of_words(time: datetime) -> str:
    """Return when something was read."""
    return f"as of {time:%Y-%m-%d %H:%M} UTC"


def verdict_span(change: Change) -> Span:
    """Return what a change means, in the style of its reach."""
    return Span(change.verdict, reach_style(change.reach))


OLD = 30
"""Age in days from which the data counts as old."""

TRACKED = "no activity in the 400 days that IAM tracks"


def about_command(command: Command) -> str:
    """Return what a command does, and which variables of the shell it needs."""
    first = f" (set {listed(command.variables)} first)" if command.variables else ""
    return f"{command.about}{first}:"


def step_blocks(steps: Iterable[tuple[str, Command]], key: Hashable) -> Iterator[Block]:
    """Yield commands, each below a label and what it does."""
    for index, (label, command) in enumerate(steps):
        yield Sentence((Span(label, "strong"), Span(about_command(command), "muted"), Span("  y", "key", media="app")))
        yield Code(command.text, "sh", command, (key, index))


def command_blocks(commands: Sequence[Command], key: Hashable) -> Iterator[Block]:
    """Yield commands, each below what it does."""
    yield from step_blocks((("", command) for command in commands), key)


def command_node(command: Command, media: Media = "") -> Node:
    """Return a command as a node."""
    return Node(Code(command.text, "sh", media=media), value=command)


def finding_line(finding: Finding | CommonCause, words: str, of: str = "") -> tuple[Span | str, ...]:
    """Return a finding's severity, its code in Markdown, what it is about unless that is above, and words on it."""
    severity = Span(finding.severity, SEVERITY_STYLES[finding.severity])
    return severity, Span(f" {finding.code}", "muted", media="markdown"), f"{of}: {words}"


def finding_node(finding: Finding) -> Node:
    """Return a finding with its title, and all else below."""
    key = ("finding", finding.code, finding.text)
    return Node(finding_line(finding, finding.title), [*finding_nodes(finding)], finding, key)


def finding_nodes(finding: Finding, account: str = "") -> Iterator[Node]:
    """Yield what is wrong, the evidence, and the commands that fix it, or in words what to change.

    With an account, Markdown has the word ACCOUNT in place of its number.
    """
    yield Node(_masked(Span(finding.text), account))
    yield from (Node(_masked(Span(evidence, "muted"), account)) for evidence in finding.evidence)
    label = Span(f"{finding.fixed_by}: ", "muted")
    for command in finding.commands:
        masked_command = command.with_variable("ACCOUNT", account) if account else command
        nodes = [command_node(command)]
        if masked_command != command:
            nodes = [
                command_node(command, "app"),
                command_node(command, "terminal"),
                command_node(masked_command, "markdown"),
            ]
        yield Node((label, about_command(command)), nodes)
    if not finding.commands and finding.change:
        yield Node((label, finding.change))
    elif not finding.commands and finding.severity == "problem":
        yield Node(Span("No next step is known.", "muted"))


def _masked(span: Span, account: str) -> tuple[Span, ...]:
    """Return a text without the number of the account where it is Markdown."""
    if not account or account not in span.text:
        return (span,)
    masked_span = span._replace(text=span.text.replace(account, "ACCOUNT"), media="markdown")
    return span._replace(media="app"), span._replace(media="terminal"), masked_span


def as_of_line(read_at: datetime, now: datetime) -> Line:
    """Return when the account was read, how long ago and, outside the app, which renews it, what asks AWS again."""
    age = age_in_words(read_at, now)
    hint = Span(" (ekstui account asks AWS again)", "muted", media="outside")
    return f"{as_of_words(read_at)}, {age}", *(() if age == "just now" else (hint,))


_MOST_CHARACTERS = 1_000
"""The most characters of values that a line shows before it counts the rest; JSON has them all."""


def bounded(values: Sequence[str]) -> list[str]:
    """Return values to show on one line: the first ones, each cut if it is long, and how much is left out."""
    texts: list[str] = []
    room = _MOST_CHARACTERS
    for number, value in enumerate(values):
        if room <= 0:
            return [*texts, f"{len(values) - number:,} more"]
        start = value[:room]
        texts.append(start if start == value else f"{start}… ({len(value) - room:,} more characters)")
        room -= len(value)
    return texts


def grant_line(grant: Grant) -> Line:
    """Return a grant's resources and conditions."""
    resources: tuple[str | Span, ...] = joined(", ", [code(resource) for resource in bounded(grant.resources)]) or (
        "no resource",
    )
    if grant.resource_element == "NotResource":
        resources = ("everything but ", *resources)
    conditions = [condition_line(condition, condition.values) for condition in grant.conditions]
    return (*resources, " if ", *joined(" and ", conditions)) if conditions else resources


def condition_line(condition: Condition, values: Sequence[str], *, joint: bool = False) -> tuple[str | Span, ...]:
    """Return a condition as key, operator and values; several values are in brackets if an "and" follows (`joint`)."""
    operator = f" {condition.operator} " if condition.operator else " "
    value_spans = joined(" or ", [code(value) for value in bounded(values)]) or ("(nothing)",)
    return (code(condition.key), operator, *(("(", *value_spans, ")") if joint and len(values) > 1 else value_spans))


def filled_in(parameters: Mapping[str, str | None]) -> tuple[str, str]:
    """Return the parameters of a controller's policy that have a value, as NAME=VALUE, and the names of the others."""
    words = ", ".join(f"{name}={value}" for name, value in parameters.items() if value is not None)
    return words, ", ".join(name for name, value in parameters.items() if value is None)


def uses_words(uses: Sequence[Use]) -> str:
    """Return what uses a role, such as `nodes workers of prod; IRSA kube-system/aws-node of prod (inferred)`."""
    return "; ".join(map(use_in_words, uses))


def last_used_words(role: Role | Subject, now: datetime) -> str:
    """Return when a role was last used, such as `2 h ago`; a dash for no tracked activity, `?` if unknown."""
    if role.last_used is None:
        return "—" if role.was_read else "?"
    return age_in_words(role.last_used, now)


def policy_node(policy: RolePolicy, word: str, key: tuple[str, ...]) -> Node:
    """Return an attached policy: its name, its version, and how it is attached."""
    version = f" v{policy.version}" if policy.version else ""
    unread = "  document not read" if policy.document is None else ""
    line = (code(policy.name), Span(version, "muted"), Span(f"  {word}", "muted"), Span(unread, "warn"))
    return Node(line, value=policy, key=key)


def incomplete_words(expected_parts: str = "every role, user and group", so: str = "") -> str:
    """Return that not everything was read, and what that means for the answer."""
    return f"Incomplete: not {expected_parts} was read{f', so {so}' if so else ''}."


def facts_tree(facts: Iterable[tuple[str, str]]) -> Tree:
    """Return facts as `word: text`, without those that have no text; each is selectable."""
    return Tree(
        [
            Node((Span(f"{word}: ", "muted"), text), value=text, key=("about", number))
            for number, (word, text) in enumerate(facts)
            if text
        ]
    )


def facts_table(facts: Iterable[tuple[str, Line]]) -> Table:
    """Return facts in two columns: a word for each, and the fact."""
    columns = (Column(""), Column("", shrink=1))
    return Table(columns, [TableRow((Span(word, "muted"), value)) for word, value in facts])


def hints_tree(hints: Sequence[DependentActions]) -> Tree:
    """Return which other actions a call needs."""
    return Tree([Node((code(", ".join(hint.needs), "strong"), f": {hint.text}")) for hint in hints])


def command_in_advice(next_step: str) -> str | None:
    """Return the command between backticks in an advice, to be copied; None if there is none."""
    match = re.search(r"`((?:aws|pip) [^`]+)`", next_step)
    return match[1] if match else None


def failure_blocks(error: EkstuiError) -> list[Block]:
    """Return an error: what happened, then what to do."""
    advice = by_place(in_app(error.next_step), error.next_step, "muted")
    return [Sentence((Span("! ", "bad"), error.message)), *([Sentence(advice)] if error.next_step else [])]


def error_notes(errors: Sequence[SourceError]) -> list[Block]:
    """Return what could not be read and what to do about it; what failed alike of several clusters once."""
    blocks: list[Block] = []
    for error in dict.fromkeys(error._replace(subject=None) for error in errors):
        region = f" in {error.region}" if error.region else ""
        action = f"{error.action}{region}: " if error.action else ""
        in_the_app, elsewhere = (f" {step}" if step else "" for step in (in_app(error.advice), error.next_step))
        line = (f"{action}{error.message}", *by_place(in_the_app, elsewhere))
        blocks.append(note(line))
    return blocks


def none_known(snapshot: AccountSnapshot) -> Span:
    """Return that the account has no cluster, or that this is not known."""
    facts = snapshot.eks
    if facts is None or any(error.source == "clusters" for error in snapshot.errors):
        return Span("not known: clusters could not be listed" if facts else "clusters were not read", "warn")
    return Span(f"no cluster in {', '.join(facts.regions) or 'any region that was asked'}")


def known_words(count: int | None, *, is_whole: bool) -> str:
    """Return how many were found; `2+` or `?` where not everything was read, since none found does not mean none."""
    return str(count) if is_whole else f"{count}+" if count else "?"


def not_looked_at(places: Sequence[str]) -> list[Block]:
    """Return a section about what was not looked at, if there is anything."""
    return section("Not looked at", [Node(Span(place, "muted")) for place in places])


def places_words(namespaces: Sequence[str] | None) -> str:
    """Return where in a cluster access is given; None is all of it."""
    return "the cluster" if namespaces is None else ", ".join(namespaces) or "no namespace"


def without_path(arn: str) -> str:
    """Return a principal as `role/NAME`, or `role/…/NAME` if it has a path, as the roles of SSO have."""
    kind, _, name = arn.rpartition(":")[2].partition("/")
    path, _, last = name.rpartition("/")
    return f"{kind}/{'…/' if path else ''}{last}" if name else kind


def age_remark(known_until: datetime, now: datetime, *, renewable: bool) -> str | None:
    """Return how old the data is, with the command that renews it unless it cannot be; None if it is not old."""
    days = (now - known_until).days
    hint = "; ekstui sync renews it" if renewable else ""
    return f"The data is {days} days old ({known_until:%Y-%m-%d}){hint}." if days >= OLD else None
