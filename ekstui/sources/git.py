"""Running git: in the user's own clone, and over the objects of an untrusted one without applying what that configures.

A clone's configuration, hooks, attributes and remotes can make git start programs. So git never sees them: it runs in a
new bare repository, which borrows only the clone's objects.
"""

import os
import re
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from ekstui import log
from ekstui.errors import InputError, NetworkError
from ekstui.files import read_regular
from ekstui.named_tuples import NamedTuple
from ekstui.sources import processes
from ekstui.sources.processes import Bounds, ProcessResult
from ekstui.waiting import Cancelled, never

OLDEST = (2, 32)
"""The oldest git that can ignore the user's and the system's configuration (GIT_CONFIG_GLOBAL)."""

LOCAL_PATIENCE = 120.0
"""How long one git command may take, in seconds."""

MOST_OUTPUT = 64 * 1024 * 1024
"""The most that one git command may print, in bytes."""

_MOST_OF_CLONE = 512 * 1024 * 1024
"""The same in the user's own clone, whose files are all read at once."""

MOST_MEMORY = 512 * 1024 * 1024
"""How much git may address, in bytes: an object may refer to others that unpack to any size."""

_LIMITS = (
    *("-c", "core.bigFileThreshold=4m", "-c", "core.deltaBaseCacheLimit=16m"),
    *("-c", "core.packedGitWindowSize=16m", "-c", "core.packedGitLimit=128m"),
    *("-c", "pack.windowMemory=64m", "-c", "pack.threads=1"),
)
"""Settings with which git reads large repositories within that memory."""

_OBJECT = re.compile(rb"[0-9a-f]{40}")
_REF = re.compile(r"refs/[\w./-]{1,200}")
_SMALL = 64 * 1024
"""The most that is read of a clone's small files, in bytes: HEAD, a ref, a gitdir link."""

_MOST_REFS = 16 * 1024 * 1024
"""The most that is read of a clone's packed refs, in bytes."""


_OF_THE_NETWORK = ("unable to access", "early EOF", "RPC failed", "hung up", "timed out")
"""What git says if the archive's server cannot be reached, or stops answering."""


class GitError(InputError):
    """git failed: its repository, or what it was asked for, cannot be read."""


