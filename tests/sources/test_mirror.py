"""A public archive in git: what is new is fetched over HTTP, a rewritten history is reported, a hostile one runs nothing."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ekstui.change.policy import Delivery, Policy, PolicyHistory, SkippedPart, VersionInfo
from ekstui.cli.main import main
from ekstui.errors import InputError, NetworkError
from ekstui.sources.corpus import Corpus
from ekstui.sources.mirror import Mirror, clear_mirrors, is_intact, mirrors
from tests.support.effort import EFFORT, sample
from tests.support.filled import copy_of_cache
from tests.support.git import git
from tests.support.packages import version_json
from tests.support.patience import PATIENCE

NOW = datetime(2026, 12, 1, tzinfo=UTC)
KNOWN = {
    name: Policy(name, f"arn:aws:iam::aws:policy/{name}", 1, (VersionInfo(1, datetime(2026, 6, 1, tzinfo=UTC)),))
    for name in ("Alpha", "Beta")
}
BACKEND = (
    Path(subprocess.run(["git", "--exec-path"], capture_output=True, text=True, check=True).stdout.strip())
    / "git-http-backend"
)

pytestmark = pytest.mark.skipif(not BACKEND.exists(), reason="git's HTTP backend is not installed")


class Served:
    """An archive like MAMIP, served by git's own backend over HTTP."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "MAMIP"
        (self.folder / "policies").mkdir(parents=True)
        git(self.folder, "init")
        git(self.folder, "config", "uploadpack.allowFilter", "true")
        self.bytes = 0
        served = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path, _, query = self.path.partition("?")
                length = int(self.headers.get("Content-Length") or 0)
                process = subprocess.run(
                    [str(BACKEND)],
                    input=self.rfile.read(length), capture_output=True, check=False,
                    env={
                        "PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": str(folder), "GIT_HTTP_EXPORT_ALL": "1",
                        "PATH_INFO": path, "QUERY_STRING": query, "REQUEST_METHOD": self.command,
                        "CONTENT_TYPE": self.headers.get("Content-Type", ""), "CONTENT_LENGTH": str(length),
                        "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                        "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""), "GIT_CONFIG_GLOBAL": os.devnull,
                    },
                )  # fmt: skip
                head, _, body = process.stdout.partition(b"\r\n\r\n")
                fields = [line.split(": ", 1) for line in head.decode().splitlines()]
                status = next((int(value.split()[0]) for name, value in fields if name == "Status"), 200)
                self.send_response(status)
                for name, value in fields:
                    if name != "Status":
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                served.bytes += len(body)

            do_POST = do_GET  # noqa: N815

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/MAMIP"

    def commit(self, name: str, number: int, *, day: int, action: str = "") -> None:
        (self.folder / "policies" / name).write_text(version_json(number, action or f"a:{number}", day=day))
        git(self.folder, "add", "-A")
        git(self.folder, "commit", "-m", "x", day=day)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    mirror_source = Served(tmp_path)
    yield mirror_source
    mirror_source.server.shutdown()
    mirror_source.server.server_close()


def delivery_of(mirror: Mirror) -> tuple[Delivery, dict[str, list[int]], list[str]]:
    delivery = mirror.deliver(lambda _: KNOWN)
    entries = list(delivery.entries)
    histories = {entry.policy.name: sorted(entry.texts) for entry in entries if isinstance(entry, PolicyHistory)}
    return delivery, histories, [entry.reason for entry in entries if isinstance(entry, SkippedPart)]


def test_what_is_new_is_fetched_and_nothing_else(served: Served, tmp_path: Path) -> None:
    served.commit("Alpha", 1, day=1)
    served.commit("Beta", 1, day=2)
    mirror = Mirror(served.url, tmp_path / "cache" / "mamip.git", NOW)
    delivery, histories, skipped_places = delivery_of(mirror)
    assert histories == {"Alpha": [1], "Beta": [1]}
    assert not skipped_places
    assert delivery.provenance.authority == "archive"
    assert delivery.provenance.source.startswith("MAMIP ")
    assert delivery.known_until == datetime(2026, 6, 2, 12, tzinfo=UTC)
    assert delivery.names == {"Alpha", "Beta"}
    first = served.bytes
    served.commit("Alpha", 2, day=3)
    served.bytes = 0
    delivery, histories, _ = delivery_of(mirror)
    assert histories["Alpha"] == [1, 2]
    second = served.bytes
    served.bytes = 0
    delivery_of(mirror)
    assert served.bytes < second
    assert first
    objects = sum(path.stat().st_size for path in (tmp_path / "cache").rglob("*.pack"))
    assert objects < 50_000


