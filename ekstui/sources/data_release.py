"""The project's data release: a corpus at an address, with a manifest of sizes and checksums beside it.

The manifest, `data.json`, is replaced last and names files that never change, so that whoever reads while it is updated
gets the data of one day. What the address serves is not trusted further than an archive: it adds, and replaces nothing.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPException, HTTPMessage
from ipaddress import ip_address
from pathlib import Path
from typing import IO, NamedTuple
from urllib.error import HTTPError, URLError
from urllib.parse import SplitResult, urljoin, urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
)

from ekstui.change.policy import Delivery, Policy, PolicyHistory, Provenance
from ekstui.errors import DataError, InputError
from ekstui.files import create_file, read_regular
from ekstui.sources.corpus import Corpus

MANIFEST = "data.json"
"""The name of the manifest; an address that ends with `.json` is a data release's."""

FORMAT = 1
"""The manifest's format that this ekstui reads."""

MOST_MANIFEST = 64_000
"""The largest manifest that is read, in bytes; one has about a thousand."""

MOST_PACKED = 20_000_000
"""The largest file that is read, in bytes; the corpus has 0.4 million."""

MOST_UNPACKED = 200_000_000
"""The largest corpus that is unpacked, in bytes; it has 33 million."""

MOST_MEMORY = 160_000_000
"""The most memory that unpacking may ask for, in bytes; xz needs 65 million for what it packed best."""

PATIENCE = 20.0
"""Seconds without a byte after which a download has failed."""

LONGEST = 300.0
"""Seconds that a file may take."""

_PIECE = 65_536
_CORPUS = ("corpus.jsonl.xz", "manifest.json")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


class _File(NamedTuple):
    """A file as the manifest describes it."""

    name: str
    """Its name at the address."""
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class DataRelease:
    """A data release as a source."""

    url: str
    """The manifest's address."""
    folder: Path
    """Where its files are kept, so that a file that has not changed is not fetched again."""
    now: datetime
    partition: str = "aws"

    def deliver(self, known: Callable[[str], Mapping[str, Policy]]) -> Delivery:  # noqa: ARG002 (it is Source's)
        """Fetch what changed, check it, and return all of it; InputError if it cannot be had or is not what it says."""
        files = self._files(_fetched(self.url, MOST_MANIFEST))
        for name in _CORPUS:
            self._keep(name, files[name])
        corpus = Corpus(self.folder)
        try:
            manifest = corpus.manifest()
        except DataError:
            raise self._broken("its manifest.json cannot be read") from None
        if manifest.partition != self.partition:
            message = f"The data release has policies of {manifest.partition}, and none of {self.partition}."
            raise InputError(message, "Only AWS has them: sync from AWS with credentials of that partition.")
        self._check_unpacked(manifest.sha256)
        place = urlsplit(self.url).netloc
        return Delivery(
            self.partition,
            Provenance(f"data release at {place}, {manifest.label}", "archive", manifest.known_until, self.now),
            manifest.policies,
            self._histories(corpus),
            manifest.known_until,
        )

    def _histories(self, corpus: Corpus) -> Iterator[PolicyHistory]:
        """Yield the policies; damage is the address's, not that of the corpus that ekstui comes with."""
        try:
            yield from corpus.histories()
        except DataError as error:
            raise self._broken(error.message) from None

    def _files(self, text: bytes) -> Mapping[str, _File]:
        """Return the files of the corpus that a manifest names."""
        try:
            value = json.loads(text)
            if value["format"] != FORMAT:
                message = f"The data release at {_shown(self.url)} is in a format that this ekstui does not read."
                raise InputError(message, "Install a newer ekstui.")
            return {name: self._file(value["files"][name]) for name in _CORPUS}
        except (ValueError, KeyError, TypeError, RecursionError):
            raise self._broken(f"{MANIFEST} is not its manifest") from None

    def _file(self, fields: Mapping[str, object]) -> _File:
        match fields:
            case {"file": str(name), "bytes": int(size), "sha256": str(digest)} if (
                _NAME.fullmatch(name) and _DIGEST.fullmatch(digest) and 0 < size <= MOST_PACKED
            ):
                return _File(name, size, digest)
        raise ValueError

    def _keep(self, name: str, file: _File) -> None:
        """Have a file in the folder; it is fetched only if it is not there yet as the manifest has it."""
        path = self.folder / name
        try:
            if hashlib.sha256(read_regular(path, file.size)).hexdigest() == file.sha256:
                return
        except OSError:
            pass
        content = _fetched(urljoin(self.url, file.name), file.size)
        if len(content) != file.size:
            raise self._broken(f"{file.name} has {len(content):,} bytes, and not {file.size:,}")
        if hashlib.sha256(content).hexdigest() != file.sha256:
            raise self._broken(f"{file.name} does not match its checksum")
        try:
            create_file(path, content, 0o644)
        except OSError as error:
            raise DataError(f"{path} cannot be written: {error.strerror or error}.") from None

    def _check_unpacked(self, sha256: str) -> None:
        """Compare the unpacked corpus with its checksum, without unpacking more than the limits."""
        digest, size = hashlib.sha256(), 0
        unpack = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MOST_MEMORY)
        try:
            with (self.folder / _CORPUS[0]).open("rb") as packed:
                while not unpack.eof:
                    given = packed.read(_PIECE) if unpack.needs_input else b""
                    if unpack.needs_input and not given:
                        raise EOFError
                    piece = unpack.decompress(given, 1 << 20)
                    digest.update(piece)
                    size += len(piece)
                    if size > MOST_UNPACKED:
                        raise self._broken(f"its corpus unpacks to more than {MOST_UNPACKED:,} bytes")
        except (OSError, EOFError, lzma.LZMAError):
            raise self._broken("its corpus cannot be unpacked") from None
        if digest.hexdigest() != sha256:
            raise self._broken("its corpus does not match the checksum in its manifest.json")

    def _broken(self, reason: str) -> InputError:
        return InputError(
            f"The data release at {_shown(self.url)} is refused: {reason.rstrip('.')}.", "Nothing was changed."
        )


