"""Lets the app take on the user's settings: its theme and its keys."""

from collections.abc import Iterable

from textual.app import App

from ekstui.config import Settings, nearest_words
from ekstui.tui.keys import KEYS, unknown_ids


def adopt(app: App[None], settings: Settings) -> tuple[str, ...]:
    """Give the app its theme and keys; return what of them it does not know, a sentence each."""
    return (*_theme(app, settings.theme), *_keys(app, settings))


def _theme(app: App[None], name: str) -> Iterable[str]:
    if name in app.available_themes:
        app.theme = name
        return ()
    return (f"There is no theme {name}{nearest_words(name, app.available_themes)}.",)


def _keys(app: App[None], settings: Settings) -> Iterable[str]:
    known = {key.id for key in KEYS}
    app.set_keymap({name: keys for name, keys in settings.keys.items() if name in known})
    return unknown_ids(settings.keys)
