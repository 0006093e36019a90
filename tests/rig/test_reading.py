"""An account that stays as it is seeded is read once, any other each time."""

from ekstui.library import AccountChoice
from ekstui.library.own_account import Account
from tests.rig.rig import Rig


def test_an_account_is_read_again_where_it_was_seeded_otherwise_or_other_calls_fail(lasting_rig: Rig) -> None:
    def read() -> tuple[int, bool]:
        """Return how many roles there are, and whether more than who asks was read of AWS."""
        lasting_rig.proxy.calls.clear()
        snapshot = Account.chosen(AccountChoice()).refresh()
        return len(snapshot.roles), set(lasting_rig.proxy.counts()) > {"sts:GetCallerIdentity"}

    lasting_rig.reset(0)
    roles, _ = read()
    assert read() == (roles, False)
    lasting_rig.reset(roles + 1)
    assert read() == (roles + 1, True)
    lasting_rig.reset(0)
    assert read() == (roles, False)
    lasting_rig.proxy.fail("denied", "i*m")  # as no other test says it, which could have read it before
    assert read() == (0, True)
    assert read() == (0, False)
    lasting_rig.proxy.fail("denied", "eks", nth=2)
    assert read() == (0, True)
    assert read() == (0, True)
    lasting_rig.proxy.clear()
    assert read() == (roles, False)
