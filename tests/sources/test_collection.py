"""A path that is not an archive is refused in one sentence."""

from pathlib import Path

import pytest

from ekstui.errors import InputError
from ekstui.sources.archives import read_collection


@pytest.mark.parametrize("name", ["x" * 10_000, "a\0b", "nowhere", "\x1b[2J"])
def test_a_path_that_leads_nowhere_is_a_sentence(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError):
        read_collection(tmp_path / name, {})
