"""Repositories of git, made with few processes: each takes 10 ms of the processor."""

import os
import subprocess
from pathlib import Path

_OPTIONS = (
    *("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"),
    *("-c", "init.defaultBranch=main"),
    # Each commit would start two more processes, which find nothing to tidy up.
    *("-c", "maintenance.auto=false", "-c", "gc.auto=0"),
)


def git(folder: Path, *words: str, day: int | None = None) -> None:
    """Run git in a folder, as somebody who is the same each time, and on a day of June 2026 if one is named."""
    environment = {"GIT_CONFIG_GLOBAL": os.devnull}
    if day is not None:
        environment |= dict.fromkeys(("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"), f"2026-06-{day:02}T12:00:00Z")
    subprocess.run(
        ["git", *_OPTIONS, *words], cwd=folder, check=True, capture_output=True, env=os.environ | environment
    )


def make_repository(folder: Path) -> None:
    """Make a folder the work tree of a repository without commits, of the files that git needs (gitrepository-layout)."""
    for name in ("objects", "refs/heads"):
        (folder / ".git" / name).mkdir(parents=True)
    (folder / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    (folder / ".git" / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tbare = false\n")


def commit_all(folder: Path) -> None:
    """Commit all that is in a work tree, also if nothing changed."""
    git(folder, "add", "-A")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", "x")
