"""The kept first screen: it is there only where it is whole and made from just what there is now."""

import os
from pathlib import Path

import pytest

from ekstui import paths
from ekstui.store.opening import KEPT, MAX_BYTES, basis, clear_openings, read_opening, write_opening

SCREEN = {"header": [["EKS", ""]], "panes": {}}


@pytest.fixture(autouse=True)
def folder() -> Path:
    """Return the folder of the cache, made."""
    folder = paths.cache_dir()
    folder.mkdir(parents=True)
    return folder


def test_it_is_read_as_it_was_written_for_its_size_and_basis_alone() -> None:
    write_opening((80, 24), "a", SCREEN)
    assert read_opening((80, 24), "a") == SCREEN
    assert read_opening((80, 24), "b") is None
    assert read_opening((81, 24), "a") is None


@pytest.mark.parametrize("change", ["policies.db", "looked.json", "more"])
def test_another_state_of_what_it_is_made_from_is_another_basis(change: str) -> None:
    place = {"policies.db": paths.cache_dir, "looked.json": paths.state_dir}
    for folder in place.values():
        folder().mkdir(parents=True, exist_ok=True)
    before = basis("eks")
    if change == "more":
        assert basis("all") != before
        return
    (place[change]() / change).write_text("x")
    after = basis("eks")
    assert after != before
    (place[change]() / change).write_text("y")
    assert basis("eks") != after


def test_no_byte_of_it_may_be_another(folder: Path) -> None:
    write_opening((80, 24), "a", SCREEN)
    (path,) = folder.glob("opening-*")
    whole = path.read_bytes()
    for index in range(len(whole)):
        path.write_bytes(whole[:index] + bytes([whole[index] ^ 1]) + whole[index + 1 :])
        assert read_opening((80, 24), "a") in (None, SCREEN)
        path.write_bytes(whole[:index])
        assert read_opening((80, 24), "a") is None


def test_what_is_no_opening_is_none(folder: Path) -> None:
    path = folder / "opening-80x24.json"
    for text in (b"", b"1", b"\n", b"0\n", b"x" * (MAX_BYTES + 10), b"0\n" + b"[" * 100_000):
        path.write_bytes(text)
        assert read_opening((80, 24), "a") is None


def test_only_the_latest_sizes_are_kept_and_all_are_cleared(folder: Path) -> None:
    (folder / "opening-1x1.json.4711").write_text("half")
    for index in range(KEPT + 2):
        write_opening((index, 24), "a", SCREEN)
        os.utime(folder / f"opening-{index}x24.json", (index, index))
    assert len(list(folder.glob("opening-*"))) == KEPT
    assert read_opening((KEPT + 1, 24), "a") == SCREEN
    assert clear_openings() > 0
    assert not list(folder.glob("opening-*"))


def test_a_folder_that_cannot_be_written_is_no_error(folder: Path) -> None:
    folder.rmdir()
    write_opening((80, 24), "a", SCREEN)
    assert not folder.exists()
