"""The library: what is known of policies, from the cache where it is filled and whole, else from the bundled corpus.

Whatever is wrong with the cache is said once and the corpus answers instead; a file that cannot be trusted is set
aside, so that the next filling starts a new one.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

from ekstui import __version__, paths
from ekstui.core.reference import reference_version
from ekstui.errors import AccountError, DataError, InputError
from ekstui.library.choice import AccountChoice
from ekstui.library.knowledge import entry_of, knowledge
from ekstui.library.policies import DefaultVersion, default_versions, find_policy, known_version, parse_stored
from ekstui.library.reader import PolicyReader
from ekstui.library.values import CacheInfo, ChangesFeed, Counts, DataStatus, PolicyEntry
from ekstui.scope import Scope
from ekstui.sources.corpus import Corpus
from ekstui.store.errors import (
    AbsentCacheError,
    BusyCacheError,
    CacheError,
    DamagedCacheError,
    NewerCacheError,
)
from ekstui.store.policies import PolicyStore, State

# Every command imports this module. What only some methods need is imported in them: all of it at once takes
# 120 ms, of which a list needs none and the answers about an account most.
if TYPE_CHECKING:
    from ekstui.core.account import AccountSnapshot
    from ekstui.core.document import Document
    from ekstui.core.explain import Explanation
    from ekstui.core.knowledge import PolicyKnowledge
    from ekstui.core.organisation import OrganisationAnswer
    from ekstui.core.policy import Policy
    from ekstui.core.principals import PrincipalsCan
    from ekstui.core.steps import FeedStep, Step
    from ekstui.core.summary import ServiceSummary
    from ekstui.core.targets import Candidate
    from ekstui.core.where import Side
    from ekstui.core.who_can import WhoCan
    from ekstui.library.account import LiveAccount
    from ekstui.library.attached import AttachedAnswer
    from ekstui.library.clusters import ClusterAnswer
    from ekstui.library.copies import CopyAnswer
    from ekstui.library.explanation import Inquiry
    from ekstui.library.looked import Looked
    from ekstui.library.roles import RoleAnswer
    from ekstui.library.syncing import SyncReport
    from ekstui.library.values import ComparedSide, Comparison
    from ekstui.sources.aws.account import Progress
    from ekstui.sources.aws.parallel import Cancelled
    from ekstui.sources.aws.simulation import SimulatedDecision

Answer = TypeVar("Answer")

LEFT_ALONE = 30.0
"""How long a cache that could not be used is not tried again, in seconds."""


def never() -> bool:
    """Return that nothing is cancelled."""
    return False


def silent(done: int, total: int) -> None:
    """Tell nobody how far the work is."""


@dataclass(slots=True)
class _Trouble:
    """What went wrong with the cache."""

    notices: list[str] = field(default_factory=list)
    left_alone_until: float = 0.0
    """On the monotonic clock."""
    lock: Lock = field(default_factory=Lock)


@dataclass(slots=True)
class Library:
    """Answers about policies; cheap to make, and safe to call from any thread."""

    corpus: Corpus
    store: PolicyStore
    _live: LiveAccount | None = None
    choice: AccountChoice | None = None
    """The account to ask; None: the one that the environment leads to."""
    _trouble: _Trouble = field(default_factory=_Trouble)
    _lock: Lock = field(default_factory=Lock)

    @staticmethod
    def open(account: AccountChoice | None = None) -> Library:
        """Return the library over the bundled corpus, the user's cache and an account; nothing is read yet.

        The account is the one that the environment leads to, unless another is given.
        """
        return Library(Corpus.bundled(), PolicyStore.in_folder(paths.cache_dir()), choice=account)

    def with_account(self, account: AccountChoice) -> Library:
        """Return a library over the same policies that asks another account."""
        return replace(self, _live=None, choice=account, _lock=Lock())

    def in_partition(self, partition: str) -> Library:
        """Return a library over the policies of another partition, or this one where none of it are known."""
        if partition == self.store.collection:
            return self
        other = replace(self, store=replace(self.store, collection=partition))
        return other if other.state() is not None or partition == self.corpus.manifest().partition else self

    @property
    def live(self) -> LiveAccount:
        """The account as chosen, made when it is first needed."""
        from ekstui.library.account import LiveAccount

        with self._lock:
            if self._live is None:
                self._live = LiveAccount.chosen(self.choice or AccountChoice())
            return self._live

    def state(self) -> State | None:
        """Return what the cache holds if it can answer: filled, and no older than the corpus."""
        if time.monotonic() < self._trouble.left_alone_until:
            return None
        try:
            state = self.store.state()
        except CacheError as error:
            self._answer(error)
            return None
        manifest = self.corpus.manifest()
        if self.store.collection == manifest.partition and state.corpus != manifest.sha256:
            return state if state.known_until >= manifest.known_until else None
        return state

    def ask(self, question: Callable[[PolicyReader], Answer]) -> Answer:
        """Return the cache's answer to a question, or the corpus's where there is no cache to use."""
        answer = self._cached(lambda: (question(self.store),))
        return answer[0] if answer else question(self.corpus)

    def _cached(self, question: Callable[[], Answer]) -> Answer | None:
        """Return what the cache says, or None where it cannot answer."""
        if self.state() is None:
            return None
        try:
            return question()
        except CacheError as error:
            self._answer(error)
            return None

    def data(self) -> DataStatus:
        """Return what answers rest on, and until when it is known."""
        state, manifest = self.state(), self.corpus.manifest()
        source = state.source if state else manifest.label
        others = [endpoint for endpoint in state.endpoints if endpoint not in source] if state else []
        return DataStatus(
            source=" and ".join([source, *(f"AWS at {endpoint}" for endpoint in others)]),
            partition=self.store.collection if state else manifest.partition,
            newest=state.known_until if state else manifest.known_until,
            synced_at=state.synced_at if state else None,
            reference=reference_version(),
            policies=sum(len(names) for _, names in state.chunks) if state else manifest.policies,
        )

    def policies(self, scope: Scope = "eks") -> tuple[PolicyEntry, ...]:
        """Return the policies of a scope: the EKS family in its own order, then the others by name."""
        return self.ask(lambda reader: tuple(map(entry_of, reader.policies(scope))))

    def find(self, name: str) -> PolicyEntry:
        """Return the policy that a user names: an ARN, a name whatever its case, or a unique part of one.

        Raises AmbiguousError with the candidates, NotFoundError with the nearest names.
        """
        library = self.in_partition(name.split(":")[1]) if name.startswith("arn:") else self
        return entry_of(library.ask(lambda reader: find_policy(name, reader, knowledge)))

    def document(self, policy: Policy, version: int | None = None) -> Document:
        """Return a version's document, the default's for None; NotFoundError for a version nobody has seen."""
        number = known_version(policy, version)
        library = self.in_partition(policy.partition)
        return parse_stored(policy.name, number, library.ask(lambda reader: reader.text(policy.name, number)))

    def document_json(self, policy: Policy, version: int | None = None) -> object:
        """Return a version's document as IAM has it."""
        number = known_version(policy, version)
        library = self.in_partition(policy.partition)
        value: object = json.loads(library.ask(lambda reader: reader.text(policy.name, number)))
        return value

    def summary(self, policy: Policy, version: int | None = None) -> tuple[ServiceSummary, ...]:
        """Return what a version permits, service by service."""
        from ekstui.core.summary import services_in

        return services_in(self.document(policy, version))

    def knowledge(self, policy: Policy) -> PolicyKnowledge | None:
        """Return what ekstui knows about a policy beyond its documents; None outside the EKS family."""
        return knowledge().policies.get(policy.name)

    def timeline(self, policy: Policy) -> tuple[Step, ...]:
        """Return the policy's known versions, oldest first, and what each changed."""
        from ekstui.core.timeline import timeline

        library = self.in_partition(policy.partition)
        texts = library.ask(lambda reader: reader.history(policy.name)).texts
        return timeline(policy, {number: parse_stored(policy.name, number, text) for number, text in texts.items()})

    def compare(self, before: Side, after: Side, standard_input: str = "") -> Comparison:
        """Return what differs between two sides; `standard_input` is the text for a side that is StandardInput.

        A role, and a policy of the account's own by its ARN, is as it was in the last 15 minutes, or AWS is asked;
        AccountError where it cannot be.
        """
        from ekstui.core.where import PolicyAt, RoleSide
        from ekstui.library.comparison import compared, read_side
        from ekstui.library.own_policies import is_own, own_policy_side

        def ask(side: Side) -> ComparedSide:
            if isinstance(side, RoleSide):
                from ekstui.library.roles import role_side

                return role_side(side.name, self.live.recent(), self._default_versions)
            if isinstance(side, PolicyAt) and is_own(side.name):
                return own_policy_side(side.name, side.version, self.live.recent())
            library = self
            if isinstance(side, PolicyAt) and side.name.startswith("arn:"):
                library = self.in_partition(side.name.split(":")[1])
            return library.ask(lambda reader: read_side(side, reader, knowledge, standard_input))

        return compared(ask(before), ask(after), knowledge, self._known_account())

    def _known_account(self) -> AccountSnapshot | None:
        """Return the last snapshot for what an answer says beside; None where it is not at hand, for whatever reason."""
        try:
            return self.live.last()
        except (AccountError, InputError):
            return None

    def profiles(self) -> tuple[str, ...]:
        """Return the names of the profiles that the AWS configuration has, `default` first."""
        from ekstui.sources.aws.caller import profile_names

        return profile_names()

    def account(self) -> AccountSnapshot | None:
        """Return the account's last snapshot without asking AWS, or None where none is at hand."""
        return self.live.last()

    def refresh_account(self, progress: Progress | None = None, cancelled: Cancelled = never) -> AccountSnapshot:
        """Return the account as it is now; AccountError if it cannot be asked, MfaNeededError if it takes a code.

        `progress` gets the account as known so far and what is being read, in the calling thread. What failed on the
        way stands in the snapshot's errors.
        """
        return self.live.refresh(progress, cancelled)

    def attached(self, policy: Policy | str, cancelled: Cancelled = never) -> AttachedAnswer:
        """Return who carries a policy, by the account's last snapshot; a policy of the account is given by its ARN.

        Raises AccountError where there is no snapshot. Asks AWS only where the sweep over all roles is denied.
        """
        from ekstui.library.attached import attached

        if isinstance(policy, str):
            own = policy.startswith("arn:") and policy.split(":", 5)[4:5] != ["aws"]
            arn = policy if own else self.find(policy).policy.arn
        else:
            arn = policy.arn
        return attached(self.live, arn, cancelled)

    def role(self, name: str) -> RoleAnswer:
        """Return a role of the account's last snapshot with all that it carries; NotFoundError with nearest names."""
        from ekstui.library.roles import role_answer

        return role_answer(name, self.live.required(), self._default_versions, knowledge(), datetime.now(UTC))

    def cluster(self, name: str, region: str | None = None, cancelled: Cancelled = never) -> ClusterAnswer:
        """Return a cluster of the account's last snapshot with its roles and findings.

        Raises AccountError where there is no snapshot or clusters could not be read, NotFoundError, or AmbiguousError
        for a name in several regions. What its add-ons need is asked of AWS, unless offline.
        """
        from ekstui.library.clusters import cluster_answer

        return cluster_answer(
            self.live, name, region, self._default_versions, knowledge(), datetime.now(UTC), cancelled
        )

    def attached_everywhere(self, policy: Policy, aggregator: str, cancelled: Cancelled = never) -> OrganisationAnswer:
        """Return who carries a policy in every account of an aggregator of AWS Config.

        Raises NotFoundError for an aggregator that does not exist, AccountError where Config cannot be asked.
        """
        from ekstui.library.organisation import attached_everywhere

        return attached_everywhere(self.live, policy.arn, aggregator, cancelled)

    def copies(self) -> tuple[CopyAnswer, ...]:
        """Return the account's own policies that started as a copy of an AWS one, by the last snapshot."""
        from ekstui.library.copies import copies_in

        snapshot = self.live.required()
        library = self.in_partition(snapshot.identity.partition)
        return library.ask(lambda reader: copies_in(snapshot, reader))

    def simulate(
        self,
        role: str,
        actions: tuple[str, ...],
        resources: tuple[str, ...] = (),
        context: Mapping[str, tuple[str, ...]] | None = None,
    ) -> tuple[SimulatedDecision, ...]:
        """Return what IAM's own simulator says of a role, given by ARN; AccountError where it cannot be asked."""
        from ekstui.sources.aws.simulation import simulate

        if self.choice is not None and (self.choice.offline or self.choice.file):
            raise AccountError("IAM's simulator is asked in AWS only.", "Leave out --offline and --account-file.")
        return simulate(self.live.connection(), role, actions, resources, context)

    def _default_versions(self, arns: Iterable[str]) -> Mapping[str, DefaultVersion]:
        found: dict[str, DefaultVersion] = {}
        wanted = tuple(arns)
        for partition in {arn.split(":", 2)[1] for arn in wanted if arn.startswith("arn:")}:
            library = self.in_partition(partition)
            found |= library.ask(lambda reader: default_versions(wanted, reader))
        return found

    def explain(self, inquiry: Inquiry) -> Explanation:
        """Return why a request is denied; of a message with several denials, the first."""
        return self.explain_all(inquiry)[0]

    def explain_all(self, inquiry: Inquiry) -> tuple[Explanation, ...]:
        """Return why each request of an inquiry is denied: what came nearest, what would allow it, what was not seen.

        Raises InputError for a message that is no denial, and for an action, ARN or condition key that is none;
        AccountError where the inquiry names a principal and there is no snapshot.
        """
        from ekstui.core.reference import reference
        from ekstui.library.explanation import account_of, explained

        snapshot = None
        if inquiry.principal is not None:
            snapshot = self.live.required()
        elif inquiry.question.message is not None and not inquiry.policies and self._account_at_hand():
            snapshot = self.account()
            if snapshot is not None and account_of(inquiry.question, reference()) != snapshot.identity.account:
                snapshot = None
        library = self if snapshot is None else self.in_partition(snapshot.identity.partition)
        partition = library.data().partition
        now = datetime.now(UTC)
        return library.ask(
            lambda reader: explained(inquiry, snapshot, reader, knowledge(), reference(), partition, now)
        )

    def _account_at_hand(self) -> bool:
        """Whether an account was chosen, or one was read before: to look costs 70 ms of imports."""
        chosen = self.choice is not None and (self.choice.file is not None or self.choice.profile is not None)
        return chosen or next((paths.cache_dir() / "accounts").glob("*.db"), None) is not None

    def simulate_inquiry(self, inquiry: Inquiry) -> tuple[SimulatedDecision, ...]:
        """Return what IAM's own simulator says of an inquiry's request; AccountError where it cannot be asked."""
        from ekstui.core.reference import reference
        from ekstui.library.explanation import simulation_of

        role, request = simulation_of(inquiry, self.live.required(), reference())
        return self.simulate(role, (request.action,), request.resources, request.context)

    def fill(self, progress: Callable[[int, int], None] = silent, cancelled: Callable[[], bool] = never) -> bool:
        """Fill the cache from the bundled corpus, which takes a second or two; return whether it is filled.

        `progress` gets how many policies are read, and of how many.
        """
        if self.state() is not None:
            return True
        from ekstui.store.policies import Change, pack

        manifest, packed = self.corpus.manifest(), []
        delivery = self.corpus.deliver(lambda _: {})
        provenance = replace(delivery.provenance, fetched_at=datetime.now(UTC))
        change = Change(provenance, delivery.known_until, corpus=manifest.sha256)
        for _ in range(2):
            try:
                with self.store.file.preparing():
                    if self.state() is not None:
                        return True
                    for done, history in enumerate(self.corpus.histories()):
                        if cancelled():
                            return False
                        if done % 50 == 0:
                            progress(done, manifest.policies)
                        packed.append(pack(history))
                    names = tuple(history.policy.name for history in packed[: manifest.family])
                    self.store.put(packed, change, names)
                progress(manifest.policies, manifest.policies)
                return True
            except (DamagedCacheError, NewerCacheError) as error:
                # The file is out of the way now, so the second try meets a new one.
                self._answer(error)
                packed.clear()
            except CacheError as error:
                self._answer(error)
                return False
        return False

    def index(
        self,
        progress: Callable[[int, int], None] = silent,
        cancelled: Callable[[], bool] = never,
        *,
        gently: bool = False,
    ) -> bool:
        """Index what is new or changed in the filled cache; return whether all of it is indexed.

        Meant for a background thread after `fill`. Without it `changes` and `who_can` give the same answers from the
        documents, in seconds instead of milliseconds. `gently` leaves half of the time to the thread that draws.
        """
        if self.state() is None or not self.store.file.writable():
            return False
        from ekstui.store.index import index_steps

        try:
            return self.index_actions() and index_steps(
                self.store, judged_by(), lambda _: None, progress, cancelled, gently=gently
            )
        except CacheError as error:
            self._answer(error)
            return False

    def index_actions(self) -> bool:
        """Index which policies match which actions, which takes a second; return whether that is there now."""
        from ekstui.store.index import index_actions, is_indexed

        if self.state() is None or not self.store.file.writable():
            return False
        try:
            return is_indexed(self.store) or index_actions(self.store)
        except CacheError as error:
            self._answer(error)
            return False

    def candidates(self, action: str, scope: Scope) -> tuple[Candidate, ...]:
        """Return the policies that may allow an action or a pattern, in the list's order."""
        from ekstui.store.index import candidates

        wanted = action.lower()
        indexed = self._cached(lambda: candidates(self.store, wanted, scope))
        if indexed is not None:
            return indexed
        from ekstui.library.searching import read_candidates

        return self.ask(lambda reader: read_candidates(reader, wanted, scope))

    def changes(self, since: datetime | None = None, scope: Scope = "eks") -> ChangesFeed:
        """Return what AWS changed since a time, newest first, new policies and steps that change nothing included.

        A time after `data().newest` gives a feed that is not complete: nothing is known of it.
        """
        if since is not None and since > self.data().newest:
            return ChangesFeed(False, ())
        return ChangesFeed(True, self._steps(since, scope))

    def _steps(self, since: datetime | None, scope: Scope) -> tuple[FeedStep, ...]:
        from ekstui.store.index import feed

        indexed = self._cached(lambda: feed(self.store, since, judged_by(), scope))
        if indexed is not None:
            return indexed
        from ekstui.library.searching import read_feed

        return self.ask(lambda reader: read_feed(reader, since, scope))

    def who_can(
        self,
        action: str,
        resource: str | None = None,
        scope: Scope = "eks",
        *,
        types: bool = True,
        history: bool = False,
    ) -> WhoCan:
        """Return which policies allow an action, or something under a pattern, in their default versions.

        `resource`, an ARN or an ARN pattern, keeps those that have a grant which can match it. `types` says which
        resource types the grants cover, `history` since when they are as they are. Of an action that neither the
        reference nor any document names, policies of every scope count where the scope has none. Raises InputError for
        what is no action or no ARN.
        """
        from ekstui.library.who_can import who_can_answer

        return who_can_answer(self, action, resource, knowledge, scope, types=types, history=history)

    def principals(self, action: str, resource: str | None = None) -> PrincipalsCan:
        """Return the roles, users and groups of the account's last snapshot that may do an action, or what a pattern names.

        Raises AccountError where there is no snapshot, InputError for what is no action.
        """
        from ekstui.core.who_can import parse_action
        from ekstui.library.principals import principals_can

        snapshot = self.live.required()
        return principals_can(
            parse_action(action), resource, snapshot, self.live.uses(snapshot), self._default_versions
        )

    @property
    def looked(self) -> Looked:
        """What the user has looked at, kept in the state directory."""
        from ekstui.library.looked import Looked

        return Looked(paths.state_dir() / "looked.json")

    def look_at(self, policy: Policy) -> None:
        """Put down that the user has seen a policy's default version."""
        self.looked.look_at([policy])

    def sync(
        self,
        archive: Path | None = None,
        progress: Callable[[int, int], None] = silent,
        cancelled: Callable[[], bool] = never,
        *,
        accept_withdrawals: bool = False,
    ) -> SyncReport:
        """Bring the cache up to date from AWS, or from an archive, and say what is new.

        Raises AccountError where AWS cannot be asked, InputError for an archive that is none, DataError where the
        cache cannot be used. Running it again goes on where it stopped. `index` has work to do afterwards.
        """
        from ekstui.library.syncing import CLOCK_SKEW, sync
        from ekstui.sources.aws.managed import ManagedPolicies
        from ekstui.sources.files import Archive

        if archive is None and self.choice is not None and self.choice.offline:
            raise AccountError("AWS is not asked offline.", "Leave out --offline, or give an archive.")
        if not self.fill(progress, cancelled):
            raise DataError(
                " ".join(self.notices()) or "The cache is not filled.", "EKSTUI_CACHE names another folder for it."
            )
        now = datetime.now(UTC).replace(microsecond=0)
        family = {name: place for place, name in enumerate(knowledge().policies)}
        source = (
            Archive(archive.expanduser(), now, self.store.collection)
            if archive is not None
            else ManagedPolicies(self.live.connection(), family, now, now + CLOCK_SKEW, cancelled)
        )
        try:
            return sync(self.store, source, family, now, progress, cancelled, accept_withdrawals=accept_withdrawals)
        except CacheError as error:
            self._answer(error)
            raise DataError(error.message, "Run the same again.") from None

    def undo_sync(self) -> DataStatus | None:
        """Take back the last sync and return what answers rest on now; None where there is none to take back.

        DataError where the cache cannot be used.
        """
        try:
            return None if self.store.undo() is None else self.data()
        except AbsentCacheError:
            return None
        except CacheError as error:
            self._answer(error)
            raise DataError(error.message, "Run the same again.") from None

    def cache_info(self) -> CacheInfo:
        """Return where the cache is and what it holds."""
        status, counts = self.data(), self.counts()
        return CacheInfo(
            path=self.store.file.path,
            source=status.source,
            newest=status.newest,
            policies=counts.policies,
            versions=counts.versions,
            synced_at=status.synced_at,
            size=self.store.file.size(),
            in_use=self.state() is not None,
        )

    def counts(self) -> Counts:
        """Return how many policies and versions are known."""
        cached = self._cached(lambda: [len(policy.versions) for policy in self.store.policies()])
        manifest = self.corpus.manifest()
        return Counts(manifest.policies, manifest.versions) if cached is None else Counts(len(cached), sum(cached))

    def verify_cache(self) -> Counts | None:
        """Read all of the corpus and the cache; return what the cache holds, None if there is none yet.

        DataError names what is wrong; a cache that cannot be trusted is set aside.
        """
        self.corpus.verify()
        try:
            return Counts(*self.store.verify())
        except AbsentCacheError:
            return None
        except CacheError as error:
            self._answer(error)
            raise DataError(error.message, "ekstui works from its bundled data.") from None

    def clear_cache(self) -> int:
        """Delete the cached policies and whatever was set aside; return how many bytes that freed."""
        try:
            return self.store.file.clear()
        except CacheError as error:
            raise DataError(error.message) from None

    def notices(self) -> tuple[str, ...]:
        """Return what went wrong with the cache since the last call, a sentence each; none of it stops an answer."""
        with self._trouble.lock:
            said = tuple(self._trouble.notices)
            self._trouble.notices.clear()
            return said

    def _answer(self, error: CacheError) -> None:
        """Do what an error of the cache asks for, and say so."""
        if isinstance(error, AbsentCacheError):
            return
        if isinstance(error, DamagedCacheError | NewerCacheError):
            try:
                aside = self.store.file.set_aside(error)
            except CacheError:
                self._trouble.left_alone_until = time.monotonic() + LEFT_ALONE
            else:
                if aside is not None:
                    said = f"It was set aside as {aside.name}; the bundled data answers until there is a new one."
                    self._say(f"{error.message} {said}")
                return
        elif not isinstance(error, BusyCacheError):
            self._trouble.left_alone_until = time.monotonic() + LEFT_ALONE
        self._say(f"{error.message} ekstui works from its bundled data.")

    def _say(self, notice: str) -> None:
        with self._trouble.lock:
            if notice not in self._trouble.notices:
                self._trouble.notices.append(notice)


def judged_by() -> str:
    """Return what the reach of a step depends on beside its documents: another reference or ekstui may judge anew."""
    return f"reference {reference_version()}, ekstui {__version__}"
