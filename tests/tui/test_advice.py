"""Advice in the app works in the app: it is a key, or a command that a key copies."""

import ast
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import InvalidMaxRetryAttemptsError, NoCredentialsError, UnauthorizedSSOTokenError
from textual.pilot import Pilot

from ekstui.eks.account_snapshot import AccountSnapshot, CallerIdentity, SourceError
from ekstui.errors import Advice, in_app
from ekstui.files import from_record, to_record
from ekstui.present.blocks import command_in_advice
from ekstui.sources.aws.failures import account_error
from ekstui.tui.app import EkstuiApp
from ekstui.tui.screens.explorer_screen import ExplorerScreen
from tests.rig.rig import Rig
from tests.support.terminal import ROOT
from tests.tui.journeys import settle, travel, words

ERRORS = {
    "AccountError", "DataError", "DocumentError", "EkstuiError", "InputError", "MfaNeededError", "NotFoundError",
    "OutputError", "SourceError", "StoreError", "_Words",
}  # fmt: skip

NOT_IN_THE_APP = re.compile(
    r"ekstui pin |ekstui cache |ekstui config edit|Leave out |Install ekstui again|Ask AWS once, without --offline|ekstui works from|ekstui config shows|For example: --|Name it: --from"
    r"|ekstui pod |--kubernetes|with --context|with --cluster|ekstui account reads it"
)
"""Advice that only commands give, or that comes before the app starts, or that no key can follow."""


OFFLINE = "Everything else works offline."


def advice() -> Iterator[tuple[str, str]]:
    """Yield what errors tell the app's user to do and where: the last text of an `Advice`, any other text as it is."""
    for path in sorted((ROOT / "ekstui").rglob("*.py")):
        if "cli" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            name = getattr(node.func, "id", "") if isinstance(node, ast.Call) else ""
            if isinstance(node, ast.Call) and name in {*ERRORS, "Advice"}:
                parts = [*node.args[1:], *(keyword.value for keyword in node.keywords)]
                for part in parts:
                    text = "".join(
                        str(piece.value) if isinstance(piece, ast.Constant) else "x"
                        for piece in (part.values if isinstance(part, ast.JoinedStr) else [part])
                    )
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", text


def test_no_advice_needs_leaving_the_app_where_a_key_does_it() -> None:
    advice_texts = list(advice())
    assert len(advice_texts) > 100
    wrong = [
        (place, text)
        for place, text in advice_texts
        if not NOT_IN_THE_APP.search(text) and re.search(r"[Rr]efresh\b|--\w|\bekstui [a-z]", text.partition("`aws")[0])
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("error", "advice_in_app", "command"),
    [
        (UnauthorizedSSOTokenError(), "y copies `aws sso login --profile x`; once you have signed in, r asks again.",
         "aws sso login --profile x"),
        (NoCredentialsError(),
         f"a lists the profiles; y copies `aws sso login --profile x`, and then r asks again. {OFFLINE}", "aws sso login --profile x"),
        (InvalidMaxRetryAttemptsError(provided_max_attempts="many", min_value=1), "For example, set them to `standard` and 3.", None),
    ],
)  # fmt: skip
def test_the_command_that_signs_in_is_copied_with_a_key(
    error: Exception, advice_in_app: str, command: str | None
) -> None:
    source_error = account_error(error, "identity", "sts:GetCallerIdentity", "x")
    assert in_app(source_error.next_step) == advice_in_app
    assert command_in_advice(source_error.next_step) == command


def test_what_to_do_in_the_app_is_kept_with_a_snapshot() -> None:
    step = Advice("Refresh to ask again.", "r asks again.")
    error = SourceError("roles", None, "throttled", "AWS is busy.", step, next_in_app=in_app(step))
    identity = CallerIdentity("111122223333", "aws", "arn:aws:iam::111122223333:user/jo", "AIDA")
    snapshot = AccountSnapshot(identity, datetime(2026, 1, 2, tzinfo=UTC), complete=False, errors=(error,))
    (stored_error,) = from_record(AccountSnapshot, json.loads(json.dumps(to_record(snapshot)))).errors
    assert (stored_error.advice, in_app(stored_error.advice)) == ("Refresh to ask again.", "r asks again.")


def test_y_sends_the_command_that_signs_in_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    copies: list[str] = []
    monkeypatch.setattr("ekstui.tui.screens.copying.send_to_terminal", lambda _, text: copies.append(text))

    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        explorer = app.screen
        assert isinstance(explorer, ExplorerScreen)
        await settle(pilot, lambda: explorer.account.error is not None)
        error = account_error(UnauthorizedSSOTokenError(), "identity", "sts:GetCallerIdentity", "x")
        explorer.account = explorer.account._replace(error=error)
        await pilot.press("4")
        await settle(pilot, lambda: "y copies" in words(explorer.focused_pane))
        await pilot.press("y")
        assert copies == ["aws sso login --profile x"]

    travel(journey)


def test_a_refresh_that_is_denied_keeps_what_was_known_with_its_age_and_the_reason(rig: Rig) -> None:
    rig.reset(0)

    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        explorer = app.screen
        assert isinstance(explorer, ExplorerScreen)
        await settle(pilot, lambda: explorer.account.snapshot is not None and not explorer.account.asking)
        before = explorer.account.snapshot
        assert before is not None
        assert before.complete
        rig.proxy.fail("denied", "iam")
        await pilot.press("4", "r")
        await settle(pilot, lambda: explorer.account.error is not None)
        assert explorer.account.snapshot is before
        assert app.library.account.last_snapshot() is before
        await settle(pilot, lambda: "What was known before:" in words(explorer.focused_pane))
        assert "is denied" in words(explorer.focused_pane)
        assert "prod-node" in words(explorer.focused_pane)
        assert datetime.now(UTC) - before.fetched_at < timedelta(minutes=5)

    travel(journey)
