"""The fault matrix in its short form; `make torture` meets every fault at every call."""

from pathlib import Path

import pytest

from tests.rig.rig import Rig
from tests.torture.faults import SHORT, Cell, cells, held_cells, in_app

pytestmark = pytest.mark.usefixtures("own_filled_cache")


def wrong_cells(list_of_cells: list[Cell]) -> list[Cell]:
    print(f"{len(list_of_cells)} cells, {sum(bool(cell.wrong) for cell in list_of_cells)} wrong")
    return [cell for cell in list_of_cells if cell.wrong]


@pytest.mark.slow
def test_commands_say_what_failed_and_no_false_zero(rig: Rig, own_home: Path) -> None:
    assert (
        wrong_cells(
            [
                *cells(rig, own_home, SHORT[:2], ["captive portal"]),
                *cells(rig, own_home, SHORT[2:], ["escape sequences"]),
            ]
        )
        == []
    )


@pytest.mark.slow
def test_the_app_says_what_failed_and_how_old_what_it_shows_is(rig: Rig, own_home: Path) -> None:
    assert wrong_cells([*in_app(rig, own_home, SHORT[1:2], ["denied"])]) == []


def test_a_cluster_that_is_gone_when_its_parts_are_asked_for_is_no_error_of_ours(rig: Rig, own_home: Path) -> None:
    garbled_cells = [*cells(rig, own_home, (("eks", "ListClusters"),), ["bad XML"])]
    assert wrong_cells(garbled_cells) == []


@pytest.mark.slow
def test_what_has_a_wrong_shape_is_said_and_never_taken_for_none(rig: Rig, own_home: Path) -> None:
    """botocore reads text in the place of a list in XML as an empty list."""
    assert wrong_cells([*held_cells(rig, own_home, ["iam:ListEntitiesForPolicy"], ["numbers for lists"])]) == []
    assert wrong_cells([*held_cells(rig, own_home, ["eks:ListNodegroups"], ["no lists"])]) == []
