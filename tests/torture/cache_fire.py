"""The cache under fire: processes killed at random moments, files damaged at random, disks full, locks refused.

`python -m tests.torture.cache_fire --kills 300 --damaged 500` prints how often ekstui came through: the next start
answers as the corpus does, says so if it set something aside, and has everything that was committed.
"""

import argparse
import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ekstui.change.policy import PolicyHistory, Provenance, VersionInfo
from ekstui.library import Library
from ekstui.library.feed import changes_feed
from ekstui.library.maintenance import fill_cache, index_cache
from ekstui.library.searching import who_can_answer
from ekstui.sources.corpus import Corpus
from ekstui.store import accounts
from ekstui.store.index import index_actions
from ekstui.store.policy_store import DeliveryInfo, PolicyStore, pack
from tests.support.accounts import snapshot
from tests.support.bundled import FAMILY
from tests.support.corpus import read_once
from tests.support.filled import library_on
from tests.support.terminal import ROOT

KINDS = ("fill", "index", "sync", "snapshot")
"""What a process may be doing when it is killed."""

SNAPSHOT = snapshot()
SECOND = timedelta(seconds=1)

ACTIONS = ("ec2:DescribeSecurityGroups", "ecr:GetAuthorizationToken", "shield:*")

SHIM = r"""
#include <errno.h>
int flock(int fd, int operation) { errno = ENOLCK; return -1; }
int fcntl64(int fd, int command, ...);
#include <stdarg.h>
#include <fcntl.h>
#include <dlfcn.h>
#define FORWARD(name) \
int name(int fd, int command, ...) { \
    static int (*real)(int, int, void *); va_list rest; va_start(rest, command); void *last = va_arg(rest, void *); va_end(rest); \
    if (command == F_SETLK || command == F_SETLKW || command == F_GETLK) { errno = ENOLCK; return -1; } \
    if (!real) real = dlsym((void *)-1l, #name); \
    return real(fd, command, last); }
FORWARD(fcntl)
FORWARD(fcntl64)
"""
"""A file system that refuses locks, for the programs that load it."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What an undisturbed library answers about the EKS family."""

    policies: object
    documents: object
    holders: object
    changes: object


def truth_of(library: Library, rng: random.Random | None = None) -> Truth:
    """Ask a library all of it, each policy's documents included; with `rng` only some of the documents."""
    entries = library.policies("eks")
    sample = entries if rng is None else rng.sample(entries, min(6, len(entries)))
    return Truth(
        policies=entries,
        documents={
            (entry.policy.name, info.number): library.document_json(entry.policy, info.number)
            for entry in sample
            for info in entry.policy.versions
        },
        holders=[who_can_answer(library, action) for action in ACTIONS],
        changes=changes_feed(library, datetime(2026, 1, 1, tzinfo=UTC)),
    )


def agrees(library: Library, truth: Truth, rng: random.Random) -> bool:
    """Return whether a library answers as the undisturbed one does."""
    answer = truth_of(library, rng)
    documents = truth.documents
    assert isinstance(documents, dict)
    assert isinstance(answer.documents, dict)
    return replace(answer, documents=None) == replace(truth, documents=None) and all(
        documents[key] == value for key, value in answer.documents.items()
    )


def fill_family(folder: Path) -> PolicyStore:
    """Make a small cache, whole and indexed, of the EKS family alone."""
    corpus, store = Corpus.bundled(), PolicyStore.in_folder(folder)
    manifest = corpus.manifest()
    source = Provenance(manifest.label, "archive", manifest.known_until, manifest.known_until)
    histories = [pack(history) for history in corpus.histories("eks")]
    names = tuple(history.policy.name for history in histories)
    store.put(histories, DeliveryInfo(source, manifest.known_until, corpus=manifest.sha256), names)
    assert index_cache(library_on(folder))
    return store


def family_in(folder: Path, name: str) -> Path:
    """Return a folder in `folder` with a small cache of its own, a copy of one that is made once."""
    family_folder = folder / "family"
    if not family_folder.exists():
        fill_family(family_folder)
    return Path(shutil.copytree(family_folder, folder / name))


