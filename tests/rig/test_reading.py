"""An account that stays as it is seeded is read once, any other each time."""

from ekstui.library import AccountChoice
from ekstui.library.own_account import Account
from tests.rig.rig import Rig


def test_an_account_is_read_again_where_it_was_seeded_otherwise_or_the_rig_makes_trouble(lasting_rig: Rig) -> None:
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
    lasting_rig.proxy.fail("denied", "iam")
    assert read() == (0, True)
