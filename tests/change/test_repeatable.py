"""A comparison at its limit of work says the same in every process, whatever that compared before."""

import json
import os
import subprocess
import sys

from tests.support.effort import EFFORT
from tests.support.patience import PATIENCE
from tests.support.terminal import ROOT

# So little work that most of these pairs reach the limit, each at a step of its own.
COMPARE = """
import json
import sys
from ekstui.change.comparison import changes
from ekstui.iam.document import parse
from ekstui.iam.grants import Effort
from tests.torture.worst_documents import document

Effort.__init__.__defaults__ = (100,)
for shape, seed in json.loads(sys.argv[1]):
    change = changes(parse(document(shape, 900, seed)), parse(document(shape, 800, seed)))
    print(shape, seed, change.reach, change.denies, change.denied, change.verdict, change.notes)
"""
NETWORKS, VALUES, DENIED = "networks", "values with NotAction and NotResource", "the same, some denied"
PAIRS = (
    [(NETWORKS, 2), (DENIED, 2), (DENIED, 3)]
    if EFFORT == 1
    else [(shape, seed) for shape in (NETWORKS, VALUES, DENIED) for seed in range(1, 5)]
)


def _answers(hash_seed: str, pairs: list[tuple[str, int]]) -> list[str]:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    command = (sys.executable, "-c", COMPARE, json.dumps(pairs))
    return sorted(
        subprocess.run(
            command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True, timeout=PATIENCE
        ).stdout.splitlines()
    )


def test_the_limit_of_work_is_reached_at_the_same_step() -> None:
    answers = _answers("0", PAIRS)
    assert len(answers) == len(PAIRS)
    assert sum("unknown" in answer for answer in answers) > len(PAIRS) / 4
    assert _answers("1", PAIRS[::-1]) == answers
