"""Bringing the cache up to date from a source: all that it delivers is stored in one transaction, or nothing."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from ekstui import files, log
from ekstui.change.policy import Delivery, Policy, PolicyHistory, SkippedPart, Source, VersionInfo, version_label
from ekstui.errors import AccountError, DataError, DocumentError, InputError, NetworkError
from ekstui.iam.document import parse_text
from ekstui.library.catalog import knowledge
from ekstui.library.library import DataStatus, Library
from ekstui.library.maintenance import fill_cache
from ekstui.named_tuples import NamedTuple
from ekstui.sources.archives import Archive
from ekstui.sources.aws.credentials import are_credentials_set_up
from ekstui.sources.aws.managed import ManagedPolicies
from ekstui.sources.mirror import MAMIP, Mirror
from ekstui.sources.moto import Moto
from ekstui.store.objects import AbsentCacheError, CacheError
from ekstui.store.policy_store import DeliveryInfo, PackedHistory, PolicyStore, PutResult, pack
from ekstui.waiting import Cancelled, Progress, never, silent

CLOCK_SKEW = timedelta(days=1)
"""How far in the future a date may be, since clocks and time zones differ."""

_NAME = re.compile(r"[\w+=,.@-]{1,128}", re.ASCII)
"""What IAM allows as a policy's name: nothing that a path, a shell, Terraform or a terminal takes for its own."""

SMALL_SHARE = 0.02
"""The share of known policies that may be withdrawn at once unconfirmed; AWS withdraws a few a month."""

_MOST = 0.9
"""The share of the known policies that an archive must have so that what it lacks counts as not having happened."""


class NamedArchive(NamedTuple):
    """An archive that has a name."""

    title: str
    words: str
    """What it is, such as `the public archive MAMIP`."""
    tool: str
    """The user's own program that fetches it."""
    source: Callable[[datetime, str, Cancelled], Source]
    """Called with the time, the partition and whether to stop."""


def _mirror(url: str, now: datetime, partition: str, cancelled: Cancelled) -> Mirror:
    name = hashlib.sha256(url.encode()).hexdigest()[:16]
    return Mirror(url, files.archives_dir() / f"{name}.git", now, partition, cancelled)


NAMED_ARCHIVES = {
    "mamip": NamedArchive("MAMIP", "the public archive MAMIP", "git", lambda *context: _mirror(MAMIP, *context)),
    "moto": NamedArchive("moto", "the Python package moto", "pip", Moto),
}
"""Archives by their names for `sync --from`, in the order in which they are tried where AWS cannot be asked."""


class SyncReport(NamedTuple):
    """What a sync did."""

    source: str
    partition: str
    new_policies: tuple[str, ...]
    new_versions: tuple[tuple[str, int], ...]
    """New versions of policies that were known before."""
    conflicts: tuple[tuple[str, int], ...]
    """Versions whose document differs from the stored one; AWS's replaced it, an archive's did not."""
    withdrawn: tuple[str, ...]
    """Policies that AWS no longer lists; their documents are kept."""
    skipped: tuple[SkippedPart, ...]
    """What could not be read or asked, or is implausible."""
    complete: bool
    """False if it was cancelled or something could not be asked; running it again continues from there."""
    known_until: datetime | None
    """Until when the source knows every change; None if it does not cover all policies."""

    @property
    def changed(self) -> bool:
        """Whether anything changed."""
        return bool(self.new_policies or self.new_versions or self.conflicts or self.withdrawn)


def sync(
    library: Library,
    archive: Path | str | None = None,
    progress: Progress = silent,
    cancelled: Cancelled = never,
    *,
    accept_withdrawals: bool = False,
) -> SyncReport:
    """Update the cache from AWS, or from an archive's path, address or name.

    Again, it continues where it stopped. Run `index_cache` after it.
    """
    if library.is_demo:
        raise AccountError("The demo never asks AWS and writes nothing.", "Leave out --demo.")
    if archive is None and library.choice is not None and library.choice.offline:
        raise AccountError("Offline, ekstui does not ask AWS.", "Leave out --offline, or give an archive.")
    if not fill_cache(library, progress, cancelled):
        raise DataError(
            " ".join(library.notices()) or "The cache is not filled.", "Set EKSTUI_CACHE to use another folder."
        )
    now = datetime.now(UTC).replace(microsecond=0)
    family = {name: place for place, name in enumerate(knowledge().policies)}
    source = _source(library, archive, family, now, cancelled)
    try:
        return sync_from(source, library.store, family, now, progress, cancelled, accept_withdrawals=accept_withdrawals)
    except CacheError as error:
        library.recover_from(error)
        raise DataError(error.message, "Run the same command again.") from None


