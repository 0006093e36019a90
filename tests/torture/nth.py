"""The n-th file operation, SQL statement, large allocation or call to AWS fails, for every n until there is no such operation.

`python -m tests.torture.nth` tries ten commands and three starts of the app. Each try is a fork with a home of its own.
Afterwards the answer is the one without a fault, or what is wrong is said in a sentence; there is no third kind.
"""

import argparse
import asyncio
import builtins
import ctypes
import functools
import io
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from unittest import mock

from ekstui import logbook
from ekstui.cli.parser import ExitCode
from ekstui.errors import EkstuiError
from tests.rig.isolation import isolated
from tests.rig.rig import Rig
from tests.rig.sdk import share_models
from tests.support.corpus import read_anew
from tests.support.filled import copy_of_cache, fill_cache
from tests.torture import Share, add_share, is_broken
from tests.torture.targets import small_corpus

if TYPE_CHECKING:
    from ekstui.library import AccountChoice, Library

Kind = Literal["file", "sql", "memory", "call", "denial"]

OFFLINE = (
    ("show", "AmazonEKSClusterPolicy"), ("list",), ("versions", "AmazonEKS_CNI_Policy"),
    ("who-can", "eks-auth:AssumeRoleForPodIdentity"), ("diff", "AmazonEKSLoadBalancingPolicy@v5..v6"),
    ("changes", "--since", "2026-06-01"), ("cache", "info"),
    ("explain", "--action", "ec2:DescribeTags", "--policy", "AmazonEKS_CNI_Policy"),
)  # fmt: skip
ASKING = (("attached", "AmazonEKSClusterPolicy"), ("account",))
APP = ("the app's start",)
FIRST = ("the app's first start",)
"""Without a cache, which is filled and indexed, from a corpus of three policies."""
APP_ASKING = ("the app's start, asking AWS",)
KINDS: tuple[Kind, ...] = ("file", "sql", "memory", "call", "denial")

LARGE = 64 * 1024
"""Bytes from which an allocation is a large one."""

SECONDS = 100
"""After so many without an end a try hangs."""

_SAID = range(1, 5)
"""Exit codes of errors that are one sentence."""

_FAILURE = re.compile(
    r"incomplete|cannot be|could not be|not be read|not read|may not|is damaged|no access|not enough memory|went wrong|\bfailed\b|denied",
    re.IGNORECASE,
)
"""What an answer says where a part of it is missing."""

_CLOCK = re.compile(r"\d+ (?:s|min|h|d)\b(?: ago)?|just now|as of [-\d: ]+UTC|127\.0\.0\.1:\d+")

_SHIM = r"""
#include <stddef.h>
typedef struct { void *ctx; void *(*malloc)(void *, size_t); void *(*calloc)(void *, size_t, size_t);
                 void *(*realloc)(void *, void *, size_t); void (*free)(void *, void *); } Allocator;
void PyMem_GetAllocator(int, Allocator *);
void PyMem_SetAllocator(int, Allocator *);
static Allocator real[3];
static size_t large;
static long nth, seen;
static int due(size_t size) { return size >= large && __atomic_add_fetch(&seen, 1, __ATOMIC_SEQ_CST) == nth; }
static void *failing_malloc(void *ctx, size_t size) {
    Allocator *to = ctx; return due(size) ? NULL : to->malloc(to->ctx, size); }
static void *failing_calloc(void *ctx, size_t many, size_t size) {
    Allocator *to = ctx; return due(many * size) ? NULL : to->calloc(to->ctx, many, size); }
static void *failing_realloc(void *ctx, void *old, size_t size) {
    Allocator *to = ctx; return due(size) ? NULL : to->realloc(to->ctx, old, size); }
static void plain_free(void *ctx, void *old) { Allocator *to = ctx; to->free(to->ctx, old); }
long allocations(void) { return seen; }
void fail_allocation(long n, size_t least) {
    nth = n; large = least; seen = 0;
    for (int domain = 0; domain < 3; domain++) {
        PyMem_GetAllocator(domain, &real[domain]);
        Allocator failing = { &real[domain], failing_malloc, failing_calloc, failing_realloc, plain_free };
        PyMem_SetAllocator(domain, &failing);
    }
}
"""
"""Stands before Python's allocators, as their documentation allows, and lets one large allocation fail."""


