"""Something else in the place of a small file is not waited for, not trusted and not written through."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ekstui.errors import InputError
from ekstui.files import MAX_STATE, read_state, write_state, write_user_file
from ekstui.settings import read_file


def folder(path: Path) -> None:
    path.mkdir()


def link(path: Path) -> None:
    target = path.with_name("theirs")
    target.write_text("theirs")
    path.symlink_to(target)


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def large(path: Path) -> None:
    path.write_bytes(b"x" * (MAX_STATE + 2))


def deep(path: Path) -> None:
    write_state(path, {"until": "2026-08-01T00:00:00Z"})
    path.write_bytes(path.read_bytes().split(b"\n")[0] + b"\n" + b"[" * 100_000)


ODD = [os.mkfifo, folder, link, endless, large, deep]


@pytest.mark.parametrize("place", ODD)
def test_an_invalid_state_file_is_set_aside_and_rebuilt(place: Callable[[Path], None], tmp_path: Path) -> None:
    path = tmp_path / "state" / "looked.json"
    path.parent.mkdir()
    place(path)
    assert read_state(path) is None
    write_state(path, {"a": 1})
    assert read_state(path) == {"a": 1}
    assert path.is_file()
    assert not path.is_symlink()
    if (theirs := path.with_name("theirs")).exists():
        assert theirs.read_text() == "theirs"


@pytest.mark.parametrize("place", [os.mkfifo, endless, large])
def test_settings_that_are_not_a_regular_file_are_refused_at_once(
    place: Callable[[Path], None], tmp_path: Path
) -> None:
    place(tmp_path / "config.toml")
    with pytest.raises(InputError):
        read_file(tmp_path / "config.toml")


def test_settings_may_be_a_link_as_those_who_keep_them_elsewhere_have_it(tmp_path: Path) -> None:
    (tmp_path / "kept.toml").write_text('scope = "all"')
    (tmp_path / "config.toml").symlink_to(tmp_path / "kept.toml")
    file = read_file(tmp_path / "config.toml")
    assert file is not None
    assert file.values == {"scope": "all"}


@pytest.mark.parametrize(("private", "mode"), [(True, 0o600), (False, 0o644)])
def test_a_file_with_an_accounts_facts_is_its_owners_alone_whatever_the_umask(
    tmp_path: Path, private: bool, mode: int
) -> None:
    new_folder, before = tmp_path / "new", tmp_path / "before"
    before.write_text("longer than what comes")
    before.chmod(0o644)
    mask = os.umask(0o022)
    try:
        write_user_file(new_folder, b"x", over=False, private=private)
        write_user_file(before, b"x", over=True, private=private)
    finally:
        os.umask(mask)
    assert [path.stat().st_mode & 0o777 for path in (new_folder, before)] == [mode, mode]
    assert before.read_text() == "x"


def test_no_file_is_written_over_unasked_and_no_pipe_waited_for(tmp_path: Path) -> None:
    pipe, dangling_link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    dangling_link.symlink_to(tmp_path / "nowhere")
    for path, over in ((pipe, True), (dangling_link, False), (tmp_path, True)):
        with pytest.raises(OSError):
            write_user_file(path, b"x", over=over, private=True)
    assert not (tmp_path / "nowhere").exists()
