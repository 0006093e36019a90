"""What people install: built twice it is the same, and it answers where nothing else of ekstui is."""

import hashlib
import json
import os
import re
import shutil
import site
import subprocess
import sys
import tarfile
import venv
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

from docs.make import DOCS, MAN_PAGE
from ekstui import __version__
from tests.support.bundled import FAMILY
from tests.support.patience import PATIENCE

ROOT = DOCS.parent

pytestmark = pytest.mark.slow

SHIPPED = ("pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", ".gitignore", "ekstui", "assets", "docs")


def build(source: Path, into: Path, *kinds: str) -> None:
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "1767225600"}
    # What is needed is there, as the build itself shows; asking for it first takes as long as building.
    options = ("--no-isolation", "--skip-dependency-check", *kinds, "--outdir", str(into))
    command = [sys.executable, "-m", "build", *options, str(source)]
    subprocess.run(command, env=environment, capture_output=True, timeout=PATIENCE, check=True)


def checkout(folder: Path) -> Path:
    """Return a copy of what a release is built from, with other times than the original's."""
    folder.mkdir(parents=True)
    for name in SHIPPED:
        source, target = ROOT / name, folder / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"), copy_function=shutil.copyfile)
        else:
            shutil.copyfile(source, target)
    # A release is made from a whole checkout, with folders of the same names further down.
    (folder / "tests" / "docs").mkdir(parents=True)
    (folder / "tests" / "docs" / "stray.py").touch()
    return folder


def with_man_page(source: Path) -> Path:
    """Return the folder with what `make dist` makes before it builds: the page for man."""
    (source / "docs" / MAN_PAGE).unlink(missing_ok=True)
    subprocess.run([sys.executable, "-m", "docs.make"], cwd=source, capture_output=True, timeout=PATIENCE, check=True)
    return source


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of an sdist and of the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("built")
    build(with_man_page(checkout(folder / "source")), folder / "dist")
    return folder / "dist"


def test_two_builds_are_the_same_bytes(built: Path, tmp_path: Path) -> None:
    build(with_man_page(checkout(tmp_path / "another" / "place")), tmp_path / "again")
    digests = [
        {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
        for folder in (built, tmp_path / "again")
    ]
    assert {Path(name).suffix for name in digests[0]} == {".whl", ".gz"}
    assert digests[0] == digests[1]


def test_the_wheel_carries_the_assets_and_nothing_of_the_makers(built: Path) -> None:
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        names = set(wheel.namelist())
    assert {
        f"ekstui/assets/{name}" for name in ("corpus.jsonl.xz", "manifest.json", "eks.json", "schema.json")
    } <= names
    assert not [
        name for name in names if name.startswith(("tests/", "docs/")) or name.endswith(("build_corpus.py", ".toml"))
    ]
    assert [name for name in names if name.endswith("share/man/man1/ekstui.1")]


@pytest.mark.parametrize("way", ["wheel", "editable"])
def test_an_installed_ekstui_answers_offline(way: str, built: Path, tmp_path: Path) -> None:
    """pip installs ekstui into an empty environment; what it depends on is lent by the environment of the tests."""
    # What is lent may have pip too, whose installation takes longer than all the rest.
    venv.create(tmp_path / "venv", with_pip=find_spec("pip") is None)
    python = tmp_path / "venv" / "bin" / "python"
    message = (
        [str(next(built.glob("*.whl")))]
        if way == "wheel"
        else ["--no-build-isolation", "--editable", str(checkout(tmp_path / "source"))]
    )
    packages = next((tmp_path / "venv" / "lib").glob("python*")) / "site-packages"
    (packages / "lent.pth").write_text("\n".join(site.getsitepackages()), encoding="utf-8")
    pip = [str(python), "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-compile", *message]
    subprocess.run(pip, capture_output=True, timeout=PATIENCE, check=True)
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path / "home"),
        "https_proxy": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9",
    }
    ekstui = str(tmp_path / "venv" / "bin" / "ekstui")
    process = subprocess.run(
        [ekstui, "list", "--json"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    assert len(json.loads(process.stdout)["policies"]) == FAMILY
    location = subprocess.run(
        [python, "-c", "import ekstui.files; print(ekstui.files.assets())"],
        env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE, check=True,
    ).stdout.strip()  # fmt: skip
    assert Path(location).is_relative_to(packages if way == "wheel" else tmp_path / "source")


def test_the_package_index_gets_absolute_links_and_the_project_s_addresses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_REPOSITORY", "someone/ekstui")
    build(checkout(tmp_path / "source"), tmp_path / "dist", "--wheel")
    with zipfile.ZipFile(next((tmp_path / "dist").glob("*.whl"))) as wheel:
        metadata = wheel.read(next(name for name in wheel.namelist() if name.endswith("/METADATA"))).decode()
        assert "ekstui/py.typed" in wheel.namelist()
    home = "https://github.com/someone/ekstui"
    assert f"Version: {__version__}\n" in metadata
    assert f"Project-URL: Source, {home}\n" in metadata
    assert f"]({home}/raw/v{__version__}/screenshots/explorer.png)" in metadata
    assert [link for link in re.findall(r"\]\(([^)]+)\)", metadata) if not link.startswith("https://")] == []


def test_the_sdist_has_no_strays(built: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        top = {Path(name).parts[1] for name in archive.getnames()}
    assert top == {*SHIPPED, "PKG-INFO"}
