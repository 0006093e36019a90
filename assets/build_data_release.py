"""Make a data release in a folder: the corpus, the published policies, and `data.json` with their sizes and checksums.

    python assets/build_data_release.py FOLDER

A file's name begins with its checksum, so that it never changes: upload data.json last, and keep the older files.
"""

import hashlib
import json
import sys
from pathlib import Path

ASSETS = Path(__file__).resolve().parent
FILES = ("corpus.jsonl.xz", "manifest.json", "published.jsonl.xz", "published.json")


def main(arguments: list[str]) -> int:
    """Write the files and their manifest, and print the manifest."""
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for name in FILES:
        content = (ASSETS / name).read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        stored = f"{digest[:12]}-{name}"
        (folder / stored).write_bytes(content)
        files[name] = {"file": stored, "bytes": len(content), "sha256": digest}
    text = json.dumps({"format": 1, "files": files}, indent=2) + "\n"
    (folder / "data.json").write_text(text, encoding="utf-8")
    print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
