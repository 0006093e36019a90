"""Whether a change allows more or fewer requests: those allowed, minus those denied, on each side.

`touched` finds the actions concerned. `coverage` proves, within a limit of work, that nothing is lost. `witness` proves
that something is gained, by finding a request that is `feasible` and consistent with the table in `dependent_keys`.
`judgement` combines the proofs, and `wording` puts the result into words.
"""

from ekstui.core.reach.judgement import Judgement as Judgement
from ekstui.core.reach.judgement import Outcome as Outcome
from ekstui.core.reach.judgement import notes_on as notes_on
from ekstui.core.reach.judgement import reach_between as reach_between
from ekstui.core.reach.wording import Names as Names
from ekstui.core.reach.wording import verdict_on as verdict_on