class Work:
    """What a process does until it is killed; it tells its parent after each commit."""

    def __init__(self, histories: list[PolicyHistory], pipe: int) -> None:
        self.histories = histories
        self.pipe = pipe

    def tell(self, number: int) -> None:
        os.write(self.pipe, b"%d\n" % number)

    def fill(self, store: PolicyStore) -> None:
        library = library_on(store.file.path.parent)
        fill_cache(library)
        self.tell(1)

    def index(self, store: PolicyStore) -> None:
        index_actions(store, lambda *_: None, lambda: False)
        self.tell(1)

    def sync(self, store: PolicyStore) -> None:
        """Add version after version to the family, a policy a transaction."""
        source = Provenance("AWS", "aws", datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 10, 1, tzinfo=UTC))
        for number in range(1, 1_000_000):
            history = self.histories[number % FAMILY]
            version = 1000 + number // FAMILY
            policy = history.policy._replace(versions=(VersionInfo(version, None),), default_version=version)
            text = history.texts[history.policy.default_version]
            store.put([pack(PolicyHistory(policy, {version: text}))], DeliveryInfo(source, None), undoable=True)
            self.tell(number)

    def snapshot(self, store: PolicyStore) -> None:
        """Store one snapshot of an account after another, each a second younger."""
        for number in range(1, 1_000_000):
            accounts.store(accounts_of(store), SNAPSHOT._replace(fetched_at=SNAPSHOT.fetched_at + number * SECOND))
            self.tell(number)


def accounts_of(store: PolicyStore) -> Path:
    return store.file.path.parent / "accounts"


def last_committed(store: PolicyStore, kind: str) -> int:
    """Return how far a work of that kind has come, by what the cache holds."""
    if kind == "fill":
        return int(library_on(store.file.path.parent).state() is not None)
    if kind == "snapshot":
        identity = SNAPSHOT.identity
        stored = accounts.load(accounts_of(store), identity.partition, identity.account)
        if stored is None:
            return 0
        number = (stored.fetched_at - SNAPSHOT.fetched_at) // SECOND
        assert stored._replace(fetched_at=SNAPSHOT.fetched_at) == SNAPSHOT
        return number
    if kind == "index":
        with store.file.reading() as objects:
            return int("actions" in objects.root()["index"].get("aws", {}))
    return sum(info.number >= 1000 for policy in store.policies() for info in policy.versions)


def kills(count: int, folder: Path, truth: Truth, rng: random.Random) -> Counter[str]:
    """Kill processes while they fill, index, sync and store snapshots; count what came of it."""
    histories = list(Corpus.bundled().histories("eks"))
    bases = {kind: folder / f"base-{kind}" for kind in KINDS}
    for kind in ("index", "sync", "snapshot"):
        family_in(folder, bases[kind].name)
    bases["fill"].mkdir()
    longest = {"fill": 1.5, "index": 0.3, "sync": 0.4, "snapshot": 0.2}
    counts: Counter[str] = Counter()
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        place = folder / f"killed-{number}"
        shutil.copytree(bases[kind], place)
        store = PolicyStore.in_folder(place)
        last_commit = killed_at_random(histories, kind, store, rng.uniform(0, longest[kind]))
        library = library_on(place)
        has_survived = last_committed(store, kind) >= last_commit
        if kind == "fill":
            has_survived &= agrees(library, truth, rng)
            has_survived &= fill_cache(library)
        store.verify()
        counts["killed"] += 1
        counts["survived"] += has_survived
        counts["set aside"] += bool(library.notices())
        counts[f"in {kind}"] += 1
        shutil.rmtree(place)
    return counts


def killed_at_random(histories: list[PolicyHistory], kind: str, store: PolicyStore, after: float) -> int:
    """Start a process on some work, kill it after so many seconds, and return what it told last."""
    read_end, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(read_end)
            getattr(Work(histories, write), kind)(store)
        finally:
            os._exit(0)
    os.close(write)
    time.sleep(after)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with os.fdopen(read_end, "rb") as pipe:
        lines = [line for line in pipe.read().split(b"\n")[:-1] if line]
    return int(lines[-1]) if lines else 0


