"""A comparison as blocks: both sides, what the difference means and why, then what differs, action by action."""

from collections.abc import Collection, Hashable, Iterator, Sequence

from ekstui.change.differences import (
    SPELLED_OUT,
    ActionDifference,
    ConditionChange,
    CoveredActions,
    Differences,
    LineChange,
    ResourceChange,
    ResourceList,
    Way,
    WayChange,
)
from ekstui.change.policy import version_label
from ekstui.eks.knowledge import Update
from ekstui.iam.reference import reference
from ekstui.library.catalog import ComparedSide
from ekstui.library.comparing import AttachedCount, Comparison, short_label
from ekstui.present import comparison_grid
from ekstui.present.attachment_report import entities_words
from ekstui.present.blocks import (
    Block,
    Code,
    Heading,
    Line,
    Node,
    Sentence,
    Span,
    Tree,
    as_of_words,
    bounded,
    code,
    condition_line,
    filled_in,
    iso_day,
    joined,
    level_style,
    muted,
    parts,
    reach_style,
    section,
)
from ekstui.present.styled import Style

REASONS_SHOWN = 3
"""The most versions whose reason is shown; a comparison across more says where to find the others."""

NAMES_IN_LINE = 4
"""The most actions in one line; more are grouped by service."""

PART_SHOWN = 12
"""The most actions of a pattern that are named."""

_PLAIN_OPERATORS = {"stringequals", "stringlike", "arnequals", "arnlike", "bool", "null", ""}
"""Operators that are left out where values change, since one more value plainly allows more."""


def comparison_blocks(comparison: Comparison, *, full: bool = False) -> list[Block]:
    """Return the whole answer; with `full`, the differences of two policies also in sentences."""
    blocks: list[Block] = [Heading(sides_line(comparison), 1)]
    if not comparison.is_one_policy:
        blocks.append(Sentence(counts_words(comparison)))
    blocks += [*meaning_blocks(comparison, full=full), *difference_blocks(comparison)]
    if not comparison.is_one_policy:
        blocks += _between_policies(comparison.differences, *comparison.names) if full else [Sentence(_FOR_SENTENCES)]
    return blocks


_FOR_SENTENCES = Span("--full explains each difference in a sentence.", "muted", media="terminal")


def sides_line(comparison: Comparison) -> Line:
    """Return both sides: two versions of one policy with their dates, two policies with their letters."""
    before, after = comparison.before, comparison.after
    if comparison.is_one_policy:
        name = before.policy.name if before.policy else ""
        return (code(name, "strong"), f"  {_version(before)} → {_version(after)}")
    return (*_side(before), " (A) ⇄ ", *_side(after), " (B)")


def meaning_blocks(comparison: Comparison, *, full: bool = False) -> Iterator[Block]:
    """Yield what the difference means, AWS's reasons, who has the policy attached, and what could not be judged.

    Of two policies, only `full` tells what their grid shows.
    """
    verdict = verdict_line(comparison)
    dates = () if comparison.is_one_policy else (Span(_dates(comparison), "muted"),)
    yield Sentence((*(verdict if full or comparison.is_one_policy else verdict[:1]), *dates))
    yield from _reasons(comparison)
    for count in comparison.attached:
        yield Sentence(_attachment_line(count))
    if not comparison.is_one_policy:
        for side in (comparison.before, comparison.after):
            yield from _parameters(side)
    for note in comparison.change.notes:
        yield muted(f"note: {note}")


def verdict_line(comparison: Comparison) -> tuple[Span, str]:
    """Return what the difference means, and after a colon what makes it so."""
    change = comparison.change
    word, colon, detail = change.verdict.partition(":")
    return (Span(word, reach_style(change.reach)), f"{colon}{detail}")


def difference_blocks(comparison: Comparison, open_rows: Collection[Hashable] = ()) -> list[Block]:
    """Return what differs, action by action: of two policies as a grid, whose open rows have their sentences."""
    if comparison.is_one_policy:
        return _between_versions(comparison.differences)
    removed, added = map(frozenset, (comparison.differences.removed, comparison.differences.added))

    def sentences(difference: ActionDifference) -> list[Line]:
        if difference in removed:
            return [*_lines_of(_one_sided(difference, "−", "removed"))]
        if difference in added:
            return [*_lines_of(_one_sided(difference, "+", "added"))]
        head, *further_lines = _lines_of(_change_node(difference, two=True))
        return [(*parts(head), Span("   − A", "removed"), Span("  + B", "added")), *further_lines]

    return [comparison_grid.grid(comparison.differences, open_rows, sentences)]


def _lines_of(node: Node, indent: str = "") -> Iterator[Line]:
    if not isinstance(node.line, Code):
        yield (indent, *parts(node.line))
    for child in node.children:
        yield from _lines_of(child, indent + "  ")


