"""Make assets/steps.json.xz: what each step from one version to the next changed, which takes fifteen seconds to judge.

    python -m assets.build_steps

It is valid for the bundled corpus, the installed reference and the current code; the app judges again what differs.
"""

import json
import lzma
import sys
import tempfile
from pathlib import Path

from ekstui.library import Library
from ekstui.library.maintenance import fill_cache
from ekstui.sources.corpus import Corpus
from ekstui.store.index import STEPS_KEY, history_key, judged, judging_version
from ekstui.store.policy_store import PolicyStore

TARGET = Path(__file__).resolve().parent / "steps.json.xz"


def main() -> int:
    """Judge every step of the corpus, and write the file."""
    with tempfile.TemporaryDirectory() as folder:
        library = Library(Corpus.bundled(), PolicyStore.in_folder(Path(folder)))
        fill_cache(library)
        steps = {
            stored_policy.policy.name: [
                history_key(stored_policy.documents)[:STEPS_KEY],
                judged(stored_policy.policy, library.store.history(name).texts),
            ]
            for name in library.store.names()
            for stored_policy in library.store.named((name,))
        }
    content = json.dumps({"judges": judging_version(), "steps": steps}, separators=(",", ":")).encode()
    TARGET.write_bytes(lzma.compress(content, preset=9 | lzma.PRESET_EXTREME))
    print(f"{sum(len(rows) for _, rows in steps.values()):,} steps, {TARGET.stat().st_size:,} bytes packed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
