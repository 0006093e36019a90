"""Which statements came nearest to allowing a request, and what kept each from it."""

from collections.abc import Iterable
from difflib import SequenceMatcher

from ekstui.core.evaluation import Failure, StatementResult, Verdict
from ekstui.core.explain.answer import NearStatement

MAX_NEAREST = 5
"""How many statements are shown."""

MAX_WANTED = 5
"""How many of the values that a statement asks for are shown, the most similar ones."""

_SIMILAR = 0.6
"""How similar an action must be to a pattern of a statement that lacks it, from 0 to 1."""


def nearest_statements(results: Iterable[StatementResult], verdict: Verdict, action: str) -> tuple[NearStatement, ...]:
    """Return the statements that decide or nearly decide, best first.

    Where some statement is about the action, only such statements count; else those of the same service with similar
    actions do.
    """
    if verdict == "allowed":
        chosen = [result for result in results if result.matches and result.statement.effect == "Allow"]
        return tuple(_near(result, action) for result in chosen[:MAX_NEAREST])
    ranked: list[tuple[tuple[int, ...], int, StatementResult]] = []
    for place, result in enumerate(results):
        rank = _rank(result, action)
        if rank is not None:
            ranked.append((rank, place, result))
    ranked.sort(key=lambda entry: entry[:2])
    if ranked and ranked[0][0][0] < _OTHER_ACTION:
        ranked = [entry for entry in ranked if entry[0][0] < _OTHER_ACTION]
    return tuple(_near(result, action) for _, _, result in ranked[:MAX_NEAREST])


_DENIES, _MAY_DENY, _MAY_ALLOW, _FAILS, _OTHER_ACTION = range(5)


def _rank(result: StatementResult, action: str) -> tuple[int, ...] | None:
    if result.statement.effect == "Deny":
        return (_DENIES,) if result.matches else (_MAY_DENY,) if result.matches is None else None
    if result.matches:
        return None
    parts = [failure.part for failure in result.failed]
    if result.matches is None:
        return (_MAY_ALLOW, len(parts))
    if "action" not in parts:
        return (_FAILS, len(parts), parts.count("resource"))
    similar = max((_similarity(action, pattern) for pattern in result.statement.actions), default=0)
    if result.layer == "identity" and (similar < _SIMILAR or result.statement.action_element == "NotAction"):
        return None
    return (_OTHER_ACTION, len(parts), round(-100 * similar))


def _near(result: StatementResult, action: str) -> NearStatement:
    failed = tuple(_shortened(failure, action) for failure in result.failed)
    if result.matches and result.statement.effect == "Deny":
        failed = (Failure("effect", None, "Effect", ("Allow",), ("Deny",)),)
    return NearStatement(
        layer=result.layer,
        policy=result.policy.name,
        version=result.policy.version,
        sid=result.statement.sid,
        index=result.index,
        effect=result.statement.effect,
        matches=result.matches,
        failed=failed,
    )


def _shortened(failure: Failure, action: str) -> Failure:
    if failure.part == "condition" or len(failure.wanted) <= MAX_WANTED:
        return failure
    given = failure.given[0] if failure.given else action
    measure = _similarity if failure.part == "action" else _shared
    similar = sorted(failure.wanted, key=lambda entry: -measure(given, entry))[:MAX_WANTED]
    return failure._replace(wanted=tuple(entry for entry in failure.wanted if entry in similar)[:MAX_WANTED])


def _similarity(action: str, pattern: str) -> float:
    """Return how similar an action and a pattern of the same service are, from 0 to 1."""
    service, _, name = action.lower().partition(":")
    other, _, rest = pattern.lower().partition(":")
    if service != other:
        return 0
    matcher = SequenceMatcher(None, rest.replace("*", ""), name, autojunk=False)
    return matcher.ratio() if matcher.real_quick_ratio() >= _SIMILAR else matcher.real_quick_ratio() / 2


def _shared(one: str, other: str) -> float:
    """Return how many first characters two texts share, ignoring case."""
    pairs = zip(one.lower(), other.lower(), strict=False)
    return next((count for count, (left, right) in enumerate(pairs) if left != right), min(len(one), len(other)))
