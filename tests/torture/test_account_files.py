"""Account files and stored snapshots with anything in them give values or one of our errors; EKSTUI_TORTURE=20 tries more."""

import contextlib
import copy
import json
import random
from pathlib import Path
from typing import Any

from ekstui.eks.trust import trust_in_words, trust_word
from ekstui.eks.uses import attachments_with_uses, uses_in
from ekstui.errors import InputError
from ekstui.sources.account_file import read_account_file
from ekstui.store.accounts import StoreError, load, store
from ekstui.store.objects import ObjectFile
from tests.support.account_files import POLICY, TRUST, account_page, role_json
from tests.support.accounts import snapshot
from tests.support.effort import EFFORT

SCRAPS: list[Any] = [
    None, 0, -1, 3.5, True, "", [], {}, "x", "arn:", "::::::", [None], {"a": None}, "*", ["*"], {"AWS": "*"},
    {"Federated": ["a", 3]}, "\ud800", "2020-99-99", "%zz", 10**400, "\x1b[2J", "system:serviceaccount:", "a" * 5000,
]  # fmt: skip


def whole_account() -> dict[str, Any]:
    """A page in which every kind of value stands."""
    full_role = role_json(
        "a",
        PermissionsBoundary={"PermissionsBoundaryArn": POLICY["PolicyArn"]},
        RolePolicyList=[{"PolicyName": "p", "PolicyDocument": TRUST}],
        Tags=[{"Key": "team", "Value": "x"}],
        InstanceProfileList=[{"Arn": "arn:aws:iam::111122223333:instance-profile/p"}],
    )
    user = {"UserName": "u", "Arn": "arn:aws:iam::111122223333:user/u", "Path": "/", "GroupList": ["g"]}
    group = {"GroupName": "g", "Arn": "arn:aws:iam::111122223333:group/g", "Path": "/"}
    version = {"VersionId": "v1", "Document": TRUST}
    policy = {
        "Arn": "arn:aws:iam::111122223333:policy/m", "DefaultVersionId": "v1", "PolicyVersionList": [version]
    }  # fmt: skip
    return copy.deepcopy(
        account_page(full_role, role_json("b"), UserDetailList=[user], GroupDetailList=[group], Policies=[policy])
    )


def mutated_value(value: Any, chance: random.Random) -> Any:
    """The value with one place in it cut, doubled under another name, or replaced by a scrap."""
    if isinstance(value, dict) and value and chance.random() < 0.9:
        key = chance.choice(list(value))
        match chance.randrange(8):
            case 0:
                del value[key]
            case 1:
                value[f"{key}x"] = copy.deepcopy(value[key])
            case _:
                value[key] = mutated_value(value[key], chance)
        return value
    if isinstance(value, list) and value and chance.random() < 0.85:
        index = chance.randrange(len(value))
        value[index] = mutated_value(value[index], chance)
        return value
    return copy.deepcopy(chance.choice(SCRAPS))


def test_any_account_file_is_read_or_refused(tmp_path: Path) -> None:
    chance = random.Random(5)
    path = tmp_path / "details.json"
    read_count = refused_count = 0
    for _ in range(600 * EFFORT):
        value: Any = whole_account()
        for _ in range(chance.randint(1, 3)):
            value = mutated_value(value, chance)
        text = json.dumps(value)
        path.write_text(text[: chance.randrange(len(text))] if chance.random() < 0.1 else text)
        try:
            account = read_account_file(path)
        except InputError:
            refused_count += 1
            continue
        read_count += 1
        uses_in(account)
        attachments_with_uses(account, POLICY["PolicyArn"])
        for role in account.roles:
            assert trust_word(role.trust, account.identity.account)
            assert trust_in_words(role.trust, account.identity.account)
    assert read_count > 50 * EFFORT
    assert refused_count > 50 * EFFORT


def test_any_stored_record_is_read_or_refused(tmp_path: Path) -> None:
    chance = random.Random(6)
    folder = tmp_path / "accounts"
    store(folder, snapshot())
    path = folder / "aws-111122223333.db"
    file = ObjectFile(path, private=True)
    for _ in range(60 * EFFORT):
        store(folder, snapshot())
        with file.writing() as draft:
            head = draft.root()
            name = draft.put_value(mutated_value(draft.value(head["snapshot"]), chance))
            draft.set_root({**head, "snapshot": name}, {name})
        try:
            stored_snapshot = load(folder, "aws", "111122223333")
        except StoreError:
            continue
        assert stored_snapshot is None or stored_snapshot.identity.account == "111122223333"


def test_any_bytes_in_the_store_are_refused(tmp_path: Path) -> None:
    chance = random.Random(7)
    folder = tmp_path / "accounts"
    store(folder, snapshot())
    path = folder / "aws-111122223333.db"
    content = path.read_bytes()
    for _ in range(60 * EFFORT):
        damaged_content = bytearray(content[: chance.randrange(len(content))] if chance.random() < 0.3 else content)
        for _ in range(chance.choice((1, 10, 1000))):
            if damaged_content:
                damaged_content[chance.randrange(len(damaged_content))] = chance.randrange(256)
        path.write_bytes(damaged_content)
        with contextlib.suppress(StoreError):
            load(folder, "aws", "111122223333")
        try:
            store(folder, snapshot())
        except StoreError:
            path.unlink(missing_ok=True)
            store(folder, snapshot())
        assert load(folder, "aws", "111122223333") == snapshot()
