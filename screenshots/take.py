"""Take the pictures in this folder from the real app, on the real corpus, with the account of the tests' local server.

    python screenshots/take.py [NAME ...]

Each scene becomes an SVG; where `rsvg-convert` is installed (Debian: librsvg2-bin, fonts-firacode), a PNG as well.
"""

import asyncio
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent))

from textual.pilot import Pilot  # noqa: E402

from ekstui.library import Library  # noqa: E402
from ekstui.tui.app import EkstuiApp  # noqa: E402
from ekstui.tui.screens.explorer import ExplorerScreen  # noqa: E402
from tests.rig.rig import Rig  # noqa: E402

WIDE, NARROW, SMALL = (120, 40), (80, 24), (60, 15)
PATIENCE = 60
"""Seconds that a scene may take to settle."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture: the keys that lead to it, and a word that the screen must show before it is taken."""

    name: str
    keys: tuple[str, ...]
    shows: str
    size: tuple[int, int] = WIDE
    theme: str = "textual-dark"


_TO_SHIELD = (
    "slash", *"LoadBalancing", "enter", "wait:LoadBalancingPolicy v10", "3", "wait:2026-08-20", "j", "j", "j", "j", "enter", "wait:LoadBalancingPolicy v6", "d", "wait:meaning",
)  # fmt: skip

_QUESTION = "policy:AmazonEBSCSIDriverPolicyV2 ec2:DeleteVolume arn:aws:ec2:eu-central-1:123456789012:volume/vol-1"

_MARKED = ("space", "j", "space", *("j",) * 6, "space")

SCENES = (
    Scene("explorer", ("j", "wait:elasticload", "2", "enter"), "DescribeInstances"),
    Scene("explorer-light", ("j", "wait:elasticload", "2", "enter"), "DescribeInstances", theme="textual-light"),
    Scene("explorer-80x24", ("j", "wait:autoscaling", "2"), "elasticload", NARROW),
    Scene("versions-80x24", ("j", "3"), "no change", NARROW),
    Scene("explorer-60x15", (), "AmazonEKSClusterPolicy", SMALL),
    Scene("compare-meaning", _TO_SHIELD, "shield:CreateProtection"),
    Scene("compare-unified", (*_TO_SHIELD, "v"), "unfolds"),
    Scene("compare-side-by-side", (*_TO_SHIELD, "v", "wait:unfolds", "v"), "side by side"),
    Scene("role", ("j", "wait:prod-cluster", "4", "j", "enter"), "Trust: who may assume it"),
    Scene("cluster", ("c", "wait:legacy", "j", "enter"), "Health, as EKS reports it"),
    Scene(
        "cluster-map",
        ("M", "wait:legacy", "j", "enter", "wait:prod-node", *("j",) * 4, "space"),
        "attached, AWS managed",
    ),
    Scene(
        "cluster-map-80x24",
        ("M", "wait:legacy", "j", "enter", "wait:prod-node", "j", "j", "space"),
        "attached, AWS",
        NARROW,
    ),
    Scene(
        "who-can", ("w", "wait:Type an action", *"ec2:CreateTags", "wait:enter asks", "enter"), "AmazonEKSClusterPolicy"
    ),
    Scene("action", ("2", "wait:for: ", "enter", "wait:CreateTags", *("j",) * 8, "enter"), "Resource types"),
    Scene("explain", ("x", "wait:Paste the message", *_QUESTION, "enter"), "Nearest"),
    Scene("account", ("a",), "Own policies that began"),
    Scene("matrix", (*_MARKED, "t", "wait:kms", "j", "enter"), "An action"),
    Scene("matrix-80x24", (*_MARKED, "t"), "kms", NARROW),
    Scene("changes", ("f", "wait:AmazonEKSNetworkingPolicy"), "widened"),
    Scene("help", ("question_mark",), "Here"),
    Scene("palette", ("ctrl+p", *"cni@"), "AmazonEKS_CNI_Policy"),
)


def main(names: list[str]) -> int:
    """Take the scenes that are named, or all of them."""
    unknown = set(names) - {scene.name for scene in SCENES}
    if unknown:
        print(f"no such scene: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    chosen = [scene for scene in SCENES if not names or scene.name in names]
    with tempfile.TemporaryDirectory() as home, Rig(300) as rig:
        rig.reset(now=datetime.now(UTC).replace(microsecond=0))
        os.environ.update(rig.environment(Path(home)))
        # The header would tell of the filling.
        library = Library.open()
        library.fill()
        library.index()
        for scene in chosen:
            take(scene, rig.url)
            print(scene.name, flush=True)
    return 0


def take(scene: Scene, endpoint: str) -> None:
    """Run the app, press the keys, wait for the word, and write the picture."""
    # The header names a custom endpoint, and its port differs each time.
    svg = asyncio.run(_svg(scene)).replace(endpoint.rpartition(":")[2], "55555")
    if prefix := re.search(r"terminal-\d+", svg):
        # A picture stays the same when the screen does.
        svg = svg.replace(prefix[0], f"terminal-{scene.name}")
    path = FOLDER / f"{scene.name}.svg"
    path.write_text(svg, encoding="utf-8")
    if shutil.which("rsvg-convert"):
        # librsvg drops leading spaces unless they are said to count.
        spaced = svg.replace("<text ", '<text xml:space="preserve" ')
        subprocess.run(["rsvg-convert", "-o", str(path.with_suffix(".png")), "-"], input=spaced.encode(), check=True)


async def _svg(scene: Scene) -> str:
    app = EkstuiApp(Library.open())
    app.theme = scene.theme
    async with app.run_test(size=scene.size) as pilot:
        await _until(pilot, lambda: _account_is_known(app), "the account")
        for key in scene.keys:
            if key.startswith("wait:"):
                word = key.removeprefix("wait:")
                await _until(pilot, lambda word=word: word in _text(app), word)  # type: ignore[misc]
            else:
                await pilot.press(key)
        await _until(pilot, lambda: scene.shows in _text(app), scene.shows)
        await pilot.pause(0.5)
        return app.export_screenshot(title="ekstui")


async def _until(pilot: Pilot[None], done: Callable[[], bool], what: str) -> None:
    try:
        async with asyncio.timeout(PATIENCE):
            while not done():
                await pilot.pause(0.05)
    except TimeoutError:
        raise SystemExit(f"did not see {what!r} within {PATIENCE} s") from None


def _account_is_known(app: EkstuiApp) -> bool:
    screen = app.screen
    return isinstance(screen, ExplorerScreen) and screen.account.snapshot is not None and screen.account.asking is None


def _text(app: EkstuiApp) -> str:
    """Return what the screen shows, as text."""
    lines = re.findall(r"<text[^>]*>(.*?)</text>", app.export_screenshot())
    return "".join(lines).replace("&#160;", " ")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