def _between_versions(differences: Differences) -> list[Block]:
    nodes = [
        *(_change_node(difference) for difference in differences.changed),
        *(_one_sided(difference, "+", "added") for difference in differences.added),
        *(_one_sided(difference, "−", "removed") for difference in differences.removed),
        *map(_covering_node, differences.covered),
    ]
    return [Tree(nodes)] if nodes else []


def _between_policies(differences: Differences, name_a: str, name_b: str) -> Iterator[Block]:
    added, removed, changed_count = differences.counts
    yield from _only_in(name_a, differences.removed, removed, "−", "removed")
    yield from _only_in(name_b, differences.added, added, "+", "added")
    if differences.changed:
        legend = (Span(f"   − {name_a}", "removed"), Span(f"   + {name_b}", "added"))
        yield Heading((Span(f"In both, but not alike ({changed_count})", "strong"), *legend))
        yield Tree([_change_node(difference, two=True) for difference in differences.changed])
    if differences.alike:
        by_pattern = {name for line in differences.covered for name in line.actions}
        plain = [
            (effect, tuple(name for name in names if name not in by_pattern)) for effect, names in differences.alike
        ]
        yield Heading(f"In both ({sum(len(names) for _, names in differences.alike)})")
        yield Tree(
            [*_by_service_of(plain), *(_covering_in_both(line, (name_a, name_b)) for line in differences.covered)]
        )


def _only_in(name: str, differences: Sequence[ActionDifference], count: int, sign: str, style: Style) -> list[Block]:
    title = ("Only in ", code(name, "strong"), f" ({count})")
    return section(title, [_one_sided(difference, sign, style) for difference in differences])


def _dates(comparison: Comparison) -> str:
    days = (iso_day(side.created) for side in (comparison.before, comparison.after))
    dated_letters = [f"{letter} is of {day}" for letter, day in zip("AB", days, strict=True) if day]
    return f"   {', '.join(dated_letters)}" if dated_letters else ""


def counts_words(comparison: Comparison) -> str:
    """Return how many actions differ, as `+1 −0 ~2`; of two policies, how many only one and both have."""
    if not comparison.is_one_policy:
        return comparison_grid.counts_by_side(comparison.differences)
    added, removed, changed_count = comparison.differences.counts
    return f"+{added} −{removed} ~{changed_count}"


def way_line(way: Way) -> tuple[str | Span, ...]:
    """Return the conditions of a way, all of which must hold."""
    return joined(
        " and ", [condition_line(condition, _short_values(condition.values), joint=len(way) > 1) for condition in way]
    )


def ways_line(ways: Sequence[Way]) -> tuple[str | Span, ...]:
    """Return ways, any one of which is enough; nothing if one has no conditions."""
    if any(not way for way in ways):
        return ()
    return (" if ", *joined(", or if ", [way_line(way) for way in ways]))


def _reasons(comparison: Comparison) -> Iterator[Block]:
    updates = comparison.updates
    for update in updates[:REASONS_SHOWN]:
        yield Sentence(_reason(update, back=comparison.goes_back))
    if len(updates) > REASONS_SHOWN and comparison.after.policy:
        name = comparison.after.policy.name
        yield Sentence(f"{len(updates) - REASONS_SHOWN} more reasons:")
        yield Code(f"ekstui versions {name}", "sh")
    if comparison.supersession:
        yield Sentence(comparison.supersession)


def _reason(update: Update, *, back: bool) -> Line:
    line: list[str | Span] = [
        Span(f"{'without ' if back else ''}{version_label(update.version)}: ", "strong"),
        update.text,
    ]
    if update.disagreement:
        line += [Span(" But: ", "warn"), update.disagreement]
    return tuple(line)


def _parameters(side: ComparedSide) -> Iterator[Block]:
    """Yield the values used for the parameters of a controller's policy, and which are unknown."""
    words, missing_parameters = filled_in(side.parameters)
    if words:
        yield Sentence((code(short_label(side)), f" with {words}"))
    if missing_parameters:
        yield muted(
            f"unknown, and so compared as different values: {missing_parameters} (set them with --param NAME=VALUE)"
        )


def _attachment_line(count: AttachedCount) -> Line:
    entities = entities_words(count.roles, count.users, count.groups, "nothing", complete=count.complete)
    text = f"{count.policy} is attached to {entities}"
    if count.boundaries:
        text += f", and is the boundary of {count.boundaries:,}"
    return f"{text} in account {count.account}, {as_of_words(count.fetched_at)}."


def _side(side: ComparedSide) -> tuple[str | Span, ...]:
    if side.policy is None or side.version is None:
        return (code(side.label, "strong"),)
    return (code(side.policy.name, "strong"), f" {version_label(side.version)}")


