"""A folder with what `aws iam get-policy-version` printed, a version a file.

A file's policy is its own name or that of its folder: `NAME.json`, `NAME@v5.json`, `NAME-v5.json` or `NAME/v5.json`.
"""

import os
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from ekstui.core.document import MAX_BYTES
from ekstui.core.history import Collection, Skipped
from ekstui.core.policy import Policy
from ekstui.errors import InputError
from ekstui.sources.files.version_answer import VersionAnswer, history_of, read_version_answer

MAX_FILES = 50_000
"""The most files looked at."""

_VERSION = re.compile(r"[@._-]?v\d+", re.ASCII)


def read_version_files(folder: Path, known: Mapping[str, Policy]) -> Collection:
    """Return the versions in a folder, of policies that are known; InputError where there are none at all."""
    answers: dict[str, dict[int, VersionAnswer]] = {}
    skipped: list[Skipped] = []
    for path in _files(folder):
        place = str(path.relative_to(folder))
        try:
            answer = read_version_answer(_content(path))
        except InputError as error:
            skipped.append(Skipped(place, error.message))
            continue
        name = _policy_name(path)
        if answer is None:
            skipped.append(Skipped(place, "not what get-policy-version prints."))
        elif name not in known:
            skipped.append(Skipped(place, f"no policy is known that is named {name!r}."))
        else:
            before = answers.setdefault(name, {}).setdefault(answer.number, answer)
            if before.text != answer.text:
                skipped.append(Skipped(place, "another file has another document for the same version."))
    if not answers and not skipped:
        raise InputError(f"{folder} has no .json files.", "Give a folder with what aws iam get-policy-version printed.")
    times = [answer.created for each in answers.values() for answer in each.values() if answer.created]
    histories = tuple(history_of(known[name], each.values()) for name, each in answers.items())
    as_of = max(times, default=datetime.min.replace(tzinfo=UTC))
    return Collection(folder.name or str(folder), as_of, False, histories, tuple(skipped))


def _files(folder: Path) -> Iterator[Path]:
    """Yield the JSON files below a folder in a stable order, without following links."""
    count = 0
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(root, name)
            if name.endswith(".json") and path.is_file() and not path.is_symlink():
                count += 1
                if count > MAX_FILES:
                    raise InputError(f"{folder} has more than {MAX_FILES:,} files.")
                yield path


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(2 * MAX_BYTES)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}.") from None


def _policy_name(path: Path) -> str:
    stem = path.stem
    if _VERSION.fullmatch(stem):
        return path.parent.name
    match = _VERSION.search(stem)
    return stem[: match.start()] if match and match.end() == len(stem) and match.start() else stem
