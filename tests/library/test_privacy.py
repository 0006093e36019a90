"""What is stored of an account is readable by its owner alone, and gone when it is deleted."""

import os
import stat
from pathlib import Path

import pytest

from ekstui.cli.main import main
from tests.rig.isolation import ACCOUNT_ID
from tests.rig.rig import Rig

PRIVATE = 0o077


def traces(home: Path, text: str) -> list[Path]:
    """Every file below the home whose name or content has a text."""
    return [
        path
        for path in sorted(home.rglob("*"))
        if text in path.name or (path.is_file() and text.encode() in path.read_bytes())
    ]


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_an_account_leaves_files_of_its_owner_and_no_trace_once_it_is_cleared(
    rig: Rig, own_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], umask: int
) -> None:
    rig.standing()
    monkeypatch.setenv("EKSTUI_LOG", "1")
    before = os.umask(umask)
    try:
        assert main(["attached", "AmazonEKSClusterPolicy"]) == 0
        assert main(["cluster", "prod"]) == 0
    finally:
        os.umask(before)
    role = min(rig.account.roles_with("AmazonEKSClusterPolicy"))
    paths = traces(own_home, ACCOUNT_ID)
    assert paths
    assert list((own_home / "cache" / "accounts").glob("*.db"))
    for path in {*paths, *(path.parent for path in paths), own_home / "state" / "ekstui.log", own_home / "state"}:
        assert stat.S_IMODE(path.stat().st_mode) & PRIVATE == 0 or path == own_home / "cache", path
    assert traces(own_home / "state", ACCOUNT_ID) == []
    assert main(["cache", "clear", "--account", ACCOUNT_ID]) == 0
    assert traces(own_home, ACCOUNT_ID) == []
    assert traces(own_home, role) == []
    assert list((own_home / "cache" / "accounts").iterdir()) == []


@pytest.mark.parametrize("fault", ["a link", "somebody else's"])
def test_a_folder_that_others_rule_is_not_used(
    rig: Rig, own_home: Path, capsys: pytest.CaptureFixture[str], fault: str
) -> None:
    rig.standing()
    folder = own_home / "cache" / "accounts"
    folder.parent.mkdir()
    if fault == "a link":
        (own_home / "elsewhere").mkdir()
        folder.symlink_to(own_home / "elsewhere")
    else:
        folder.mkdir(mode=0o700)
        if os.geteuid() != 0:
            pytest.skip("only root can give a folder away")
        os.chown(folder, 65534, 65534)
    main(["attached", "AmazonEKSClusterPolicy"])
    assert list(folder.iterdir()) == []
    assert traces(own_home, ACCOUNT_ID) == []
