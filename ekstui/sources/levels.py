"""The policies of an organization in files and folders: those of one folder are one level of the organization."""

from collections.abc import Iterable
from pathlib import Path

from ekstui import files
from ekstui.errors import InputError
from ekstui.iam.evaluation import AppliedPolicy, Level
from ekstui.sources.policy_file import Kind, read_document

_MAX_POLICIES = 500
"""The most policies that are read: an organization has at most six levels, and each few policies."""


def read_levels(paths: Iterable[str], kind: Kind) -> tuple[Level, ...]:
    """Return the levels that files and folders hold, a folder before its subfolders.

    Every JSON file of a folder is a policy; `kind` says of which kind. Raises InputError for what cannot be read, for a
    folder without policies, and for a document that AWS would reject.
    """
    if files.is_served():
        raise InputError("In a browser, ekstui does not read files of the server.")
    entries: dict[Path, dict[Path, None]] = {}
    for text in paths:
        path = Path(text).expanduser()
        listed = sorted(_below(path), key=lambda folder: (len(folder.parts), folder)) if path.is_dir() else [path]
        if not listed:
            raise InputError(f"{path} has no policies.", "A folder holds each policy in a file that ends in .json.")
        for file in listed:
            entries.setdefault(file.parent, {})[file] = None
    if sum(map(len, entries.values())) > _MAX_POLICIES:
        raise InputError(f"More than {_MAX_POLICIES} policies were given.", "Name the folders of one account's levels.")
    levels = tuple(
        Level(
            folder.name or None,
            tuple(AppliedPolicy(file.stem, None, read_document(file, kind=kind)) for file in listed),
        )
        for folder, listed in entries.items()
    )
    return levels if len(levels) > 1 else tuple(level._replace(name=None) for level in levels)


def _below(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.rglob("*.json") if not path.is_dir()]
    except OSError as error:
        raise InputError(f"{folder} cannot be read: {error.strerror or error}.") from None