def sync_newest(
    library: Library,
    remark: Callable[[str], object],
    progress: Progress = silent,
    cancelled: Cancelled = never,
    *,
    accept_withdrawals: bool = False,
) -> SyncReport:
    """Update the cache from AWS if credentials are set up, else from the first named archive.

    `remark` hears which could not be read.
    """

    def read(source: str | None) -> SyncReport:
        return sync(library, source, progress, cancelled, accept_withdrawals=accept_withdrawals)

    reasons = ["No AWS credentials are set up."]
    if are_credentials_set_up(library.choice.profile if library.choice else None):
        try:
            return read(None)
        except AccountError as error:
            reasons = [error.message]
    next_step = ""
    for name, archive in NAMED_ARCHIVES.items():
        remark(f"{reasons[-1]} Reading {archive.words}.")
        try:
            return read(name)
        except (NetworkError, InputError) as error:
            if cancelled():
                raise
            reasons.append(error.message)
            next_step = error.next_step
    raise NetworkError(" ".join(reasons), next_step)


def _source(
    library: Library, archive: Path | str | None, family: Mapping[str, int], now: datetime, cancelled: Cancelled
) -> Source:
    partition = library.store.collection
    if archive is None:
        return ManagedPolicies(library.account.connection(), family, now, now + CLOCK_SKEW, cancelled)
    if isinstance(archive, Path):
        return Archive(archive.expanduser(), now, partition, cancelled)
    if archive in NAMED_ARCHIVES:
        return NAMED_ARCHIVES[archive].source(now, partition, cancelled)
    try:
        urlsplit(archive)
    except ValueError:
        raise InputError("This is not the address of an archive.") from None
    return _mirror(archive, now, partition, cancelled)


def undo_sync(library: Library) -> DataStatus | None:
    """Undo the last sync and return the status; None without one, DataError if the cache cannot be used."""
    try:
        return None if library.store.undo() is None else library.data()
    except CacheError as error:
        library.recover_from(error)
        raise DataError(error.message, "Run the same command again.") from None


def sync_from(
    source: Source,
    store: PolicyStore,
    family: Mapping[str, int],
    now: datetime,
    progress: Progress,
    cancelled: Cancelled,
    *,
    accept_withdrawals: bool = False,
) -> SyncReport:
    """Store what a source has that is new, even if the rest fails, and report it.

    CacheError if nothing can be stored.
    """
    latest = now + CLOCK_SKEW
    delivery = source.deliver(lambda collection: _stored_policies(store.of(collection)))
    if delivery.provenance.as_of > latest:
        message = f"{delivery.provenance.source} is dated {delivery.provenance.as_of:%Y-%m-%d}, which is in the future."
        raise InputError(message, "Nothing was changed.")
    store = store.of(delivery.collection)
    policies = _stored_policies(store)
    log.info("%d policies are known; the source has %d to read", len(policies), delivery.total)
    skipped: list[SkippedPart] = _skipped_as_outdated(delivery, store)
    received: list[PackedHistory] = []
    for position, entry in enumerate(delivery.entries):
        if cancelled():
            break
        progress(min(position, delivery.total), delivery.total)
        if isinstance(entry, SkippedPart):
            skipped.append(entry)
        elif (readable := _readable(entry, policies, store.collection, latest, skipped)) is not None:
            received.append(pack(readable))
    complete = not cancelled() and not (skipped and delivery.asked)
    withdrawn = _withdrawn_names(delivery, policies) if complete else ()
    if len(withdrawn) > max(1, SMALL_SHARE * len(policies)) and not accept_withdrawals:
        message = (
            f"{len(withdrawn):,} of {len(policies):,} known policies are not listed, more than AWS withdraws at once, "
            "so none is marked as withdrawn."
        )
        skipped.append(
            SkippedPart("iam:ListPolicies", f"{message} If that is right, run ekstui sync --accept-withdrawals.")
        )
        withdrawn, complete = (), False
    covers_all = delivery.asked or _has_most(delivery, policies, received)
    known_until = delivery.known_until if complete and covers_all else None
    info = DeliveryInfo(delivery.provenance, known_until, now if complete else None, None, delivery.endpoint, withdrawn)
    stored = store.put(received, info, tuple(family), undoable=True)
    progress(delivery.total, delivery.total)
    return _report(delivery, info, stored, skipped)


