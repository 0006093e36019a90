"""The bytes that the app sends stay within what a thin line bears; `make bench` prints the same table."""

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from tests.tools.bench.sent_bytes import NARROW, WIDE, Sent, sent_bytes

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def process() -> Iterator[ProcessPoolExecutor]:
    """A process of its own: a style of Rich keeps the codes of the first terminal or picture that it was drawn for."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        yield executor


def _sent_with(environ: Mapping[str, str], size: tuple[int, int]) -> list[Sent]:
    os.environ.update(environ)
    return sent_bytes(size)


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=lambda size: f"{size[0]}x{size[1]}")
def test_bytes_stay_within_their_limits(
    size: tuple[int, int], process: ProcessPoolExecutor, own_filled_cache: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The longest codes of colours.
    monkeypatch.setenv("COLORTERM", "truecolor")
    figures = process.submit(_sent_with, dict(os.environ), size).result()
    assert figures
    assert [figure for figure in figures if figure.bytes > figure.limit] == [], figures
    # Nothing comes of nothing, and something of all else.
    assert [bool(figure.bytes) for figure in figures] == [bool(figure.limit) for figure in figures], figures
