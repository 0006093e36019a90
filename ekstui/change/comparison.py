"""What differs between two documents: the grants, and whether access widened or narrowed."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from ekstui.iam.document import ActionElement, Document, Effect
from ekstui.iam.grants import (
    MAX_GRANTS,
    Extent,
    Grant,
    Reach,
    Target,
    grants,
    grants_as_written,
    is_too_large,
    without_repetitions,
)
from ekstui.named_tuples import NamedTuple

if TYPE_CHECKING:
    from ekstui.change.reach import Denies

ChangeKind = Literal["none", "scope", "actions"]


class GrantDifference(NamedTuple):
    """The grants of one (effect, element, action): `before` is empty if it was added, `after` if removed."""

    effect: Effect
    element: ActionElement
    actions: tuple[str, ...]
    """One action pattern for `Action`; the whole list for `NotAction`."""
    before: tuple[Grant, ...]
    after: tuple[Grant, ...]


class Change(NamedTuple):
    """The whole difference between two documents."""

    kind: ChangeKind
    reach: Reach
    denies: "Denies | None"
    """Whether more or less is denied, if the same requests are allowed."""
    added: tuple[GrantDifference, ...]
    removed: tuple[GrantDifference, ...]
    changed: tuple[GrantDifference, ...]
    verdict: str
    """One sentence that explains `reach`, such as `widened: 2 actions no longer need the cluster tag`."""
    notes: tuple[str, ...]
    """Why `reach` is unknown, or caveats, such as future actions that a pattern would match."""
    denied: "Denies | None" = None
    """Whether more or less is denied, whatever is allowed: a Deny also revokes what other policies allow."""


class ChangedTargets(NamedTuple):
    """The (effect, element, action) that differ between two sets of grants."""

    added: frozenset[Target]
    removed: frozenset[Target]
    changed: frozenset[Target]
    """On both sides, with other resources or conditions."""

    @property
    def kind(self) -> ChangeKind:
        """`none` if nothing differs, `scope` if only resources or conditions differ, else `actions`."""
        return "actions" if self.added or self.removed else "scope" if self.changed else "none"


def changes(before: Document, after: Document, names: tuple[str, str] | None = None) -> Change:
    """Return every grant that differs between two documents, and what that means for the requests allowed.

    `names` are used in the verdict on two different policies; without them the documents are versions of one policy.
    """
    from ekstui.change.reach import notes_on, reach_between, wording  # needed only to compare documents

    originals = before, after
    before, after = without_repetitions(before), without_repetitions(after)
    if is_too_large(before) or is_too_large(after):
        return _undecided(is_same=before == after)
    grants_before, grants_after = grants(before), grants(after)
    targets = changed_targets(grants_before, grants_after)
    differing = targets.added | targets.removed | targets.changed
    spelled_before, spelled_after = grants_as_written(before, differing), grants_as_written(after, differing)

    def differences(of: frozenset[Target]) -> tuple[GrantDifference, ...]:
        nothing: tuple[tuple[str, ...], tuple[Grant, ...]] = ((), ())
        entries: list[GrantDifference] = []
        for target in sorted(of):
            actions_before, old_grants = spelled_before.get(target, nothing)
            actions_after, new_grants = spelled_after.get(target, nothing)
            actions = actions_after or actions_before
            entries.append(GrantDifference(target.effect, target.element, actions, old_grants, new_grants))
        return tuple(entries)

    judgement = reach_between(grants_before, grants_after)
    spelling = _spelling(before, after)
    return Change(
        kind=targets.kind,
        reach=judgement.reach,
        denies=judgement.denies,
        added=differences(targets.added),
        removed=differences(targets.removed),
        changed=differences(targets.changed),
        verdict=wording.verdict_on(judgement, spelling, wording.Names(*names) if names else None)
        if differing
        else _unchanged(*originals),
        notes=notes_on(judgement, grants_before, grants_after, spelling),
        denied=judgement.denied,
    )


def changed_targets(
    before: Mapping[Target, frozenset[Extent]], after: Mapping[Target, frozenset[Extent]]
) -> ChangedTargets:
    """Return the (effect, element, action) that only one side has, and those that both have with different extents."""
    return ChangedTargets(
        added=frozenset(after.keys() - before.keys()),
        removed=frozenset(before.keys() - after.keys()),
        changed=frozenset(target for target, extents in before.items() if after.get(target, extents) != extents),
    )


def _undecided(*, is_same: bool) -> Change:
    """Return the difference between documents that are too large to compare."""
    if is_same:
        return Change("none", "same", None, (), (), (), "same access: the documents are equal", ())
    note = f"A document has more than {MAX_GRANTS:,} grants, an action on a resource each."
    return Change("actions", "unknown", None, (), (), (), "unknown: too large to decide", (note,))


def _unchanged(before: Document, after: Document) -> str:
    if before == after:
        return "same access: every statement says the same"
    return "same access: only order, grouping, spelling or names changed"


def _spelling(*documents: Document) -> dict[str, str]:
    """Return how the documents spell actions and condition keys, by lower-case form."""
    spelling: dict[str, str] = {}
    for document in documents:
        for statement in document.statements:
            spelling.update((action.lower(), action) for action in statement.actions)
            spelling.update(
                (condition.key.strip().lower(), condition.key.strip()) for condition in statement.conditions
            )
    return spelling
