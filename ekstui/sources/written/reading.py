"""The access that the changed files of a repository give, before and after, by the format of each file."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ekstui.change.holes import plainly
from ekstui.errors import DocumentError, InputError
from ekstui.files import read_regular
from ekstui.sources.repository import ChangedFile, Changes
from ekstui.sources.written import Written, WrittenAttachment, WrittenPolicy
from ekstui.sources.written.cloudformation import is_template, of_template
from ekstui.sources.written.manifests import is_manifest, of_manifest, template_values
from ekstui.sources.written.plan import is_plan, plan_sides
from ekstui.sources.written.search import document_in, is_document, search
from ekstui.sources.written.sorting import has_reader, is_known_not_to_hold, is_source, mentions_access, why_not_read
from ekstui.sources.written.terraform import MOST_TEXT, SUFFIXES, Files, Module, is_read_by_itself
from ekstui.sources.written.values import MOST_BYTES, json_value, yaml_values

_READ_BY_TERRAFORM = (".tftpl", ".tpl", ".tmpl", ".template", ".json", ".yaml", ".yml", ".txt")
"""Suffixes of files that Terraform's `file` and `templatefile` read."""


@dataclass(slots=True)
class Reading:
    """What changed files give, and which of them were not read."""

    before: list[Written] = field(default_factory=list)
    after: list[Written] = field(default_factory=list)
    unread: dict[str, str] = field(default_factory=dict)
    """Why files that may hold a policy were not read, by path."""
    files: int = 0
    """How many files changed."""
    read: int = 0
    """How many of them were read."""


def read_changes(changes: Changes, *, documents: bool = False) -> Reading:
    """Return what the changed files of a repository give on both sides.

    With Terraform's `documents` by themselves too, if asked.
    """
    reading = Reading()
    terraform: set[str] = set()
    for file in changes.files():
        reading.files += 1
        if file.path.lower().endswith(SUFFIXES) and not file.unread:
            terraform.add(file.path)
            continue
        try:
            sides = sides_of(file)
        except DocumentError as error:
            reading.unread[file.path] = error.message
            continue
        if sides is not None:
            reading.read += 1
            for entries, side in ((reading.before, sides[0]), (reading.after, sides[1])):
                entries += (entry if entry.path else entry._replace(path=file.path) for entry in side)
    if terraform or any(path.lower().endswith(_READ_BY_TERRAFORM) for path in reading.unread):
        _read_terraform(changes, terraform, reading, documents)
    return reading


def sides_of(file: ChangedFile) -> tuple[list[Written], list[Written]] | None:
    """Return what a changed file gives before and after, None if it cannot hold a policy.

    DocumentError says why it cannot be read.
    """
    if file.unread:
        if is_known_not_to_hold(file.path):
            return None
        raise DocumentError(file.unread)
    contents = _without_marks(file.before), _without_marks(file.after)
    if file.before == file.after and not has_reader(file.path):
        return None
    if any(content is not None and len(content) > MOST_BYTES for content in contents):
        raise DocumentError(f"it has more than {MOST_BYTES:,} bytes")
    if not has_reader(file.path) and (is_source(file.path) or not any(map(_is_json, contents))):
        if reason := why_not_read(file.path, contents):
            raise DocumentError(reason)
        return None
    if not any(map(mentions_access, contents)):
        return None
    try:
        before, after = (_values(file.path, content) for content in contents)
        if len(after) == 1 and is_plan(after[0]):
            return plan_sides(after[0])
        # A plan that is gone, or was replaced, applied to a state of its own.
        was_plan = len(before) == 1 and is_plan(before[0])
        sides = [] if was_plan else list(_written(before)), list(_written(after))
    except RecursionError:
        raise DocumentError("it is nested too deep") from None
    except DocumentError as error:
        raise DocumentError(error.message if has_reader(file.path) else why_not_read(file.path, contents)) from None
    if any(_is_template_text(*pair) for pair in zip(contents, sides, strict=True)):
        raise DocumentError("it is a template, and what fills it in is not known")
    if (
        file.after is not None
        and not sides[1]
        and any(entry.place == "" for entry in sides[0])
        and mentions_access(file.after)
    ):
        raise DocumentError("it is no longer a policy document, or written otherwise")
    return sides


def _without_marks(content: bytes | None) -> bytes | None:
    """Return a file's contents without the characters that mark a hole."""
    return content and re.sub(b"\xee\x80[\x80-\x82]", b"?", content)


def _is_json(content: bytes | None) -> bool:
    return content is not None and content.lstrip()[:1] in (b"{", b"[")


def _is_template_text(content: bytes | None, side: list[Written]) -> bool:
    """Return whether a document cannot be read because of what a template has in place of values."""
    return b"${" in (content or b"") and any(
        isinstance(entry, WrittenPolicy) and entry.document is None for entry in side
    )


