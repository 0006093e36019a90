"""The account: its identity, what could not be read, copies of AWS's policies, and the choice of another account."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from textual import on

from ekstui.core.account_snapshot import AccountSnapshot
from ekstui.core.eks_coverage import regions_of_interest
from ekstui.core.notation import PolicyAt
from ekstui.core.text import clean_line
from ekstui.errors import AccountError
from ekstui.library import AccountChoice, Library
from ekstui.library.copies import CopyAnswer, copies_in
from ekstui.present.account_report import copies_blocks, identity_blocks, unread_blocks
from ekstui.present.blocks import Block, Heading, Node, Sentence, Span, Tree
from ekstui.present.rendering import rows
from ekstui.present.styled import Row, Styled
from ekstui.present.words import failure_blocks
from ekstui.sources.aws.credentials import profile_names
from ekstui.tui import keys
from ekstui.tui.account_view import AccountView, SwitchAccount
from ekstui.tui.keys import Key, bindings
from ekstui.tui.messages import ShowComparison
from ekstui.tui.screens.copying import Copyable, advised
from ekstui.tui.screens.report import Answered, ReportScreen
from ekstui.tui.shown import Bookmark
from ekstui.tui.widgets.rows import RowList


@dataclass(frozen=True, slots=True)
class UseProfile:
    """A choice of profile; None to use the environment's."""

    profile: str | None


@dataclass(frozen=True, slots=True)
class UseRegions:
    """A choice of regions to look for clusters in; empty for those that the account points to."""

    regions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Beside:
    """What is shown besides the snapshot."""

    profiles: Sequence[str]
    copies: Sequence[CopyAnswer]


class AccountScreen(ReportScreen):
    """The account, and a choice of profile and regions."""

    HEADING = "Account"
    KEYS = (
        keys.OPEN.here("Switch to the profile or region under the cursor."),
        keys.COMPARE.here("Compare the copy under the cursor with today's original."),
    )  # fmt: skip
    BINDINGS = bindings(KEYS)
    WAITING = "reading the account…"
    OPENS = (UseProfile, UseRegions, CopyAnswer)

    def __init__(self, view: AccountView) -> None:
        super().__init__()
        self._view = view

    def question(self) -> Styled:
        """Return the account's number."""
        snapshot = self._view.snapshot
        return (("account ", ""), (clean_line(snapshot.identity.account) if snapshot else "not known", "strong"))

    @property
    def bookmark(self) -> Bookmark | None:
        """What to type into the palette to get here again."""
        return Bookmark(keys.ACCOUNT.label)

    def ask(self) -> Callable[[], object]:
        """Return what reads the profiles and the copies."""
        library = self.app.library
        return lambda: _beside(library)

    def answer_rows(self, answer: object) -> list[Row]:
        """Return the account as rows."""
        if not isinstance(answer, _Beside):
            return []
        return rows(self._blocks(answer), self.width)

    def _blocks(self, answer: _Beside) -> list[Block]:
        view, choice = self._view, self.app.library.choice or AccountChoice()
        snapshot = view.snapshot
        blocks: list[Block] = [Heading("Account")]
        if snapshot is None:
            blocks.append(Sentence(Span("nothing is known yet; r asks AWS", "muted")))
        else:
            blocks += identity_blocks(snapshot, datetime.now(UTC))
        if view.asking:
            blocks.append(Sentence(Span(f"… {view.asking}", "accent")))
        if view.error is not None:
            blocks += failure_blocks(view.error)
        profiles = [
            _choice(profile or "from the environment", UseProfile(profile), on=profile == choice.profile)
            for profile in (None, *answer.profiles)
        ]
        regions = [
            _choice(name, UseRegions(regions), on=regions == choice.regions)
            for name, regions in _regions(snapshot, choice)
        ]
        blocks += [Heading("Profiles (enter switches)"), Tree(profiles)]
        blocks += [Heading("Regions for clusters (enter switches)"), Tree(regions)]
        return [*blocks, *(unread_blocks(snapshot) if snapshot else ()), *copies_blocks(answer.copies)]

    @on(Answered)
    def _to_the_choices(self) -> None:
        self.call_after_refresh(self._rest_on_a_choice)

    def _rest_on_a_choice(self) -> None:
        """Put the cursor on the first profile."""
        if not self.works(keys.OPEN, self.rows.current):
            self.rows.move_to_next(1, lambda row: self.works(keys.OPEN, row))

    def works(self, key: Key, row: Row | None) -> bool:
        """Return whether a key works on a row: only copies can be compared."""
        if key.id == keys.COMPARE.id:
            return row is not None and isinstance(row.value, CopyAnswer)
        return super().works(key, row)

    def show_account(self, view: AccountView) -> None:
        """Show the new view of the account."""
        arrived = view.snapshot is not self._view.snapshot
        self._view = view
        if not self.is_mounted:
            return  # it will ask when it is mounted
        if arrived:
            self.ask_again()
        else:
            self.show_answer()

    def copies(self) -> Sequence[Copyable]:
        """Return the command to sign in, if the account needs it."""
        return advised(self._view.error)

    def action_refresh_data(self) -> None:
        """Refresh the account from AWS."""
        self.post_message(SwitchAccount(None))

    @on(RowList.Opened)
    def _open(self, event: RowList.Opened) -> None:
        event.stop()
        value = event.row.value if event.row else None
        choice = self.app.library.choice or AccountChoice()
        if isinstance(value, UseProfile):
            # The chosen regions are of the old account.
            self.post_message(SwitchAccount(_with(choice, value.profile, ())))
        elif isinstance(value, UseRegions):
            self.post_message(SwitchAccount(_with(choice, choice.profile, value.regions)))
        elif isinstance(value, CopyAnswer):
            self.action_diff()

    def action_diff(self) -> None:
        """Compare the copy under the cursor with today's original, to see what it lacks."""
        row = self.rows.current
        if row is None or not isinstance(row.value, CopyAnswer):
            self.notify("Only copies of AWS's policies can be compared here.", markup=False)
            return
        copy = row.value.copy
        today = copy.original.default_version
        self.post_message(ShowComparison(PolicyAt(copy.local.arn), PolicyAt(copy.original.arn, today)))


def _choice(label: str, value: UseProfile | UseRegions, *, on: bool) -> Node:
    mark = Span("● ", "accent") if on else Span("○ ", "muted")
    return Node((mark, Span(label, "strong" if on else "")), value=value, key=value)


def _regions(snapshot: AccountSnapshot | None, choice: AccountChoice) -> list[tuple[str, tuple[str, ...]]]:
    known = regions_of_interest(snapshot) if snapshot else ()
    found: list[tuple[str, tuple[str, ...]]] = [("those that the account uses", ()), ("all", ("all",))]
    found += [(region, (region,)) for region in known]
    if choice.regions and choice.regions not in [regions for _, regions in found]:
        found.append((", ".join(choice.regions), choice.regions))
    return found


def _with(choice: AccountChoice, profile: str | None, regions: tuple[str, ...]) -> AccountChoice:
    return AccountChoice(
        profile=profile,
        regions=regions,
        offline=choice.offline,
        mfa_prompt=choice.mfa_prompt,
        share_role_cache=choice.share_role_cache,
    )


def _beside(library: Library) -> _Beside:
    copies: tuple[CopyAnswer, ...] = ()
    # Without a snapshot no copies are known.
    with suppress(AccountError):
        copies = copies_in(library)
    return _Beside(profile_names(), copies)