def test_files_that_the_corpus_knows_are_not_fetched(served: Served, tmp_path: Path) -> None:
    environment = {"GIT_AUTHOR_DATE": "2020-01-01T00:00:00Z", "GIT_COMMITTER_DATE": "2020-01-01T00:00:00Z"}
    (served.folder / "policies" / "Alpha").write_text(version_json(1, "a:1" + "x" * 500_000))
    git(served.folder, "add", "-A")
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(
        ["git", *identity, "commit", "-qm", "x"], cwd=served.folder, check=True, env={**os.environ, **environment}
    )
    served.commit("Alpha", 2, day=3)
    _, histories, _ = delivery_of(Mirror(served.url, tmp_path / "mamip.git", NOW))
    assert histories == {"Alpha": [2]}
    assert served.bytes < 50_000


def test_a_rewritten_history_is_reported_and_what_was_read_is_kept(served: Served, tmp_path: Path) -> None:
    served.commit("Alpha", 1, day=1)
    served.commit("Alpha", 2, day=2)
    mirror = Mirror(served.url, tmp_path / "mamip.git", NOW)
    delivery_of(mirror)
    git(served.folder, "reset", "-q", "--hard", "HEAD~1")
    served.commit("Alpha", 2, day=4, action="a:Other")
    _, histories, skipped_places = delivery_of(mirror)
    assert histories == {"Alpha": [1, 2]}
    assert any("rewritten" in reason for reason in skipped_places)
    assert not any("rewritten" in reason for reason in delivery_of(mirror)[2])


def test_a_hostile_archive_starts_nothing(served: Served, tmp_path: Path) -> None:
    trap = tmp_path / "trapped"
    served.commit("Alpha", 1, day=1)
    (served.folder / ".gitattributes").write_text("* filter=x diff=x\n")
    (served.folder / ".gitmodules").write_text(
        f'[submodule "x"]\n\tpath = x\n\turl = ext::sh -c touch% {trap}\n\tupdate = !touch {trap}\n'
    )
    (served.folder / ".lfsconfig").write_text(f"[lfs]\n\turl = ext::touch {trap}\n")
    (served.folder / "policies" / "--upload-pack=touch trapped").write_text(version_json(1, "a:1"))
    (served.folder / "policies" / "Beta").symlink_to("/etc/passwd")
    git(served.folder, "add", "-A")
    git(served.folder, "commit", "-m", "x", day=2)
    _, histories, _ = delivery_of(Mirror(served.url, tmp_path / "mamip.git", NOW))
    assert histories == {"Alpha": [1]}
    assert not trap.exists()


@pytest.mark.parametrize(
    "url",
    ["ext::sh -c true", "file:///etc", "ssh://example.org/x", "git://127.0.0.1/x", "-x", "https://a:b@127.0.0.1/x"],
)
def test_other_protocols_are_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(InputError, match="starts with https"):
        Mirror(url, tmp_path / "x.git", NOW).deliver(lambda _: KNOWN)


@pytest.mark.parametrize(
    "proxy", ["user:S3cr3t@/x", "http://user:S3cr3t@[x", "http://user:S3cr3t@", "socks9://user:S3cr3t@x:1", "http://user:S3cr3t@127.0.0.1:1"]
)  # fmt: skip
def test_no_error_of_git_repeats_a_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    """git and curl repeat a proxy's address that they do not understand, and an archive's with its query."""
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy"):
        monkeypatch.setenv(name, proxy)
    with pytest.raises(InputError) as caught:
        Mirror("https://127.0.0.1:1/x.git?token=S3cr3t", tmp_path / "x.git", NOW).deliver(lambda _: KNOWN)
    assert "S3cr3t" not in str(caught.value)


def test_an_archive_that_is_not_there_is_reported(served: Served, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="git cannot read"):
        Mirror(f"{served.url}x", tmp_path / "x.git", NOW).deliver(lambda _: KNOWN)


