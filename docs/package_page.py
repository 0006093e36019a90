"""What hatchling asks for in a build: what a package index shows, the README with absolute links, and the page for `man`.

A package index has none of the files that the README links to. Where they are is known only where a release is made:
`EKSTUI_HOME` or, in GitHub's workflows, `GITHUB_REPOSITORY` says so. Without either the links stay as they are.
"""

import os
import re
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

_PAGES = {
    "Documentation": "blob/v{version}/README.md",
    "Source": "",
    "Issues": "issues",
    "Changelog": "blob/v{version}/CHANGELOG.md",
    "Security": "blob/v{version}/SECURITY.md",
}


class PackagePage(MetadataHookInterface):
    """Adds the readme and the addresses to the package's metadata."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Fill in what `dynamic` in pyproject.toml names."""
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        home = home_of(os.environ)
        if home:
            text = absolute(text, home, metadata["version"])
            metadata["urls"] = {
                name: f"{home}/{page.format(version=metadata['version'])}".rstrip("/") for name, page in _PAGES.items()
            }
        metadata["readme"] = {"content-type": "text/markdown", "text": text}


class ManualPage(BuildHookInterface[Any]):
    """Puts the page for `man` into a wheel where it was made, as `make dist` does; to make it takes all that ekstui needs."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling passes it
        """Add the page to the files that lie outside of the package."""
        page = "docs/ekstui.1"
        if (Path(self.root) / page).exists():
            build_data["shared_data"][page] = "share/man/man1/ekstui.1"


def home_of(environment: os._Environ[str]) -> str | None:
    """Return the address of the repository, None where it is not known."""
    if home := environment.get("EKSTUI_HOME"):
        return home.rstrip("/")
    repository = environment.get("GITHUB_REPOSITORY")
    return f"{environment.get('GITHUB_SERVER_URL', 'https://github.com')}/{repository}" if repository else None


def absolute(text: str, home: str, version: str) -> str:
    """Return Markdown whose links and pictures lead into the repository as it was at a version."""

    def led(link: re.Match[str]) -> str:
        kind = "raw" if link[1] else "blob"
        return f"{link[1]}[{link[2]}]({home}/{kind}/v{version}/{link[3]})"

    return re.sub(r"(!?)\[([^\]]*)\]\((?![a-z]+:|#)([^)]+)\)", led, text)
