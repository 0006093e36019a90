"""The files that changed in the user's own git repository since a base, before and after, and what they contain.

Files come from branches of others, so everything that could take long to read has a limit.
"""

import json
import os
import re
import stat
import subprocess
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ekstui.core.document import Repeated, object_of
from ekstui.errors import DocumentError, InputError
from ekstui.files import read_regular

ENDINGS = (".json", ".template", ".yaml", ".yml")
"""Suffixes of files that may contain policy documents, in any case."""

MOST_BYTES = 16 * 1024 * 1024
"""The largest file that is read, in bytes; a Terraform plan has a few megabytes."""

_MOST_LINKS = 40
"""How many links are followed from one to the next, as Linux does."""

_ABSENT, _LINK, _SUBMODULE = "000000", "120000", "160000"
"""The modes of git's raw format for what is not there, a link and a submodule."""

_NO_FILES = {_LINK: "a link, which is not followed", _SUBMODULE: "a submodule, which is a repository of its own"}


@dataclass(frozen=True, slots=True)
class ChangedFile:
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


def changed_files(folder: Path, base: str, paths: tuple[str, ...] = ()) -> Iterator[ChangedFile]:
    """Yield the files below `folder` that differ from a commit, untracked ones included.

    `paths` names files or folders instead. What may have changed but cannot be read, such as a link, has a reason in
    place of its contents. Raises InputError if git fails, or if a path names nothing.
    """
    root = _root(folder)
    commit = _git(root, "rev-parse", "--verify", "--end-of-options", f"{base}^{{commit}}").decode().strip()
    # Not resolved, so that a link is not taken for what it leads to.
    where = {os.path.relpath(os.path.normpath(folder.resolve() / name), root): name for name in paths or (".",)}
    entries = _entries(root, commit, where)
    # Named files are read even if git ignores them, as it should Terraform plans, and whatever their suffix.
    named = _named_files(root, commit, base, where, entries) if paths else {}
    read = {*named, *(path for path, entry in entries.items() if _may_hold_documents(root, path, entry))}
    for path in sorted(read):
        file = _changed(root, path, entries.get(path) or _tracked(root, commit, path))
        if path in named and file.before is None and file.after is None:
            raise InputError(f"{named[path]} cannot be read: {file.unread or 'it is not a regular file'}.")
        yield file
    yield from _links_to_changes(root, commit, where, entries, read)


def _named_files(
    root: Path, commit: str, base: str, where: Mapping[str, str], entries: Mapping[str, _Entry]
) -> dict[str, str]:
    """Return which of the named places are files, by path; InputError for one that names nothing or may be a link."""
    files: dict[str, str] = {}
    for path, name in where.items():
        if path.split("/")[0] == "..":
            raise InputError(f"{name} cannot be read: it is outside the repository.")
        if _passed(root, path) != frozenset({path}):
            raise InputError(f"{name} cannot be read: it is not a regular file, but a link or below one.")
        if not os.path.lexists(root / path):
            if path not in entries and not _is_known(root, commit, path):
                raise InputError(f"{name} cannot be read: there is no such file or folder, nor was there in {base}.")
        elif not (root / path).is_dir():
            files[path] = name
        elif not (_is_known(root, commit, path) or any(_is_below(each, path) for each in entries)):
            raise InputError(f"{name} cannot be read: git ignores all that is in it.", "Name its files.")
    return files


def _root(folder: Path) -> Path:
    """Return the root of the work tree; InputError for a folder that only looks like a repository.

    A commit can hold such a folder, with settings that start programs; older versions of git take it for a repository.
    """
    root = Path(os.fsdecode(_git(folder, "rev-parse", "--show-toplevel").removesuffix(b"\n")))
    if "GIT_DIR" not in os.environ and not os.path.lexists(root / ".git"):
        raise InputError(f"{root} is not a clone: it has no .git.")
    return root


