"""The decision about a request as a chain: from who asks to the statement, as far as it holds, and where it breaks."""

from collections.abc import Iterator, Sequence
from typing import Literal

from ekstui.change.policy import version_label
from ekstui.denial.answer import Explanation, layer_in_words, refused_tags
from ekstui.iam.arn import entity_of
from ekstui.iam.evaluation import Failure, StatementResult, Verdict
from ekstui.present.blocks import Line, Span, code, joined
from ekstui.present.styled import Style

LinkState = Literal["holds", "breaks", "open"]

_MARKS: dict[LinkState, tuple[str, Style]] = {"holds": ("✓", "good"), "breaks": ("✗", "bad"), "open": ("?", "warn")}

_OF_VERDICT: dict[Verdict, LinkState] = {
    "allowed": "holds", "explicit-deny": "breaks", "implicit-deny": "breaks", "depends": "open",
}  # fmt: skip

_PARTS: tuple[Literal["principal", "action", "resource", "condition"], ...] = (
    "principal",
    "action",
    "resource",
    "condition",
)
"""The parts of a statement, in the order in which they are shown."""

_MOST_WAYS = 6
"""The most alternatives on a line."""

Link = tuple[str, LinkState]
"""A link of the chain, and whether it holds."""


def chain_line(explanation: Explanation) -> Line | None:
    """Return the chain of a request that was judged; it ends where it breaks."""
    if not explanation.judged:
        return None
    return chain_of([*_links(explanation)])


def chain_of(links: Sequence[Link]) -> Line | None:
    """Return links as a line, up to the one that breaks, or else the first that is open; None for a single one."""
    states = [state for _, state in links]
    last_place = next((states.index(state) for state in ("breaks", "open") if state in states), len(links))
    parts: list[Line] = []
    for name, state in links[: last_place + 1]:
        sign, style = _MARKS[state]
        parts.append((name, Span(f" {sign}", style)))
    return joined(" → ", parts) if len(parts) > 1 else None


def _links(explanation: Explanation) -> Iterator[Link]:
    """Yield who asks, the layers of policies if there are several, then the nearest statement's policy and parts."""
    if entity_of(explanation.principal).kind == "session":
        yield "session", "holds"
    if (role := explanation.role or (explanation.trust.role if explanation.trust else None)) is not None:
        entity = entity_of(role)
        yield f"{entity.kind} {entity.name}", "holds"
    nearest = next(iter(explanation.nearest), None)
    kind = ""
    if len(explanation.layers) > 1:
        breaking = explanation.breaking_layer
        for layer in explanation.layers:
            breaks = layer is breaking
            if breaks and nearest is not None and nearest.layer == layer.layer:
                kind = "" if layer.layer == "identity" else f"{layer_in_words(layer)} "
                break
            yield layer_in_words(layer), _OF_VERDICT[layer.verdict]
            if breaks:
                return
    if nearest is None:
        yield "a statement that names the action", "breaks"
        return
    yield from _statement_links(nearest, kind)


def _statement_links(nearest: StatementResult, kind: str) -> Iterator[Link]:
    """Yield a statement's policy, with its kind unless that is the identity's, and which of its parts match."""
    policy = nearest.policy
    yield f"{kind}{policy.name}{f' {version_label(policy.version)}' if policy.version is not None else ''}", "holds"
    if nearest.statement.effect == "Deny":
        yield "a Deny", "breaks" if nearest.matches else "open"
        return
    failure_by_part = {failure.part: failure for failure in reversed(nearest.failed)}
    for part in _PARTS:
        failure = failure_by_part.get(part)
        if failure is None and (part == "principal" or (part == "condition" and not nearest.statement.conditions)):
            continue
        name = _condition_name(nearest) if part == "condition" else part
        yield name, "holds" if failure is None else "open" if is_open(nearest, failure) else "breaks"


def _condition_name(nearest: StatementResult) -> str:
    """Return what the conditions that do not hold are about."""
    keys = [failure.key or "" for failure in nearest.failed if failure.part == "condition"]
    if any("tag" in key.partition(":")[2].lower() for key in keys):
        return "tags"
    return keys[0] if keys else "condition"


def is_open(statement: StatementResult, failure: Failure) -> bool:
    """Return whether it is not known if a part matches, rather than known that it does not."""
    return statement.matches is None or (failure.actual is None and failure.part != "effect")


def breaking_line(explanation: Explanation) -> Line | None:
    """Return what is needed where the chain breaks: one of several sets of conditions, or certain resources."""
    nearest = [result for result in explanation.nearest if result.statement.effect == "Allow" and result.failed]
    if not explanation.judged or explanation.verdict == "allowed" or not nearest:
        return None
    first = nearest[0].failed[0].part
    alike = [result for result in nearest if all(failure.part == first for failure in result.failed)]
    if first == "condition" and not any(refused_tags(failure) for result in alike for failure in result.failed):
        ways = list(dict.fromkeys(" and ".join(map(_requirement, result.failed)) for result in alike))
        return _ways("needs " if len(ways) == 1 else "one of ", ways)
    if first == "resource":
        values = [value for result in alike for failure in result.failed for value in failure.wanted]
        return _ways("only on ", list(dict.fromkeys(values)))
    return None


def _requirement(failure: Failure) -> str:
    """Return what a condition wants, such as `CSIVolumeName=*`, the tag's key without the condition key before it."""
    key = failure.key or ""
    tag = key.partition("/")[2] if "tag/" in key.lower() else key
    values = "|".join(failure.wanted) or "nothing"
    if failure.operator.lower() in ("stringequals", "stringlike", "arnlike", "arnequals", "bool"):
        return f"{tag}={values}"
    return f"{tag} {failure.operator} {values}"


def _ways(words: str, ways: Sequence[str]) -> Line:
    spans = joined("   ", [code(way) for way in ways[:_MOST_WAYS]])
    remainder = f"   +{len(ways) - _MOST_WAYS} more" if len(ways) > _MOST_WAYS else ""
    return (Span(words, "muted"), *spans, Span(remainder, "muted"))
