"""Take the pictures in this folder from the real app, on the real corpus, with the account of `ekstui --demo`.

    python screenshots/take.py [NAME ...]

Each scene becomes an SVG; where `rsvg-convert` is installed (Debian: librsvg2-bin, fonts-firacode, pngquant), a PNG as well.
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
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent))

from textual.pilot import Pilot  # noqa: E402
from textual.screen import Screen  # noqa: E402

from ekstui.library import AccountChoice, Library  # noqa: E402
from ekstui.library.maintenance import fill_cache, index_cache  # noqa: E402
from ekstui.tui.app import EkstuiApp  # noqa: E402
from ekstui.tui.screens.account_screen import AccountScreen  # noqa: E402
from ekstui.tui.screens.card_screens import ActionScreen, CardScreen  # noqa: E402
from ekstui.tui.screens.changes_screen import ChangesScreen  # noqa: E402
from ekstui.tui.screens.cluster_screens import ClusterMapScreen, ClusterScreen  # noqa: E402
from ekstui.tui.screens.compare_screen import CompareScreen  # noqa: E402
from ekstui.tui.screens.dialogs import ChooserScreen, SaveScreen, TooSmallScreen  # noqa: E402
from ekstui.tui.screens.explain_screen import ExplainScreen  # noqa: E402
from ekstui.tui.screens.explorer_screen import ExplorerScreen  # noqa: E402
from ekstui.tui.screens.help_screen import HelpScreen  # noqa: E402
from ekstui.tui.screens.matrix_screen import MatrixScreen  # noqa: E402
from ekstui.tui.screens.palette_screen import PaletteScreen  # noqa: E402
from ekstui.tui.screens.pod_screen import PodScreen  # noqa: E402
from ekstui.tui.screens.role_screen import RoleScreen  # noqa: E402
from ekstui.tui.screens.theme_screen import ThemeScreen  # noqa: E402
from ekstui.tui.screens.who_can_screen import WhoCanScreen  # noqa: E402

WIDE, NARROW, SMALL = (120, 40), (80, 24), (60, 15)
PATIENCE = 60
"""Seconds that a scene may take to settle."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One thing to see: the screen it shows, the keys that lead to it, and a word to wait for before it is taken."""

    name: str
    screen: type[Screen[Any]]
    keys: tuple[str, ...]
    shows: str
    sizes: tuple[tuple[int, int], ...] = (WIDE, NARROW)
    theme: str = "textual-dark"

    def picture(self, size: tuple[int, int]) -> str:
        """Return the name of the picture at a size; that of the wide terminal is the scene's own."""
        return self.name if size == WIDE else f"{self.name}-{size[0]}x{size[1]}"


_TO_SHIELD = (
    "slash", *"EKSLoadBalancing", "enter", "wait:1 of 5", "3", "wait:2026-08-20", "j", "j", "j", "j", "enter", "wait:meaning",
)  # fmt: skip

_AREA = "control\N{NO-BREAK SPACE}plane"

_CLUSTER = ("c", "wait:legacy", *"prod", "enter")

_QUESTION = "policy:AmazonEBSCSIDriverPolicyV2 ec2:DeleteVolume arn:aws:ec2:eu-central-1:123456789012:volume/vol-1"

_WHO_CAN = ("w", "wait:Type an action", *"ec2:CreateTags", "wait:enter asks", "enter")

_MARKED = ("space", "j", "space", *("j",) * 6, "space")

_CLUSTER_POLICY = ("j",) * 5
"""From the first of the nodes' policies to the first of the cluster's."""

_PERMISSIONS = (*_CLUSTER_POLICY, "enter", "wait:autoscaling")

_ROLE = (*_CLUSTER_POLICY, "4", "wait:prod-cluster", "j", "enter")

_TWO = "diff AmazonEBSCSIDriverPolicy AmazonEBSCSIDriverPolicyV2"

