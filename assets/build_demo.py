"""Make assets/demo.json.xz: the made-up account of `ekstui --demo`, as ekstui reads it from the tests' AWS; and
demo-last-used.json.xz, what its roles and policies were last used for.

    python -m assets.build_demo

All of it is made up: names, clusters and findings come from tests/rig, which serves them over HTTP, and pods from
demo_kubernetes.py, the last use from demo_last_use.py.
"""

import json
import lzma
import os
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

from assets.demo_kubernetes import with_kubernetes
from assets.demo_last_use import reports
from ekstui.eks.account_snapshot import AccountSnapshot
from ekstui.files import to_record
from ekstui.library import AccountChoice, Library
from ekstui.library.cluster_facts import with_cluster
from ekstui.sources.aws.clusters import read_entries
from ekstui.sources.aws.connection import Connection
from ekstui.sources.aws.iam import sweep_account
from tests.rig.rig import Rig

ASSETS = Path(__file__).resolve().parent
ACCOUNT = "111122223333"
"""An account number that AWS's documentation uses in examples."""

ODD = ("--help", "x", "we+ird=,.@-_name", "prod")
"""Roles with names that only make sense in tests, and are left out."""


def main() -> int:
    """Read the tests' account and write it."""
    with tempfile.TemporaryDirectory() as home, Rig(0) as rig:
        os.environ.update(rig.environment(Path(home)))
        connection = Connection()
        snapshot = sweep_account(connection)
        # Their access policies are read only when a cluster is shown, which asks nothing in the demo.
        for cluster in snapshot.eks.clusters if snapshot.eks else ():
            snapshot = with_cluster(snapshot, read_entries(connection, cluster)[0])
    snapshot = with_kubernetes(_without(snapshot, ODD))
    # The tests' AWS makes every role today.
    created = snapshot.fetched_at - timedelta(days=420)
    roles = (role._replace(created=created) if role.last_used else role for role in snapshot.roles)
    snapshot = snapshot._replace(roles=tuple(roles))
    identity = snapshot.identity._replace(method="demo", profile="DEMO", endpoint=None)
    mask = rig.account.builder.account_id
    _write("demo.json.xz", to_record(snapshot._replace(identity=identity)), mask)
    attached_arns = {policy.arn for role in snapshot.roles for policy in role.attached}
    defaults = {
        arn: policy.document
        for arn, policy in Library.open(AccountChoice(offline=True)).default_versions(attached_arns).items()
    }
    by_arn = {report.arn: to_record(report) for report in reports(snapshot, defaults)}
    _write("demo-last-used.json.xz", {"fetched_at": to_record(snapshot.fetched_at), "reports": by_arn}, mask)
    return 0


def _write(name: str, record: object, mask: str) -> None:
    """Write a value, with the number of the demo's account in place of that of the tests'."""
    text = json.dumps(record, separators=(",", ":"), sort_keys=True).replace(mask, ACCOUNT)
    archive = lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME)
    (ASSETS / name).write_bytes(archive)
    print(f"{name}: {len(archive):,} bytes packed", file=sys.stderr)


def _without(snapshot: AccountSnapshot, names: tuple[str, ...]) -> AccountSnapshot:
    """Return the account without some roles, also in its counts."""
    roles_to_drop = [role for role in snapshot.roles if role.name in names]
    counts = dict(snapshot.counts or {})
    for role in roles_to_drop:
        for policy in role.attached:
            if policy.arn in counts:
                counts[policy.arn] = counts[policy.arn]._replace(attachments=counts[policy.arn].attachments - 1)
    return snapshot._replace(counts=counts, roles=tuple(role for role in snapshot.roles if role not in roles_to_drop))


if __name__ == "__main__":
    sys.exit(main())
