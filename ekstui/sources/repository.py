"""The files that changed in the user's own git repository since a base, before and after.

Files come from branches of others, so everything that could take long to read has a limit.
"""

import os
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from ekstui.errors import InputError
from ekstui.files import read_regular
from ekstui.named_tuples import NamedTuple
from ekstui.sources.git import contents_in, run_in_clone

_MOST_BYTES = 16 * 1024 * 1024
"""The largest file that is read, in bytes; a Terraform plan has a few megabytes."""

_MOST_LINKS = 40
"""How many links are followed from one to the next, as Linux does."""

_ABSENT, _LINK, _SUBMODULE = "000000", "120000", "160000"
"""The modes of git's raw format for what is not there, a link and a submodule."""

_NO_FILES = {_LINK: "a link, which is not followed", _SUBMODULE: "a submodule, which is a repository of its own"}


class ChangedFile(NamedTuple):
    """A file that differs from the base."""

    path: str
    """From the repository's root."""
    before: bytes | None
    """None for a new file."""
    after: bytes | None
    """None for one that was removed."""
    unread: str = ""
    """Why the two cannot be compared; empty if both are known."""


class _Entry(NamedTuple):
    """What git says about a file that differs: modes and object names of both sides, as `git diff --raw` has them."""

    old_mode: str
    new_mode: str
    old: str
    new: str
    status: str


class _UnreadError(Exception):
    """A side of a file exists, but cannot be read; the message says why."""


