"""What a git repository of the user's own changed since a base: the files on both sides."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ekstui.errors import InputError

ENDINGS = (".json", ".template", ".yaml", ".yml")
"""Of files that may hold policy documents."""

MOST_BYTES = 16 * 1024 * 1024
"""Of one file; a plan of Terraform takes a few megabytes."""


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """A file that differs from the base."""

    path: str
    """From the repository's root."""
    before: bytes | None
    """None for a new file."""
    after: bytes | None
    """None for one that was removed."""


def changed_files(folder: Path, base: str, paths: tuple[str, ...] = ()) -> Iterator[ChangedFile]:
    """Yield the files below `folder` that differ from a commit, those that git does not track yet included.

    `paths` narrows it to some files. Raises InputError where git cannot tell.
    """
    root = Path(_git(folder, "rev-parse", "--show-toplevel").decode().strip())
    commit = _git(folder, "rev-parse", "--verify", "--end-of-options", f"{base}^{{commit}}").decode().strip()
    listed = _git(folder, "diff", "--name-only", "-z", "--no-renames", "--relative", commit, "--", *paths)
    new = _git(folder, "ls-files", "--others", "--exclude-standard", "-z", "--", *paths)
    prefix = _git(folder, "rev-parse", "--show-prefix").decode().strip()
    found = (name.decode() for name in (*listed.split(b"\0"), *new.split(b"\0")) if name)
    # What is named is looked at even where git ignores it, as it should a plan of Terraform.
    named = (name for name in paths if (folder / name).is_file())
    names = sorted({*found, *(os.path.normpath(name) for name in named)})
    for name in names:
        if name.endswith(ENDINGS):
            path = f"{prefix}{name}"
            yield ChangedFile(path, _at(folder, commit, path), _now(root / path))


def _at(folder: Path, commit: str, path: str) -> bytes | None:
    try:
        return _git(folder, "show", "--no-textconv", f"{commit}:{path}")
    except InputError:
        return None


def _now(path: Path) -> bytes | None:
    if path.is_symlink() or not path.is_file():
        return None
    with path.open("rb") as file:
        return file.read(MOST_BYTES + 1)


def _git(folder: Path, *arguments: str) -> bytes:
    try:
        done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, check=True)  # noqa: S603, S607
    except FileNotFoundError:
        raise InputError("git is not installed.") from None
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip().splitlines()
        raise InputError(
            f"git: {said[0] if said else 'no answer'}.", "Run it in a clone that has the base's history."
        ) from None
    return done.stdout
