"""A tour of the real app in a pseudo-terminal over hostile text, every screen, copy and export of it.

With Textual's own driver, which lets everything through: what is clean then was clean before it came to a driver. `python -m tests.torture.tour` prints what came of it.
"""

import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from unittest import mock

from tests.rig.isolation import isolated
from tests.rig.rig import Rig
from tests.support.filled import fill_cache
from tests.torture.hostile import Tried, account, policy, run, toml
from tests.torture.tour_live import live_tour
from tests.torture.touring import SPOKEN, TEXT, app

COMPARE = "AmazonEKS_CNI_Policy@v6..v99"


def prepare(home: Path) -> None:
    """Make a home whose cache has a hostile version, whose settings are hostile, and an account file beside it."""
    (home / "sync").mkdir(parents=True)
    fill_cache(home / "cache")
    version = {"PolicyVersion": {"Document": policy(TEXT), "VersionId": "v99", "IsDefaultVersion": True}}
    (home / "sync" / "AmazonEKS_CNI_Policy@v99.json").write_text(json.dumps(version))
    (home / "account.json").write_text(json.dumps(account(TEXT)))
    with mock.patch.dict(os.environ, isolated(home)):
        _, err, code = run(["sync", "--from", str(home / "sync")], "")
    assert code == 0, err
    settings = f"{toml(TEXT)} = 1\n[keys]\n{toml(TEXT)} = {toml(TEXT)}\n"
    (home / "config.toml").write_text(settings)


def tour(home: Path, driver: str, *, takes_out: bool) -> Tried:
    """See the screens over the hostile version and the hostile account file, with all copies and exports if wanted."""
    result = Tried(strings=1)
    env = {**isolated(home), "EKSTUI_DRIVER": driver}
    with app(home, [COMPARE, "--account-file", str(home / "account.json")], result, env) as at:
        at.takes_out = takes_out
        at.see("settings, comparison by meaning")
        at.see("comparison, unified", "v", "")
        at.see("comparison, unified, end", "G", SPOKEN)
        at.see("comparison, side by side", "vG", SPOKEN)
        at.see("comparison, swapped", "o", "v99 → v6 · +")  # what can be copied is known once it has been compared
        at.copies("comparison, copy")
        at.exports("comparison, export")
        at.see("permissions", "\x1b\x1b2", "Permissions")
        at.see("permissions, open", "\r\r\x1b[B\r", "")
        at.see("permissions, end", "zG\r", "")
        at.see("permissions, back", "z", "Policies")
        at.copies("permissions, copy")
        at.exports("version, export", 4)
        at.see("versions", "3G", "v99")
        at.see("table", "t", "Actions allowed")
        at.see("table, open", "gG\r", "An action")
        at.see("table, end", "G", "")
        at.copies("table, copy")
        at.exports("table, export")
    with app(home, ["AmazonEKSClusterPolicy", "--account-file", str(home / "account.json")], result, env) as at:
        at.takes_out = takes_out
        at.see("attached", "", "4 Attached · 1234")
        at.see("attached", "4z", SPOKEN)
        at.copies("attached, copy")
        at.see("role", "g\r", "Findings")
        at.see("role, end", "G", "")
        at.see("role, permissions", "v", "")
        at.see("role, trust policy", "v", "sts:AssumeRole")
        at.copies("role, copy")
        at.exports("role, export")
    return result


def main() -> int:
    """Make the tours with each driver, and print what came of them."""
    failure_count = 0
    with tempfile.TemporaryDirectory() as folder, Rig(0) as rig:
        home = Path(folder) / "home"
        prepare(home)
        tours: tuple[tuple[str, Callable[[], Tried]], ...] = (
            ("files, Textual's driver", lambda: tour(home, "plain", takes_out=True)),
            ("files, the app's own driver", lambda: tour(home, "ours", takes_out=False)),
            ("a live account, Textual's driver", lambda: live_tour(rig, home, "plain")),
        )
        for name, made in tours:
            begun = perf_counter()
            result = made()
            failure_count += len(result.notes)
            print(f"{name}: {result.line()}, {perf_counter() - begun:.0f} s", *result.notes, sep="\n  ", flush=True)
    return 1 if failure_count else 0


if __name__ == "__main__":
    sys.exit(main())
