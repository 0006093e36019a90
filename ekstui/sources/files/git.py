"""git run over the objects of an untrusted clone: nothing that the clone itself configures is obeyed.

A clone's configuration, hooks, attributes and remotes can make git start programs. So git never sees them: it runs in a
fresh bare repository of ours, to which the clone lends its objects alone.
"""

import os
import re
import stat
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ekstui.errors import InputError

OLDEST = (2, 32)
"""The oldest git that leaves out the user's and the system's configuration when it is told to (GIT_CONFIG_GLOBAL)."""

PATIENCE = 120.0
"""Seconds that one command of git may take."""

MOST_OUTPUT = 64 * 1024 * 1024
"""Bytes that one command of git may print."""

MOST_FILE = 512 * 1024 * 1024
"""Bytes that one file that git writes may have."""

_OBJECT = re.compile(rb"[0-9a-f]{40}")
_REF = re.compile(r"refs/[\w./-]{1,200}")
_NO_COMMAND = 127
"""The code with which a shell ends where a program is not there."""

_SMALL = 64 * 1024
"""Bytes of a clone's own files that are read: HEAD, one ref, where its folder is."""

_MOST_REFS = 16 * 1024 * 1024
"""Bytes of a clone's packed refs that are read."""


@dataclass(frozen=True, slots=True)
class Objects:
    """A clone's objects, and the commit that it stands at."""

    folder: Path
    """Our own bare repository, which borrows them."""
    head: str

    def git(self, *arguments: str, given: bytes = b"") -> bytes:
        """Return what a command of git prints; InputError with the first line of what it complains about."""
        return run(self.folder, *arguments, given=given)


@contextmanager
def borrowed(clone: Path) -> Iterator[Objects]:
    """Lend the objects of a clone to a bare repository of ours for as long as they are read."""
    _check_version()
    folder = _git_folder(clone)
    common = _common_folder(folder)
    objects = common / "objects"
    if not objects.is_dir() or any(sign in str(objects) for sign in '\n"'):
        raise InputError(f"git cannot read {clone}: it has no objects.")
    head = _head(folder, common, clone)
    with tempfile.TemporaryDirectory(prefix="ekstui-git-") as place:
        ours = Path(place) / "objects.git"
        make_bare(ours)
        (ours / "objects" / "info").mkdir(exist_ok=True)
        (ours / "objects" / "info" / "alternates").write_text(f"{objects.resolve()}\n", encoding="utf-8")
        shallow = [line for line in _small(common / "shallow", _MOST_REFS).split() if _OBJECT.fullmatch(line)]
        if shallow:
            (ours / "shallow").write_bytes(b"".join(line + b"\n" for line in shallow))
        yield Objects(ours, head)


def run(folder: Path, *arguments: str, given: bytes = b"", protocol: str = "", patience: float | None = None) -> bytes:
    """Return what git prints in a bare repository of ours.

    `protocol`, such as `https`, is the one by which it may reach the network; `patience` the seconds that it may take.
    """
    words = ["--git-dir", str(folder), "--no-pager", "--literal-pathspecs", *arguments]
    return _run(words, given, protocol, PATIENCE if patience is None else patience)


def make_bare(folder: Path) -> None:
    """Make a bare repository of ours; InputError for a git that is too old to be told what to ignore."""
    _check_version()
    _run(["init", "--quiet", "--bare", "--template=", str(folder)])


def _run(arguments: list[str], given: bytes = b"", protocol: str = "", patience: float | None = None) -> bytes:
    patience = PATIENCE if patience is None else patience
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as complaints:
        source.write(given)
        source.seek(0)
        try:
            # The arguments are ours, and which git is the user's choice.
            process = subprocess.Popen(  # noqa: S603
                # No file may become larger: an archive that never ends does not fill the disk.
                ["sh", "-c", f'ulimit -f {MOST_FILE // 512}; exec git "$@"', "git", *arguments],  # noqa: S607
                stdin=source,
                stdout=subprocess.PIPE,
                stderr=complaints,
                env=_environment(protocol),
                start_new_session=True,
            )
        except FileNotFoundError:
            raise InputError("There is no shell to start git with.") from None
        timer = threading.Timer(patience, process.kill)
        timer.start()
        output = b""
        with process:
            try:
                output = process.stdout.read(MOST_OUTPUT + 1) if process.stdout else b""
                late = not timer.is_alive()
            finally:
                timer.cancel()
                if len(output) > MOST_OUTPUT:
                    process.kill()
        code = process.returncode
        if late:
            raise InputError(f"git did not read it within {patience:.0f} s.")
        if len(output) > MOST_OUTPUT:
            raise InputError(f"git prints more than {MOST_OUTPUT // 1024 // 1024} MB about it.")
        if code == _NO_COMMAND:
            raise InputError("git is not installed.", "Install it, or give the npm package.")
        if code:
            complaints.seek(0)
            said = complaints.read(_SMALL).decode(errors="replace").strip().splitlines()
            raise InputError(f"git cannot read it: {said[0] if said else code}.")
        return output


def _environment(protocol: str) -> dict[str, str]:
    """Return an environment in which git reads no configuration, starts no program and reaches no other network."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "SSH_", "XDG_CONFIG"))}
    return kept | {
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
    said = _run(["version"]).decode(errors="replace")
    numbers = re.search(r"(\d+)\.(\d+)", said)
    if numbers is None or (int(numbers[1]), int(numbers[2])) < OLDEST:
        raise InputError(
            f"This git is older than {'.'.join(map(str, OLDEST))}, which cannot be told to ignore a clone's settings.",
            "Install a newer git, or give the npm package.",
        )


def _git_folder(clone: Path) -> Path:
    """Return a clone's own folder of git, which a linked work tree names in a file."""
    place = clone / ".git"
    if place.is_dir():
        return place
    named = _small(place).decode(errors="replace").strip()
    if not named.startswith("gitdir: "):
        raise InputError(f"git cannot read {clone}: its .git is not a folder.")
    folder = clone / named.removeprefix("gitdir: ")
    if not folder.is_dir():
        raise InputError(f"git cannot read {clone}: its .git leads nowhere.")
    return folder


def _common_folder(folder: Path) -> Path:
    named = _small(folder / "commondir").decode(errors="replace").strip()
    return folder / named if named else folder


def _head(folder: Path, common: Path, clone: Path) -> str:
    """Return the commit that HEAD leads to."""
    text = _small(folder / "HEAD").strip()
    name = text.removeprefix(b"ref: ").decode(errors="replace")
    if text.startswith(b"ref: ") and _REF.fullmatch(name) and ".." not in name:
        text = _small(common / name).strip()
        if not text:
            for line in _small(common / "packed-refs", _MOST_REFS).splitlines():
                if line.endswith(f" {name}".encode()):
                    text = line[:40]
    if not _OBJECT.fullmatch(text):
        raise InputError(f"git cannot read {clone}: its HEAD leads to no commit.")
    return text.decode()


def _small(path: Path, most: int = _SMALL) -> bytes:
    """Return the bytes of a regular file, none where there is none or it is larger than such a file is."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return b""
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return b""
        content = file.read(most + 1)
    return content if len(content) <= most else b""
