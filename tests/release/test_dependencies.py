"""What ekstui imports is declared, and what is declared is locked."""

import re
import sys
import tomllib
from importlib.metadata import packages_distributions

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from docs.make import DOCS

ROOT = DOCS.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")


def requirements_of(entries: list[str]) -> dict[str, Requirement]:
    requirements = map(Requirement, entries)
    return {canonicalize_name(requirement.name): requirement for requirement in requirements}


def test_what_is_imported_is_declared() -> None:
    # ruff sees to it that an import stands on a line of its own; parsing every module would take a second.
    imports = re.compile(r"^ *(?:from|import) (\w+)(?=[\w.]* import |[\w.]*(?: as \w+)?(?:  #.*)?$)", re.MULTILINE)
    names = {
        name for path in (ROOT / "ekstui").rglob("*.py") for name in imports.findall(path.read_text(encoding="utf-8"))
    }
    foreign = names - sys.stdlib_module_names - {"ekstui"}
    providers = packages_distributions()
    imported_packages = {canonicalize_name(providers[name][0]) for name in foreign}
    optional = {name for entries in PROJECT["optional-dependencies"].values() for name in requirements_of(entries)}
    # aiohttp comes with textual-serve, whose server is a server of aiohttp; boto3 is a layer over botocore and urllib3.
    allowed_packages = requirements_of(PROJECT["dependencies"]).keys() | optional | {"aiohttp", "botocore", "urllib3"}
    assert imported_packages <= allowed_packages
    assert requirements_of(PROJECT["dependencies"]).keys() <= imported_packages


def test_what_is_declared_is_locked_with_hashes_and_without_an_index() -> None:
    pins: dict[str, str] = {
        canonicalize_name(name): version for name, version in re.findall(r"^([\w.-]+)==(\S+) \\$", LOCK, re.MULTILINE)
    }
    for name, requirement in requirements_of(PROJECT["dependencies"]).items():
        assert requirement.specifier.contains(pins[name]), f"{name}: run make lock"
    assert len(re.findall(r"--hash=sha256:[0-9a-f]{64}", LOCK)) >= len(pins)
    assert not re.search(r"https?:|--index|--extra-index|--find-links|--trusted-host", LOCK)


def test_an_upper_bound_below_the_next_major_version_has_its_reason() -> None:
    lines = (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    bounded_lines = [
        number for number, line in enumerate(lines) if re.match(r'\s+"[\w.\[\]-]+(?:[^"]*<(?!\d+")|==)', line)
    ]
    assert [
        lines[number] for number in bounded_lines if not any("#" in line for line in lines[number - 2 : number + 1])
    ] == []
