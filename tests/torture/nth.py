"""The n-th file operation, SQL statement or call to AWS fails, for every n until the command succeeds.

`python -m tests.torture.nth` tries ten commands and the app's start. Each try is a fork with a home of its own. Afterwards
the answer is the one without a fault, or what is wrong is said in a sentence; there is no third kind.
"""

import asyncio
import builtins
import io
import os
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from unittest import mock

from tests.filled import copied, fill_cache
from tests.rig.isolation import isolated
from tests.rig.rig import Rig

Kind = Literal["file", "sql", "call"]

OFFLINE = (
    ("show", "AmazonEKSClusterPolicy"), ("list",), ("versions", "AmazonEKS_CNI_Policy"), ("who-can", "eks:DescribeCluster"),
    ("diff", "AmazonEKSLoadBalancingPolicy@v5..v6"), ("changes", "--since", "2026-06-01"), ("cache", "info"),
    ("explain", "AmazonEKS_CNI_Policy", "ec2:DescribeTags"),
)  # fmt: skip
ASKING = (("attached", "AmazonEKSClusterPolicy"), ("account",))
APP = ("the app's start",)
KINDS: tuple[Kind, ...] = ("file", "sql", "call")

_SAID = range(1, 5)
"""Exit codes of errors that are one sentence."""

_MOST = 400
"""More operations than any of these commands makes."""


@dataclass(frozen=True, slots=True)
class Try:
    """What came of one try."""

    command: str
    kind: Kind
    n: int
    wrong: str
    """Empty for the right answer, or a sentence about what is missing."""


class Fault:
    """Fails the n-th operation of a kind below a folder; `hit` says whether there was one."""

    def __init__(self, kind: Kind, n: int, home: Path) -> None:
        self.kind, self.n, self.home = kind, n, str(home)
        self.count = 0

    @property
    def hit(self) -> bool:
        """Whether the operation that was to fail was reached."""
        return self.count >= self.n

    def due(self) -> bool:
        """Count one more operation and say whether it is the one."""
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
        else:
            from botocore.exceptions import EndpointConnectionError

            from ekstui.sources.aws.connection import Connection

            ask = Connection.ask

            def failing(connection: Connection, *words: Any, **more: Any) -> Any:
                if self.due():
                    raise EndpointConnectionError(endpoint_url="https://nowhere.example")
                return ask(connection, *words, **more)

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


def run(words: Sequence[str], fault: Fault, environment: dict[str, str], folder: Path) -> tuple[int, str, str, bool]:
    """Run a command, or the app's start, in a fork; return its exit code, what it wrote, and whether the fault was met."""
    out, told, met = folder / "out", folder / "told", folder / "met"
    child = os.fork()
    if not child:
        code = 99
        try:
            for number, path in ((1, out), (2, told)):
                os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
            sys.stdout, sys.stderr = io.TextIOWrapper(io.FileIO(1, "w")), io.TextIOWrapper(io.FileIO(2, "w"))
            os.environ.update(environment)
            done = os.open(met, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            fault.install()
            code = start_app() if tuple(words) == APP else command(words)
            os.write(done, b"1" if fault.hit else b"0")
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), out.read_text(), told.read_text(), met.read_bytes() == b"1"


def command(words: Sequence[str]) -> int:
    """Run one command as the process would."""
    from ekstui.cli.main import main

    return main(list(words))


def start_app() -> int:
    """Start the app, wait until the list is there, and quit."""
    from ekstui.library import AccountChoice, Library
    from ekstui.tui.app import EkstuiApp
    from ekstui.tui.widgets.policies_pane import PoliciesPane

    async def journey() -> int:
        app = EkstuiApp(lambda: Library.open(AccountChoice(offline=True)))
        async with app.run_test(size=(100, 30)) as pilot:
            async with asyncio.timeout(20):
                while not app.screen_stack[0].query_one(PoliciesPane).rows.rows:
                    await pilot.pause(0.01)
            await pilot.press("q")
        print("started")
        return app.return_code or 0

    return asyncio.run(journey())


def tries(
    words: Sequence[str], kind: Kind, cache: Path, environment: dict[str, str] | None = None, every: int = 1
) -> Iterator[Try]:
    """Let the n-th operation fail for every n, or every so many, until there is no such operation."""
    usual: tuple[int, str] | None = None
    for n in (_MOST + 1, *range(1, _MOST, every)):
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place).resolve()
            home = folder / "home"
            copied(cache, home / "cache")
            given = isolated(home) | (environment or {}) | {"EKSTUI_CACHE": str(home / "cache"), "HOME": str(home)}
            code, out, told, met = run(words, Fault(kind, n, home), given, folder)
            out = out.replace(str(folder), "")
        name = " ".join(words)
        if usual is None:
            usual = (code, out)
            if code:
                yield Try(name, kind, 0, f"without a fault it ends with {code}: {told}")
                return
            continue
        if not met and code == 0:
            return
        wrong = ""
        if "Traceback" in out + told or "in ekstui itself" in told or code not in (0, *_SAID):
            wrong = f"it ends with {code}: {told.strip()[-300:]}"
        elif code in _SAID and not told.strip():
            wrong = f"it ends with {code} without a word"
        elif code == 0 and out != usual[1] and not told.strip() and "cannot be reached" not in " ".join(out.split()):
            wrong = "another answer, without a word"
        yield Try(name, kind, n, wrong)


def main() -> int:
    """Try all and print what went wrong."""
    from ekstui.cli.main import main as _loaded  # noqa: F401 - once, before all forks

    count = wrong = 0
    with tempfile.TemporaryDirectory() as place, Rig(20) as rig:
        cache = fill_cache(Path(place) / "cache")
        asked = rig.environment(Path(place) / "asked")
        jobs: list[tuple[Sequence[str], Kind, dict[str, str] | None]] = [
            *((words, kind, None) for words in (*OFFLINE, APP) for kind in KINDS[:2]),
            *((words, kind, asked) for words in ASKING for kind in KINDS),
        ]
        for words, kind, environment in jobs:
            found = [*tries(words, kind, cache, environment)]
            count, wrong = count + len(found), wrong + sum(bool(each.wrong) for each in found)
            print(f"{' '.join(words):<45} {kind:<5} {len(found):>4} tries", flush=True)
            for each in found:
                if each.wrong:
                    print(f"    {each.n}: {each.wrong}")
        shutil.rmtree(cache)
    print(f"{count} tries, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
