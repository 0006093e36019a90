"""Every version of a policy in a git archive such as MAMIP: a file per policy, of what `get-policy-version` prints."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

from ekstui.change.policy import Collection, Policy
from ekstui.errors import InputError
from ekstui.iam.document import MAX_BYTES
from ekstui.named_tuples import NamedTuple
from ekstui.sources.git import GitObjects, contents_in
from ekstui.sources.policy_file import FOLDER, read_versions

MAX_BLOBS = 100_000
"""The most files in the history that are looked at; MAMIP has about 8,000."""

MAX_BASE = 32 * 1024 * 1024
"""The largest object that a file may be stored as a difference from, in bytes: git unpacks it whole."""

MAX_DEPTH = 300
"""The most objects in a row that are stored as differences from each other; git itself makes at most 250."""

_NO_BASE = "0" * 40

_BATCH_BYTES = 16 * 1024 * 1024
"""How much is read at once, in bytes, so that it fits in memory."""


def read_history(
    name_of_archive: str, objects: GitObjects, stored_policies: Mapping[str, Policy], since: datetime | None = None
) -> Collection:
    """Return every version that was committed since a time, or ever, of policies that are known."""
    blobs = dict(blobs_in(objects, since))
    # Blobs come newest first, so the last commit of a version counts.
    texts = (
        (f"{path} ({blob[:10]})", _policy_named_by(path), text)
        for (blob, path), text in zip(blobs.items(), _contents(objects, tuple(blobs)), strict=True)
    )
    histories, skipped = read_versions(texts, stored_policies)
    seconds = objects.git("log", "-1", "--format=%ct", "--no-show-signature", objects.head)
    as_of = datetime.fromtimestamp(int(seconds), UTC)
    paths = objects.git("ls-tree", "-z", "--name-only", objects.head, f"{FOLDER}/").decode(errors="replace").split("\0")
    names = frozenset(_policy_named_by(path) for path in paths if path)
    return Collection(name_of_archive, as_of, True, histories, tuple(skipped), names)


def _policy_named_by(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".json")


def blobs_in(objects: GitObjects, since: datetime | None) -> Iterator[tuple[str, str]]:
    """Yield each file in the history of the policies' folder by its object name, newest first."""
    options = ("--format=", "--raw", "--no-abbrev", "--no-renames", "--diff-filter=AM", "-z", "--no-show-signature")
    period = () if since is None else (f"--since={int(since.timestamp())}",)
    output = objects.git("log", *options, *period, objects.head, "--", FOLDER)
    fields = [field.lstrip(b"\n") for field in output.split(b"\0") if field.strip(b"\n")]
    for count, (status, path) in enumerate(zip(fields[::2], fields[1::2], strict=False)):
        if count > MAX_BLOBS:
            raise InputError(f"The clone has more than {MAX_BLOBS:,} files in its history.")
        # Such as `:100644 100644 OLD NEW M`; links and submodules have other modes.
        words = status.split(b" ")
        if len(words) >= 5 and words[1].startswith(b"100"):
            yield words[3].decode(), path.decode(errors="replace")


def _contents(objects: GitObjects, blobs: tuple[str, ...]) -> Iterator[bytes | str]:
    """Yield the files' contents in order, or a sentence for one that is missing or too large."""
    storage = _storage(objects, blobs)
    batch: list[tuple[str, str | None]] = []
    room = _BATCH_BYTES
    for blob in blobs:
        reason = _unreadable(storage, blob)
        batch.append((blob, reason))
        room -= 0 if reason else storage[blob].size or 0
        if room <= 0:
            yield from _texts(objects, batch)
            batch, room = [], _BATCH_BYTES
    yield from _texts(objects, batch)


class _Storage(NamedTuple):
    """How git stores an object."""

    size: int | None
    """In bytes; None if it is missing."""
    base: str
    """The object that it is stored as a difference from; zeros for none."""


def _storage(objects: GitObjects, blobs: Iterable[str]) -> dict[str, _Storage]:
    """Return how some objects are stored, and those that they are differences from, without unpacking any."""
    storage: dict[str, _Storage] = {}
    names = list(blobs)
    for _ in range(MAX_DEPTH):
        stdin = "".join(f"{blob}\n" for blob in names).encode()
        form = "--batch-check=%(objectname) %(objectsize) %(deltabase)"
        for blob, line in zip(names, objects.git("cat-file", form, stdin=stdin).splitlines(), strict=True):
            _, size, *base = line.decode().split(" ")
            storage[blob] = _Storage(int(size), base[0]) if base else _Storage(None, _NO_BASE)
        names = sorted({entry.base for entry in storage.values()} - storage.keys() - {_NO_BASE})
        if not names:
            break
    return storage


def _unreadable(storage: Mapping[str, _Storage], blob: str) -> str | None:
    """Return why a file is not read: it is missing, or it or what it is stored as a difference from is too large."""
    entry = storage[blob]
    if entry.size is None:
        return "it is missing from this clone."
    if entry.size > MAX_BYTES:
        return f"more than {MAX_BYTES:,} bytes."
    for _ in range(MAX_DEPTH):
        if entry.base == _NO_BASE:
            return None
        if entry.base not in storage:
            break
        entry = storage[entry.base]
        if (entry.size or 0) > MAX_BASE:
            return f"git stores it as a difference from one of more than {MAX_BASE:,} bytes."
    return f"git stores it as a difference from more than {MAX_DEPTH} others in a row."


def _texts(objects: GitObjects, batch: list[tuple[str, str | None]]) -> Iterator[bytes | str]:
    stdin = "".join(f"{blob}\n" for blob, reason in batch if reason is None).encode()
    contents = contents_in(objects.git("cat-file", "--batch", stdin=stdin) if stdin else b"")
    yield from (next(contents) if reason is None else reason for _, reason in batch)
