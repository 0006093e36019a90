"""Hostile text through every command and the app, in its short form; `make torture` tries each string by itself."""

from pathlib import Path

import pytest

from tests.torture.hostile import commands


@pytest.mark.slow
def test_nothing_that_commands_read_comes_out_raw(tmp_path: Path, filled_cache: Path) -> None:
    result = commands(tmp_path, filled_cache, ["all at once"], each_form=False)
    print(result.line())
    assert result.notes == []
