"""Bringing the cache up to date from a source: all that it delivers is stored in one transaction, or nothing."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from ekstui.core.document import parse_text
from ekstui.core.policy import Delivery, Policy, PolicyHistory, Skipped, Source, VersionInfo, version_label
from ekstui.errors import DocumentError, InputError
from ekstui.store.objects import AbsentCacheError
from ekstui.store.policy_store import Change, Packed, PolicyStore, Stored, pack

Progress = Callable[[int, int], None]
"""Gets how many policies are done, and of how many."""

CLOCK_SKEW = timedelta(days=1)
"""How far in the future a date may lie: clocks and time zones differ, and nothing else makes one."""

SMALL_SHARE = 0.02
"""The share of the known policies that may be withdrawn at once without a word; AWS withdraws a few a month."""


class SyncReport(NamedTuple):
    """What a sync has done."""

    source: str
    partition: str
    new_policies: tuple[str, ...]
    new_versions: tuple[tuple[str, int], ...]
    """Of policies that were known before."""
    conflicts: tuple[tuple[str, int], ...]
    """Versions whose document differs from the one that was there; AWS's was taken, an archive's was not."""
    withdrawn: tuple[str, ...]
    """Policies that AWS does not list any more; what is known of them is kept."""
    skipped: tuple[Skipped, ...]
    """What could not be read, or not be asked, or was not believed."""
    complete: bool
    """False where it was cancelled or something could not be asked: running it again goes on from there."""
    known_until: datetime | None
    """Until when every change is known by this source; None where it does not cover all policies."""

    @property
    def changed(self) -> bool:
        """Whether anything is different now."""
        return bool(self.new_policies or self.new_versions or self.conflicts or self.withdrawn)


def sync(
    store: PolicyStore,
    source: Source,
    family: Mapping[str, int],
    now: datetime,
    progress: Progress,
    cancelled: Callable[[], bool],
    *,
    accept_withdrawals: bool = False,
) -> SyncReport:
    """Store what a source has beside what is known, and say what is new; what came is kept when the rest fails.

    Raises InputError or AccountError where the source cannot be read, CacheError where nothing can be stored.
    """
    latest = now + CLOCK_SKEW
    delivery = source.deliver(lambda collection: _known(replace(store, collection=collection)))
    if delivery.provenance.as_of > latest:
        said = f"{delivery.provenance.source} is dated {delivery.provenance.as_of:%Y-%m-%d}, which is in the future."
        raise InputError(said, "Nothing was changed.")
    store = replace(store, collection=delivery.collection)
    known = _known(store)
    skipped: list[Skipped] = []
    received: list[Packed] = []
    for done, entry in enumerate(delivery.entries):
        if cancelled():
            break
        progress(min(done, delivery.total), delivery.total)
        if isinstance(entry, Skipped):
            skipped.append(entry)
        elif (readable := _readable(entry, known, store.collection, latest, skipped)) is not None:
            received.append(pack(readable))
    complete = not cancelled() and not (skipped and delivery.asked)
    withdrawn = _withdrawn(delivery, known) if complete else ()
    if len(withdrawn) > max(1, SMALL_SHARE * len(known)) and not accept_withdrawals:
        said = f"lacks {len(withdrawn):,} of {len(known):,} policies, more than AWS withdraws at once; none is marked."
        skipped.append(Skipped("iam:ListPolicies", f"{said} If it is true, run ekstui sync --accept-withdrawals."))
        withdrawn, complete = (), False
    known_until = delivery.known_until if complete else None
    change = Change(delivery.provenance, known_until, now if complete else None, None, delivery.endpoint, withdrawn)
    stored = store.put(received, change, tuple(family), undoable=True)
    progress(delivery.total, delivery.total)
    return _report(delivery, stored, skipped, withdrawn, known_until, complete=complete)


def _known(store: PolicyStore) -> Mapping[str, Policy]:
    try:
        return {policy.name: policy for policy in store.policies()}
    except AbsentCacheError:
        return {}


def _withdrawn(delivery: Delivery, known: Mapping[str, Policy]) -> tuple[str, ...]:
    if delivery.listed is None:
        return ()
    return tuple(name for name, policy in known.items() if not policy.withdrawn and name not in delivery.listed)


def _readable(
    history: PolicyHistory,
    known: Mapping[str, Policy],
    partition: str,
    latest: datetime,
    skipped: list[Skipped],
) -> PolicyHistory | None:
    """Return a history with the documents and times that can be, None where nothing is left; says what is left out."""
    policy = history.policy
    parts = policy.arn.split(":", 5)
    if len(parts) < 6 or parts[1:5] != [partition, "iam", "", "aws"]:
        skipped.append(Skipped(policy.name, f"{policy.arn!r} is no ARN of an AWS managed policy of {partition}."))
        return None
    before = {info.number for info in known[policy.name].versions} if policy.name in known else set()
    texts = dict(history.texts)
    for number, text in history.texts.items():
        if number not in before:
            try:
                parse_text(text)
            except DocumentError as error:
                skipped.append(Skipped(f"{policy.name} {version_label(number)}", error.message))
                del texts[number]
    versions: list[VersionInfo] = []
    for info in policy.versions:
        if info.created is not None and info.created > latest:
            said = f"dated {info.created:%Y-%m-%d}, which is in the future."
            skipped.append(Skipped(f"{policy.name} {version_label(info.number)}", said))
            info = VersionInfo(info.number, None)
        if info.number in texts or info.number in before:
            versions.append(info)
    if not versions or (policy.name not in known and policy.default_version not in texts):
        return None
    return PolicyHistory(policy._replace(versions=tuple(versions)), texts)


def _report(
    delivery: Delivery,
    stored: tuple[Stored, ...],
    skipped: list[Skipped],
    withdrawn: tuple[str, ...],
    known_until: datetime | None,
    *,
    complete: bool,
) -> SyncReport:
    return SyncReport(
        source=delivery.provenance.source,
        partition=delivery.collection,
        new_policies=tuple(sorted(entry.policy for entry in stored if entry.new_policy)),
        new_versions=tuple(
            sorted((entry.policy, number) for entry in stored if not entry.new_policy for number in entry.new_versions)
        ),
        conflicts=tuple(sorted((entry.policy, number) for entry in stored for number in entry.conflicts)),
        withdrawn=withdrawn,
        skipped=tuple(skipped),
        complete=complete,
        known_until=known_until,
    )
