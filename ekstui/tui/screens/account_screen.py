"""The account: its identity, what could not be read, copies of AWS's policies, and another account."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime

from ekstui.eks.account_snapshot import AccountSnapshot
from ekstui.eks.uses import regions_of_interest
from ekstui.errors import AccountError
from ekstui.library import AccountChoice, Library
from ekstui.library.copies import CopyAnswer, copies_in
from ekstui.library.notation import PolicyAt
from ekstui.present.account_report import copies_blocks, identity_blocks, unread_blocks
from ekstui.present.blocks import Block, Heading, Node, Sentence, Span, Tree, failure_blocks
from ekstui.present.rendering import rows
from ekstui.present.styled import Row, Styled
from ekstui.sources.aws.credentials import profile_names
from ekstui.tui import keys
from ekstui.tui.messages import (
    AccountView,
    Bookmark,
    ShowComparison,
    SwitchAccount,
)
from ekstui.tui.screens.copying import Extract, copies_of_advice
from ekstui.tui.screens.report import AccountReportScreen, question_line

_Beside = tuple[Sequence[str], Sequence[CopyAnswer]]
"""What is shown besides the snapshot: the profiles, and the copies of policies."""


class AccountScreen(AccountReportScreen[_Beside]):
    """The account, and a choice of profile and regions."""

    HEADING = "Account"
    KEYS = (
        keys.OPEN.here("Switch to the profile or region under the cursor."),
        keys.COMPARE.here("Compare the copy under the cursor with today's original."),
    )  # fmt: skip
    WAITING = "reading the account…"
    bookmark = Bookmark(keys.ACCOUNT.label)
    OPENS = (AccountChoice, CopyAnswer)

    def __init__(self, view: AccountView) -> None:
        super().__init__()
        self._view = view

    def question(self) -> Styled:
        snapshot = self._view.snapshot
        return question_line("account", snapshot.identity.account if snapshot else "not known")

    def find(self, library: Library) -> _Beside:
        """Read the profiles, of which the demo has none, and the copies."""
        copies: tuple[CopyAnswer, ...] = ()
        # Without a snapshot no copies are known.
        with suppress(AccountError):
            copies = copies_in(library)
        return () if self.app.choice.demo else profile_names(), copies

    def answer_rows(self, answer: _Beside) -> list[Row]:
        """Return the account, the profiles and regions to choose from, and the copies of policies as rows."""
        view, choice = self._view, self.app.choice
        snapshot = view.snapshot
        blocks: list[Block] = [Heading("Account"), *identity_blocks(snapshot, datetime.now(UTC))]
        if view.asking:
            blocks.append(Sentence(Span(f"… {view.asking}", "accent")))
        if view.error is not None:
            blocks += failure_blocks(view.error)
        profiles, copies = answer
        if choice.demo:
            blocks.append(
                Sentence(Span("This account is made up. Start ekstui without --demo to choose a profile.", "muted"))
            )
        else:
            blocks += self._choices(profiles, choice, snapshot)
        blocks += [*(unread_blocks(snapshot) if snapshot else ()), *copies_blocks(copies)]
        return rows(blocks, self.width)

    def _choices(self, profiles: Sequence[str], choice: AccountChoice, snapshot: AccountSnapshot | None) -> list[Block]:
        """Return the file that the app was started with, if any, and the profiles and regions to choose from."""
        start_choice = self.app.started_with
        # A file of an account has no other profiles and regions.
        without_file = choice._replace(file=None)
        files = (
            [_choice(f"the file {start_choice.file}", start_choice, choice.file is not None)]
            if start_choice.file
            else []
        )
        # The chosen regions are of the old account.
        profile_choices = [
            _choice(
                name or "from the environment",
                without_file._replace(profile=name, regions=()),
                choice.file is None and name == choice.profile,
            )
            for name in (None, *profiles)
        ]
        regions = [
            _choice(name, without_file._replace(regions=regions), regions == choice.regions)
            for name, regions in _regions(snapshot, choice)
        ]
        return [
            Heading("Profiles (enter switches)"),
            Tree([*files, *profile_choices]),
            Heading("Regions for clusters (enter switches)"),
            Tree(regions),
        ]

    def begin_reading(self) -> None:
        """Put the cursor on the first profile."""
        if not self.works(keys.OPEN, self.rows.current):
            self.rows.move_to_next(1, lambda row: self.works(keys.OPEN, row))

    def works(self, key: keys.Key, row: Row | None) -> bool:
        """Return whether a key works on a row: only copies can be compared."""
        if key.id == keys.COMPARE.id:
            return row is not None and isinstance(row.value, CopyAnswer)
        return super().works(key, row)

    def show_account(self, view: AccountView) -> None:
        """Show the new view of the account."""
        is_new = view.snapshot is not self._view.snapshot
        self._view = view
        if not self.is_mounted:
            return  # it will ask when it is mounted
        if is_new:
            self.ask_again()
        else:
            self.show_answer()

    def copies(self) -> Sequence[Extract]:
        """Return the command to sign in, if the account needs it."""
        return copies_of_advice(self._view.error)

    def open_row(self, row: Row) -> None:
        """Switch to a profile or region, or compare a copy."""
        if isinstance(row.value, AccountChoice):
            self.post_message(SwitchAccount(row.value))
        elif isinstance(row.value, CopyAnswer):
            self.action_diff()

    def action_diff(self) -> None:
        """Compare the copy under the cursor with today's original, to see what it lacks."""
        row = self.rows.current
        if row is None or not isinstance(row.value, CopyAnswer):
            self.notify("Only copies of AWS's policies can be compared here.")
            return
        copy = row.value.copy
        today = copy.original.default_version
        self.post_message(ShowComparison(PolicyAt(copy.local.arn), PolicyAt(copy.original.arn, today)))


def _choice(label: str, choice: AccountChoice, on: bool) -> Node:
    mark = Span("● ", "accent") if on else Span("○ ", "muted")
    return Node((mark, Span(label, "strong" if on else "")), value=choice)


def _regions(snapshot: AccountSnapshot | None, choice: AccountChoice) -> list[tuple[str, tuple[str, ...]]]:
    regions = regions_of_interest(snapshot) if snapshot else ()
    choices: list[tuple[str, tuple[str, ...]]] = [("those that the account uses", ()), ("all", ("all",))]
    choices += [(region, (region,)) for region in regions]
    if choice.regions and choice.regions not in [regions for _, regions in choices]:
        choices.append((", ".join(choice.regions), choice.regions))
    return choices
