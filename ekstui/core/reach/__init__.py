"""Whether a change lets more or fewer requests through: the requests allowed, Allow minus Deny, on either side.

`touched` says of which actions that has to be asked, `coverage` proves that nothing is lost, `witness` proves that
something is gained by finding a request among those that are `feasible`, with keys that agree by the table in `bonds`;
`effort` limits the work, `wording` and `phrases` put the outcome into words.
"""

from ekstui.core.reach.judgement import Judgement as Judgement
from ekstui.core.reach.judgement import Outcome as Outcome
from ekstui.core.reach.judgement import reach_between as reach_between
from ekstui.core.reach.phrases import Names as Names
from ekstui.core.reach.wording import notes_on as notes_on
from ekstui.core.reach.wording import verdict_on as verdict_on