class Changes:
    """What differs between a commit and the work tree below a folder, or at `paths`; InputError if git fails.

    Untracked files are included.
    """

    def __init__(self, folder: Path, base: str, paths: tuple[str, ...] = ()) -> None:
        self.root = _root(folder)
        self.base = base
        self.commit = _commit(self.root, base)
        # Not resolved, so that a link is not taken for what it leads to.
        self._where = {
            os.path.relpath(os.path.normpath(folder.resolve() / name), self.root): name for name in paths or (".",)
        }
        self._entries = self._differing(self._where)
        # Named files are read even if git ignores them, as it should Terraform plans.
        self._named = self._named_files() if paths else {}

    def files(self) -> Iterator[ChangedFile]:
        """Yield the changed files in order; of what cannot be read, such as a link, the reason."""
        reviewed_paths = {*self._named, *self._entries}
        entries = {path: self._entries.get(path) or self._tracked(path) for path in sorted(reviewed_paths)}
        blobs = _Blobs(self.root, entries.values())
        for path, entry in entries.items():
            file = self._changed(path, entry, blobs)
            if path in self._named and file.before is None and file.after is None:
                raise InputError(f"{self._named[path]} cannot be read: {file.unread or 'it is not a regular file'}.")
            yield file
        yield from self._links_to_changes(reviewed_paths)

    def before(self) -> Mapping[str, str]:
        """Return the names of git's objects of all regular files of the commit, by path."""
        lines = run_in_clone(self.root, "ls-tree", "-r", "-z", "--full-tree", self.commit).split(b"\0")
        rows = (line.partition(b"\t") for line in lines if line)
        return {os.fsdecode(path): words.split()[2].decode() for words, _, path in rows if words.startswith(b"100")}

    def after(self) -> frozenset[str]:
        """Return the paths of all files of the work tree that git does not ignore."""
        names = run_in_clone(self.root, "ls-files", "--cached", "--others", "--exclude-standard", "-z").split(b"\0")
        return frozenset(os.fsdecode(name) for name in names if name)

    def contents(self, names: Collection[str]) -> Mapping[str, bytes]:
        """Return the contents of git's objects by name, without those that are missing or too large."""
        return _contents(self.root, names)

    def _differing(self, paths: Collection[str]) -> dict[str, _Entry]:
        """Return what differs from the commit at some places, by path from the root, untracked files included."""
        options = ("--raw", "-z", "--no-abbrev", "--no-relative", "--no-renames", "--no-ext-diff")
        fields = run_in_clone(
            self.root, "diff", *options, "--ignore-submodules=dirty", self.commit, "--", *paths
        ).split(b"\0")
        entries: dict[str, _Entry] = {}
        for words, name in zip(fields[::2], fields[1::2], strict=False):
            entry, path = _Entry(*words.decode().removeprefix(":").split(" ")), os.fsdecode(name)
            # A file with conflicts is listed twice.
            if path not in entries or entry.status == "U":
                entries[path] = entry
        output = run_in_clone(self.root, "ls-files", "--others", "--exclude-standard", "-z", "--", *paths)
        for path in (os.fsdecode(name) for name in output.split(b"\0") if name):
            # One that was removed from the index alone is in the commit too.
            before = entries.get(path, _Entry(_ABSENT, _ABSENT, "", "", "A"))
            entries[path] = before._replace(new_mode=_LINK if (self.root / path).is_symlink() else "100644", new="")
        return entries

    def _named_files(self) -> dict[str, str]:
        """Return which of the places are files, by path; InputError for one that is none or may be a link."""
        files: dict[str, str] = {}
        for path, name in self._where.items():
            if path.split("/")[0] == "..":
                raise InputError(f"{name} cannot be read: it is outside the repository.")
            if _links_and_end(self.root, path) != frozenset({path}):
                raise InputError(f"{name} cannot be read: it is not a regular file, but a link or below one.")
            if not os.path.lexists(self.root / path):
                if path not in self._entries and not self._is_known(path):
                    raise InputError(
                        f"{name} cannot be read: there is no such file or folder, nor was there in {self.base}."
                    )
            elif not (self.root / path).is_dir():
                files[path] = name
            elif not (self._is_known(path) or any(_is_below(entry, path) for entry in self._entries)):
                raise InputError(f"{name} cannot be read: git ignores all that is in it.", "Name its files.")
        return files

    def _is_known(self, path: str) -> bool:
        return bool(
            run_in_clone(self.root, "ls-files", "--cached", "-z", "--", path)
            or run_in_clone(self.root, "ls-tree", "-z", self.commit, "--", path)
        )

    def _tracked(self, path: str) -> _Entry:
        """Return the entry of a file that is named and does not differ, or that git ignores."""
        output = run_in_clone(self.root, "ls-tree", "-z", "--full-tree", self.commit, "--", path).decode(
            errors="replace"
        )
        mode, _, name = output.partition("\t")[0].split(" ") if output else (_ABSENT, "", "")
        return _Entry(mode, "100644", name, "", "M")

    def _changed(self, path: str, entry: _Entry, blobs: "_Blobs") -> ChangedFile:
        try:
            if entry.status == "U":
                raise _UnreadError("it has conflicts")
            return ChangedFile(path, blobs.side(entry.old_mode, entry.old, "was"), self._now(path, entry, blobs))
        except _UnreadError as error:
            return ChangedFile(path, None, None, str(error))

    def _now(self, path: str, entry: _Entry, blobs: "_Blobs") -> bytes | None:
        """Return a file of the work tree, None if it was removed; _UnreadError if it is there and cannot be read."""
        if _links_and_end(self.root, path) != frozenset({path}):
            raise _UnreadError("it is a link, or below one, which is not followed")
        try:
            if not stat.S_ISDIR((self.root / path).lstat().st_mode):
                return read_regular(self.root / path, _MOST_BYTES, follow=False)
        except (FileNotFoundError, NotADirectoryError):
            pass
        except OSError:
            raise _UnreadError("it cannot be opened, or is not a regular file") from None
        # Outside a sparse checkout the index has what the work tree would.
        return blobs.side(entry.new_mode, entry.new, "is")

    def _links_to_changes(self, reviewed_paths: set[str]) -> Iterator[ChangedFile]:
        """Yield the links that are as they were, but lead to something that changed and is not reviewed itself."""
        lines = run_in_clone(self.root, "ls-files", "--stage", "-z", "--", *self._where).split(b"\0")
        names = [os.fsdecode(line.partition(b"\t")[2]) for line in lines if line.startswith(_LINK.encode())]
        links = {
            path: places
            for path in names
            if path not in reviewed_paths and (places := _links_and_end(self.root, path)) is not None
        }
        if not links:
            return
        entries = {
            *(self._entries if set(self._where) == {"."} else self._differing((".",))),
            *self._entries,
        } - reviewed_paths
        for path, places in sorted(links.items()):
            for target in sorted(entries):
                if any(_is_below(target, link) for link in places):
                    yield ChangedFile(path, None, None, f"it is a link to {target}, which changed")
                    break


