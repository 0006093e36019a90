"""Starts the app and answers with the process's exit code."""

from __future__ import annotations

import logging
import os
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from ekstui import logbook
from ekstui.errors import InputError
from ekstui.settings import Effective, nearest_words
from ekstui.tui.account import first_view
from ekstui.tui.app import EkstuiApp
from ekstui.tui.shown import Shown, Start

if TYPE_CHECKING:
    from ekstui.library import AccountChoice, Library


def start(where: str | None, effective: Effective, account: AccountChoice) -> int:
    """Run the app, opened at `where` if given; an unknown policy or version is an error before the screen changes."""
    if os.environ.get("NO_COLOR") == "":
        # By the convention an empty one asks for nothing; Textual would leave colours out.
        del os.environ["NO_COLOR"]
    # What libraries log, and what ends a thread of theirs, must not be written over the screen.
    logging.getLogger().addHandler(logging.NullHandler())
    threading.excepthook = _note_thread

    app = EkstuiApp(
        lambda: _library(replace(account, mfa_prompt=app.mfa)),
        where_to_start(where, _library(account)) if where else None,
        effective,
        first_view(account),
    )
    theme = effective.settings.theme
    if theme not in app.available_themes:
        near = nearest_words(theme, app.available_themes)
        raise InputError(
            f"{effective.origins['theme']}: there is no theme {theme}{near}.", "ekstui config edit opens the settings."
        )
    app.run(mouse=effective.settings.mouse)
    # run() returns normally after a crash, with the code on the app.
    return app.return_code or 0


def _library(account: AccountChoice) -> Library:
    from ekstui.library import Library  # 40 ms, which the first paint does not wait for

    return Library.open(account)


def where_to_start(where: str, library: Library) -> Start:
    """Return what `POLICY`, `POLICY@v5` or `POLICY@v5..v6` points at; NotFoundError for what nobody has seen."""
    from ekstui.core.where import VersionRange, parse_where
    from ekstui.library.catalog import version_at

    place = parse_where(where)
    entry = library.find(place.name)
    if isinstance(place, VersionRange):
        before, after = (version_at(entry.policy, side) for side in (place.before, place.after))
        return Start(Shown(entry, after), before)
    return Start(Shown(entry, version_at(entry.policy, place)))


def _note_thread(ended: threading.ExceptHookArgs) -> None:
    if ended.exc_value is not None:
        logbook.unexpected(ended.exc_value, f"it ended the thread {ended.thread.name if ended.thread else ''}")
