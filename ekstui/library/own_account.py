"""The account that the user works in: its last snapshot at once, a new one from AWS or a file."""

import threading
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ekstui import files, log
from ekstui.eks.account_snapshot import AccountSnapshot, Attachments, SourceError
from ekstui.eks.last_accessed import LastAccessed
from ekstui.eks.uses import Uses, uses_in
from ekstui.errors import ANOTHER_PROFILE, AccountError, Advice, InputError, in_app
from ekstui.library.account_choice import FRESH, LIMITED, AccountChoice
from ekstui.sources.account_file import demo_account, demo_last_accessed, read_account_file
from ekstui.sources.aws.connection import Connection
from ekstui.sources.aws.credentials import are_credentials_set_up, caller_digest, is_any_chosen, profile_digest
from ekstui.sources.aws.iam import ALL_REGIONS, read_entities, sweep_account
from ekstui.sources.aws.last_accessed import read_last_accessed
from ekstui.store import accounts
from ekstui.waiting import Cancelled, Tell, never, silent

REPORTED = timedelta(hours=4)
"""How old a report on what was last used may be to answer in place of IAM, which takes as long to notice a use."""


@dataclass(slots=True)
class Account:
    """One account as chosen; cheap to make, and safe to call from any thread."""

    choice: AccountChoice
    folder: Path
    """Where snapshots are kept."""
    _lock: threading.Lock = field(default_factory=threading.Lock)
    held_snapshot: AccountSnapshot | None = None
    """The newest snapshot in memory."""
    _connection: Connection | None = None
    _attachments: dict[str, Attachments] = field(default_factory=dict)
    """By policy ARN, if the sweep is denied; cleared by a refresh."""
    _notices: list[str] = field(default_factory=list)
    _uses: tuple[AccountSnapshot, Uses] | None = None
    """The last snapshot that was asked about and its uses: joining 5,000 roles takes 0.2 s."""

    @staticmethod
    def chosen(choice: AccountChoice) -> "Account":
        """Return the chosen account, with the user's own cache; nothing is read yet."""
        return Account(choice, files.cache_dir() / "accounts")

    def last_snapshot(self) -> AccountSnapshot | None:
        """Return the newest snapshot without asking AWS: of this run, or kept for the same credentials.

        An account file is read.
        """
        with self._lock:
            if self.held_snapshot is None:
                self.held_snapshot = self._from_file_or_demo() or self._stored_snapshot()
            elif self.choice.demo:
                # As if it had just been read: nothing of it can be renewed.
                self.held_snapshot = self.held_snapshot._replace(fetched_at=datetime.now(UTC))
            return self.held_snapshot

    def last_snapshot_or_error(self) -> AccountSnapshot:
        """Return the newest snapshot that is kept; AccountError if there is none."""
        snapshot = self.last_snapshot()
        if snapshot is None:
            step = (
                "Ask AWS once, without --offline."
                if self.choice.offline
                else Advice("Refresh to ask AWS.", f"r asks AWS; {ANOTHER_PROFILE}")
            )
            if self.choice.offline and self.stored():
                raise AccountError(
                    "There is no snapshot known to be of the account that these credentials lead to.", step
                )
            raise AccountError("There is no snapshot of this account.", step)
        return snapshot

    def fresh_snapshot(self, progress: Tell = silent) -> AccountSnapshot:
        """Return the last snapshot if complete and at most 15 minutes old, or offline; else the account as it is."""
        snapshot = self.last_snapshot()
        age = None if snapshot is None else datetime.now(UTC) - snapshot.fetched_at
        if snapshot is not None and age is not None and snapshot.complete and age < FRESH:
            log.info("the snapshot is %d s old and complete: AWS is not asked", age.total_seconds())
            return snapshot
        log.info("AWS is to be asked: %s", "there is no snapshot" if age is None else f"the snapshot is {age} old")
        return self.refresh(progress)

    def refresh(self, progress: Tell = silent, cancelled: Cancelled = never) -> AccountSnapshot:
        """Return the account as it is now, offline the last snapshot.

        In memory an incomplete one does not replace a complete one.
        """
        if from_file := self._from_file_or_demo():
            snapshot = from_file
        elif self.choice.offline:
            log.info("offline: the last snapshot answers")
            return self.last_snapshot_or_error()
        else:
            snapshot = self.ask_aws(progress, cancelled)
            if cancelled():
                return snapshot
            # Without `last_snapshot`, else a complete one of an earlier run would hide what could not be read.
            snapshot = self._keep(_with_kubernetes(snapshot, self.held_snapshot or self._stored_snapshot()))
        with self._lock:
            before = self.held_snapshot
            known_better = before is not None and before.complete and _owner(before) == _owner(snapshot)
            if from_file or snapshot.complete or not known_better:
                self.held_snapshot = snapshot
            else:
                log.info("what was read is incomplete: the earlier, complete snapshot stays")
            self._attachments.clear()
        return snapshot

    def add_details(self, snapshot: AccountSnapshot) -> None:
        """Keep a snapshot to which details of a cluster were added, so that they need not be asked for again."""
        with self._lock:
            # The demo's account is always as of now.
            if self.held_snapshot is None or (
                self.held_snapshot.fetched_at != snapshot.fetched_at and not self.choice.demo
            ):
                return
            self.held_snapshot = snapshot
        if not self.choice.demo and self.choice.file is None:
            self._keep(snapshot)

    def uses(self, snapshot: AccountSnapshot) -> Uses:
        """Return what uses the roles of a snapshot, joined once for each snapshot."""
        uses = self._uses
        if uses is None or uses[0] is not snapshot:
            uses = (snapshot, uses_in(snapshot))
            self._uses = uses
        return uses[1]

    def attachments(self, policy_arn: str, cancelled: Cancelled = never) -> Attachments:
        """Return who has one policy attached, asking about that policy alone."""
        with self._lock:
            attachments = self._attachments.get(policy_arn)
        if attachments is None:
            attachments = read_entities(self.connection(), policy_arn, cancelled)
            if not cancelled():
                with self._lock:
                    self._attachments[policy_arn] = attachments
        return attachments

    def last_accessed(self, arn: str, progress: Tell = silent, cancelled: Cancelled = never) -> LastAccessed:
        """Return IAM's report on a role's, user's or policy's last use: of the last hours, or offline the last one."""
        snapshot = self.last_snapshot_or_error()
        report_on_file: LastAccessed | None = None
        if self.choice.demo:
            if (report := demo_last_accessed(arn, datetime.now(UTC))) is None:
                raise AccountError("The demo has no report on this.", "Ask about a role, such as role:prod-node.")
            return report
        if self.choice.file is None:
            with suppress(accounts.StoreError):
                report_on_file = accounts.last_accessed(self.folder, *_owner(snapshot), arn)
        if report_on_file is not None and (
            self.choice.offline or datetime.now(UTC) - report_on_file.fetched_at < REPORTED
        ):
            return report_on_file
        if not self.choice.asks_aws:
            raise AccountError(
                "What was last used is known to IAM alone, and it was not asked about this.",
                Advice("Leave out --offline and --account-file.", ANOTHER_PROFILE),
            )
        report = read_last_accessed(self.connection(), arn, progress, cancelled)
        with suppress(accounts.StoreError):
            accounts.keep_last_accessed(self.folder, *_owner(snapshot), report)
        return report

    def connection(self) -> Connection:
        """Return the connection to the account, made on first use; AccountError in the demo, which never asks AWS."""
        if self.choice.demo:
            raise AccountError("The demo never asks AWS.", "Leave out --demo.")
        with self._lock:
            if self._connection is None:
                regions = [region for region in self.choice.regions if region != ALL_REGIONS]
                self._connection = Connection(
                    self.choice.profile,
                    regions[0] if regions else None,
                    self.choice.mfa_prompt,
                    share_role_cache=self.choice.share_role_cache,
                )
            return self._connection

    @property
    def is_set_up(self) -> bool:
        """Whether an account file or credentials are configured; an instance's role does not show here."""
        return self.choice.demo or self.choice.file is not None or are_credentials_set_up(self.choice.profile)

    def stored(self) -> tuple[accounts.StoredAccount, ...]:
        """Return every account of which a snapshot is kept on this machine, newest first."""
        try:
            return accounts.stored(self.folder)
        except accounts.StoreError:
            return ()

    def forget(self, account: str | None = None) -> int:
        """Delete the snapshots of an account, or of every one; return how many files that were."""
        if account is not None and not account.isdigit():
            raise InputError(
                f"{account!r} is not an account number.", "It has twelve digits; ekstui cache info lists them."
            )
        deleted_files = accounts.clear(self.folder, account)
        with self._lock:
            self.held_snapshot = None
            self._attachments.clear()
        return len(deleted_files)

    def _from_file_or_demo(self) -> AccountSnapshot | None:
        if self.choice.demo:
            log.info("the demo's account answers: AWS is not asked")
            return demo_account(datetime.now(UTC))
        return read_account_file(self.choice.file) if self.choice.file else None

    def ask_aws(self, progress: Tell, cancelled: Cancelled) -> AccountSnapshot:
        """Read the account; if the credentials failed, connect anew next time, as the SDK reads them only once."""
        connection = self.connection()
        connection.when_throttled = lambda: None if cancelled() else progress(LIMITED)
        try:
            snapshot = sweep_account(connection, self.choice.regions, progress, cancelled)
        except AccountError:
            self._disconnect()
            raise
        finally:
            connection.when_throttled = None
        if any(error.kind in ("expired", "credentials", "mfa") for error in snapshot.errors):
            self._disconnect()
        return snapshot

    def _disconnect(self) -> None:
        with self._lock:
            self._connection = None

    def _stored_snapshot(self) -> AccountSnapshot | None:
        """Return the stored snapshot for the same credentials.

        Offline also that of the profile's last account, or the only one.
        """
        digest = caller_digest(self.choice.profile)
        try:
            snapshots = accounts.stored(self.folder, self._notices)
            choice = next((entry for entry in snapshots if entry.caller == digest), None)
            if choice is None and self.choice.offline:
                profile = profile_digest(self.choice.profile) or ""
                snapshots_of_profile = [entry for entry in snapshots if profile in entry.profiles]
                choice = max(snapshots_of_profile, key=lambda entry: entry.profiles[profile], default=None)
                if choice is None and len(snapshots) == 1 and not is_any_chosen(self.choice.profile):
                    choice = snapshots[0]
            return None if choice is None else accounts.load(self.folder, choice.partition, choice.account)
        except accounts.StoreError as error:
            self._notices.append(str(error))
            return None

    def keep_place(self, remembered_at: datetime, opened: str) -> None:
        """Store what was open of the account in its own file; the demo and account files have none."""
        with self._lock:
            snapshot = self.held_snapshot
        if snapshot is None or self.choice.demo or self.choice.file is not None:
            return
        with suppress(accounts.StoreError):
            accounts.store_place(self.folder, *_owner(snapshot), remembered_at.isoformat(), opened)

    def place(self, snapshot: AccountSnapshot, at: datetime) -> str:
        """Return what was open of the account at a time; empty if nothing was."""
        if self.choice.demo or self.choice.file is not None:
            return ""
        with suppress(accounts.StoreError):
            return accounts.place_of(self.folder, *_owner(snapshot), at.isoformat())
        return ""

    def notices(self) -> tuple[str, ...]:
        """Return the problems with stored snapshots since the last call, a sentence each."""
        notices = tuple(dict.fromkeys(self._notices))
        self._notices.clear()
        return notices

    def _keep(self, snapshot: AccountSnapshot) -> AccountSnapshot:
        """Store a snapshot, but no incomplete one over a complete one; a failure is added to its errors."""
        profile = profile_digest(self.choice.profile)
        try:
            before = None if snapshot.complete else accounts.load(self.folder, *_owner(snapshot))
            if before is None or not before.complete:
                accounts.store(self.folder, snapshot, self._caller(snapshot), profile)
            elif profile is not None:
                accounts.keep_profile(self.folder, *_owner(snapshot), profile, snapshot.fetched_at)
        except accounts.StoreError as error:
            trouble = SourceError(
                "store", None, "setting", error.message, error.next_step, next_in_app=in_app(error.next_step)
            )
            return snapshot._replace(errors=(*snapshot.errors, trouble))
        return snapshot

    def _caller(self, snapshot: AccountSnapshot) -> str | None:
        """Return with which credentials a snapshot was read; offline, which are not asked, as it was stored."""
        if not self.choice.offline:
            return caller_digest(self.choice.profile)
        snapshots = accounts.stored(self.folder)
        return next((entry.caller for entry in snapshots if (entry.partition, entry.account) == _owner(snapshot)), None)


def _with_kubernetes(snapshot: AccountSnapshot, before: AccountSnapshot | None) -> AccountSnapshot:
    """Return a snapshot with what was read earlier of its clusters' Kubernetes, which AWS does not show."""
    if before is None or before.eks is None or snapshot.eks is None or _owner(before) != _owner(snapshot):
        return snapshot
    facts_by_place = {(cluster.place, cluster.issuer): cluster.kubernetes for cluster in before.eks.clusters}
    clusters = (
        cluster._replace(kubernetes=facts_by_place.get((cluster.place, cluster.issuer)))
        for cluster in snapshot.eks.clusters
    )
    return snapshot._replace(eks=snapshot.eks._replace(clusters=tuple(clusters)))


def _owner(snapshot: AccountSnapshot) -> tuple[str, str]:
    return snapshot.identity.partition, snapshot.identity.account