def test_a_large_archive_is_read_within_limits(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (served.folder / "policies" / "Alpha").write_bytes(os.urandom(3_000_000))
    git(served.folder, "add", "-A")
    git(served.folder, "commit", "-m", "x", day=2)
    monkeypatch.setattr("ekstui.sources.processes.MOST_FILE", 1_000_000)
    with pytest.raises(InputError, match="git cannot read"):
        delivery_of(Mirror(served.url, tmp_path / "x.git", NOW))


def test_a_mirror_in_whose_place_is_something_else_is_made_anew(served: Served, tmp_path: Path) -> None:
    """git obeys the hooks and settings of a repository; so what is fetched goes to one of ekstui's own only."""
    served.commit("Alpha", 1, day=1)
    mirror = Mirror(served.url, tmp_path / "archives" / "mamip.git", NOW)
    trap, victim = tmp_path / "trapped", tmp_path / "victim"
    victim.mkdir()
    git(victim, "init")

    def set_trap(folder: Path) -> None:
        hook = folder / "hooks" / "reference-transaction"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch {trap}\n")
        hook.chmod(0o755)
        with (folder / "config").open("a") as config:
            config.write(f'[core]\n\tsshCommand = touch {trap}\n\talternateRefsCommand = "touch {trap}; true"\n')

    set_trap(victim / ".git")
    before = sorted(victim.rglob("*"))
    mirror.folder.parent.mkdir()
    mirror.folder.symlink_to(victim / ".git")
    assert delivery_of(mirror)[1] == {"Alpha": [1]}
    assert sorted(victim.rglob("*")) == before
    set_trap(mirror.folder)
    (mirror.folder / "commondir").write_text(str(victim / ".git"))
    assert delivery_of(mirror)[1] == {"Alpha": [1]}
    for part in ("objects", "objects/pack", "refs"):
        place = mirror.folder / part
        place.rename(tmp_path / "elsewhere")
        place.symlink_to(tmp_path / "elsewhere")
        paths = sorted((tmp_path / "elsewhere").rglob("*"))
        assert delivery_of(mirror)[1] == {"Alpha": [1]}
        assert sorted((tmp_path / "elsewhere").rglob("*")) == paths
        subprocess.run(["rm", "-rf", str(tmp_path / "elsewhere")], check=True)
    mirror.folder.parent.rename(tmp_path / "elsewhere")
    mirror.folder.parent.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="not a folder of yours"):
        delivery_of(mirror)
    assert not trap.exists()