class _Redirects(HTTPRedirectHandler):
    """Follows a redirect only where the address itself might have been."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        """Return the next request; InputError if it would leave HTTPS."""
        if urlsplit(newurl).scheme != urlsplit(req.full_url).scheme:
            raise InputError(f"{_shown(req.full_url)} is refused: it leads away from HTTPS.", "Nothing was changed.")
        _checked(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _shown(url: str) -> str:
    """Return an address without its user information and its query, which may be secret."""
    try:
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    except ValueError:
        return "this address"


def _checked(url: str) -> SplitResult:
    """Return an address's parts; InputError if it is neither HTTPS nor on this machine."""
    try:
        parts = urlsplit(url)
        host, named = parts.hostname or "", parts.username is not None
    except ValueError:
        parts, host, named = urlsplit(""), "", False
    if named or not host or not (parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host))):
        raise InputError(f"The address of a data release starts with https://, and {_shown(url)} does not qualify.")
    return parts


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _fetched(url: str, most: int) -> bytes:
    """Return what an address serves, at most `most` bytes; InputError if there is more, or nothing that can be read."""
    parts = _checked(url)
    opener = OpenerDirector()
    opener.addheaders = [("User-Agent", "ekstui")]
    # Proxies are for the world; the other handlers of urllib would also open files and FTP.
    proxies: dict[str, str] | None = {} if _is_loopback(parts.hostname or "") else None
    errors = (HTTPDefaultErrorHandler(), HTTPErrorProcessor())
    for handler in (ProxyHandler(proxies), HTTPHandler(), HTTPSHandler(), _Redirects(), *errors):
        opener.add_handler(handler)
    content = bytearray()
    until = time.monotonic() + LONGEST
    try:
        with opener.open(url, timeout=PATIENCE) as response:
            while piece := response.read1(_PIECE):
                content += piece
                if len(content) > most:
                    raise InputError(
                        f"{_shown(url)} is refused: it has more than {most:,} bytes.", "Nothing was changed."
                    )
                if time.monotonic() > until:
                    raise InputError(
                        f"{_shown(url)} is too slow: it took more than {LONGEST:.0f} s.", "Run the command again."
                    )
    except HTTPError as error:
        raise InputError(f"{_shown(url)} cannot be read: the server answers {error.code}.") from None
    except (URLError, HTTPException, OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or type(error).__name__
        raise InputError(f"{_shown(url)} cannot be read: {reason}.") from None
    return bytes(content)