SCENES = (
    Scene("explorer", ExplorerScreen, _PERMISSIONS, "kms"),
    Scene("explorer", ExplorerScreen, ("j",), "AmazonEKSWorkerNodePolicy", (SMALL,)),
    Scene("explorer-light", ExplorerScreen, _PERMISSIONS, "kms", (WIDE,), "textual-light"),
    Scene("explorer-16-colours", ExplorerScreen, _PERMISSIONS, "kms", (WIDE,), "ansi-dark"),
    Scene("versions", ExplorerScreen, (*_CLUSTER_POLICY, "3"), "no change", (NARROW,)),
    Scene("attached", ExplorerScreen, (*_CLUSTER_POLICY, "4", "j"), "prod-cluster", (NARROW,)),
    Scene("compare-meaning", CompareScreen, _TO_SHIELD, "shield:CreateProtection"),
    Scene("compare-light", CompareScreen, _TO_SHIELD, "shield:CreateProtection", (WIDE,), "textual-light"),
    Scene("compare-unified", CompareScreen, (*_TO_SHIELD, "v"), "unfolds"),
    Scene("compare-side-by-side", CompareScreen, (*_TO_SHIELD, "v", "wait:unfolds", "v"), "side by side"),
    Scene("role", RoleScreen, _ROLE, "Trust: who may assume it"),
    Scene("role-light", RoleScreen, _ROLE, "Trust: who may assume it", (WIDE,), "textual-light"),
    Scene("cluster", ClusterScreen, _CLUSTER, _AREA),
    Scene(
        "cluster-map",
        ClusterMapScreen,
        (*_CLUSTER, f"wait:{_AREA}", "v", "wait:cluster role", "j", "j", "right"),
        "attached, AWS",
    ),
    Scene("pod", PodScreen, ("ctrl+p", *"shop/web", "wait:4 pods", "enter"), "annotation that EKS does not read"),
    Scene("who-can", WhoCanScreen, _WHO_CAN, "AmazonEKSClusterPolicy"),
    Scene(
        "action",
        ActionScreen,
        ("2", "wait:Tag ", "slash", *"CreateTags", "enter", "j", "enter"),
        "Resource types",
    ),
    Scene("explain", ExplainScreen, ("x", "wait:Paste the message", *_QUESTION, "enter"), "nearest statements"),
    Scene("account", AccountScreen, ("a",), "This account is made up"),
    Scene("matrix", MatrixScreen, (*_MARKED, "t", "wait:ec2", "j", "enter"), "An action"),
    Scene("compare-two", CompareScreen, ("ctrl+p", *_TWO, "wait:PolicyV2", "wait:comparison", "enter"), "AttachVolume"),
    Scene(
        "changes",
        ChangesScreen,
        ("f", "wait:30 days", "p", "p", "wait:a year", "wait:AmazonEKSNetworkingPolicy"),
        "26Q",
    ),
    Scene("theme", ThemeScreen, ("T", "down"), "solarized-dark"),
    Scene("help", HelpScreen, ("question_mark",), "What may it do"),
    Scene("palette", PaletteScreen, ("ctrl+p", *"node"), "prod-node"),
    Scene("card", CardScreen, ("ctrl+p", *"waiting for IPAM", "wait:Checking", "enter"), "Checking"),
    Scene("copy", ChooserScreen, ("j", "y"), "y chooses"),
    Scene("save", SaveScreen, ("j", "e", "wait:Terraform", "enter"), "enter saves"),
    Scene("too-small", TooSmallScreen, (), "needs", ((50, 12),)),
)


def main(names: list[str]) -> int:
    """Take the pictures that are named, by their own names or their scenes', or all of them."""
    pictures = {scene.picture(size): (scene, size) for scene in SCENES for size in scene.sizes}
    unknown = set(names) - set(pictures) - {scene.name for scene in SCENES}
    if unknown:
        print(f"no such scene: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as home:
        os.environ.update(HOME=home, XDG_CACHE_HOME=f"{home}/cache", XDG_CONFIG_HOME=f"{home}/config")
        # The header would tell of the filling.
        library = Library.open()
        fill_cache(library)
        index_cache(library)
        for name, (scene, size) in pictures.items():
            if not names or name in names or scene.name in names:
                take(scene, size)
                print(name, flush=True)
    return 0


def take(scene: Scene, size: tuple[int, int]) -> None:
    """Run the app, press the keys, wait for the word, and write the picture."""
    svg = asyncio.run(_svg(scene, size))
    name = scene.picture(size)
    if prefix := re.search(r"terminal-\d+", svg):
        # A picture stays the same when the screen does.
        svg = svg.replace(prefix[0], f"terminal-{name}")
    path = FOLDER / f"{name}.svg"
    path.write_text(svg, encoding="utf-8")
    if shutil.which("rsvg-convert"):
        # librsvg drops leading spaces unless they are said to count.
        spaced_svg = svg.replace("<text ", '<text xml:space="preserve" ')
        png = str(path.with_suffix(".png"))
        subprocess.run(["rsvg-convert", "-o", png, "-"], input=spaced_svg.encode(), check=True)
        if shutil.which("pngquant"):
            # A screen has a few colours and their blends: a palette holds them in a third of the bytes.
            subprocess.run(["pngquant", "--force", "--strip", "--output", png, "64", png], check=True)


async def _svg(scene: Scene, size: tuple[int, int]) -> str:
    app = EkstuiApp(Library.open(AccountChoice(demo=True, offline=True)))
    app.theme = scene.theme
    async with app.run_test(size=size) as pilot:
        await _until(pilot, lambda: _account_is_known(app), "the account")
        for key in scene.keys:
            if key.startswith("wait:"):
                word = key.removeprefix("wait:")
                await _until(pilot, lambda word=word: word in _text(app), word)  # type: ignore[misc]
            else:
                await pilot.press(key)
        await _until(pilot, lambda: scene.shows in _text(app) and isinstance(app.screen, scene.screen), scene.shows)
        await pilot.pause(0.5)
        return app.export_screenshot(title="ekstui")


async def _until(pilot: Pilot[None], done: Callable[[], bool], condition_in_words: str) -> None:
    try:
        async with asyncio.timeout(PATIENCE):
            while not done():
                await pilot.pause(0.05)
    except TimeoutError:
        raise SystemExit(f"did not see {condition_in_words!r} within {PATIENCE} s") from None


def _account_is_known(app: EkstuiApp) -> bool:
    screen = app.screen_stack[0]
    return isinstance(screen, ExplorerScreen) and screen.account.snapshot is not None and screen.account.asking is None


def _text(app: EkstuiApp) -> str:
    """Return what the screen shows, as text."""
    lines = re.findall(r"<text[^>]*>(.*?)</text>", app.export_screenshot())
    return "".join(lines).replace("&#160;", " ")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
