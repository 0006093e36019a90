"""The data release: what is new arrives, a file is fetched once, and no lie of the address reaches the cache."""

import hashlib
import json
import lzma
import shutil
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.client import HTTPMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.request import Request

import pytest

from ekstui import files
from ekstui.cli.main import main
from ekstui.errors import InputError
from ekstui.library import Library
from ekstui.library.syncing import sync
from ekstui.sources import data_release
from ekstui.sources.data_release import DataRelease
from tests.store.policies import fill_from_the_corpus

CNI = "AmazonEKS_CNI_Policy"
OCTOBER = "2026-10-05T12:00:00Z"


def policy(name: str, *actions: str) -> bytes:
    """A policy of the corpus whose versions allow one action each."""
    versions = [
        {
            "version": f"v{number}",
            "created": OCTOBER,
            "document": {
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}],
            },
        }
        for number, action in enumerate(actions, 1)
    ]
    record = {
        "name": name,
        "arn": f"arn:aws:iam::aws:policy/{name}",
        "default": f"v{len(actions)}",
        "versions": versions,
    }
    return json.dumps(record, separators=(",", ":")).encode() + b"\n"


class Released:
    """An address that serves files, or lies."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.redirects: dict[str, str] = {}
        served = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = self.path.rpartition("/")[2]
                served.asked.append(name)
                if name in served.redirects:
                    self.send_response(302)
                    self.send_header("Location", served.redirects[name])
                    self.end_headers()
                    return
                self.send_response(200 if name in served.files else 404)
                self.end_headers()
                self.wfile.write(served.files.get(name, b""))

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/data.json"

    def publish(self, *policies: bytes, until: str = OCTOBER, **changes: Any) -> None:
        content = b"".join(policies)
        manifest = {
            "source": "made", "source_version": "1", "partition": "aws", "policies": len(policies), "family": 0,
            "versions": 1, "known_until": until, "sha256": hashlib.sha256(content).hexdigest(), **changes,
        }  # fmt: skip
        self.put("corpus.jsonl.xz", lzma.compress(content))
        self.put("manifest.json", json.dumps(manifest).encode())

    def put(self, name: str, content: bytes, **changes: Any) -> None:
        """Serve a file, and name it in the manifest as it is, or with a lie."""
        stored = f"{hashlib.sha256(content).hexdigest()[:12]}-{name}"
        self.files[stored] = content
        listed = json.loads(self.files.get("data.json", b'{"format": 1, "files": {}}'))
        true = {"file": stored, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        listed["files"][name] = true | changes
        self.files["data.json"] = json.dumps(listed).encode()

    def corpus(self) -> str:
        return str(json.loads(self.files["data.json"])["files"]["corpus.jsonl.xz"]["file"])


@pytest.fixture
def released() -> Iterator[Released]:
    made = Released()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture(scope="module")
def filled_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fill_from_the_corpus(tmp_path_factory.mktemp("filled")).file.path


@pytest.fixture
def library(filled_file: Path) -> Library:
    files.cache_dir().mkdir(parents=True)
    shutil.copy(filled_file, files.cache_dir())
    return Library.open()


def test_what_is_new_arrives_and_a_file_is_fetched_once(released: Released, library: Library) -> None:
    until = library.data().newest
    released.publish(policy("BrandNew", "a:One"))
    report = sync(library, released.url)
    assert (report.new_policies, report.conflicts, report.complete) == (("BrandNew",), (), True)
    assert library.data().newest == until  # of the others it says nothing
    assert report.source == f"data release at {released.url.split('/')[2]}, made 1"
    released.asked.clear()
    assert not sync(library, released.url).changed
    assert released.asked == ["data.json"]
    released.publish(policy("BrandNew", "a:One", "a:Two"))
    assert sync(library, released.url).new_versions == (("BrandNew", 2),)


def test_the_bundled_corpus_can_be_released(released: Released, library: Library, tmp_path: Path) -> None:
    made = [sys.executable, str(files.assets() / "build_data_release.py"), str(tmp_path / "data")]
    subprocess.run(made, check=True, capture_output=True)
    released.files = {path.name: path.read_bytes() for path in (tmp_path / "data").iterdir()}
    report = sync(library, released.url)
    assert (report.changed, report.skipped, report.complete) == (False, (), True)


def test_a_version_that_differs_is_reported_and_not_replaced(released: Released, library: Library) -> None:
    cni = library.find(CNI).policy
    before = [library.document_json(cni, info.number) for info in cni.versions]
    released.publish(policy(CNI, "a:Lie"))
    report = sync(library, released.url)
    assert report.conflicts == ((CNI, 1),)
    after = library.find(CNI).policy
    assert [library.document_json(after, info.number) for info in cni.versions] == before


def test_older_data_changes_nothing_and_is_named(released: Released, library: Library) -> None:
    before = library.find(CNI).policy, library.data().newest
    released.publish(policy(CNI, "a:One"), until="2020-01-01T00:00:00Z")
    report = sync(library, released.url)
    assert "ends on 2020-01-01" in report.skipped[-1].reason
    assert (library.find(CNI).policy, library.data().newest) == before


def _too_long(released: Released) -> None:
    released.files[released.corpus()] += b"x"


def _truncated(released: Released) -> None:
    released.files[released.corpus()] = released.files[released.corpus()][:-9]


def _bad_checksum(released: Released) -> None:
    content = released.files[released.corpus()]
    released.files[released.corpus()] = content[:-1] + bytes([content[-1] ^ 1])


def _absent(released: Released) -> None:
    del released.files[released.corpus()]


def _to_plain_http(released: Released) -> None:
    released.redirects[released.corpus()] = "http://192.0.2.1/corpus.jsonl.xz"


def _to_a_file(released: Released) -> None:
    released.redirects[released.corpus()] = "file:///etc/passwd"


def _in_a_circle(released: Released) -> None:
    released.redirects["data.json"] = released.url


def _bomb(released: Released) -> None:
    released.put("corpus.jsonl.xz", lzma.compress(b"\0" * (data_release.MOST_UNPACKED + 1), preset=0))


def _hungry(released: Released) -> None:
    """The header of a small stream, with its own checksum, asks for 4 GiB of memory."""
    head = bytearray(lzma.compress(b"{}"))
    end = 12 + (head[12] + 1) * 4
    head[16] = 40
    head[end - 4 : end] = zlib.crc32(head[12 : end - 4]).to_bytes(4, "little")
    released.put("corpus.jsonl.xz", bytes(head))


def _other_corpus(released: Released) -> None:
    released.put("corpus.jsonl.xz", lzma.compress(policy("Other", "a:One")))


def _damaged_line(released: Released) -> None:
    released.publish(policy("BrandNew", "a:One"), b"{}\n")


def _listed(**changes: Any) -> Callable[[Released], None]:
    def lie(released: Released) -> None:
        released.put("corpus.jsonl.xz", released.files[released.corpus()], **changes)

    return lie


def _manifest(content: bytes) -> Callable[[Released], None]:
    return lambda released: released.files.update({"data.json": content})


LIES: dict[str, tuple[Callable[[Released], None], str]] = {
    "too long": (_too_long, "more than"),
    "truncated": (_truncated, "bytes, and not"),
    "bad checksum": (_bad_checksum, "does not match its checksum"),
    "absent": (_absent, "answers 404"),
    "redirect to http": (_to_plain_http, "does not qualify"),
    "redirect to a file": (_to_a_file, "cannot be read|away from HTTPS"),
    "redirect in a circle": (_in_a_circle, "answers 302"),
    "bomb": (_bomb, "unpacks to more"),
    "hungry": (_hungry, "cannot be unpacked"),
    "another corpus": (_other_corpus, "checksum in its manifest"),
    "damaged line": (_damaged_line, "damaged"),
    "a path for a name": (_listed(file="../secret"), "not its manifest"),
    "an address for a name": (_listed(file="http://192.0.2.1/x"), "not its manifest"),
    "too large": (_listed(bytes=10**12), "not its manifest"),
    "a size that is no number": (_listed(bytes="9"), "not its manifest"),
    "no JSON": (_manifest(b"<html>"), "not its manifest"),
    "deep JSON": (_manifest(b"[" * 60_000), "not its manifest"),
    "huge manifest": (_manifest(b" " * 70_000), "more than 64,000"),
    "another format": (_manifest(b'{"format": 2}'), "newer ekstui"),
    "the future": (lambda released: released.publish(policy("A", "a:B"), until="2099-01-01T00:00:00Z"), "future"),
    "another partition": (lambda released: released.publish(policy("A", "a:B"), partition="aws-cn"), "none of aws"),
}


@pytest.mark.parametrize("name", LIES)
def test_a_lie_is_refused_and_changes_nothing(
    name: str, released: Released, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_release, "MOST_UNPACKED", 5_000_000)
    lie, words = LIES[name]
    released.publish(policy("BrandNew", "a:One"))
    lie(released)
    before = library.data(), library.policies("all")
    with pytest.raises(InputError, match=words):
        sync(library, released.url)
    assert (library.data(), library.policies("all")) == before


@pytest.mark.parametrize(
    "url", ["http://example.org/data.json", "https://a:b@example.org/data.json", "ftp://127.0.0.1/data.json", "https:///data.json",
            "http://127.0.0.1.example.org/data.json", "http://[::1/data.json"]
)  # fmt: skip
def test_only_https_is_asked(url: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="starts with https"):
        DataRelease(url, tmp_path, datetime(2026, 12, 1, tzinfo=UTC)).deliver(lambda _: {})


@pytest.mark.parametrize(
    "url", ["https://a:S3cr3t@127.0.0.1:1/data.json", "ftp://a:S3cr3t@x/data.json", "http://a:S3cr3t@[x/data.json",
            "https://127.0.0.1:1/data.json?signature=S3cr3t&x=.json"]
)  # fmt: skip
def test_no_error_repeats_a_password_of_the_address(url: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        DataRelease(url, tmp_path, datetime(2026, 12, 1, tzinfo=UTC)).deliver(lambda _: {})
    assert "S3cr3t" not in str(caught.value)


@pytest.mark.parametrize("to", ["http://127.0.0.1/data.json", "http://example.org/data.json"])
def test_no_redirect_leaves_https(to: str) -> None:
    request = Request("https://example.org/data.json")
    with pytest.raises(InputError, match="away from HTTPS"):
        data_release._Redirects().redirect_request(request, BytesIO(), 302, "", HTTPMessage(), to)


def test_sync_tries_aws_then_the_release_then_the_archive_and_says_so(
    released: Released, library: Library, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("ekstui.sources.archives.MAMIP", "ftp://nowhere.invalid")
    released.publish(policy("BrandNew", "a:One"))
    assert main(["sync", "--from", "release"]) == 2
    assert "No data release is set" in capsys.readouterr().err
    monkeypatch.setenv("EKSTUI_DATA_RELEASE", released.url)
    # AWS is asked first, at an endpoint that refuses.
    assert main(["sync"]) == 0
    found = capsys.readouterr()
    assert f"Reading the data release at {released.url}." in found.err
    assert "MAMIP" not in found.err
    assert "new policy BrandNew" in found.out
    # A source that the user chose is the only one.
    assert main(["sync", "--from", "aws"]) == 3
    assert "data release" not in capsys.readouterr().err
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name)
    released.files.clear()
    assert main(["sync"]) == 2
    said = capsys.readouterr().err
    assert "No AWS credentials are set up. Reading the data release" in said
    assert "answers 404. Reading the public archive MAMIP." in said