def damaged_caches(count: int, folder: Path, truth: Truth, rng: random.Random) -> Counter[str]:
    """Damage a whole cache in random ways and ask; every answer must be right, from the cache or from the corpus."""
    base = family_in(folder, "whole")
    content = (base / "policies.db").read_bytes()
    assert truth_of(library_on(base)) == truth
    ways: tuple[Callable[[bytes, random.Random], bytes], ...] = (
        truncate,
        flip_bits,
        blank_page,
        swap_pages,
        garble_header,
    )
    counts: Counter[str] = Counter()
    for number in range(count):
        way = ways[number % len(ways)]
        place = folder / f"damaged-{number}"
        place.mkdir()
        (place / "policies.db").write_bytes(way(content, rng))
        library = library_on(place)
        counts["damaged"] += 1
        right = agrees(library, truth, rng)
        counts["right answers"] += right
        notices = library.notices()
        aside = list(place.glob("*.aside-*"))
        counts["set aside and said"] += bool(aside) and bool(notices)
        counts["silently set aside"] += bool(aside) and not notices
        if not right:
            counts[f"wrong after {way.__name__}"] += 1
        if aside:
            counts["made anew"] += fill_family(place).verify()[0] == FAMILY
        shutil.rmtree(place)
    return counts


def truncate(content: bytes, rng: random.Random) -> bytes:
    return content[: rng.randrange(len(content))]


def flip_bits(content: bytes, rng: random.Random) -> bytes:
    damaged_content = bytearray(content)
    for _ in range(rng.choice((1, 1, 4, 64))):
        damaged_content[rng.randrange(len(damaged_content))] ^= 1 << rng.randrange(8)
    return bytes(damaged_content)


