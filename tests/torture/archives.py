"""Archives that lie: bombs in git, zip, gzip and JSON, and more policies than AWS can have, each given to `ekstui sync`.

Every one must end in time with a sentence, or be read without what is too large; the memory of all processes together stays
below a gigabyte.
"""

import argparse
import hashlib
import json
import os
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from tests.support.documents import allow_statement
from tests.support.packages import moto_policies, moto_wheel, npm_policies, tarball, version_json, wheel_of
from tests.support.terminal import ROOT, environment

MOST_MEMORY = 1 << 30
"""In bytes, of all processes together."""

MOST_SECONDS = 60.0
"""Of processor time, in seconds."""

MEGABYTE = 1 << 20
PIECE = 0xFFFFFF
"""The most that one instruction of a delta copies, in bytes."""


class Figures(NamedTuple):
    """What a sync took."""

    code: int
    seconds: float
    processor: float
    memory: int
    stderr: str


def main() -> int:
    """Sync from each archive, and print a line of figures for each."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture.archives", description=__doc__)
    parser.add_argument("--only", default="", help="archives whose name has this word")
    only_target = parser.parse_args().only
    failure_count = 0
    with tempfile.TemporaryDirectory(prefix="ekstui-archives-") as folder:
        cache = Path(folder) / "cache"
        run([sys.executable, "-m", "ekstui", "sync", "--from", str(plain_archive(Path(folder)))], cache)
        for name, make in ARCHIVES.items():
            if only_target in name:
                place = Path(folder) / name.replace(" ", "-")
                place.mkdir()
                figures = run([sys.executable, "-m", "ekstui", "sync", "--from", str(make(place))], cache)
                is_wrong = (
                    figures.code not in (0, 2)
                    or figures.memory > MOST_MEMORY
                    or figures.processor > MOST_SECONDS
                    or (figures.code and not figures.stderr)
                )
                failure_count += is_wrong
                print(
                    f"{'WRONG' if is_wrong else 'ok':<6}{name:<34} exit {figures.code}  {figures.seconds:5.1f} s  "
                    f"{figures.processor:5.1f} s of processor  {figures.memory / MEGABYTE:5.0f} MB  {figures.stderr[:90]}",
                    flush=True,
                )
    return 1 if failure_count else 0


def run(command: list[str], cache: Path) -> Figures:
    """Run a command on a cache and measure it with every process that it starts."""
    begun = time.monotonic()
    before = os.times()
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment({"EKSTUI_CACHE": str(cache)}),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    most = 0
    while process.poll() is None:
        most = max(most, sum(map(resident, tree_of(process.pid))))
        time.sleep(0.02)
    stderr = process.stderr.read() if process.stderr else ""
    after = os.times()
    processor = after.children_user + after.children_system - before.children_user - before.children_system
    return Figures(process.returncode, time.monotonic() - begun, processor, most, stderr.strip().split("\n")[0])


def tree_of(parent: int) -> Iterator[int]:
    """Yield a process and all below it."""
    yield parent
    try:
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    except OSError:
        return
    for child in children:
        yield from tree_of(int(child))


def resident(process: int) -> int:
    """Return how much memory a process has, in bytes; 0 if it has ended, or where the system does not say."""
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


# A repository is written by hand, since git itself would unpack what is in it. It does not check the names of objects that
# it reads, so that they can be made up.


def plain_archive(folder: Path) -> Path:
    """Make a wheel with one policy, to fill the cache."""
    return moto_wheel(folder, moto_policies({"Alpha": {1: ("2026-10-01T00:00:00Z", allow_statement("a:One"))}}))


def repository(folder: Path, blobs: list[tuple[str, bytes]], first: str) -> Path:
    """Make a clone whose one file is the first of some packed objects, each given with its name."""
    tree = b"100644 AmazonEKSClusterPolicy\0" + bytes.fromhex(first)
    inner = packed_object(2, tree)
    outer = packed_object(2, b"40000 policies\0" + bytes.fromhex(name_of("tree", tree)))
    top = name_of("tree", b"40000 policies\0" + bytes.fromhex(name_of("tree", tree)))
    commit = (
        f"tree {top}\nauthor A <a@example.org> 1790000000 +0000\ncommitter A <a@example.org> 1790000000 +0000\n\nx\n"
    )
    head = name_of("commit", commit.encode())
    objects = [(head, packed_object(1, commit.encode())), (top, outer), (name_of("tree", tree), inner), *blobs]
    pack = folder / ".git" / "objects" / "pack"
    pack.mkdir(parents=True)
    (folder / "policies").mkdir()
    (folder / ".git" / "HEAD").write_text(head)
    content = b"PACK" + struct.pack(">II", 2, len(objects))
    entries = []
    for name, data in objects:
        entries.append((name, len(content), zlib.crc32(data)))
        content += data
    checksum = hashlib.sha1(content, usedforsecurity=False).digest()
    entries.sort()
    counts = [sum(int(name[:2], 16) <= number for name, _, _ in entries) for number in range(256)]
    index = b"\xfftOc" + struct.pack(">I256I", 2, *counts)
    index += b"".join(bytes.fromhex(name) for name, _, _ in entries)
    index += b"".join(struct.pack(">I", crc) for _, _, crc in entries)
    index += b"".join(struct.pack(">I", offset) for _, offset, _ in entries) + checksum
    (pack / "pack-1.pack").write_bytes(content + checksum)
    (pack / "pack-1.idx").write_bytes(index + hashlib.sha1(index, usedforsecurity=False).digest())
    return folder


def name_of(kind: str, content: bytes) -> str:
    """Return the name that git gives to an object."""
    return hashlib.sha1(f"{kind} {len(content)}\0".encode() + content, usedforsecurity=False).hexdigest()


def packed_object(kind: int, content: bytes, base: str = "") -> bytes:
    """Return an object as it is in a pack: a commit (1), a tree (2), a blob (3) or a difference from another (7)."""
    size = len(content)
    head = bytearray([kind << 4 | size & 15])
    size >>= 4
    while size:
        head[-1] |= 128
        head.append(size & 127)
        size >>= 7
    return bytes(head) + bytes.fromhex(base) + zlib.compress(content, 1)


def copies(size: int, times: int) -> tuple[int, bytes]:
    """Return the size and the delta of an object that is another of a size, so many times."""
    pieces, rest = divmod(size, PIECE)
    once = (b"\xf0" + PIECE.to_bytes(3, "little")) * pieces + (b"\xf0" + rest.to_bytes(3, "little") if rest else b"")
    return size * times, number(size) + number(size * times) + once * times


def number(value: int) -> bytes:
    """Return a number as deltas have it."""
    content = bytearray()
    while True:
        content.append(value & 127 | (128 if value > 127 else 0))
        value >>= 7
        if not value:
            return bytes(content)


def differences(folder: Path, *times: int, size: int = 16 * MEGABYTE) -> Path:
    """Make a clone whose file is a small difference from a chain of others, each many times as large as the one before."""
    names = [f"{position:040x}" for position in range(1, len(times) + 3)]
    objects = [(names[0], packed_object(3, bytes(size)))]
    for position, count in enumerate(times):
        size, delta = copies(size, count)
        objects.append((names[position + 1], packed_object(7, delta, names[position])))
    text = version_json(99, "eks:Bomb").encode()
    literal = b"".join(
        bytes([len(text[start : start + 127])]) + text[start : start + 127] for start in range(0, len(text), 127)
    )
    objects.append((names[-1], packed_object(7, number(size) + number(len(text)) + literal, names[-2])))
    return repository(folder, objects, names[-1])


def in_a_circle(folder: Path) -> Path:
    """Make a clone whose file is a difference from another, which is a difference from the file."""
    object_a, object_b = "1" * 40, "2" * 40
    delta = number(10) + number(10) + b"\x0a0123456789"
    return repository(
        folder, [(object_a, packed_object(7, delta, object_b)), (object_b, packed_object(7, delta, object_a))], object_a
    )


def of_json(folder: Path, content: object) -> Path:
    """Make a JSON file."""
    path = folder / "policies.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def many_policies(count: int) -> dict[str, object]:
    """Return so many policies as the npm package has them."""
    (fields,) = npm_policies({"A": {1: ("2026-10-01T00:00:00Z", allow_statement("a:One"))}}).values()
    return {f"Policy{place}": fields | {"arn": f"arn:aws:iam::aws:policy/Policy{place}"} for place in range(count)}


ARCHIVES: dict[str, Callable[[Path], Path]] = {
    "git: differences, 24 GB": lambda folder: differences(folder, 64, 24),
    "git: differences, 700 MB": lambda folder: differences(folder, 44),
    "git: differences, 300 in a row": lambda folder: differences(folder, *[1] * 320, size=1000),
    "git: differences in a circle": in_a_circle,
    "zip: 1 GB of nothing": lambda folder: wheel_of(folder, " " * (1 << 30)),
    "gzip: 1 GB of nothing": lambda folder: tarball(
        folder / "x.tgz", ("package/dist/managedPolicies.json", bytes(1 << 30))
    ),
    "JSON: 30,000 policies": lambda folder: of_json(folder, many_policies(30_000)),
    "JSON: 4,000 policies": lambda folder: of_json(folder, many_policies(4_000)),
    "JSON: policies are a text": lambda folder: of_json(folder, '{"policies": "x"}'),
    "JSON: 8 million values": lambda folder: of_json(folder, "[" + "1," * 8_000_000 + "1]"),
    "JSON: nested 100,000 deep": lambda folder: of_json(folder, "[" * 100_000),
}


if __name__ == "__main__":
    sys.exit(main())
