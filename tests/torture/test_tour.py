"""The real app over a hostile account, in its short form; `make torture` sees every screen, copy and export."""

from pathlib import Path

import pytest

from tests.rig.rig import Rig
from tests.support.filled import copy_of_cache
from tests.torture.tour_live import short_tour


@pytest.mark.slow
def test_nothing_of_an_account_reaches_the_terminal_raw(rig: Rig, own_home: Path, filled_cache: Path) -> None:
    copy_of_cache(filled_cache, own_home / "cache")
    result = short_tour(rig, own_home)
    print(result.line())
    assert result.notes == []