def _entries(root: Path, commit: str, where: Collection[str]) -> dict[str, _Entry]:
    """Return what differs from a commit at some places, by path from the root, untracked files included."""
    options = ("--raw", "-z", "--no-abbrev", "--no-relative", "--no-renames", "--no-ext-diff")
    fields = _git(root, "diff", *options, "--ignore-submodules=dirty", commit, "--", *where).split(b"\0")
    found: dict[str, _Entry] = {}
    for words, name in zip(fields[::2], fields[1::2], strict=False):
        entry, path = _Entry(*words.decode().removeprefix(":").split(" ")), os.fsdecode(name)
        # A file with conflicts is listed twice.
        if path not in found or entry.status == "U":
            found[path] = entry
    new = _git(root, "ls-files", "--others", "--exclude-standard", "-z", "--", *where)
    for path in (os.fsdecode(name) for name in new.split(b"\0") if name):
        # One that was removed from the index alone is in the commit too.
        known = found.get(path, _Entry(_ABSENT, _ABSENT, "", "", "A"))
        found[path] = known._replace(new_mode=_LINK if (root / path).is_symlink() else "100644", new="")
    return found


def _is_below(path: str, folder: str) -> bool:
    return folder == "." or path.startswith(f"{folder}/")


def _is_known(root: Path, commit: str, path: str) -> bool:
    """Return whether a path is a file or folder of the index or of the commit."""
    return bool(_git(root, "ls-files", "--cached", "-z", "--", path) or _git(root, "ls-tree", "-z", commit, "--", path))


def _tracked(root: Path, commit: str, path: str) -> _Entry:
    """Return the entry of a file that is named and does not differ, or that git ignores."""
    listed = _git(root, "ls-tree", "-z", "--full-tree", commit, "--", path).decode(errors="replace")
    mode, _, name = listed.partition("\t")[0].split(" ") if listed else (_ABSENT, "", "")
    return _Entry(mode, "100644", name, "", "M")


def _may_hold_documents(root: Path, path: str, entry: _Entry) -> bool:
    """Return whether a change at a path may change a policy document."""
    if path.lower().endswith(ENDINGS) or entry.new_mode == _SUBMODULE:
        return True
    if entry.new_mode != _LINK:
        return False
    passed = _passed(root, path)
    if passed is None:
        return True
    below = _git(root, "ls-files", "--cached", "--others", "--exclude-standard", "-z", "--", *(passed - {path})).lower()
    return any(name.endswith(tuple(map(os.fsencode, ENDINGS))) for name in below.split(b"\0"))


def _changed(root: Path, path: str, entry: _Entry) -> ChangedFile:
    try:
        if entry.status == "U":
            raise _UnreadError("it has conflicts")
        return ChangedFile(path, _side(root, entry.old_mode, entry.old, "was"), _now(root, path, entry))
    except _UnreadError as error:
        return ChangedFile(path, None, None, str(error))


def _now(root: Path, path: str, entry: _Entry) -> bytes | None:
    """Return a file of the work tree, None if it was removed; _UnreadError if it is there and cannot be read."""
    if _passed(root, path) != frozenset({path}):
        raise _UnreadError("it is a link, or below one, which is not followed")
    try:
        if not stat.S_ISDIR((root / path).lstat().st_mode):
            return read_regular(root / path, MOST_BYTES, follow=False)
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError:
        raise _UnreadError("it cannot be opened, or is not a regular file") from None
    # Outside a sparse checkout the index has what the work tree would.
    return _side(root, entry.new_mode, entry.new, "is")


def _side(root: Path, mode: str, name: str, is_or_was: str) -> bytes | None:
    """Return a side of a file that git has, None if there is none; _UnreadError if it is no file or cannot be read."""
    if mode == _ABSENT:
        return None
    if mode in _NO_FILES:
        raise _UnreadError(f"it {is_or_was} {_NO_FILES[mode]}")
    if not name.strip("0"):
        raise _UnreadError("it is not in the work tree")
    try:
        if int(_git(root, "cat-file", "-s", name)) > MOST_BYTES:
            raise _UnreadError(f"it has more than {MOST_BYTES:,} bytes")
        return _git(root, "cat-file", "blob", name)
    except InputError:
        raise _UnreadError("this clone does not have its contents") from None


