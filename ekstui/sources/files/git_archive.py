"""A git clone of an archive that keeps what `get-policy-version` printed, a file a policy, such as MAMIP.

Every version that was ever committed is in the history, so the history is read, not the files. The clone's own
settings are not trusted: whatever in them could start a program is overridden, and nothing is fetched.
"""

import os
import subprocess
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from ekstui.core.document import MAX_BYTES
from ekstui.core.history import Collection, Skipped
from ekstui.core.policy import Policy
from ekstui.errors import InputError
from ekstui.sources.files.version_answer import VersionAnswer, history_of, read_version_answer

FOLDER = "policies"

MAX_BLOBS = 100_000
"""The most files in the history looked at; MAMIP has about 8,000."""

_SETTINGS = (
    "core.fsmonitor=false", "core.hooksPath=/dev/null", "core.pager=cat", "log.showSignature=false",
    "protocol.allow=never", "core.attributesFile=/dev/null",
)  # fmt: skip


def is_git_archive(folder: Path) -> bool:
    """Return whether a folder is a clone with a folder of policies."""
    return (folder / ".git").exists() and (folder / FOLDER).is_dir()


def read_git_archive(folder: Path, known: Mapping[str, Policy]) -> Collection:
    """Return every version in the clone's history, of policies that are known; InputError where git cannot read it."""
    answers: dict[str, dict[int, VersionAnswer]] = {}
    skipped: list[Skipped] = []
    blobs = dict(_blobs(folder))
    contents = _contents(folder, tuple(blobs))
    for (blob, path), text in zip(blobs.items(), contents, strict=True):
        name = path.rpartition("/")[2].removesuffix(".json")
        place = f"{path} ({blob[:10]})"
        if text is None:
            skipped.append(Skipped(place, f"more than {MAX_BYTES:,} bytes."))
            continue
        try:
            answer = read_version_answer(text)
        except InputError as error:
            skipped.append(Skipped(place, error.message))
            continue
        if answer is None:
            skipped.append(Skipped(place, "not what get-policy-version prints."))
        elif name not in known:
            skipped.append(Skipped(place, f"no policy is known that is named {name!r}."))
        else:
            # Blobs come newest first: a version that was committed twice is as it was committed last.
            answers.setdefault(name, {}).setdefault(answer.number, answer)
    histories = tuple(history_of(known[name], each.values()) for name, each in answers.items())
    return Collection(folder.resolve().name, _head_time(folder), True, histories, tuple(skipped))


def _blobs(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield each file in the history of the policies' folder by its object name, newest first."""
    options = ("--format=", "--raw", "--no-abbrev", "--no-renames", "--diff-filter=AM", "-z", "--no-show-signature")
    fields = _git(folder, "log", *options, "--", FOLDER).split(b"\0")
    for count, (status, path) in enumerate(_pairs(fields)):
        if count > MAX_BLOBS:
            raise InputError(f"{folder} has more than {MAX_BLOBS:,} files in its history.")
        # Such as `:100644 100644 OLD NEW M`; links and submodules have other modes.
        words = status.split(b" ")
        if len(words) >= 5 and words[1].startswith(b"100"):
            yield words[3].decode(), path.decode(errors="replace")


def _pairs(fields: list[bytes]) -> Iterator[tuple[bytes, bytes]]:
    entries = [field.lstrip(b"\n") for field in fields if field.strip(b"\n")]
    yield from zip(entries[::2], entries[1::2], strict=False)


def _contents(folder: Path, blobs: tuple[str, ...]) -> Iterator[bytes | None]:
    """Yield the files' contents in order, None for one that is too large."""
    sizes = _git(folder, "cat-file", "--batch-check=%(objectsize)", given="\n".join(blobs).encode() + b"\n").split()
    fits = dict(zip(blobs, (size.isdigit() and int(size) <= MAX_BYTES for size in sizes), strict=True))
    for start in range(0, len(blobs), _BATCH):
        batch = blobs[start : start + _BATCH]
        wanted = [blob for blob in batch if fits[blob]]
        output = _git(folder, "cat-file", "--batch", given="".join(f"{blob}\n" for blob in wanted).encode())
        position = 0
        for blob in batch:
            if not fits[blob]:
                yield None
                continue
            start_of_text = output.index(b"\n", position) + 1
            size = int(output[position:start_of_text].split(b" ")[2])
            yield output[start_of_text : start_of_text + size]
            position = start_of_text + size + 1


_BATCH = 500
"""Files read in one go, so that they fit in memory."""


def _head_time(folder: Path) -> datetime:
    seconds = _git(folder, "log", "-1", "--format=%ct", "--no-show-signature")
    return datetime.fromtimestamp(int(seconds), UTC)


def _git(folder: Path, *arguments: str, given: bytes = b"") -> bytes:
    settings = [part for setting in _SETTINGS for part in ("-c", setting)]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")} | {
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "LC_ALL": "C",
    }
    try:
        # The arguments are ours, and which git is the user's choice.
        result = subprocess.run(  # noqa: S603
            [  # noqa: S607
                "git",
                "--no-pager",
                "--literal-pathspecs",
                *settings,
                "-C",
                str(folder),
                *arguments,
            ],
            input=given,
            capture_output=True,
            check=True,
            env=environment,
        )
    except FileNotFoundError:
        raise InputError("git is not installed, and this folder is a git clone.") from None
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip().splitlines()
        raise InputError(f"git cannot read {folder}: {said[0] if said else error.returncode}.") from None
    return result.stdout
