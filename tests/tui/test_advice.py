"""Advice in the app works in the app: it is a key, or a command that a key copies."""

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from textual.pilot import Pilot

from ekstui.errors import AccountError
from ekstui.present.blocks import command_in_advice, in_the_app
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
)
"""Advice that only commands give, or that comes before the app starts, or that no key can follow."""


def advice() -> Iterator[tuple[str, str]]:
    """Yield the advice in errors and where it is: every text after the first that an error is made with."""
    for path in sorted((ROOT / "ekstui").rglob("*.py")):
        if "cli" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ERRORS:
                for given in (*node.args[1:], *(keyword.value for keyword in node.keywords)):
                    text = "".join(
                        str(part.value) if isinstance(part, ast.Constant) else "x"
                        for part in (given.values if isinstance(given, ast.JoinedStr) else [given])
                    )
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", text


def test_no_advice_needs_leaving_the_app_where_a_key_does_it() -> None:
    told = list(advice())
    assert len(told) > 100
    wrong = [
        (place, here)
        for place, text in told
        if not NOT_IN_THE_APP.search(text)
        and re.search(r"[Rr]efresh\b|--\w|\bekstui [a-z]", here := in_the_app(text).partition("`aws")[0])
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("advice", "here", "command"),
    [
        ("Run `aws sso login --profile x`, then refresh.",
         "y copies `aws sso login --profile x`; once you have signed in, r asks again.", "aws sso login --profile x"),
        ("Set AWS_PROFILE, or run `aws sso login`. Everything else works offline, and --demo shows a made-up account.",
         "a lists the profiles; y copies `aws sso login`, and then r asks again. Everything else works offline.", "aws sso login"),
        ("For example, set them to 1.", "For example, set them to 1.", None),
    ],
)  # fmt: skip
def test_the_command_that_signs_in_is_copied_with_a_key(advice: str, here: str, command: str | None) -> None:
    assert in_the_app(advice) == here
    assert command_in_advice(advice) == command


def test_y_sends_the_command_that_signs_in_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    monkeypatch.setattr("ekstui.tui.screens.copying.send_to_terminal", lambda _, text: sent.append(text))

    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        explorer = app.screen
        assert isinstance(explorer, ExplorerScreen)
        await settle(pilot, lambda: explorer.account.error is not None)
        error = AccountError("There is no valid SSO session.", "Run `aws sso login --profile x`, then refresh.")
        explorer.account = explorer.account._replace(error=error)
        await pilot.press("4")
        await settle(pilot, lambda: "y copies" in words(explorer.focused_pane))
        await pilot.press("y")
        assert sent == ["aws sso login --profile x"]

    travel(journey)


def test_a_refresh_that_is_denied_keeps_what_was_known_with_its_age_and_the_reason(rig: Rig, own_home: Path) -> None:
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