def blank_page(content: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(content) // 4096) * 4096
    return content[:start] + bytes(4096) + content[start + 4096 :]


def swap_pages(content: bytes, rng: random.Random) -> bytes:
    pages = [content[start : start + 4096] for start in range(0, len(content), 4096)]
    first, second = rng.sample(range(len(pages)), 2)
    pages[first], pages[second] = pages[second], pages[first]
    return b"".join(pages)


def garble_header(content: bytes, rng: random.Random) -> bytes:
    header = bytearray(content[:100])
    for _ in range(rng.randint(1, 8)):
        header[rng.randrange(100)] = rng.randrange(256)
    return bytes(header) + content[100:]


def surroundings(folder: Path, truth: Truth, rng: random.Random, *, short: bool) -> Iterator[tuple[str, str]]:
    """Yield what was tried around the cache, and what came of it."""
    for limit in (5_000, 1_000_000) if short else (0, 5_000, 100_000, 1_000_000, 3_000_000):
        outcome = in_child(lambda: full_disk(folder / f"full-{limit}", limit, truth, rng))  # noqa: B023 (called at once)
        yield f"no file may grow beyond {limit:,} bytes", outcome
    with small_disk(folder / "small") as is_mounted:
        outcome = (
            in_child(lambda: full_disk(folder / "small" / "cache", None, truth, rng)) if is_mounted else "not tried"
        )
        yield "a disk of 2 MB", outcome
    family_in(folder, "theirs")
    yield "a folder that may only be read", in_child(lambda: read_only(folder / "theirs", truth, rng))
    yield "a file system that refuses locks", locks_refused(folder)
    family_in(folder, "newer")
    with closing(sqlite3.connect(folder / "newer" / "policies.db")) as connection:
        connection.execute("PRAGMA user_version = 99")
    library = library_on(folder / "newer")
    right = agrees(library, truth, rng) and len(library.notices()) == 1
    yield "a cache from a newer version", "right answers, set aside and said" if right else "WRONG"
    size = 4 if short else 8
    yield f"{size} processes, half of them killed", crowd(folder / "crowd", size, truth, rng)


def full_disk(folder: Path, limit: int | None, truth: Truth, rng: random.Random) -> str:
    if limit is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    library = library_on(folder)
    if fill_cache(library):
        return "WRONG: filled"
    notices = library.notices()
    return "right answers, said" if agrees(library, truth, rng) and notices else f"WRONG: {notices}"


@contextmanager
def small_disk(folder: Path) -> Iterator[bool]:
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    is_mounted = os.geteuid() == 0 and subprocess.run(mount, check=False, capture_output=True).returncode == 0
    try:
        yield is_mounted
    finally:
        if is_mounted:
            subprocess.run(["umount", str(folder)], check=True)


def read_only(folder: Path, truth: Truth, rng: random.Random) -> str:
    if os.geteuid() == 0 and any(parent.stat().st_mode & 0o005 != 0o005 for parent in (ROOT, *ROOT.parents)):
        return "not tried"  # nobody else may read this tree, such as one in root's own folder
    (folder / "policies.db").chmod(0o444)
    folder.chmod(0o555)
    if os.geteuid() == 0:
        for parent in folder.parents:
            if parent.stat().st_mode & 0o005 != 0o005:
                parent.chmod(parent.stat().st_mode | 0o055)
        os.setuid(65534)
    library = library_on(folder)
    was_used = library.state() is not None
    right = agrees(library, truth, rng) and not library.notices()
    return "right answers, from the cache" if right and was_used else f"WRONG: used {was_used}, {library.notices()}"


def locks_refused(folder: Path) -> str:
    if not (compiler := shutil.which("cc")) or sys.platform != "linux":
        return "not tried"
    source, shim = folder / "shim.c", folder / "shim.so"
    source.write_text(SHIM)
    built = subprocess.run([compiler, "-shared", "-fPIC", "-w", "-o", str(shim), str(source)], check=False)
    if built.returncode:
        return "not tried"
    program = (
        "from ekstui.library import Library; "
        "from ekstui.library.maintenance import fill_cache; library = Library.open(); "
        "filled = fill_cache(library); policy = library.find('AmazonEKS_CNI_Policy').policy; "
        "print(filled, policy.default_version, len(library.notices()))"
    )
    environment = os.environ | {"LD_PRELOAD": str(shim), "EKSTUI_CACHE": str(folder / "refusing")}
    ran = subprocess.run([sys.executable, "-c", program], env=environment, check=False, capture_output=True, text=True)
    (current,) = (
        policy.default_version for policy, _ in Corpus.bundled().histories() if policy.name == "AmazonEKS_CNI_Policy"
    )
    expected = f"False {current} 1"
    return "right answers, said" if ran.stdout.strip() == expected else f"WRONG: {ran.stdout}{ran.stderr}"


def crowd(folder: Path, size: int, truth: Truth, rng: random.Random) -> str:
    children = []
    for _ in range(size):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                library = library_on(folder)
                fill_cache(library)
                code = 0 if agrees(library, truth, rng) else 2
            finally:
                os._exit(code)
        children.append(child)
    time.sleep(rng.uniform(0.1, 1.0))
    for child in children[: size // 2]:
        os.kill(child, signal.SIGKILL)
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    # Whoever waits for a lock for a second answers from the corpus, so on a busy machine nobody may have filled the cache yet.
    fill_cache(library_on(folder))
    is_whole = PolicyStore.in_folder(folder).verify()[1] == Corpus.bundled().manifest().versions
    right = is_whole and not any(codes[size // 2 :]) and agrees(library_on(folder), truth, rng)
    return "whole, right answers" if right else f"WRONG: {codes}"


def in_child(question: Callable[[], str]) -> str:
    """Return what a question answers in a process of its own, whose limits and user it may change."""
    read_end, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(read_end)
            try:
                answer = question()
            except BaseException as error:  # noqa: BLE001 (told to the parent)
                answer = f"WRONG: {error!r}"
            os.write(write, answer.encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read_end, "rb") as answers:
        text = answers.read().decode()
    os.waitpid(child, 0)
    return text or "WRONG: died"


def main() -> int:
    """Run what is asked for, print the figures, and return 1 if anything went wrong."""
    read_once()
    parser = argparse.ArgumentParser(prog="python -m tests.torture.cache_fire", description=__doc__)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--damaged", type=int, default=500)
    parser.add_argument(
        "--short", action="store_true", help="fewer limits of a disk, and half as many processes at once"
    )
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    has_failed = False
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        truth = truth_of(library_on(folder / "nowhere"))
        kill_counts = kills(options.kills, folder, truth, rng)
        print("killed processes  ", ", ".join(f"{key} {value}" for key, value in kill_counts.items()), flush=True)
        has_failed |= kill_counts["survived"] != options.kills or kill_counts["set aside"] > 0
        hurt = damaged_caches(options.damaged, folder, truth, rng)
        print("damaged caches    ", ", ".join(f"{key} {value}" for key, value in hurt.items()), flush=True)
        has_failed |= hurt["right answers"] != options.damaged or hurt["silently set aside"] > 0
        has_failed |= hurt["made anew"] != hurt["set aside and said"]
        for attempt, outcome in surroundings(folder, truth, rng, short=options.short):
            print(f"{attempt:<42}{outcome}", flush=True)
            has_failed |= outcome.startswith("WRONG")
    return 1 if has_failed else 0


if __name__ == "__main__":
    sys.exit(main())
