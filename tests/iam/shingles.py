"""Runs of eight words as digests, to tell copied prose without keeping the prose.

`python -m tests.iam.shingles PAGE > tests/iam/seed_shingles.txt` makes the list from AWS's page on managed policies for EKS.
"""

import base64
import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

WORDS = 8
"""The length of a run."""

DIGEST = 5
"""Bytes kept of a run's digest: among 10,000 runs, one chance in 10,000 of a false alarm."""


def runs(text: str) -> Iterator[tuple[str, bytes]]:
    """Every run of words of a text, whatever its case and punctuation, with its digest."""
    words = [word for raw in text.replace("\\", "").lower().split() if (word := raw.strip("`*'\"“”‘’.,;:()[]{}–-+=#_"))]
    for start in range(len(words) - WORDS + 1):
        run = " ".join(words[start : start + WORDS])
        yield run, hashlib.blake2b(run.encode(), digest_size=DIGEST).digest()


def known_runs() -> frozenset[bytes]:
    """The digests of the page's runs."""
    digests = base64.b64decode(Path(__file__).with_name("seed_shingles.txt").read_bytes())
    return frozenset(digests[start : start + DIGEST] for start in range(0, len(digests), DIGEST))


if __name__ == "__main__":
    digests = {digest for _, digest in runs(Path(sys.argv[1]).read_text(encoding="utf-8"))}
    sys.stdout.write(base64.encodebytes(b"".join(sorted(digests))).decode())
