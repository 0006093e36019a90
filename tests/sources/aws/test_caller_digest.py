"""The digest stays the same while the same credentials are selected, and changes with whatever selects them."""

import os
from pathlib import Path

import pytest

from ekstui.sources.aws.credentials import caller_digest, profile_names

CONFIG = """
[default]
region = eu-west-1
[profile prod]
role_arn = arn:aws:iam::111122223333:role/x
source_profile = base
[profile base]
sso_session = corp
[sso-session corp]
sso_start_url = https://corp
"""


@pytest.fixture
def config(monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    path = Path(os.environ["AWS_CONFIG_FILE"])
    path.parent.mkdir()
    path.write_text(CONFIG)
    return path


@pytest.mark.parametrize(
    ("before", "after"),
    [("role/x", "role/y"), ("corp\n", "club\n"), ("https://corp", "https://club"), ("source_profile = base", "")],
)
def test_a_setting_of_the_chain_counts(config: Path, before: str, after: str) -> None:
    digest = caller_digest("prod")
    assert caller_digest("prod") == digest
    config.write_text(CONFIG.replace(before, after))
    assert caller_digest("prod") != digest


def test_other_profiles_do_not_count(config: Path) -> None:
    digest = caller_digest("prod")
    config.write_text(CONFIG + "[profile other]\nrole_arn = x\n")
    assert caller_digest("prod") == digest
    assert caller_digest("other") != digest


def test_the_environment_counts(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    default_digest, profile_digest = caller_digest(None), caller_digest("prod")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    assert caller_digest(None) != default_digest
    assert caller_digest("prod") == profile_digest  # a profile asked for by name leaves the environment's keys alone
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    assert caller_digest("prod") != profile_digest
    assert "AKIAEXAMPLE" not in caller_digest(None)


def test_profiles_that_lead_in_a_circle_come_to_an_end(config: Path) -> None:
    config.write_text("[profile a]\nsource_profile = b\n[profile b]\nsource_profile = a\n")
    assert caller_digest("a") != caller_digest("b")


def test_profile_names(config: Path) -> None:
    Path(os.environ["AWS_SHARED_CREDENTIALS_FILE"]).write_text("[keys]\naws_access_key_id = x\n[prod]\n")
    assert profile_names() == ("default", "prod", "base", "keys")
    config.write_text("not [ini\n")
    assert profile_names() == ("keys", "prod")
