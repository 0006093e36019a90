"""The whole rig: a corrected AWS on loopback with a seeded account, and the environment that leads a program to it."""

import threading
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.rig.account import NOW, REGIONS, Seeded, seed
from tests.rig.catalogue import Catalogue
from tests.rig.isolation import ACCOUNT_ID, access_key, isolated
from tests.rig.proxy import Answers, FaultProxy
from tests.rig.sdk import share_models
from tests.rig.server import CorrectedAws, forget_everything
from tests.rig.world import World, world


class Standing:
    """An account that no test changes, the world as it was when it was seeded, and what AWS answered of both."""

    def __init__(self, account: Seeded, seeding: tuple[object, ...]) -> None:
        self.account = account
        self.seeding = seeding
        self.answers: Answers = {}
        self._size = self._measured()
        self._world = {name: getattr(world, name) for name in World.__slots__}
        self.put_back()

    def put_back(self) -> None:
        """Put the world back to how it was; AssertionError if a test changed the account."""
        assert self._measured() == self._size, "a test changed the account that others share: it should reset the rig"
        for name, value in self._world.items():
            # Tests add to a dict and to the lists in it.
            value_copy = (
                {key: list(items) if isinstance(items, list) else items for key, items in value.items()}
                if isinstance(value, dict)
                else value
            )
            setattr(world, name, value_copy)

    def _measured(self) -> tuple[int, ...]:
        builder = self.account.builder
        clusters = [builder.eks(region).clusters for region in (self.account.home, self.account.away)]
        policies = builder.iam.managed_policies.maps[0]
        attachments = sum(len(role.managed_policies) for role in builder.iam.roles.values())
        return len(builder.iam.roles), len(policies), attachments, *map(len, clusters)


class Rig:
    """A running rig. Only one can be in a process, since moto's accounts are global."""

    def __init__(self, roles: int = 300) -> None:
        share_models()
        self._roles = roles
        self._partition = "aws"
        self._account: Seeded | None = None
        self.seeding: tuple[object, ...] = ()
        """What the account was seeded with, all accounts that were added included."""
        self._standing: Standing | None = None
        self._lock = threading.Lock()
        self.proxy = FaultProxy(CorrectedAws(), lambda: self.account)
        """What stands between a program and AWS; `fail`, `add`, `allow`, `limit` and `latency` make trouble."""

    @property
    def url(self) -> str:
        """Return the endpoint for every service: the proxy's."""
        return self.proxy.url

    @property
    def account(self) -> Seeded:
        """Return the account, seeded when it is first asked for: many tests seed a smaller one, or none."""
        with self._lock:
            if self._account is None:
                self._forget_standing()
                self.seeding = (self._roles, self._partition)
                self._account = seed(self._roles)
            return self._account

    @property
    def world(self) -> World:
        """Return what the services answer from and how they behave; `reset` puts it back."""
        # What a test changes is not seeded over, and answers that were kept do not show it.
        _ = self.account
        self.proxy.kept = None
        return world

    @property
    def catalogue(self) -> Catalogue:
        """Return the AWS managed policies of partition aws, which a test may publish to or withdraw from."""
        return self.world.catalogue("aws")

    def standing(self) -> Seeded:
        """Return the named roles of an account that no test changes: it is seeded, and each question answered, once.

        `world` may be changed, and is put back for the next test.
        """
        if self._standing is None:
            account = self.reset(0)
            self._standing = Standing(account, self.seeding)
        standing = self._standing
        with self._lock:
            standing.put_back()
            self._partition, self._account, self.seeding = "aws", standing.account, standing.seeding
        self.proxy.kept = standing.answers
        return standing.account

    def reset(
        self, roles: int | None = None, *, partition: str = "aws", hostile: bool = False, now: datetime = NOW
    ) -> Seeded:
        """Seed the account anew, with everything that tests changed put back."""
        self.forget()
        role_count = self._roles if roles is None else roles
        with self._lock:
            self._forget_standing()
            self._partition = partition
            self.seeding = (role_count, partition, hostile, now)
            self._account = seed(role_count, partition=partition, hostile=hostile, now=now)
            return self._account

    def forget(self) -> None:
        """Put back everything that tests changed; the account is seeded anew when it is needed."""
        self.proxy.clear()
        with self._lock:
            if self._standing is None or any(catalogue.changed for catalogue in world.catalogues.values()):
                self._standing = None
                forget_everything()
            self._partition, self._account = "aws", None

    def _forget_standing(self) -> None:
        if self._standing is not None:
            self._standing = None
            forget_everything()

    def add_account(self, account_id: str, roles: int) -> Seeded:
        """Seed another account beside the first; `environment(account_id=…)` leads to it."""
        partition = self.account.builder.partition
        self._standing = self.proxy.kept = None
        self.seeding = (*self.seeding, account_id, roles)
        return seed(roles, account_id=account_id, partition=partition)

    def environment(self, home: Path, *, account_id: str = ACCOUNT_ID, region: str | None = None) -> dict[str, str]:
        """Return the variables that lead a program, ekstui or another, to the rig and to files of its own in `home`."""
        return isolated(home) | {
            "AWS_ACCESS_KEY_ID": access_key(account_id),
            "AWS_ENDPOINT_URL": self.url,
            "AWS_DEFAULT_REGION": region or REGIONS[self._partition][0],
        }

    def close(self) -> None:
        """Stop serving and forget the account."""
        self.proxy.close()
        forget_everything()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