def _values(path: str, content: bytes | None) -> list[object]:
    """Return the values in a file, more than one of YAML's documents; none if absent or without a policy."""
    if content is None or not mentions_access(content):
        return []
    try:
        return [json_value(content)]
    except DocumentError:
        if path.lower().endswith((".json", ".jsonc")) or not has_reader(path):
            raise
    if b"{{" in content:
        return template_values(content)
    return list(yaml_values(content))


def _written(values: Iterable[object]) -> Iterator[Written]:
    for value in values:
        if isinstance(value, Mapping) and is_document(value):
            yield document_in("", value)
        elif is_template(value):
            yield from of_template(value)
        elif is_manifest(value):
            yield from of_manifest(value)
        else:
            yield from search(value, "")


def attached_in(path: Path) -> tuple[str, ...]:
    """Return the ARNs of AWS's policies that a file attaches; InputError if it cannot be read."""
    try:
        content = read_regular(path, MOST_BYTES)
        if path.name.endswith(SUFFIXES):
            folder = path.parent

            def read(name: str) -> bytes | None:
                return read_regular(folder / name, MOST_TEXT)

            names = [file.name for file in folder.iterdir() if file.is_file()]
            entries = [entry for entry in Module(Files(names, read), "").written() if entry.path == path.name]
        else:
            sides = sides_of(ChangedFile(str(path), None, content))
            entries = sides[1] if sides else []
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from None
    except DocumentError as error:
        raise InputError(f"{path} cannot be read: {error.message}.") from None
    policies = [
        entry.policy
        for entry in entries
        if isinstance(entry, WrittenAttachment) and entry.kind in ("policy", "boundary")
    ]
    arns = [re.sub(r"^arn:[^:]*:", "arn:aws:", plainly(policy)) for policy in policies]
    return tuple(dict.fromkeys(policy for policy in arns if policy.startswith("arn:aws:iam::aws:policy/")))


def _sides(changes: Changes) -> tuple[Files, Files]:
    objects = changes.before()
    contents: dict[str, bytes] = {}

    def before(path: str) -> bytes | None:
        if path not in contents:
            # The whole folder at once: a module is read file by file, and each read starts a process.
            folder = posixpath.dirname(path)
            path_by_name = {name: at for at, name in objects.items() if posixpath.dirname(at) == folder}
            contents.update((path_by_name[name], content) for name, content in changes.contents(path_by_name).items())
            for at, name in objects.items():
                if name in path_by_name and at not in contents and path_by_name[name] in contents:
                    contents[at] = contents[path_by_name[name]]
        return contents.get(path)

    def after(path: str) -> bytes | None:
        try:
            return read_regular(Path(changes.root, path), MOST_TEXT, follow=False)
        except OSError:
            return None

    return Files(objects, before), Files(changes.after(), after)


def _is_for_any_module(path: str) -> bool:
    """Return whether a file has variables of Terraform, and an option says which module gets them."""
    return path.lower().endswith((".tfvars", ".tfvars.json")) and not is_read_by_itself(path)


def _read_terraform(changes: Changes, changed_paths: set[str], reading: Reading, documents: bool) -> None:
    """Add what the modules give that have changed files, or that read them."""
    sides = _sides(changes)
    folders = {posixpath.dirname(path) for path in changed_paths if not _is_for_any_module(path)}
    for path in sorted(filter(_is_for_any_module, changed_paths)):
        if any(mentions_access((side.read(path) or "").encode()) for side in sides):
            reading.unread[path] = "it is a file of variables for Terraform, and which module gets them is not written"
    pending_paths = {path for path in reading.unread if path.lower().endswith(_READ_BY_TERRAFORM)}
    if pending_paths:
        names = {posixpath.basename(path) for path in pending_paths}
        folders |= sides[0].folders_naming(names) | sides[1].folders_naming(names)
    read_paths: list[set[str]] = []
    called_folders: set[str] = set()
    by_path: dict[str, tuple[list[Written], list[Written]]] = {}
    for folder in sorted(folders):
        entries: tuple[list[Written], list[Written]] = ([], [])
        for side, side_entries in zip(sides, entries, strict=True):
            side.used.clear()
            try:
                module = Module(side, folder)
                side_entries += module.written()
                if documents:
                    side_entries += module.documents()
            except (DocumentError, RecursionError) as error:
                message = error.message if isinstance(error, DocumentError) else "it is nested too deep"
                reading.unread.update(
                    dict.fromkeys((path for path in changed_paths if posixpath.dirname(path) == folder), message)
                )
                continue
            called_folders |= module.called
            reading.unread |= {
                path: reason
                for path, reason in module.broken.items()
                if path in changed_paths and mentions_access((side.read(path) or "").encode())
            }
            read_paths.append(set(side.used))
        by_path[folder] = entries
    for folder, entries in by_path.items():
        # A module that another changed one calls is judged there, with the values that it gets.
        if folder not in called_folders:
            reading.before += entries[0]
            reading.after += entries[1]
    for path in pending_paths:
        if any(path in paths for paths in read_paths):
            del reading.unread[path]
            reading.read += 1
    reading.read += sum(path not in reading.unread for path in changed_paths)
