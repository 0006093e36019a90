"""moto as a source: its wheel is read and never run, and the user's own pip fetches it, or says why it cannot."""

import json
import sys
import venv
import zipfile
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

from ekstui.change.policy import Policy, PolicyHistory, VersionInfo
from ekstui.cli.main import main
from ekstui.errors import InputError
from ekstui.library import Library
from ekstui.sources.archives import read_collection
from ekstui.sources.moto import Moto
from ekstui.sources.packages import MAX_POLICIES
from tests.support.documents import allow_statement
from tests.support.filled import copy_of_cache
from tests.support.packages import Versions, moto_policies, moto_wheel, npm_json, npm_policies, version_json, wheel_of

NOW = datetime(2026, 12, 1, tzinfo=UTC)
ALPHA: Versions = {
    1: ("2020-01-01T00:00:00Z", allow_statement("a:One")),
    7: ("2026-10-10T10:10:10Z", allow_statement("a:Seven")),
}
KNOWN = {"Alpha": Policy("Alpha", "arn:aws:iam::aws:policy/x/Alpha", 1, (VersionInfo(1, None),))}


def test_the_default_version_of_each_policy_is_read_with_its_time(tmp_path: Path) -> None:
    (history,) = (collection := read_collection(_wheel(tmp_path), {})).histories
    assert (collection.source, collection.whole, collection.skipped) == ("moto 9.0.0", True, ())
    moment = datetime(2026, 10, 10, 10, 10, 10, tzinfo=UTC)
    assert collection.as_of == moment
    assert history.policy == Policy("Alpha", "arn:aws:iam::aws:policy/x/Alpha", 7, (VersionInfo(7, moment),))
    assert json.loads(history.texts[7]) == allow_statement("a:Seven")


def _wheel(folder: Path) -> Path:
    return moto_wheel(folder, moto_policies({"Alpha": ALPHA}, {"Alpha": "/x/"}))


def test_what_is_escaped_in_the_module_is_what_python_makes_of_it(tmp_path: Path) -> None:
    text = json.dumps(moto_policies({"Alpha": {1: ("2020-01-01T00:00:00Z", allow_statement('a:"quoted"'))}}))
    (history,) = read_collection(wheel_of(tmp_path, text.replace("\\", "\\\\")), {}).histories
    assert json.loads(history.texts[1]) == allow_statement('a:"quoted"')


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", "{", '{"A": 1}', '{"A": {"UpdateDate": "noon"}}', "[" * 100_000, '"""', "\\", "\\N{x}", "\\ud800"],
)
def test_a_module_with_anything_else_in_it_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match=r"moto-9\.0\.0"):
        read_collection(wheel_of(tmp_path, text), {})


def test_a_wheel_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.whl"
    path.write_bytes(b"PK\x03\x04 not a wheel")
    with pytest.raises(InputError, match="damaged"):
        read_collection(path, {})
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("other/__init__.py", "raise SystemExit")
    with pytest.raises(InputError, match="moto's wheel"):
        read_collection(path, {})


def test_a_wheel_that_swells_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ekstui.sources.packages.MAX_JSON", 1_000_000)
    path = wheel_of(tmp_path, " " * 5_000_000)
    assert path.stat().st_size < 10_000
    with pytest.raises(InputError, match="unpacks to more than 1,000,000 bytes"):
        read_collection(path, {})


def test_more_policies_than_aws_can_have_are_refused(tmp_path: Path) -> None:
    documents = dict.fromkeys(map("P{}".format, range(MAX_POLICIES + 1)), moto_policies({"A": ALPHA})["A"])
    with pytest.raises(InputError, match="4,001 policies"):
        read_collection(moto_wheel(tmp_path, documents), {})


