"""Cards: all about one thing, or about an action of a policy or role."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from ekstui.change.holders import types_covered
from ekstui.eks.account_snapshot import AccountSnapshot, Group, LocalPolicy, User
from ekstui.eks.knowledge import Symptom
from ekstui.eks.kubernetes import AccessPolicyRules
from ekstui.errors import EkstuiError
from ekstui.iam.action_facts import MatchingStatement, action_card, statements_matching
from ekstui.iam.reference import ActionInfo, reference
from ekstui.library import Library
from ekstui.library.access_policies import access_difference
from ekstui.library.attachments import attached
from ekstui.library.catalog import knowledge
from ekstui.library.lookup import Thing
from ekstui.library.notation import PolicyAt, RoleSide
from ekstui.library.searching import who_can_answer
from ekstui.library.symptoms import symptom_answer
from ekstui.present import cards
from ekstui.present.access import access_blocks, access_difference_blocks
from ekstui.present.blocks import Block
from ekstui.present.cards import AllowedAction, action_blocks
from ekstui.present.rendering import Row, rows
from ekstui.present.styled import Styled
from ekstui.tui import keys
from ekstui.tui.messages import AskExplain, AskWhoCan, Bookmark, ShowAction
from ekstui.tui.screens.report import ReportScreen, question_line


def card_of(value: object, library: Library, snapshot: AccountSnapshot | None) -> Callable[[], list[Block]] | None:
    """Return what makes the card of a thing that the user found; None if there is no card of it."""
    match value:
        case AccessPolicyRules():
            return lambda: access_blocks(value)
        case Symptom():
            return lambda: cards.symptom_blocks(symptom_answer(library, value))
        case User() if snapshot:
            return lambda: cards.user_blocks(value, snapshot)
        case Group() if snapshot:
            return lambda: cards.group_blocks(value, snapshot)
        case LocalPolicy():
            return lambda: cards.own_policy_blocks(value, attached(library, value.arn), datetime.now(UTC))
        case _:
            return None


class CardScreen(ReportScreen[Sequence[Block]]):
    """A card made of blocks, whose policies, roles and actions can be opened."""

    HEADING = "Card"
    KEYS = (keys.OPEN.here("Open the policy or role under the cursor, or show who can do the action."), keys.WHO_CAN)

    OPENS = (ActionInfo, RoleSide, PolicyAt)

    def __init__(self, thing: Thing, blocks: Callable[[], Sequence[Block]], about: str = "") -> None:
        """`about` says what is shown of the thing, if not all of it; the header then names it."""
        super().__init__()
        self._about = about
        self._thing = thing
        self._blocks = blocks

    def question(self) -> Styled:
        about = f"{self._about} of " if self._about else ""
        return question_line(f"{about}{self._thing.kind}", self._thing.name)

    @property
    def bookmark(self) -> Bookmark | None:
        thing = self._thing
        return Bookmark(
            thing.arn or thing.name, of_account=thing.kind not in ("symptom", "access policy", "comparison")
        )

    def find(self, library: Library) -> Sequence[Block]:  # noqa: ARG002 - `blocks` already has the library
        return self._blocks()

    def answer_rows(self, answer: Sequence[Block]) -> list[Row]:
        return rows(answer, self.width)

    def open_row(self, row: Row) -> None:
        """Show a policy or a role, or who can do an action."""
        match row.value:
            case ActionInfo(name=action):
                self.post_message(AskWhoCan(action))
            case RoleSide() | PolicyAt():
                super().open_row(row)
            case _:
                self.notify("There is nothing to open here; y copies it.")


def access_comparison(before: str, after: str) -> CardScreen:
    """Return the screen that shows how two EKS access policies differ; NotFoundError for an unknown one."""
    difference = access_difference(before, after)
    names = (difference.before.policy.name, difference.after.policy.name)
    # To get here again, the palette takes the command.
    thing = Thing("comparison", " with ".join(names), arn=f"diff access:{names[0]} access:{names[1]}")
    return CardScreen(thing, lambda: access_difference_blocks(difference))


class ActionScreen(ReportScreen[AllowedAction]):
    """An action: what it does, the statements that allow it, and since which version they do."""

    HEADING = "Action"
    KEYS = (
        keys.WHO_CAN.here("Show who else can do this action."),
        keys.EXPLAIN.here("Explain why a request for this action is denied."),
    )  # fmt: skip
    WAITING = "reading the statements…"

    def __init__(self, message: ShowAction) -> None:
        super().__init__()
        self._message = message

    def question(self) -> Styled:
        return question_line("action", self._message.action.action, f" · {self._message.allowed_by.partition(':')[2]}")

    def find(self, library: Library) -> AllowedAction:
        return _card(library, self._message)

    def answer_rows(self, answer: AllowedAction) -> list[Row]:
        return rows(action_blocks(answer), self.width)

    def action_who_can(self) -> None:
        self.post_message(AskWhoCan(self._message.action.action))

    def action_explain(self) -> None:
        self.post_message(AskExplain(f"{self._message.allowed_by} {self._message.action.action}"))


def _card(library: Library, message: ShowAction) -> AllowedAction:
    name = message.action.action
    statements: list[tuple[str, MatchingStatement]] = [
        (label, statement) for label, document in message.read() for statement in statements_matching(document, name)
    ]
    since, other_policies = None, None
    try:
        holders = who_can_answer(library, name, None, "all").holders
    except EkstuiError:
        # Unknown to the reference; the card says so.
        pass
    else:
        arn = message.policy.arn if message.policy else None
        since = next((holder.since for holder in holders if holder.policy.arn == arn), None)
        family = knowledge().policies
        other_policies = sum(holder.policy.name in family and holder.policy.arn != arn for holder in holders)
    info = reference().find(name)
    covered_types = types_covered(info, message.action.grants) if info else ()
    card, needs = action_card(name), knowledge().dependents(name)
    snapshot = library.snapshot_at_hand()
    account = snapshot.identity.account if snapshot else None
    return AllowedAction(message.action, card, needs, covered_types, statements, since, other_policies, account)
