"""One policy that serves a controller before and after an upgrade, and on the way back."""

from __future__ import annotations

from collections.abc import Mapping

from ekstui.change.comparison import changes
from ekstui.change.lacking import lacking
from ekstui.errors import InputError, NotFoundError
from ekstui.iam.document import Document
from ekstui.iam.grants import merged_document
from ekstui.library.library import Library
from ekstui.library.upgrading import ComponentUpgrade, upgrade
from ekstui.named_tuples import NamedTuple


class Bridge(NamedTuple):
    """The least policy for two releases."""

    component: str
    before_release: str
    after_release: str
    role: str | None
    document: Document
    is_proven: bool
    """Whether the comparison proves that it allows what the two releases need, and nothing else."""


def bridge(
    library: Library, cluster: str, target: str, since: Mapping[str, str], values: Mapping[str, str]
) -> tuple[Bridge, ...]:
    """Return a policy for each role that runs a component, for the release that runs and `COMPONENT@RELEASE`.

    Raises InputError if the release that runs is not known, NotFoundError for a component without a role in the cluster.
    """
    component, at, release = target.partition("@")
    if not (component and at and release):
        raise InputError(f"{target!r} is not COMPONENT@RELEASE.", "For example: --bridge karpenter@v1.14.")
    answer = upgrade(library, cluster, {component: release}, since, values)
    bridges = tuple(_bridge(entry) for entry in answer.components if entry.policies is not None)
    if bridges:
        return bridges
    unknown = next((entry for entry in answer.components if entry.role is not None), None)
    if unknown is not None and unknown.before_release is None:
        raise InputError(
            f"Which release of {component} runs in {cluster} is not known.", f"Name it: --from {component}=RELEASE."
        )
    reasons = "; ".join(text for entry in answer.components for text in entry.not_known)
    raise NotFoundError(f"There is no bridge for {component} in {cluster}: {reasons or 'it has no role'}.", ())


def _bridge(needs: ComponentUpgrade) -> Bridge:
    assert needs.policies is not None  # noqa: S101 (the caller asks)
    before, after = needs.policies
    # What the release to come needs, and of the one that runs only what that does not allow already.
    sids = {statement.sid for statement in after.statements}
    rest = (
        statement._replace(sid=None) if statement.sid in sids else statement
        for statement in lacking(before, after).statements
    )
    document = after._replace(statements=(*after.statements, *rest))
    return Bridge(
        needs.component,
        needs.before_release or "",
        needs.after_release,
        needs.role,
        document,
        changes(merged_document((before, after)), document).reach == "same",
    )