class GitObjects(NamedTuple):
    """A clone's objects, and its current commit."""

    folder: Path
    """The bare repository that borrows them."""
    head: str

    def git(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """Return what a git command prints; InputError with the first line of its error message."""
        return run_git(self.folder, *arguments, stdin=stdin)


@contextmanager
def borrowed(clone: Path) -> Iterator[GitObjects]:
    """Let a temporary bare repository borrow the objects of a clone."""
    _check_version()
    folder = _git_folder(clone)
    name = _small(folder / "commondir").decode(errors="replace").strip()
    common_folder = folder / name if name else folder
    objects = common_folder / "objects"
    if not objects.is_dir() or any(sign in str(objects) for sign in '\n"'):
        raise InputError(f"git cannot read {clone}: it has no objects.")
    head = _head(folder, common_folder, clone)
    with tempfile.TemporaryDirectory(prefix="ekstui-git-") as place:
        repository = Path(place) / "objects.git"
        make_bare(repository)
        (repository / "objects" / "info").mkdir(exist_ok=True)
        (repository / "objects" / "info" / "alternates").write_text(f"{objects.resolve()}\n", encoding="utf-8")
        shallow = [line for line in _small(common_folder / "shallow", _MOST_REFS).split() if _OBJECT.fullmatch(line)]
        if shallow:
            (repository / "shallow").write_bytes(b"".join(line + b"\n" for line in shallow))
        yield GitObjects(repository, head)


def run_git(
    folder: Path | None,
    *arguments: str,
    stdin: bytes = b"",
    protocol: str = "",
    patience: float | None = None,
    cancelled: Cancelled = never,
) -> bytes:
    """Return what git prints in a bare repository, or in none, or say why it failed.

    It may use one `protocol` alone, such as `https`.
    """
    place = () if folder is None else ("--git-dir", str(folder), "--no-pager", "--literal-pathspecs")
    bounds = Bounds(LOCAL_PATIENCE if patience is None else patience, MOST_OUTPUT, MOST_MEMORY)
    result = _run([*_LIMITS, *place, *arguments], _environment(protocol), bounds, stdin, cancelled)
    if result.code:
        line = _without_secrets(result.errors.splitlines()[0]) if result.errors else str(result.code)
        if protocol and any(words in result.errors for words in _OF_THE_NETWORK):
            raise NetworkError(f"The archive cannot be reached: {line}.", "Check the network, or give a file.")
        raise GitError(f"git cannot read it: {line}.")
    return result.output


def contents_in(output: bytes) -> Iterator[bytes]:
    """Yield the contents of the objects in what `cat-file --batch` prints."""
    position = 0
    while position < len(output):
        start = output.index(b"\n", position) + 1
        size = int(output[position:start].split()[2])
        yield output[start : start + size]
        position = start + size + 1


def make_bare(folder: Path) -> None:
    """Create a bare repository; InputError if git is too old to ignore other configuration."""
    _check_version()
    run_git(None, "init", "--quiet", "--bare", "--template=", str(folder))


def run_in_clone(folder: Path, *arguments: str, stdin: str = "") -> bytes:
    """Return what git prints about the user's own clone.

    All settings count but those that could run files of the commit under review.
    """
    options = ("-c", f"core.hooksPath={os.devnull}", "-c", "core.fsmonitor=false", "-c", "safe.bareRepository=explicit")
    words = [*options, "--literal-pathspecs", "-C", str(folder), *arguments]
    result = _run(
        words, os.environ | {"GIT_OPTIONAL_LOCKS": "0"}, Bounds(LOCAL_PATIENCE, _MOST_OF_CLONE), stdin.encode()
    )
    if result.code:
        line = next(iter(result.errors.splitlines()), "no answer")
        raise InputError(f"git: {line}.", "Run it in a clone that has the base's history.")
    return result.output


def _run(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    bounds: Bounds,
    stdin: bytes = b"",
    cancelled: Cancelled = never,
) -> ProcessResult:
    """Run git and return how it ended, within its bounds: an error says which it broke."""
    start = time.monotonic()
    result = processes.run(["git", *arguments], environment, bounds, stdin, cancelled)
    log.info("git ended with %s after %.2f s", result.code, time.monotonic() - start)
    log.debug("git %s", _without_secrets(" ".join(arguments)))
    if result.code is None:
        raise InputError("git is not installed.", "Install it, or give a file.")
    if result.late:
        sentence = f"git did not read it within {bounds.seconds:.0f} s."
        raise (
            NetworkError(sentence, "Run the command again.")
            if environment.get("GIT_ALLOW_PROTOCOL")
            else InputError(sentence)
        )
    if len(result.output) > bounds.output:
        raise InputError(f"git prints more than {bounds.output // 1024 // 1024} MB about it.")
    return result


def _without_secrets(line: str) -> str:
    """Return a line of git or curl without the passwords or tokens of a proxy's or an archive's address."""
    if "proxy" in line.lower():
        return "unable to access the archive through the proxy; check HTTPS_PROXY"
    return re.sub(r"(?<=//)[^/\s]*@|\?[^\s'\"]+", "…", line)


def _environment(protocol: str) -> dict[str, str]:
    """Return an environment in which git reads no configuration, starts no programs and uses no other protocol."""
    variables = {key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "SSH_", "XDG_CONFIG"))}
    return variables | {
        "HOME": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_ALLOW_PROTOCOL": protocol,
        "GIT_PROTOCOL_FROM_USER": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
    }


def _check_version() -> None:
    output = run_git(None, "version").decode(errors="replace")
    numbers = re.search(r"(\d+)\.(\d+)", output)
    if numbers is None or (int(numbers[1]), int(numbers[2])) < OLDEST:
        raise InputError(
            f"This git is older than {'.'.join(map(str, OLDEST))}, which cannot ignore a clone's settings.",
            "Install a newer git, or give the npm package.",
        )


def _git_folder(clone: Path) -> Path:
    """Return a clone's git directory, which a linked work tree names in a file."""
    place = clone / ".git"
    if place.is_dir():
        return place
    text = _small(place).decode(errors="replace").strip()
    if not text.startswith("gitdir: "):
        raise InputError(f"git cannot read {clone}: its .git is not a folder.")
    folder = clone / text.removeprefix("gitdir: ")
    if not folder.is_dir():
        raise InputError(f"git cannot read {clone}: its .git points to nothing.")
    return folder


def _head(folder: Path, common_folder: Path, clone: Path) -> str:
    text = _small(folder / "HEAD").strip()
    name = text.removeprefix(b"ref: ").decode(errors="replace")
    if text.startswith(b"ref: ") and _REF.fullmatch(name) and ".." not in name:
        text = _small(common_folder / name).strip()
        if not text:
            for line in _small(common_folder / "packed-refs", _MOST_REFS).splitlines():
                if line.endswith(f" {name}".encode()):
                    text = line[:40]
    if not _OBJECT.fullmatch(text):
        raise InputError(f"git cannot read {clone}: its HEAD points to no commit.")
    return text.decode()


def _small(path: Path, limit: int = _SMALL) -> bytes:
    """Return the bytes of a regular file; empty if there is none or it is too large."""
    try:
        content = read_regular(path, limit)
    except OSError:
        return b""
    return content if len(content) <= limit else b""