def _links_to_changes(
    root: Path, commit: str, where: Mapping[str, str], entries: Mapping[str, _Entry], read: set[str]
) -> Iterator[ChangedFile]:
    """Yield the links that are as they were, but lead to something that changed and is not reviewed itself."""
    listed = _git(root, "ls-files", "--stage", "-z", "--", *where).split(b"\0")
    names = [os.fsdecode(line.partition(b"\t")[2]) for line in listed if line.startswith(_LINK.encode())]
    links = {path: passed for path in names if path not in read and (passed := _passed(root, path)) is not None}
    if not links:
        return
    changed = {*(entries if set(where) == {"."} else _entries(root, commit, (".",))), *entries} - read
    for path, passed in sorted(links.items()):
        wanted = path.lower().endswith(ENDINGS)
        for target in sorted(changed):
            below = target.lower().endswith(ENDINGS) and any(_is_below(target, each) for each in passed)
            if below or (wanted and target in passed):
                yield ChangedFile(path, None, None, f"it is a link to {target}, which changed")
                break


def _passed(root: Path, path: str) -> frozenset[str] | None:
    """Return the links that a path of the work tree passes, and where it ends; None if it leaves the root or circles."""
    passed: set[str] = set()
    hops = 0
    at: list[str] = []
    left = path.split("/")[::-1]
    while left:
        part = left.pop()
        if part == "..":
            if not at:
                return None
            at.pop()
        elif part not in ("", "."):
            at.append(part)
            place = root.joinpath(*at)
            if place.is_symlink():
                passed.add("/".join(at))
                hops += 1
                target = str(place.readlink())
                if target.startswith("/") or hops > _MOST_LINKS:
                    return None
                at.pop()
                left += target.split("/")[::-1]
    return frozenset({*passed, "/".join(at) or "."})


def _git(folder: Path, *arguments: str) -> bytes:
    """Return what git prints about the user's own repository.

    The user's settings apply, except those that could run files of the commit under review: hooks in the work tree, a
    file system monitor, and the settings of a folder of the commit that has the shape of a repository.
    """
    options = ("-c", f"core.hooksPath={os.devnull}", "-c", "core.fsmonitor=false", "-c", "safe.bareRepository=explicit")
    words = ["git", *options, "--literal-pathspecs", "-C", str(folder), *arguments]
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


_MOST_TEMPLATE = 1_000_000
"""The largest CloudFormation template, in bytes (its quota), which limits how long reading one takes."""

_MOST_NODES = 200_000
"""The most values in a template: nested aliases can expand a few lines to gigabytes."""

_LONGEST_NUMBER = 40
"""The most characters of an integer: half a million digits in YAML's base 60 take minutes."""

_MENTIONS = re.compile(r"Statement|PolicyDocument|AWS::|resource_changes|\\u")
"""What a JSON file with a policy document has; a name may be written in escapes."""

_ESCAPES = re.compile(
    r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(?:\r\n|[\r\n\x85\u2028\u2029])[ \t]*)"
)
"""The escapes of YAML's double quotes that can be part of a name; before any of its line breaks, one joins the lines."""


def value_in(path: str, content: bytes | None) -> object:
    """Return the contents of a file, None if it has no policy documents; DocumentError if they cannot be read."""
    if content is None:
        return None
    if len(content) > MOST_BYTES:
        raise DocumentError(f"it has more than {MOST_BYTES:,} bytes")
    is_yaml = path.lower().endswith((".yaml", ".yml", ".template"))
    try:
        text = content.decode(json.detect_encoding(content), "surrogatepass")
        value: object = json.loads(text, object_pairs_hook=_object_of)
    except (ValueError, RecursionError):
        if is_yaml:
            return _template(content)
        raise DocumentError("it is not JSON") from None
    if not _MENTIONS.search(text):
        return None
    if isinstance(value, Mapping) and "Resources" in value and len(content) > _MOST_TEMPLATE:
        raise DocumentError(f"a CloudFormation template has at most {_MOST_TEMPLATE:,} bytes")
    return value


