"""The demo account: AWS is not asked, nothing is written, and recent times stay recent."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ekstui import paths
from ekstui.errors import AccountError
from ekstui.library import AccountChoice, Library
from ekstui.library.syncing import sync
from ekstui.sources.account_file import demo_account
from tests.cli.test_commands import ekstui
from tests.rig.isolation import ACCOUNT_ID


@pytest.fixture
def demo() -> Library:
    return Library.open(AccountChoice(demo=True, offline=True))


def test_the_account_is_nobody_s() -> None:
    text = repr(demo_account(datetime.now(UTC)))
    assert "111122223333" in text
    assert ACCOUNT_ID not in text
    assert "127.0.0.1" not in text
    assert (paths.assets() / "demo.json.xz").stat().st_size < 60_000


def test_what_was_lately_stays_lately_and_what_is_old_stays_where_it_was() -> None:
    now, later = datetime(2026, 12, 1, tzinfo=UTC), datetime(2031, 12, 1, tzinfo=UTC)
    one, other = demo_account(now), demo_account(later)
    assert one.fetched_at == now
    used = [
        (a.last_used, b.last_used) for a, b in zip(one.roles, other.roles, strict=True) if a.last_used and b.last_used
    ]
    assert used
    assert all(b - a == later - now for a, b in used)
    created = {cluster.name: cluster.created for cluster in other.eks.clusters} if other.eks else {}
    assert any(moment and later - moment > timedelta(days=1500) for moment in created.values())


def test_it_never_asks_aws(demo: Library) -> None:
    assert demo.account.is_set_up
    assert demo.account.refresh().identity.profile == "DEMO"
    with pytest.raises(AccountError, match="never asks AWS"):
        demo.account.connection()
    with pytest.raises(AccountError, match="never asks AWS"):
        sync(demo)


def test_commands_answer_and_write_nothing(own_home: Path) -> None:
    before = sorted(own_home.rglob("*"))
    cluster = ekstui("cluster", "prod", "--demo").stdout
    assert "problem  prod-cloudwatch" in cluster
    assert "KarpenterNodeRole-prod" in ekstui("attached", "AmazonEKS_CNI_Policy", "--demo").stdout
    assert "prod-node" in ekstui("who-can", "ec2:CreateTags", "--demo").stdout
    message = (
        "User: arn:aws:sts::111122223333:assumed-role/prod-node/i-0123456789abcdef0 is not authorized to perform: "
        "iam:CreateUser because no identity-based policy allows the iam:CreateUser action"
    )
    assert "judged by  all of arn:aws:iam::111122223333:role/prod-node" in ekstui("explain", message, "--demo").stdout
    counts = {line.split()[0]: line.split()[-3:] for line in ekstui("clusters", "--demo").stdout.splitlines() if line}
    assert counts["prod"] == ["4", "8", "2"]
    assert sorted(own_home.rglob("*")) == before
