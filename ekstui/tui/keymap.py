"""The user's own keys, as the settings have them under `[keys]`, checked against all keys of the app."""

from collections.abc import Collection, Mapping
from importlib import import_module
from pkgutil import iter_modules

from textual.binding import Binding

from ekstui.settings import nearest_words
from ekstui.tui import widgets
from ekstui.tui.keys import Key, bound_keys, keys_as_shown


def all_keys() -> tuple[Key, ...]:
    """Return all keys, those that only one pane has included."""
    for module in iter_modules(widgets.__path__):
        import_module(f"{widgets.__name__}.{module.name}")
    return tuple(bound_keys.values())


def unknown_ids(ids: Collection[str]) -> tuple[str, ...]:
    """Return a warning for each unknown id, with the most similar known one."""
    if not ids:
        return ()  # like nearly every user's, and all keys are in modules that the start does not need
    declared_ids = tuple(key.id for key in all_keys())
    return tuple(
        f"No key has the id {name}{nearest_words(name, declared_ids)}." for name in ids if name not in declared_ids
    )


def clashes(keymap: Mapping[str, str]) -> dict[str, str]:
    """Return why keys in the settings cannot be used, by id: a key that two ids have would do only one of two things."""
    if not keymap:
        return {}
    by_id = {key.id: keymap.get(key.id, key.keys) for key in all_keys()}
    owners: dict[str, list[str]] = {}
    for name, keys in by_id.items():
        # Textual spells `/` and `slash` in one way.
        for binding in Binding.make_bindings([Binding(keys, name)]):
            owners.setdefault(binding.key, []).append(name)
    return {
        name: f"{keys_as_shown(key)} is also the key of {other}"
        for key, names in owners.items()
        for name in names
        for other in names
        if name in keymap and other != name
    }