@dataclass(frozen=True, slots=True)
class Try:
    """What came of one try."""

    command: str
    kind: Kind
    n: int
    wrong: str
    """Empty for the right answer, or a sentence about what is missing."""


@functools.cache
def shim() -> ctypes.CDLL | None:
    """Return the library that lets allocations fail, None where there is no compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        source, built = Path(folder, "shim.c"), Path(folder, "shim.so")
        source.write_text(_SHIM)
        linker_options = ["-undefined", "dynamic_lookup"] if sys.platform == "darwin" else []
        subprocess.run([compiler, "-shared", "-fPIC", *linker_options, "-o", str(built), str(source)], check=True)
        return ctypes.CDLL(str(built))


class Fault:
    """Fails the n-th operation of a kind below a folder; `hit` says whether there was one."""

    def __init__(self, kind: Kind, n: int, home: Path) -> None:
        self.kind, self.n, self.home = kind, n, str(home)
        self.count = 0
        self._lock = threading.Lock()

    @property
    def hit(self) -> bool:
        """Whether the operation that was to fail was reached."""
        loaded = shim() if self.kind == "memory" else None
        return (loaded.allocations() if loaded else self.count) >= self.n

    def due(self) -> bool:
        """Count one more operation and say whether it is the one."""
        with self._lock:
            self.count += 1
            return self.count == self.n

    def install(self) -> None:
        """Put the fault in the place of what it fails."""
        if self.kind == "file":
            for owner, name in (
                (builtins, "open"), (io, "open"), (os, "open"), (os, "replace"), (os, "rename"), (os, "unlink"),
                (os, "mkdir"), (os, "scandir"), (os, "listdir"), (os, "stat"), (os, "lstat"), (os, "chmod"), (os, "link"),
            ):  # fmt: skip
                mock.patch.object(owner, name, self._of_file(getattr(owner, name))).start()
        elif self.kind == "sql":
            fault = self

            class Failing(sqlite3.Connection):
                def execute(self, *words: Any) -> sqlite3.Cursor:
                    fault.sql()
                    return super().execute(*words)

                def executemany(self, *words: Any) -> sqlite3.Cursor:
                    fault.sql()
                    return super().executemany(*words)

            connect = sqlite3.connect
            mock.patch("sqlite3.connect", lambda *words, **more: connect(*words, **more, factory=Failing)).start()
        elif self.kind == "memory":
            loaded = shim()
            assert loaded is not None
            loaded.fail_allocation(ctypes.c_long(self.n), ctypes.c_size_t(LARGE))
        else:
            from ekstui.sources.aws.connection import Connection

            ask = Connection.ask

            def failing(connection: Connection, action: str, *words: Any, **more: Any) -> Any:
                if self.due():
                    raise _refusal(self.kind, action)
                return ask(connection, action, *words, **more)

            mock.patch.object(Connection, "ask", failing).start()

    def sql(self) -> None:
        """Fail the statement that is due, as a disk does."""
        if self.due():
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR
            raise error

    def _of_file(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def failing(*words: Any, **more: Any) -> Any:
            place = words[0] if words else None
            if isinstance(place, str | os.PathLike) and str(place).startswith(self.home) and self.due():
                raise OSError(5, "Input/output error", str(place))
            return real(*words, **more)

        return failing


def _refusal(kind: Kind, action: str) -> Exception:
    """Return what botocore raises where there is no network, or no permission."""
    from botocore.exceptions import ClientError, EndpointConnectionError

    if kind == "call":
        unreachable: Exception = EndpointConnectionError(endpoint_url="https://nowhere.example")
        return unreachable
    message = f"User: arn:aws:iam::123456789012:user/x is not authorized to perform: {action}"
    answer: Any = {"Error": {"Code": "AccessDenied", "Message": message}, "ResponseMetadata": {"HTTPStatusCode": 403}}
    denied: Exception = ClientError(answer, action.partition(":")[2])
    return denied


def run(words: Sequence[str], fault: Fault, environment: dict[str, str], folder: Path) -> tuple[int, str, str, bool]:
    """Run a command, or the app's start, in a fork; return its exit code, what it wrote, and whether the fault was met."""
    out, err, met_file = folder / "out", folder / "err", folder / "met"
    child = os.fork()
    if not child:
        code = 99
        try:
            for number, path in ((1, out), (2, err)):
                os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
            sys.stdout, sys.stderr = io.TextIOWrapper(io.FileIO(1, "w")), io.TextIOWrapper(io.FileIO(2, "w"))
            os.environ.update(environment)
            descriptor = os.open(met_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            read_anew()
            fault.install()
            code = command(words)
            os.write(descriptor, b"1" if fault.hit else b"0")
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(code)
    impatient = threading.Timer(SECONDS, os.kill, (child, 9))
    impatient.start()
    _, status = os.waitpid(child, 0)
    impatient.cancel()
    return os.waitstatus_to_exitcode(status), out.read_text(), err.read_text(), met_file.read_bytes() == b"1"


def command(words: Sequence[str]) -> int:
    """Run one command, or the app's start, as the process would."""
    from ekstui.cli.main import main

    if words not in (APP, FIRST, APP_ASKING):
        return main(list(words))
    try:
        return start_app(words)
    except EkstuiError as error:
        print(error, file=sys.stderr)
        return ExitCode.NO_DATA
    except Exception as error:  # noqa: BLE001 (as the entry point does)
        print(logbook.ending(error), file=sys.stderr)
        return ExitCode.BROKEN


def start_app(words: Sequence[str]) -> int:
    """Start the app, wait until all that it begins by itself has ended, print what it shows and told, and quit."""
    from ekstui.library import AccountChoice, Library, maintenance
    from ekstui.tui.app import EkstuiApp
    from ekstui.tui.screens import explorer_screen as module
    from tests.support.rows import words as text_of
    from tests.support.undrawn import draw
    from tests.torture.faults import header_of

    # Filled in this process, where operations can fail; anew, which takes many seconds, in the first start alone.
    mock.patch.object(maintenance, "fill_by_process", lambda *_: words != FIRST).start()
    # Asked once: what fails then is not asked again.
    module.FILL_AFTER, module.ACCOUNT_AFTER = 0.05, 1000 if words == APP_ASKING else 0.02
    notices: list[str] = []

    async def journey() -> int:
        choice = AccountChoice(offline=words != APP_ASKING)
        app = EkstuiApp(lambda: _few(choice) if words == FIRST else Library.open(choice))
        app.fail_test = lambda error: None  # type: ignore[method-assign]  # that an error is survived is what is wanted
        mock.patch.object(app, "notify", lambda message, **_: notices.append(message)).start()
        async with app.run_test(size=(120, 40)) as pilot:
            explorer = app.screen_stack[0]
            assert isinstance(explorer, module.ExplorerScreen)
            with suppress(TimeoutError):
                async with asyncio.timeout(SECONDS / 2):
                    while not explorer.policies.rows.rows or "fill" not in app.background.jobs:
                        await pilot.pause(0.01)
                    await pilot.pause(0.1)
                    if words == APP_ASKING:
                        explorer.ask_account(ask=True)
                    while _works() or explorer.account.asking:
                        await pilot.pause(0.01)
            await pilot.pause(0.15)
            draw(app)
            pending = explorer.account.asking or ("work" if _works() else "")
            print(header_of(explorer), text_of(explorer), *notices, explorer.account.error or "", sep="\n")
            if pending:
                print(f"Traceback: {pending} has not ended")
            await pilot.press("q")
        return app.return_code or 0

    return asyncio.run(journey())


def _few(choice: "AccountChoice") -> "Library":
    from ekstui import files
    from ekstui.library import Library
    from ekstui.store.policy_store import PolicyStore

    return Library(small_corpus(), PolicyStore.in_folder(files.cache_dir()), choice=choice)


def _works() -> bool:
    return any(thread.name.startswith("ekstui-") for thread in threading.enumerate())


def tries(
    words: Sequence[str], kind: Kind, cache: Path, environment: dict[str, str] | None = None, every: int = 1
) -> Iterator[Try]:
    """Let the n-th operation fail for every n, or every so many, until there is no such operation."""
    usual, err, code, _ = _tried(words, kind, sys.maxsize, cache, environment)
    name = " ".join(words)
    if code:
        yield Try(name, kind, 0, f"without a fault it ends with {code}: {err}")
        return
    for n in count(1, every):
        out, err, code, was_met = _tried(words, kind, n, cache, environment)
        if not was_met and code == 0:
            return
        yield Try(name, kind, n, _wrong(usual, out, err, code))


def _tried(
    words: Sequence[str], kind: Kind, n: int, cache: Path, environment: dict[str, str] | None
) -> tuple[str, str, int, bool]:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place).resolve()
        home = folder / "home"
        home.mkdir()
        if words != FIRST:
            copy_of_cache(cache, home / "cache")
        variables = isolated(home) | (environment or {}) | {"EKSTUI_CACHE": str(home / "cache"), "HOME": str(home)}
        code, out, err, was_met = run(words, Fault(kind, n, home), variables, folder)
    return _CLOCK.sub("<time>", out.replace(str(folder), "")), err, code, was_met