def _version(side: ComparedSide) -> str:
    day = f" ({side.created:%Y-%m-%d})" if side.created else " (date unknown)"
    return f"{version_label(side.version or 0)}{day}"


def _one_sided(difference: ActionDifference, sign: str, style: Style) -> Node:
    head = (Span(f"{sign} ", style), *_effect(difference))
    grant_lines = [("on ", *_places(place.place), *ways_line(place.ways)) for place in difference.granted]
    only_grant: tuple[str | Span, ...] = ("  ", *grant_lines[0]) if len(grant_lines) == 1 else ()
    children = [] if only_grant else [*map(Node, grant_lines)]
    if difference.element == "NotAction" or len(difference.actions) <= NAMES_IN_LINE:
        line = (*head, *_names(difference.actions, style), *_part(difference), *only_grant)
    else:
        line = (*head, Span(f"{len(difference.actions)} actions", style), *only_grant)
        children = [*children, *_by_service(difference.actions)]
    return Node(line, children, value=difference, key=(sign, difference.effect, difference.actions))


def _part(difference: ActionDifference) -> tuple[str | Span, ...]:
    """Return a single action's level, or which actions of a pattern are concerned."""
    if difference.part:
        total = len(reference().expand(difference.actions[0]))
        words = f"  {len(difference.part):,} of its {total:,} actions"
        if len(difference.part) <= PART_SHOWN:
            words += f": {', '.join(text.partition(':')[2] for text in difference.part)}"
        return (Span(words, "muted"),)
    if len(difference.actions) != 1:
        return ()
    (name,) = difference.actions
    if action := reference().find(name):
        return (Span("  " + " + ".join(action.levels), level_style(action.level)),)
    count = len(reference().expand(name))
    return (Span(f"  {count:,} actions" if count else "  not in the reference", "muted"),)


def _change_node(difference: ActionDifference, *, two: bool = False) -> Node:
    count = len(difference.actions)
    head: tuple[str | Span, ...] = (Span("~ ", "warn"), *_effect(difference))
    if difference.element == "NotAction":
        names = (*_values("−", "removed", difference.names_removed), *_values("+", "added", difference.names_added))
        line = (*head, "what is left out", *names)
    elif count == 1:
        line = (*head, *_names(difference.actions, "warn"))
    elif count <= NAMES_IN_LINE:
        line = (*head, Span(f"{count} actions: ", "warn"), *_names(difference.actions))
    else:
        line = (*head, Span(f"{count} actions:", "warn"))
    children = [
        *(_by_service(difference.actions) if count > NAMES_IN_LINE and difference.element == "Action" else []),
        *(Node(_resources(resource, two=two)) for resource in difference.resources),
        *(node for condition in difference.conditions for node in _conditions(condition, two=two)),
    ]
    return Node(line, children, value=difference, key=("~", difference.effect, difference.actions))


def _resources(change: ResourceChange, *, two: bool) -> Line:
    pieces: list[str | Span] = ["everything but" if change.listed or change.element == "NotResource" else "resource"]
    pieces += [*_values("−", "removed", change.removed), *_values("+", "added", change.added)]
    conditions = ways_line(change.ways)
    # Otherwise only what was added would seem to have the conditions.
    remark = "  in both" if two else "  as before"
    return (*pieces, remark if conditions and change.removed and change.added else "", *conditions)


def _conditions(change: ConditionChange, *, two: bool) -> Iterator[Node]:
    """Yield how the conditions on some resources changed; several lines are put below the resources."""
    lines = list(_condition_lines(change, two=two))
    if change.everywhere:
        yield from map(Node, lines)
    elif len(lines) == 1:
        yield Node(("on ", *_places(change.place), ": ", *lines[0]))
    else:
        yield Node(("on ", *_places(change.place), ":"), [Node(line) for line in lines])


def _condition_lines(change: ConditionChange, *, two: bool) -> Iterator[tuple[str | Span, ...]]:
    for way in change.revised:
        yield from _way_change(way, two=two)
    is_alone = not change.revised and not change.kept and not two
    if is_alone and change.gone == ((),) and change.new:
        yield (Span("now only", "added"), *ways_line(change.new))
    elif is_alone and change.new == ((),) and change.gone:
        yield (Span("no longer", "removed"), *ways_line(change.gone))
    else:
        beside = bool(change.kept or change.revised)
        yield from _signed_ways("−", "removed", change.gone, beside=beside)
        yield from _signed_ways("+", "added", change.new, beside=beside)


