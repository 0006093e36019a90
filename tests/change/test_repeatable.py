"""A comparison at its limit of work says the same in every process, whatever that compared before."""

import os
import subprocess
import sys

from tests.support.terminal import ROOT

# So little work that most of these pairs reach the limit, each at a step of its own.
COMPARE = """
import sys
from ekstui.change.comparison import changes
from ekstui.iam.document import parse
from ekstui.iam.grants import Effort
from tests.torture.worst_documents import document

Effort.__init__.__defaults__ = (100,)
shapes = ("networks", "values with NotAction and NotResource", "the same, some denied")
pairs = [(shape, seed) for shape in shapes for seed in range(1, 5)]
for shape, seed in sorted(pairs, reverse=sys.argv[1] == "backwards"):
    change = changes(parse(document(shape, 900, seed)), parse(document(shape, 800, seed)))
    print(shape, seed, change.reach, change.denies, change.denied, change.verdict, change.notes)
"""


def _answers(seed: str, order: str) -> list[str]:
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    command = (sys.executable, "-c", COMPARE, order)
    return sorted(
        subprocess.run(
            command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True, timeout=120
        ).stdout.splitlines()
    )


def test_the_limit_of_work_is_reached_at_the_same_step() -> None:
    answers = _answers("0", "forwards")
    assert len(answers) == 12
    assert any("unknown" in answer for answer in answers)
    assert _answers("1", "backwards") == answers
