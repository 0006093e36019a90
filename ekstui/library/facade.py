"""The library itself: each method is a line in the table of contents, and the module it names does the work."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from ekstui import paths
from ekstui.core.reference import reference_version
from ekstui.errors import AccountError, InputError
from ekstui.library.choice import AccountChoice
from ekstui.library.knowledge import entry_of, knowledge
from ekstui.library.policies import DefaultVersion, default_versions, find_policy, known_version, parse_stored
from ekstui.library.store import Store
from ekstui.library.values import CacheInfo, ChangesFeed, DataStatus, PolicyEntry
from ekstui.scope import Scope
from ekstui.sources.corpus import Corpus
from ekstui.store.policies import PolicyCache

# Every command imports this module. What only some methods need is imported in them: all of it at once takes
# 120 ms, of which a list needs none and the answers about an account most.
if TYPE_CHECKING:
    from ekstui.core.account import AccountSnapshot
    from ekstui.core.document import Document
    from ekstui.core.explain import Explanation
    from ekstui.core.knowledge import PolicyKnowledge
    from ekstui.core.organisation import OrganisationAnswer
    from ekstui.core.policy import Policy
    from ekstui.core.steps import Step
    from ekstui.core.summary import ServiceSummary
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
    from ekstui.store.verifying import Counts


def never() -> bool:
    """Return that nothing is cancelled."""
    return False


@dataclass(slots=True)
class Library:
    """Answers about policies; cheap to make, and safe to call from any thread."""

    store: Store
    _live: LiveAccount | None = None
    choice: AccountChoice | None = None
    """The account to ask; None: the one that the environment leads to."""
    _lock: Lock = field(default_factory=Lock)

    @staticmethod
    def open(account: AccountChoice | None = None) -> Library:
        """Return the library over the bundled corpus, the user's cache and an account; nothing is read yet.

        The account is the one that the environment leads to, unless another is given.
        """
        return Library(Store(Corpus.bundled(), PolicyCache.in_folder(paths.cache_dir())), choice=account)

    def with_account(self, account: AccountChoice) -> Library:
        """Return a library over the same policies that asks another account."""
        return Library(self.store, choice=account)

    def in_partition(self, partition: str) -> Library:
        """Return a library over the policies of another partition, or this one where none of it are known."""
        store = None if partition == self.store.cache.partition else self.store.in_partition(partition)
        return self if store is None else Library(store, self._live, self.choice)

    @property
    def live(self) -> LiveAccount:
        """The account as chosen, made when it is first needed."""
        from ekstui.library.account import LiveAccount

        with self._lock:
            if self._live is None:
                self._live = LiveAccount.chosen(self.choice or AccountChoice())
            return self._live

    def data(self) -> DataStatus:
        """Return what answers rest on, and until when it is known."""
        holding = self.store.holding()
        manifest = self.store.corpus.manifest()
        return DataStatus(
            source=holding.source if holding else manifest.label,
            partition=self.store.cache.partition if holding else manifest.partition,
            newest=holding.known_until if holding else manifest.known_until,
            synced_at=holding.synced_at if holding else None,
            reference=reference_version(),
            policies=self.store.counts().policies,
        )

    def policies(self, scope: Scope = "eks") -> tuple[PolicyEntry, ...]:
        """Return the policies of a scope: the EKS family in its own order, then the others by name."""
        return self.store.ask(lambda reader: tuple(map(entry_of, reader.policies(family=scope == "eks"))))

    def find(self, name: str) -> PolicyEntry:
        """Return the policy that a user names: an ARN, a name whatever its case, or a unique part of one.

        Raises AmbiguousError with the candidates, NotFoundError with the nearest names.
        """
        store = self.in_partition(name.split(":")[1]).store if name.startswith("arn:") else self.store
        return entry_of(store.ask(lambda reader: find_policy(name, reader, knowledge)))

    def document(self, policy: Policy, version: int | None = None) -> Document:
        """Return a version's document, the default's for None; NotFoundError for a version nobody has seen."""
        number = known_version(policy, version)
        store = self.in_partition(policy.partition).store
        return parse_stored(policy.name, number, store.ask(lambda reader: reader.text(policy.name, number)))

    def document_json(self, policy: Policy, version: int | None = None) -> object:
        """Return a version's document as IAM has it."""
        number = known_version(policy, version)
        store = self.in_partition(policy.partition).store
        value: object = json.loads(store.ask(lambda reader: reader.text(policy.name, number)))
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

        store = self.in_partition(policy.partition).store
        texts = store.ask(lambda reader: reader.history(policy.name)).texts
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
            store = self.store
            if isinstance(side, PolicyAt) and side.name.startswith("arn:"):
                store = self.in_partition(side.name.split(":")[1]).store
            return store.ask(lambda reader: read_side(side, reader, knowledge, standard_input))

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
        store = self.in_partition(snapshot.identity.partition).store
        return store.ask(lambda reader: copies_in(snapshot, reader))

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
            store = self.in_partition(partition).store
            found |= store.ask(lambda reader: default_versions(wanted, reader))
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
        return library.store.ask(
            lambda reader: explained(inquiry, snapshot, reader, knowledge(), reference(), partition, now)
        )

    def _account_at_hand(self) -> bool:
        """Whether an account was chosen, or one was read before: to look costs 70 ms of imports."""
        chosen = self.choice is not None and (self.choice.file is not None or self.choice.profile is not None)
        return chosen or next((paths.cache_dir() / "accounts").glob("*"), None) is not None

    def simulate_inquiry(self, inquiry: Inquiry) -> tuple[SimulatedDecision, ...]:
        """Return what IAM's own simulator says of an inquiry's request; AccountError where it cannot be asked."""
        from ekstui.core.reference import reference
        from ekstui.library.explanation import simulation_of

        role, request = simulation_of(inquiry, self.live.required(), reference())
        return self.simulate(role, (request.action,), request.resources, request.context)

    def fill(
        self,
        progress: Callable[[int, int], None] = lambda *_: None,
        cancelled: Callable[[], bool] = never,
    ) -> bool:
        """Fill the cache from the bundled corpus; return whether it is filled.

        Meant for a background thread: it takes a second or two, says how many policies are stored and of how many,
        and asks `cancelled` between transactions. What is stored stays, and the next call goes on from there.
        """
        return self.store.fill(progress, cancelled)

    def index(
        self,
        progress: Callable[[int, int], None] = lambda *_: None,
        cancelled: Callable[[], bool] = never,
        *,
        gently: bool = False,
    ) -> bool:
        """Index what is new or changed in the filled cache; return whether all of it is indexed.

        Meant for a background thread after `fill`: the first time it takes ten seconds or more. Without it `changes`
        and `who_can` give the same answers from the documents, in seconds instead of milliseconds.
        `gently` takes twice as long and leaves half of the time to the thread that draws.
        """
        return self.store.index(progress, cancelled, gently=gently)

    def changes(self, since: datetime | None = None, scope: Scope = "eks") -> ChangesFeed:
        """Return what AWS changed since a time, newest first, new policies and steps that change nothing included.

        A time after `data().newest` gives a feed that is not complete: nothing is known of it.
        """

        if since is not None and since > self.data().newest:
            return ChangesFeed(False, ())
        return ChangesFeed(True, self.store.feed(since, family=scope == "eks"))

    def who_can(self, action: str, resource: str | None = None, scope: Scope = "eks") -> WhoCan:
        """Return which policies allow an action, or something under a pattern, in their default versions.

        `resource`, an ARN or an ARN pattern, keeps those that have a grant which can match it. Of an action that
        neither the reference nor any document names, policies of every scope count where the scope has none. Raises
        InputError for what is no action or no ARN.
        """
        from ekstui.library.who_can import who_can_answer

        return who_can_answer(self.store, action, resource, knowledge, family=scope == "eks")

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
        progress: Callable[[int, int], None] = lambda *_: None,
        cancelled: Callable[[], bool] = never,
    ) -> SyncReport:
        """Bring the cache up to date from AWS, or from an archive, and say what is new.

        Raises AccountError where AWS cannot be asked, InputError for an archive that is none, DataError where the
        cache cannot be used. Running it again goes on where it stopped. `index` has work to do afterwards.
        """
        from ekstui.library.syncing import sync_from_aws, sync_from_files

        now = datetime.now(UTC).replace(microsecond=0)

        def work(cache: PolicyCache) -> SyncReport:
            if archive is not None:
                return sync_from_files(cache, archive.expanduser(), now, progress, cancelled)
            family = {name: place for place, name in enumerate(knowledge().policies)}
            return sync_from_aws(cache, self.live.connection(), family, now, progress, cancelled)

        if archive is None and self.choice is not None and self.choice.offline:
            raise AccountError("AWS is not asked offline.", "Leave out --offline, or give an archive.")
        return self.store.sync(work, progress, cancelled)

    def counts(self) -> Counts:
        """Return how many policies and versions are known, without reading them."""
        return self.store.counts()

    def cache_info(self) -> CacheInfo:
        """Return where the cache is and what it holds."""
        status, counts, database = self.data(), self.counts(), self.store.cache.database
        return CacheInfo(
            path=database.path,
            source=status.source,
            newest=status.newest,
            policies=counts.policies,
            versions=counts.versions,
            synced_at=status.synced_at,
            size=database.size(),
            in_use=self.store.holding() is not None,
        )

    def verify_cache(self) -> Counts | None:
        """Read all of the corpus and the cache; return what the cache holds, None if there is none yet.

        DataError names what is wrong; a cache that cannot be trusted is set aside.
        """
        return self.store.verify()

    def clear_cache(self) -> int:
        """Delete the cached policies and whatever was set aside; return how many bytes that freed."""
        return self.store.clear()

    def notices(self) -> tuple[str, ...]:
        """Return what went wrong with the cache since the last call, a sentence each; none of it stops an answer."""
        return self.store.notices()