def test_a_damaged_mirror_is_found_and_made_anew(served: Served, tmp_path: Path) -> None:
    served.commit("Alpha", 1, day=1)
    mirror = Mirror(served.url, tmp_path / "archives" / "mamip.git", NOW)
    delivery_of(mirror)
    assert is_intact(mirror.folder)
    served.commit("Beta", 1, day=2)
    for path in sorted(path.relative_to(mirror.folder) for path in mirror.folder.rglob("*") if path.is_file()):
        for damage in (b"", None):
            place = mirror.folder / path
            if not place.exists():
                continue
            place.chmod(0o600)
            content = place.read_bytes()
            damaged_content = (
                content[: len(content) // 2]
                + bytes([content[len(content) // 2] ^ 4])
                + content[len(content) // 2 + 1 :]
                if content
                else b"x"
            )
            place.write_bytes(damaged_content if damage is None else damage)
            assert delivery_of(mirror)[1] == {"Alpha": [1], "Beta": [1]}, path
            assert is_intact(mirror.folder), path
    pack = next(mirror.folder.rglob("*.idx"))
    pack.chmod(0o600)
    pack.write_bytes(b"")
    assert not is_intact(mirror.folder)
    # Without its server nothing replaces it, and it stays.
    served.server.shutdown()
    served.server.server_close()
    with pytest.raises(NetworkError):
        delivery_of(mirror)
    assert mirrors(mirror.folder.parent) == (mirror.folder,)
    assert clear_mirrors(mirror.folder.parent) > 0
    assert not mirror.folder.parent.exists()


def test_git_ends_with_ekstui(tmp_path: Path) -> None:
    """A server that never answers, and a signal that reaches ekstui alone."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/x.git"
        for number in (signal.SIGINT, signal.SIGTERM):
            process = subprocess.Popen(
                [Path(sys.executable).with_name("ekstui"), "sync", "--from", url],
                env={**os.environ, "EKSTUI_CACHE": str(tmp_path / "cache")}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                # Shells start background jobs, such as this run of the tests may be, with SIGINT ignored.
                preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
            )  # fmt: skip
            silent.settimeout(PATIENCE)
            connection, _ = silent.accept()
            process.send_signal(number)
            assert process.wait(PATIENCE) in (130, -signal.SIGTERM, 143)
            # Its end is the end of the connection: nobody is left who holds it open.
            connection.settimeout(PATIENCE)
            while connection.recv(65536):
                pass
            connection.close()


def import_history(folder: Path, commits: list[tuple[int, str, bytes]], after: str | None = None) -> None:
    """Commit one file after the other, each at its time, on a commit or as a new history."""
    stream = bytearray()
    for place, (seconds, name, text) in enumerate(commits):
        stream += f"commit refs/heads/main\ncommitter a <a@example.org> {seconds} +0000\ndata 1\nx\n".encode()
        if place == 0:
            stream += f"from {after}\n".encode() if after else b""
        stream += f"M 100644 inline policies/{name}\ndata {len(text)}\n".encode() + text + b"\n"
    subprocess.run(
        ["git", "fast-import", "--quiet", "--force"], cwd=folder, input=bytes(stream), check=True, capture_output=True
    )


def some_histories() -> list[PolicyHistory]:
    """The policies of the EKS family and a sample of the others; all of them in torture."""
    corpus = Corpus.bundled()
    family = corpus.manifest().family
    histories = [*corpus.histories()]
    return [*histories[:family], *sample(histories[family:], 50)]


@pytest.mark.slow
def test_the_whole_archive_is_read_over_http_and_as_a_folder(
    served: Served,
    filled_cache: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Policies with the history that AWS's have, in torture 2,000 of them; it prints the times."""
    monkeypatch.setenv("EKSTUI_CACHE", str(copy_of_cache(filled_cache, tmp_path / "own-cache")))
    commits: list[tuple[int, str, bytes]] = []
    for history in some_histories():
        for info in history.policy.versions:
            fields = {"Document": json.loads(history.texts[info.number]), "VersionId": f"v{info.number}"}
            created_at = info.created or datetime(2019, 1, 1, tzinfo=UTC)
            version = fields | {"IsDefaultVersion": True, "CreateDate": created_at.isoformat()}
            text = json.dumps({"PolicyVersion": version}).encode()
            commits.append((int(created_at.timestamp()), history.policy.name, text))
    commits += [(1_600_000_000 + number, f"Unknown{number}", version_json(1, "a:1").encode()) for number in range(406)]
    commits.sort()
    autumn = int(datetime(2026, 10, 1, tzinfo=UTC).timestamp())
    fresh = [(autumn + number, f"AmazonEKS{name}", version_json(90, f"a:{number}").encode())
             for number, name in enumerate(("ClusterPolicy", "WorkerNodePolicy", "_CNI_Policy"))]  # fmt: skip
    import_history(served.folder, [*commits, *fresh[:2]])

    def timed(source: str, words: str) -> str:
        before, cpu = time.perf_counter(), os.times()
        assert main(["sync", "--from", source]) == 0
        now = os.times()
        spent = sum(now[:4]) - sum(cpu[:4])
        output = capsys.readouterr()
        with capsys.disabled():
            print(
                f"\n{words}: {time.perf_counter() - before:.1f} s, {spent:.1f} s of processor, {served.bytes:,} bytes",
                end="",
            )
        served.bytes = 0
        return " ".join((output.out + output.err).split())

    first = timed(served.url, "first over HTTP")
    assert "new version AmazonEKSClusterPolicy v90" in first
    assert "new version AmazonEKSWorkerNodePolicy v90" in first
    assert "a different document" not in first
    assert "nothing is new" in timed(served.url, "second over HTTP")
    import_history(served.folder, fresh[2:], after="refs/heads/main^0")
    assert "new version AmazonEKS_CNI_Policy v90" in timed(served.url, "one commit more")
    # A history that was forced: the same versions, one with another document.
    import_history(served.folder, [*commits, (autumn, "AmazonEKSClusterPolicy", version_json(90, "a:Lie").encode())])
    seconds = timed(served.url, "forced history")
    assert "its history was rewritten since the last time; what was read before is kept" in seconds
    assert "a different document for AmazonEKSClusterPolicy v90" in seconds
    assert main(["show", "AmazonEKSClusterPolicy@v90", "--document"]) == 0
    assert "a:Lie" not in capsys.readouterr().out
    assert "a different document for AmazonEKSClusterPolicy v90" in timed(str(served.folder), "as a folder")
    if EFFORT > 1:
        timed(str(served.folder), "as a folder again")
