"""Whether a change lets more or fewer requests through: the requests allowed, Allow minus Deny, on either side.

`touched` says which actions that concerns, `coverage` proves that nothing is lost within a limit of work, `witness`
proves that something is gained by finding a request among those that are `feasible`, with keys that agree by the table
in `bonds`; `wording` puts the outcome into words.
"""

from ekstui.core.reach.judgement import Judgement as Judgement
from ekstui.core.reach.judgement import Outcome as Outcome
from ekstui.core.reach.judgement import reach_between as reach_between
from ekstui.core.reach.wording import Names as Names
from ekstui.core.reach.wording import notes_on as notes_on
from ekstui.core.reach.wording import verdict_on as verdict_on
