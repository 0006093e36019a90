"""An account file answers without credentials or network, and says what it cannot know."""

import json
from pathlib import Path

import pytest

from ekstui.errors import AccountError
from ekstui.library import AccountChoice, Library
from ekstui.library.attachments import attached
from ekstui.library.cluster_answers import cluster_answer
from ekstui.library.roles import role_answer
from ekstui.sources import account_file
from tests.rig.clients import client
from tests.rig.rig import Rig

CNI = "AmazonEKS_CNI_Policy"


def test_a_file_serves_what_iam_knows(rig: Rig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    rig.standing()
    details = client("iam").get_account_authorization_details(MaxItems=1000)
    details.pop("ResponseMetadata")
    path = tmp_path / "details.json"
    path.write_text(json.dumps(details, default=str))
    expected = rig.account.roles_with(CNI)
    rig.proxy.clear()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name)
    library = Library.open(AccountChoice(file=path))
    snapshot = library.account.refresh()
    assert snapshot.complete
    assert snapshot.identity.method == "file"
    answer = attached(library, CNI)
    assert {entry.role.name for entry in answer.attachments.roles} == expected
    assert answer.attachments.complete
    assert not answer.complete  # nobody asked EKS what uses them
    uses = {entry.role.name: entry.used_by for entry in answer.attachments.roles}
    assert all(use.certainty == "inferred" for role_uses in uses.values() for use in role_uses)
    assert [use.kind for use in uses["prod-vpc-cni"]] == ["irsa"]
    assert role_answer(library, "prod-cluster").subject.policies[0].document is not None
    with pytest.raises(AccountError, match="Clusters were not read"):
        cluster_answer(library, "prod")
    assert rig.proxy.counts() == {}
    assert not (tmp_path / "cache" / "accounts").exists()


def test_equal_accounts_are_compared_without_their_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    role = {
        "RoleName": "r",
        "Arn": "arn:aws:iam::123456789012:role/r",
        "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": document}],
    }
    role_a, role_b = (account_file.parse_role(json.loads(json.dumps(role))) for _ in range(2))

    def read(_packed: object) -> None:
        raise AssertionError("a document was read")

    monkeypatch.setattr(account_file, "_document", read)
    assert role_a == role_b