def _report(
    delivery: Delivery, info: DeliveryInfo, stored: Sequence[PutResult], skipped: Sequence[SkippedPart]
) -> SyncReport:
    return SyncReport(
        source=delivery.provenance.source,
        partition=delivery.collection,
        new_policies=tuple(sorted(entry.policy for entry in stored if entry.new_policy)),
        new_versions=tuple(
            sorted((entry.policy, number) for entry in stored if not entry.new_policy for number in entry.new_versions)
        ),
        conflicts=tuple(sorted((entry.policy, number) for entry in stored for number in entry.conflicts)),
        withdrawn=info.withdrawn,
        skipped=tuple(skipped),
        complete=info.synced_at is not None,
        known_until=info.known_until,
    )


def _stored_policies(store: PolicyStore) -> Mapping[str, Policy]:
    try:
        return {policy.name: policy for policy in store.policies()}
    except AbsentCacheError:
        return {}


def _skipped_as_outdated(delivery: Delivery, store: PolicyStore) -> list[SkippedPart]:
    """Return a remark if a source ends before what is known already: what has not happened since, it cannot tell."""
    try:
        known_until = store.state().known_until
    except AbsentCacheError:
        return []
    if delivery.asked or delivery.known_until is None or delivery.known_until >= known_until:
        return []
    message = f"ends on {delivery.known_until:%Y-%m-%d}, and policies are known until {known_until:%Y-%m-%d} already."
    return [SkippedPart(delivery.provenance.source, message)]


def _has_most(delivery: Delivery, stored: Mapping[str, Policy], received: Iterable[PackedHistory]) -> bool:
    """Return whether an archive has most policies that exist: of the others it cannot tell that they did not change."""
    current = {name for name, policy in stored.items() if not policy.withdrawn}
    current_in_archive = current & (delivery.names | {history.policy.name for history in received})
    return len(current_in_archive) >= _MOST * len(current)


def _withdrawn_names(delivery: Delivery, stored: Mapping[str, Policy]) -> tuple[str, ...]:
    if delivery.listed is None:
        return ()
    return tuple(name for name, policy in stored.items() if not policy.withdrawn and name not in delivery.listed)


def _readable(
    history: PolicyHistory,
    stored: Mapping[str, Policy],
    partition: str,
    latest: datetime,
    skipped: list[SkippedPart],
) -> PolicyHistory | None:
    """Return a history without invalid documents and times, which `skipped` gets; None if nothing is left."""
    policy = history.policy
    parts = policy.arn.split(":", 5)
    is_name_in_arn = (
        _NAME.fullmatch(policy.name) and parts[-1].startswith("policy/") and parts[-1].endswith(f"/{policy.name}")
    )
    if not is_name_in_arn or parts[1:5] != [partition, "iam", "", "aws"]:
        skipped.append(
            SkippedPart(policy.name, f"{policy.arn!r} is not the ARN of an AWS managed policy in {partition}.")
        )
        return None
    before = {info.number for info in stored[policy.name].versions} if policy.name in stored else set()
    texts = _parsable(history, before, skipped)
    usable = [info for info in policy.versions if info.number in texts or info.number in before]
    versions = [_believable(policy.name, info, latest, skipped) for info in usable]
    if not versions or (policy.name not in stored and policy.default_version not in texts):
        return None
    return PolicyHistory(policy._replace(versions=tuple(versions)), texts)


def _parsable(history: PolicyHistory, before: set[int], skipped: list[SkippedPart]) -> dict[int, bytes]:
    """Return the documents of a history without those that are new and cannot be parsed."""
    texts = dict(history.texts)
    for number, text in history.texts.items():
        if number not in before:
            try:
                parse_text(text)
            except DocumentError as error:
                skipped.append(SkippedPart(f"{history.policy.name} {version_label(number)}", error.message))
                del texts[number]
    return texts


def _believable(name: str, info: VersionInfo, latest: datetime, skipped: list[SkippedPart]) -> VersionInfo:
    """Return a version, without its time if that is in the future."""
    if info.created is None or info.created <= latest:
        return info
    message = f"dated {info.created:%Y-%m-%d}, which is in the future."
    skipped.append(SkippedPart(f"{name} {version_label(info.number)}", message))
    return VersionInfo(info.number, None)
