"""The files that changed in the user's own git repository since a base, before and after."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ekstui.errors import InputError
from ekstui.files import read_regular

ENDINGS = (".json", ".template", ".yaml", ".yml")
"""Suffixes of files that may contain policy documents."""

MOST_BYTES = 16 * 1024 * 1024
"""The largest file that is read, in bytes; a Terraform plan has a few megabytes."""


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
    """Yield the files below `folder` that differ from a commit, untracked ones included.

    `paths` names files or folders instead. Raises InputError if git fails, or if a path names nothing.
    """
    root = Path(os.fsdecode(_git(folder, "rev-parse", "--show-toplevel").removesuffix(b"\n")))
    commit = _git(folder, "rev-parse", "--verify", "--end-of-options", f"{base}^{{commit}}").decode().strip()
    where = paths or (".",)
    options = ("--name-only", "-z", "--no-relative", "--no-renames", "--no-ext-diff", "--ignore-submodules=dirty")
    listed = _git(folder, "diff", *options, commit, "--", *where)
    new = _git(folder, "ls-files", "--full-name", "--others", "--exclude-standard", "-z", "--", *where)
    found = {os.fsdecode(name) for name in (*listed.split(b"\0"), *new.split(b"\0")) if name}
    # Named files are read even if git ignores them, as it should Terraform plans, and whatever their suffix.
    named: dict[str, str] = {}
    for name in paths:
        if not os.path.lexists(folder / name):
            if not _is_known(folder, commit, name):
                raise InputError(f"{name} cannot be read: there is no such file or folder, nor was there in {base}.")
        elif not (folder / name).is_dir():
            place = folder / name
            named[os.path.relpath(place.parent.resolve() / place.name, root)] = name
    for path in sorted({*(each for each in found if each.endswith(ENDINGS)), *named}):
        file = ChangedFile(path, _at(folder, commit, path), _now(root, path))
        if path in named and file.before is None and file.after is None:
            raise InputError(f"{named[path]} cannot be read: it is not a regular file.")
        yield file


def _is_known(folder: Path, commit: str, name: str) -> bool:
    """Return whether a path or pattern names files that git knows: now, or in the commit."""
    tracked = _git(folder, "ls-files", "--cached", "--others", "--exclude-standard", "-z", "--", name)
    return bool(tracked or _git(folder, "diff", "--name-only", "-z", commit, "--", name))


def _at(folder: Path, commit: str, path: str) -> bytes | None:
    try:
        return _git(folder, "show", "--no-textconv", f"{commit}:{path}")
    except InputError:
        return None


def _now(root: Path, path: str) -> bytes | None:
    """Return a file of the work tree; None for a link, which may lead outside the repository."""
    place = root / path
    if place.resolve() != root.resolve() / path:
        return None
    try:
        return read_regular(place, MOST_BYTES, follow=False)
    except OSError:
        return None


def _git(folder: Path, *arguments: str) -> bytes:
    """Return what git prints about the user's own repository.

    The user's settings apply, except those that could run files of the commit under review: hooks in the work tree, and
    a file system monitor.
    """
    words = ["git", "-c", f"core.hooksPath={os.devnull}", "-c", "core.fsmonitor=false", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(  # noqa: S603 - the arguments are ours, and which git is the user's choice
            words, capture_output=True, check=True, env=os.environ | {"GIT_OPTIONAL_LOCKS": "0"}
        )
    except FileNotFoundError:
        raise InputError("git is not installed.") from None
    except subprocess.CalledProcessError as error:
        lines = error.stderr.decode(errors="replace").strip().splitlines()
        raise InputError(
            f"git: {lines[0] if lines else 'no answer'}.", "Run it in a clone that has the base's history."
        ) from None
    return done.stdout
