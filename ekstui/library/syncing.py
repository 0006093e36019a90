"""Bringing the cache up to date: from AWS, or from what other tools have written."""

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from ekstui.core.document import parse_text
from ekstui.core.history import PolicyHistory, Provenance, Skipped
from ekstui.core.policy import Policy, VersionInfo, version_label
from ekstui.errors import DocumentError, InputError
from ekstui.sources.aws.connection import Connection
from ekstui.sources.aws.managed import ListedPolicy, account_error, fetch_history, list_managed
from ekstui.sources.aws.parallel import each
from ekstui.sources.files import read_collection
from ekstui.store.policies import PolicyCache
from ekstui.store.storing import UNSAID, Stored, packed, store, storing
from ekstui.store.syncing import put_down_sync, withdraw_all_but

Progress = Callable[[int, int], None]
"""Gets how many policies are done, and of how many."""

_CHUNK = 100
"""Policies from an archive in a transaction."""


@dataclass(frozen=True, slots=True)
class SyncReport:
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
    """What could not be read, or not be asked."""
    complete: bool
    """False where it was cancelled or something could not be asked: running it again goes on from there."""
    known_until: datetime | None
    """Until when every change is known by this source; None where it does not speak of all policies."""

    @property
    def changed(self) -> bool:
        """Whether anything is different now."""
        return bool(self.new_policies or self.new_versions or self.conflicts or self.withdrawn)


def sync_from_files(
    cache: PolicyCache, path: Path, now: datetime, progress: Progress, cancelled: Callable[[], bool]
) -> SyncReport:
    """Put what an archive holds beside what the filled cache has; raises InputError and CacheError."""
    known = {policy.name: policy for policy in cache.policies()}
    collection = read_collection(path, known)
    if collection.skipped and not collection.histories:
        first = collection.skipped[0]
        raise InputError(f"{path} holds nothing that can be read. {first.place}: {first.reason}")
    provenance = Provenance(collection.source, "archive", collection.as_of, now)
    skipped = list(collection.skipped)
    stored: list[Stored] = []
    total = len(collection.histories)
    for start in range(0, total, _CHUNK):
        if cancelled():
            return _report(collection.source, cache.partition, stored, skipped, complete=False)
        progress(start, total)
        chunk = [
            packed(readable)
            for history in collection.histories[start : start + _CHUNK]
            if (readable := _readable(history, known, cache.partition, skipped)) is not None
        ]
        with storing(cache) as connection:
            stored += [store(connection, cache.partition, entry, provenance, UNSAID) for entry in chunk]
    known_until = collection.as_of if collection.whole else None
    put_down_sync(cache, collection.source, "archive", known_until, now)
    progress(total, total)
    return _report(collection.source, cache.partition, stored, skipped, complete=True, known_until=known_until)


def sync_from_aws(
    cache: PolicyCache,
    connection: Connection,
    family: Mapping[str, int],
    now: datetime,
    progress: Progress,
    cancelled: Callable[[], bool],
) -> SyncReport:
    """Fetch the versions that the cache lacks of the caller's partition; raises AccountError and CacheError.

    `family` has the places of the EKS family, which comes first. Two calls say what there is; then two or more a
    policy that changed. What came is kept when the rest fails.
    """
    listed = list_managed(connection)
    if listed:
        cache = replace(cache, partition=listed[0].arn.split(":", 2)[1])
    known = {policy.name: policy for policy in cache.policies()}
    waiting = sorted(
        (policy for policy in listed if _lacks(known.get(policy.name), policy)),
        key=lambda policy: (family.get(policy.name, len(family)), policy.name),
    )
    # A local clock that is behind does not make AWS's changes unknown.
    known_until = max([now, *(policy.updated for policy in listed)])
    provenance = Provenance("AWS", "aws", known_until, now)
    stored: list[Stored] = []
    skipped: list[Skipped] = []
    _date_defaults(cache, listed, known, provenance)
    progress(0, len(waiting))
    for done, outcome in enumerate(
        each(lambda policy: fetch_history(connection, policy, _numbers(known.get(policy.name))), waiting, cancelled), 1
    ):
        try:
            history = packed(outcome.answer())
        except DocumentError as error:
            skipped.append(Skipped(outcome.item.name, error.message))
        except Exception as error:  # noqa: BLE001 (whatever botocore raises is put in words, and said)
            explained = account_error(error, "iam:GetPolicyVersion", connection)
            skipped.append(Skipped(outcome.item.name, explained.message))
        else:
            with storing(cache) as database:
                place = family.get(outcome.item.name)
                stored.append(store(database, cache.partition, history, provenance, place))
        progress(done, len(waiting))
    complete = not skipped and not cancelled()
    withdrawn: tuple[str, ...] = ()
    if complete:
        withdrawn = withdraw_all_but(cache, {policy.name for policy in listed})
        put_down_sync(cache, "AWS", "aws", known_until, now)
    return _report(
        "AWS",
        cache.partition,
        stored,
        skipped,
        complete=complete,
        known_until=known_until if complete else None,
        withdrawn=withdrawn,
    )


def _lacks(known: Policy | None, listed: ListedPolicy) -> bool:
    return (
        known is None
        or known.withdrawn
        or known.default_version != listed.default_version
        or known.arn != listed.arn
        or listed.default_version not in _numbers(known)
    )


def _numbers(policy: Policy | None) -> Container[int]:
    return {info.number for info in policy.versions} if policy else set()


def _date_defaults(
    cache: PolicyCache, listed: tuple[ListedPolicy, ...], known: Mapping[str, Policy], provenance: Provenance
) -> None:
    """Take over the time of each newest version that is known without one: the list has it, so no call is needed."""
    undated = [
        replace(known[policy.name], versions=(VersionInfo(policy.default_version, policy.updated),))
        for policy in listed
        if not _lacks(known.get(policy.name), policy)
        and known[policy.name].versions[-1] == VersionInfo(policy.default_version, None)
    ]
    if undated:
        with storing(cache) as connection:
            for policy in undated:
                store(connection, cache.partition, packed(PolicyHistory(policy, {})), provenance, UNSAID)


def _readable(
    history: PolicyHistory, known: Mapping[str, Policy], partition: str, skipped: list[Skipped]
) -> PolicyHistory | None:
    """Return a history with the documents that can be read, None where nothing is left; says what is left out."""
    policy = history.policy
    parts = policy.arn.split(":", 5)
    if len(parts) < 6 or parts[1:5] != [partition, "iam", "", "aws"]:
        skipped.append(Skipped(policy.name, f"{policy.arn!r} is no ARN of an AWS managed policy of {partition}."))
        return None
    before = _numbers(known.get(policy.name))
    texts = dict(history.texts)
    for number, text in history.texts.items():
        if number not in before:
            try:
                parse_text(text)
            except DocumentError as error:
                skipped.append(Skipped(f"{policy.name} {version_label(number)}", error.message))
                del texts[number]
    versions = tuple(info for info in policy.versions if info.number in texts)
    if not versions or (policy.name not in known and policy.default_version not in texts):
        return None
    return PolicyHistory(replace(policy, versions=versions), texts)


def _report(
    source: str,
    partition: str,
    stored: list[Stored],
    skipped: list[Skipped],
    *,
    complete: bool,
    known_until: datetime | None = None,
    withdrawn: tuple[str, ...] = (),
) -> SyncReport:
    return SyncReport(
        source=source,
        partition=partition,
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