def read_json(text: str) -> object:
    """Return the value of JSON text, None if it is none."""
    try:
        return json.loads(text, object_pairs_hook=_object_of)
    except (ValueError, RecursionError):
        return None


def _object_of(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return a JSON object; one with repeated names keeps all its elements, since any may be what changed."""
    fields = object_of(pairs)
    if isinstance(fields, Repeated):
        fields[""] = pairs
    return fields


def _template(content: bytes) -> object:
    """Return a CloudFormation template in YAML; other YAML is ignored."""
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    text = content.decode(encoding, "replace")
    if "AWS::" not in _ESCAPES.sub(_unescaped, text):
        if text.lstrip()[:1] in ("{", "[") and _MENTIONS.search(text):
            raise DocumentError("it is not JSON")
        return None
    if len(content) > _MOST_TEMPLATE:
        raise DocumentError(f"a CloudFormation template has at most {_MOST_TEMPLATE:,} bytes")
    try:
        import yaml
    except ImportError:
        raise DocumentError("reading a YAML template needs the extra `ci`") from None
    try:
        return yaml.load(content.decode(encoding), _template_loader(yaml))  # noqa: S506 (a SafeLoader)
    except DocumentError:
        raise
    except Exception:  # noqa: BLE001 (PyYAML raises a dozen kinds for values that do not suit their tags)
        raise DocumentError("it is not YAML") from None


def _template_loader(yaml: Any) -> Any:
    """Return PyYAML's safe loader for templates."""

    class Loader(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML has no types
        """Reads CloudFormation's short forms as functions, and counts values, repetitions by aliases included."""

        def __init__(self, stream: str) -> None:
            super().__init__(stream)
            self.size = 0
            self.sizes: dict[int, int] = {}

        def compose_node(self, parent: object, index: object) -> object:
            before, is_alias = self.size, self.check_event(yaml.AliasEvent)
            node: object = super().compose_node(parent, index)
            # An alias to a node that is still being read, and so has no size, is a cycle.
            self.size += self.sizes.get(id(node), _MOST_NODES) if is_alias else 1
            self.sizes.setdefault(id(node), self.size - before)
            if self.size > _MOST_NODES:
                raise DocumentError(f"it has more than {_MOST_NODES:,} values, repetitions by aliases included")
            return node

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            # Before keys that are merged in, which its own replace.
            names = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
            if len(set(names)) < len(names):
                raise DocumentError("two of its elements have the same name")
            return {str(key): value for key, value in super().construct_mapping(node, deep).items()}

        def construct_yaml_int(self, node: Any) -> object:
            text = self.construct_scalar(node)
            return super().construct_yaml_int(node) if len(text) <= _LONGEST_NUMBER else text

        def construct_function(self, name: str, node: Any) -> object:
            value: object
            if isinstance(node, yaml.ScalarNode):
                value = self.construct_scalar(node)
            elif isinstance(node, yaml.SequenceNode):
                value = self.construct_sequence(node, deep=True)
            else:
                value = self.construct_mapping(node, deep=True)
            return {name if name in ("Ref", "Condition") else f"Fn::{name}": value}

    Loader.add_constructor("tag:yaml.org,2002:int", Loader.construct_yaml_int)
    # Dates and numbers with a point are what is written: such as an unquoted Version, which is no date to IAM.
    for kind in ("timestamp", "float"):
        Loader.add_constructor(f"tag:yaml.org,2002:{kind}", Loader.construct_yaml_str)
    Loader.add_multi_constructor("!", Loader.construct_function)
    return Loader


def _unescaped(escape: re.Match[str]) -> str:
    digits = escape[1] or escape[2] or escape[3]
    return "" if digits is None else chr(min(int(digits, 16), 0x10FFFF))
