"""There are pictures of every screen, at both sizes."""

import inspect
import runpy
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from textual.screen import Screen

from ekstui.tui import screens
from tests.docs.test_manual import ROOT

PICTURES = ROOT / "screenshots"
TAKE = runpy.run_path(str(PICTURES / "take.py"))

WITHOUT = {"MfaScreen", "TooSmallScreen"}
"""Screens without a picture: the account of the pictures asks for no code, and one is for tiny terminals only."""


def screens_that_are_shown() -> set[type[Screen[Any]]]:
    """Return the screens that have no subclass."""
    modules = [import_module(f"{screens.__name__}.{module.name}") for module in iter_modules(screens.__path__)]
    classes = {
        value
        for module in modules
        for value in vars(module).values()
        if inspect.isclass(value) and issubclass(value, Screen) and value.__module__ == module.__name__
    }
    return {
        kind for kind in classes if not any(subclass is not kind and issubclass(subclass, kind) for subclass in classes)
    }


def test_every_screen_has_a_picture_at_120x40_and_at_80x24() -> None:
    pictures = {(scene.screen.__name__, size) for scene in TAKE["SCENES"] for size in scene.sizes}
    names = {kind.__name__ for kind in screens_that_are_shown()} - WITHOUT
    assert {(name, size) for name in names for size in ((120, 40), (80, 24))} <= pictures


def test_every_picture_was_taken_and_belongs_to_a_scene() -> None:
    names = {scene.picture(size) for scene in TAKE["SCENES"] for size in scene.sizes}
    for kind in ("svg", "png"):
        assert {path.stem for path in PICTURES.glob(f"*.{kind}")} - {"web"} == names