def test_a_folder_may_have_files_of_any_kind(tmp_path: Path) -> None:
    _wheel(tmp_path)
    older: Versions = {
        1: ("2020-01-01T00:00:00Z", allow_statement("a:One")),
        2: ("2021-01-01T00:00:00Z", allow_statement("a:Two")),
    }
    of_beta: Versions = {1: ("2019-01-01T00:00:00Z", allow_statement("b:One"))}
    npm_json(tmp_path, npm_policies({"Alpha": older, "Beta": of_beta}, {"Alpha": "/x/"}))
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "Beta").write_text(version_json(2, "b:Two"))
    (tmp_path / "Alpha-v7.json").write_text(version_json(7, "a:Other"))
    (tmp_path / "werkzeug-3.1-py3-none-any.whl").write_bytes(b"no package")
    collection = read_collection(tmp_path, KNOWN)
    versions = {history.policy.name: sorted(history.texts) for history in collection.histories}
    assert versions == {"Alpha": [1, 2, 7], "Beta": [1, 2]}
    assert {history.policy.name: history.policy.default_version for history in collection.histories}["Alpha"] == 7
    assert (collection.whole, collection.as_of) == (True, datetime(2026, 10, 10, 10, 10, 10, tzinfo=UTC))
    assert [entry.place for entry in collection.skipped] == ["Alpha v7", "werkzeug-3.1-py3-none-any.whl"]


def test_pip_fetches_it_from_wherever_it_is_set_up_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "index").mkdir()
    _wheel(tmp_path / "index")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", "./index")
    monkeypatch.setenv("PIP_DEST", str(tmp_path))
    # A module of that name in the current folder is not pip.
    (tmp_path / "pip.py").write_text("raise SystemExit('not pip')")
    monkeypatch.chdir(tmp_path)
    delivery = Moto(NOW).deliver(lambda _: {})
    (history,) = delivery.entries
    assert isinstance(history, PolicyHistory)
    assert (delivery.provenance.source, delivery.provenance.authority) == ("moto 9.0.0", "archive")
    assert history.policy.default_version == 7


def test_without_pip_the_two_commands_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    venv.create(tmp_path / "venv", with_pip=False, symlinks=True)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "venv" / "bin" / "python"))
    with pytest.raises(InputError, match="no pip") as caught:
        Moto(NOW).deliver(lambda _: {})
    assert "pip download --no-deps moto" in caught.value.next_step
    assert "ekstui sync --from FILE.whl" in caught.value.next_step


def test_pip_that_is_stopped_leaves_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    with pytest.raises(InputError, match="stopped"):
        Moto(NOW, cancelled=lambda: True).deliver(lambda _: {})
    assert list(tmp_path.iterdir()) == []


SECRET = "hunter2"


@pytest.fixture
def unreachable(monkeypatch: pytest.MonkeyPatch, no_network: None, filled_cache: Path) -> Library:
    """A library where there are neither credentials nor a network."""
    from ekstui import files

    copy_of_cache(filled_cache, files.cache_dir())
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("ekstui.library.syncing.MAMIP", "https://127.0.0.1:9/MAMIP.git")
    monkeypatch.setenv("PIP_INDEX_URL", f"https://user:{SECRET}@127.0.0.1:9/simple")
    return Library.open()


def test_no_network_is_an_error_of_its_own_and_harms_nothing(
    unreachable: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    before = unreachable.data()
    assert main(["sync", "--json"]) == 3
    output, stderr = capsys.readouterr()
    error = json.loads(stderr)["error"]
    assert (output, error["code"]) == ("", "no-network")
    assert "No AWS credentials are set up." in error["message"]
    assert "pip could not fetch moto" in error["message"]
    assert "pip download --no-deps moto" in error["next"]
    assert SECRET not in stderr
    for source in ("mamip", "moto"):
        assert main(["sync", "--from", source]) == 3
    assert SECRET not in capsys.readouterr().err
    assert main(["cache", "verify"]) == 0
    assert Library.open().data() == before


def test_what_pip_fetches_is_synced(
    unreachable: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    moto_wheel(tmp_path, moto_policies({"BrandNew": ALPHA}))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    assert main(["sync"]) == 0
    output, stderr = capsys.readouterr()
    assert "Reading the public archive MAMIP." in stderr
    assert "Reading the Python package moto." in stderr
    assert "new policy BrandNew" in output
    assert unreachable.find("BrandNew").policy.default_version == 7


def test_reading_a_package_ends_when_nobody_waits_for_it(tmp_path: Path) -> None:
    documents = dict.fromkeys(map("P{}".format, range(500)), moto_policies({"A": ALPHA})["A"])
    path = moto_wheel(tmp_path, documents)
    counter = count(1)
    assert len(read_collection(path, {}, lambda: next(counter) > 3).histories) < 4
    assert next(counter) < 10
    assert len(read_collection(path, {}).histories) == 500
