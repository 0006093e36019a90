"""The cache filled by a process of its own: the same as one filled here, nothing left where that cannot be."""

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from ekstui.library import Library, maintenance
from ekstui.library.feed import changes_feed
from ekstui.library.maintenance import fill_and_index
from ekstui.sources.corpus import Corpus
from ekstui.store import index
from tests.support.bundled import POLICIES
from tests.support.corpus import small_corpus


def never() -> bool:
    return False


def is_ready(library: Library) -> bool:
    return index.is_current(library.store, "actions") and index.is_current(library.store, "steps")


def test_another_process_is_cancelled_and_the_next_fills_the_cache_and_imports_nothing_of_the_working_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "ekstui").mkdir()
    (tmp_path / "ekstui" / "__init__.py").write_text("import os; os.mkdir('imported')")
    (tmp_path / "json.py").write_text("import os; os.mkdir('imported')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    monkeypatch.setattr(maintenance, "fill", lambda *_, **__: pytest.fail("filled by this process"))
    library, progress = Library.open(), list[str]()
    with monkeypatch.context() as noting:
        cancelled, processes = threading.Event(), list[subprocess.Popen[bytes]]()
        start = subprocess.Popen

        def start_and_note(*arguments: Any, **options: Any) -> Any:
            processes.append(start(*arguments, **options))
            return processes[0]

        noting.setattr("subprocess.Popen", start_and_note)

        def cancel(step: str, done: int, total: int) -> None:
            progress.append(f"{step} {total}")
            cancelled.set()

        fill_and_index(library, cancel, cancelled.is_set)
    (process,) = processes
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)
    assert library.data().newest
    # What it left is no hindrance, nor how far it came before its end.
    fill_and_index(library, lambda step, done, total: progress.append(f"{step} {total}"), never)
    assert is_ready(library)
    assert not Path("imported").exists()
    assert changes_feed(library).complete
    assert {f"caching {POLICIES}", f"indexing {POLICIES}"} <= set(progress)
    monkeypatch.setattr("subprocess.Popen", lambda *_, **__: pytest.fail("filled again"))
    fill_and_index(library, lambda *_: None, never)


def test_where_no_process_can_be_started_this_one_fills_the_cache(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "corpus").mkdir()
    corpus = small_corpus(tmp_path / "corpus")
    monkeypatch.setattr(Corpus, "bundled", lambda: corpus)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    library = Library.open()
    fill_and_index(library, lambda *_: None, never)
    assert is_ready(library)