def _signed_ways(sign: str, style: Style, ways: Sequence[Way], *, beside: bool) -> Iterator[tuple[str | Span, ...]]:
    """Yield the ways of one side, marked as alternatives if there are several, or others on both sides (`beside`)."""
    for number, way in enumerate(ways):
        joint = " or" if number or beside else ""
        yield (Span(f"{sign}{joint}", style), *(ways_line((way,)) or (" without condition",)))


def _way_change(change: WayChange, *, two: bool) -> Iterator[tuple[str | Span, ...]]:
    for line in change.lines:
        yield _line_change(line)
    if change.gone:
        yield (Span("− if " if two else "no longer if ", "removed"), *way_line(change.gone))
    if change.new:
        yield (Span("+ if " if two else "now only if ", "added"), *way_line(change.new))


def _line_change(change: LineChange) -> tuple[str | Span, ...]:
    before, after = change.before, change.after
    if before.operator == after.operator:
        operator = "" if after.operator.lower() in _PLAIN_OPERATORS else f" {after.operator}"
        neighbours = (*before.values, *after.values)
        removed = _values("−", "removed", [_tail(value, neighbours) for value in change.removed])
        added = _values("+", "added", [_tail(value, neighbours) for value in change.added])
        return (code(after.key), operator, *removed, *added)
    if change.removed or change.added:
        old = (Span(f"  − {before.operator} ", "removed"), code(" or ".join(bounded(before.values)), "removed"))
        new = (Span(f"  + {after.operator} ", "added"), code(" or ".join(bounded(after.values)), "added"))
        return (code(after.key), *old, *new)
    values = f" {' or '.join(bounded(after.values))}"
    return (code(after.key), "  ", Span(before.operator, "removed"), " → ", Span(after.operator, "added"), values)


def _values(sign: str, style: Style, values: Sequence[str]) -> Iterator[Span]:
    for value in bounded(values):
        yield Span(f"  {sign} ", style)
        yield code(value, style)


def _short_values(values: Sequence[str]) -> tuple[str, ...]:
    """Return the values, each ARN without what it shares with the one before."""
    return tuple(_tail(value, values[index - 1 : index]) if index else value for index, value in enumerate(values))


def _tail(value: str, neighbours: Sequence[str]) -> str:
    """Return an ARN without what it shares with other values, such as `…/AmazonEKSPodIdentityPolicy`."""
    head, slash, tail = value.rpartition("/")
    alike = [neighbour for neighbour in neighbours if neighbour != value and neighbour.startswith(head + slash)]
    return f"…/{tail}" if value.startswith("arn:") and slash and alike else value


def _covering_node(covering: CoveredActions) -> Node:
    done = "denied" if covering.effect == "Deny" else "allowed"
    is_before = covering.side == "before"
    if covering.by == SPELLED_OUT:
        return _same(covering, "spelled out, action by action" if is_before else "in place of its actions")
    return _same(covering, f"still {done} by " if is_before else f"{done} before too, by ", code(covering.by))


def _covering_in_both(covering: CoveredActions, names: tuple[str, str]) -> Node:
    covering_name = names[1] if covering.side == "before" else names[0]
    if covering.by == SPELLED_OUT:
        return _same(covering, f"action by action in {covering_name}")
    return _same(covering, f"in {covering_name} by ", code(covering.by))


def _same(covering: CoveredActions, *words: str | Span) -> Node:
    is_short = len(covering.actions) <= NAMES_IN_LINE
    names = _names(covering.actions) if is_short else (f"{len(covering.actions)} actions",)
    return Node((Span("= ", "muted"), *names, "  ", *words), [] if is_short else _by_service(covering.actions))


def _effect(difference: ActionDifference) -> tuple[Span, ...]:
    deny = (Span("deny ", "bad"),) if difference.effect == "Deny" else ()
    return (
        (*deny, Span("everything but ", "warn")) if difference.element == "NotAction" and difference.granted else deny
    )


def _places(place: ResourceList) -> tuple[str | Span, ...]:
    names = joined(", ", [code(resource) for resource in place.resources if resource]) or ("no resource",)
    return names if place.element == "Resource" else ("everything but ", *names)


def _names(actions: Sequence[str], style: Style = "") -> tuple[str | Span, ...]:
    return joined(", ", [code(action, style) for action in actions])


def _by_service(actions: Sequence[str]) -> list[Node]:
    services: dict[str, list[str]] = {}
    for action in actions:
        service, _, name = action.partition(":")
        services.setdefault(service, []).append(name or "every action")
    return [Node((Span(f"{service}: ", "muted"), ", ".join(names))) for service, names in sorted(services.items())]


def _by_service_of(alike: Sequence[tuple[str, tuple[str, ...]]]) -> Iterator[Node]:
    for effect, names in alike:
        yield from [Node(Span("denied:", "bad"), _by_service(names))] if effect == "Deny" else _by_service(names)