def _wrong(usual: str, out: str, err: str, code: int) -> str:
    """Return what is wrong with an answer under a fault, or an empty text."""

    def failures(text: str) -> int:
        return len(_FAILURE.findall(" ".join(text.split())))

    if code == -9:
        return "it hangs"
    if code == ExitCode.BROKEN and logbook.NO_MEMORY in err:
        return ""
    if is_broken(out + err) or code not in (0, *_SAID):
        return f"it ends with {code}: {out.strip()[-200:]} {err.strip()[-300:]}"
    if code in _SAID and not err.strip():
        return f"it ends with {code} without a word"
    if code == 0 and out != usual and not err.strip() and failures(out) <= failures(usual):
        return f"another answer, without a word: {_first_difference(usual, out)}"
    if "Could not be read" in out and "<time>, complete" in out:
        return "it says what could not be read, and that it is complete"
    return ""


def _first_difference(usual: str, out: str) -> str:
    for before, after in zip(usual.splitlines(), out.splitlines(), strict=False):
        if before != after:
            return f"{before.strip()!r} → {after.strip()!r}"
    return f"{len(usual)} → {len(out)} characters"


def load() -> None:
    """Import once, before all forks, what takes long."""
    import boto3

    import ekstui.cli.main
    import ekstui.tui.app
    import ekstui.tui.screens.explorer_screen  # noqa: F401

    small_corpus()
    share_models()
    session = boto3.session.Session("none", "none", region_name="eu-central-1")
    for service in ("sts", "iam", "eks", "ec2"):
        session.client(service)


