"""The app over hostile text, each driver once."""

from pathlib import Path

import pytest

from tests.torture.tour import prepare, tour


@pytest.mark.slow
@pytest.mark.parametrize("driver", ["plain"])
def test_nothing_hostile_reaches_the_terminal_the_clipboard_or_a_file(own_home: Path, driver: str) -> None:
    home = own_home / "tour"
    prepare(home)
    tried = tour(home, driver, {})
    print(tried.line())
    assert tried.notes == []