def _commit(root: Path, base: str) -> str:
    """Return the name of a commit; zeros, with which a first push has nothing to compare, mean an empty tree."""
    if base and not base.strip("0"):
        return run_in_clone(root, "hash-object", "-t", "tree", os.devnull).decode().strip()
    return run_in_clone(root, "rev-parse", "--verify", "--end-of-options", f"{base}^{{commit}}").decode().strip()


def _root(folder: Path) -> Path:
    """Return the root of the work tree.

    InputError for a folder of a commit that looks like a repository, with settings that run programs.
    """
    root = Path(os.fsdecode(run_in_clone(folder, "rev-parse", "--show-toplevel").removesuffix(b"\n")))
    if "GIT_DIR" not in os.environ and not os.path.lexists(root / ".git"):
        raise InputError(f"{root} is not a clone: it has no .git.")
    return root


def _is_below(path: str, folder: str) -> bool:
    return folder == "." or path.startswith(f"{folder}/")


_AT_ONCE = 64 * 1024 * 1024
"""How many bytes of git's objects are held at a time."""


class _Blobs:
    """The contents of the files that git has, read for many files with one process."""

    def __init__(self, root: Path, entries: Iterable[_Entry]) -> None:
        self._root = root
        names = {name: None for entry in entries for name in (entry.old, entry.new) if name.strip("0")}
        self._sizes = _sizes(root, names)
        self._waiting = [name for name in names if 0 <= self._sizes.get(name, -1) <= _MOST_BYTES]
        self._held: dict[str, bytes] = {}

    def side(self, mode: str, name: str, is_or_was: str) -> bytes | None:
        """Return a side of a file that git has, if any; _UnreadError if it is no file or cannot be read."""
        if mode == _ABSENT:
            return None
        if mode in _NO_FILES:
            raise _UnreadError(f"it {is_or_was} {_NO_FILES[mode]}")
        if not name.strip("0"):
            raise _UnreadError("it is not in the work tree")
        if self._sizes.get(name, -1) > _MOST_BYTES:
            raise _UnreadError(f"it has more than {_MOST_BYTES:,} bytes")
        if name not in self._held and name in self._sizes:
            self._held = _contents(self._root, self._next(name))
        if name not in self._held:
            raise _UnreadError("this clone does not have its contents")
        return self._held[name]

    def _next(self, name: str) -> list[str]:
        """Return an object, and those that are asked for next as far as all fit."""
        start = self._waiting.index(name)
        batch: list[str] = []
        size = 0
        for blob in self._waiting[start:]:
            size += self._sizes[blob]
            if batch and size > _AT_ONCE:
                break
            batch.append(blob)
        return batch


def _sizes(root: Path, names: Collection[str]) -> dict[str, int]:
    """Return the sizes in bytes of those of git's objects that the clone has."""
    if not names:
        return {}
    lines = run_in_clone(root, "cat-file", "--batch-check", stdin="\n".join(names)).decode().splitlines()
    return {words[0]: int(words[2]) for line in lines if len(words := line.split()) == 3 and words[1] == "blob"}


def _contents(root: Path, names: Collection[str]) -> dict[str, bytes]:
    """Return the contents of those of git's objects that the clone has, by name; each at most MOST_BYTES."""
    readable_names = [name for name, size in _sizes(root, names).items() if size <= _MOST_BYTES]
    if not readable_names:
        return {}
    contents = contents_in(run_in_clone(root, "cat-file", "--batch", stdin="\n".join(readable_names)))
    return dict(zip(readable_names, contents, strict=True))


def _links_and_end(root: Path, path: str) -> frozenset[str] | None:
    """Return the links on a path of the work tree, and its end; None if it leaves the root or circles."""
    links: set[str] = set()
    hops = 0
    path_parts: list[str] = []
    parts = path.split("/")[::-1]
    while parts:
        part = parts.pop()
        if part == "..":
            if not path_parts:
                return None
            path_parts.pop()
        elif part not in ("", "."):
            path_parts.append(part)
            place = root.joinpath(*path_parts)
            if place.is_symlink():
                links.add("/".join(path_parts))
                hops += 1
                target = str(place.readlink())
                if target.startswith("/") or hops > _MOST_LINKS:
                    return None
                path_parts.pop()
                parts += target.split("/")[::-1]
    return frozenset({*links, "/".join(path_parts) or "."})
