"""The bytes that the app sends stay within what a thin line bears; `make bench` prints the same table."""

from pathlib import Path

import pytest

from tests.tools.bench.subject import warm
from tests.tools.bench.traffic import BYTES, Row

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder: Path = tmp_path_factory.mktemp("bench")
    warm(folder)
    return {"EKSTUI_CACHE": str(folder), "EKSTUI_STATE": str(folder), "EKSTUI_CONFIG": str(folder / "config.toml")}


@pytest.mark.parametrize("row", BYTES, ids=lambda row: f"{row.name} {row.subject.columns}x{row.subject.rows}")
def test_bytes_stay_within_their_limit(row: Row, env: dict[str, str]) -> None:
    assert row.limit is not None
    sent = row.value(env)
    assert sent <= row.limit
    assert sent > 0 or not row.limit, "nothing came of the keys"
