"""The corpus reader cuts documents out without parsing, stops early, and never passes damage on as data."""

import csv
import json
import lzma
import shutil
from pathlib import Path

import pytest

from ekstui import files
from ekstui.change.policy import format_time
from ekstui.errors import DataError
from ekstui.library.cache_file import verify_corpus
from ekstui.sources.corpus import Corpus
from tests.support.bundled import newest
from tests.support.corpus import raw_corpus, small_corpus


def test_every_policy_is_what_plain_json_parsing_reads() -> None:
    for history, raw in zip(Corpus.bundled().histories(), raw_corpus(), strict=True):
        policy = history.policy
        assert (policy.name, policy.arn, f"v{policy.default_version}") == (raw["name"], raw["arn"], raw["default"])
        assert [(f"v{info.number}", format_time(info.created)) for info in policy.versions] == [
            (version["version"], version["created"]) for version in raw["versions"]
        ]
        assert [json.loads(text) for text in history.texts.values()] == [
            version["document"] for version in raw["versions"]
        ]


def test_the_times_are_those_that_iam_reported() -> None:
    with (files.assets() / "version-dates.csv").open(encoding="utf-8", newline="") as file:
        reported_dates = {(row["policy"], row["version"]): row["created"] or None for row in csv.DictReader(file)}
    for policy in Corpus.bundled().policies():
        for info in policy.versions:
            if time := reported_dates.get((policy.name, f"v{info.number}")):
                assert format_time(info.created) == time


def test_the_manifest_counts_what_is_in_the_corpus() -> None:
    corpus = Corpus.bundled()
    manifest = corpus.manifest()
    policies = list(corpus.policies())
    assert len(policies) == manifest.policies
    assert sum(len(policy.versions) for policy in policies) == manifest.versions
    assert list(corpus.policies("eks")) == policies[: manifest.family]
    verify_corpus(corpus)


def test_the_family_is_read_although_the_rest_is_cut_off(tmp_path: Path) -> None:
    corpus = damaged_corpus(tmp_path, lambda content: content[: len(content) // 2])
    assert list(corpus.histories("eks")) == list(Corpus.bundled().histories("eks"))
    assert corpus.history("AmazonEKSClusterPolicy").policy.default_version == newest("AmazonEKSClusterPolicy")
    with pytest.raises(DataError, match="cannot be read"):
        list(corpus.policies())


def test_damage_is_an_error_with_a_next_step(tmp_path: Path) -> None:
    def flipped(content: bytes) -> bytes:
        middle = len(content) // 2
        return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]

    for damage in (flipped, lambda _: b"", lambda _: b"not xz at all"):
        with pytest.raises(DataError) as caught:
            list(damaged_corpus(tmp_path, damage).histories())
            pytest.fail("an empty corpus is no corpus")
        assert caught.value.next_step


@pytest.mark.parametrize(
    "line",
    [
        "{}",
        '{"name":"A","arn":"arn:aws:iam::aws:policy/A","default":"v1","versions":[]}',
        '{"name":"A","arn":"arn:aws:iam::aws:policy/A","default":"v1","versions":[{"version":"v1","created":"noon","document":{}}]}',
        '{"name":"A","arn":"arn:aws:iam::aws:policy/A","default":"v1","versions":[{"version":"v1","created":null,"document":{}]}',
    ],
)
def test_a_line_of_another_shape_is_damage(tmp_path: Path, line: str) -> None:
    shutil.copy(files.assets() / "manifest.json", tmp_path)
    (tmp_path / "corpus.jsonl.xz").write_bytes(lzma.compress(line.encode() + b"\n"))
    with pytest.raises(DataError, match="damaged"):
        list(Corpus(tmp_path).histories())


def test_another_content_does_not_pass_the_digest(tmp_path: Path) -> None:
    corpus = small_corpus(tmp_path)
    verify_corpus(corpus)
    path = tmp_path / "corpus.jsonl.xz"
    content = lzma.decompress(path.read_bytes())
    path.write_bytes(lzma.compress(content.replace(b"Describe", b"describe", 1), preset=0))
    with pytest.raises(DataError, match="manifest"):
        verify_corpus(corpus)


def test_a_missing_or_damaged_manifest_is_reported(tmp_path: Path) -> None:
    for content in (None, "", "{}", "[]", '{"source": 1}'):
        if content is not None:
            (tmp_path / "manifest.json").write_text(content)
        with pytest.raises(DataError, match="corpus"):
            Corpus(tmp_path).manifest()


def damaged_corpus(folder: Path, damage: object) -> Corpus:
    """The bundled corpus with its packed bytes changed by `damage`."""
    assert callable(damage)
    shutil.copy(files.assets() / "manifest.json", folder)
    (folder / "corpus.jsonl.xz").write_bytes(damage((files.assets() / "corpus.jsonl.xz").read_bytes()))
    return Corpus(folder)
