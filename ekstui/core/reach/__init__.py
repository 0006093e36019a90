"""Whether a change lets more or fewer requests through: the requests allowed, Allow minus Deny, on either side.

`predicates` reads condition lines and `patterns` their values, `coverage` proves that nothing is lost, `witness` proves that something is gained
by finding a request, `touched` says for which actions that has to be asked, `wording` puts the outcome into words, with the `phrases` for one action.
"""

from ekstui.core.reach.judgement import Judgement as Judgement
from ekstui.core.reach.judgement import Outcome as Outcome
from ekstui.core.reach.judgement import reach_between as reach_between
from ekstui.core.reach.phrases import Names as Names
from ekstui.core.reach.wording import notes_on as notes_on
from ekstui.core.reach.wording import verdict_on as verdict_on