def main() -> int:
    """Try all and print what went wrong."""
    load()
    parser = argparse.ArgumentParser(prog="python -m tests.torture.nth", description=__doc__)
    parser.add_argument("--only", default="", help="commands that have this word")
    parser.add_argument("--kind", choices=KINDS, help="this kind alone")
    add_share(parser)
    options = parser.parse_args()
    share: Share = options.share
    number = failure_count = 0
    with tempfile.TemporaryDirectory() as place, Rig(20) as rig:
        cache = fill_cache(Path(place) / "cache")
        asked_environment = rig.environment(Path(place) / "asked")
        local = [kind for kind in KINDS[:3] if kind != "memory" or shim()]
        jobs: list[tuple[Sequence[str], Kind, dict[str, str] | None]] = [
            *((words, kind, None) for words in (*OFFLINE, APP, FIRST) for kind in local),
            *((words, kind, asked_environment) for words in (*ASKING, APP_ASKING) for kind in (*local, *KINDS[3:])),
        ]
        for words, kind, environment in share.of(jobs):
            if options.only not in " ".join(words) or options.kind not in (None, kind):
                continue
            attempts = [*tries(words, kind, cache, environment)]
            number, failure_count = (
                number + len(attempts),
                failure_count + sum(bool(attempt.wrong) for attempt in attempts),
            )
            print(f"{' '.join(words):<60} {kind:<7} {len(attempts):>4} tries", flush=True)
            for attempt in attempts:
                if attempt.wrong:
                    print(f"    {attempt.n}: {attempt.wrong}", flush=True)
    print(f"{number} tries, {failure_count} wrong" + ("" if shim() else "; without a compiler no allocation was tried"))
    return 1 if failure_count else 0


if __name__ == "__main__":
    sys.exit(main())
