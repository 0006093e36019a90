"""What every test relies on: it can reach neither the network nor the user's own files."""

import os
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError
from botocore.session import Session

from ekstui import files
from tests.rig.rig import Rig
from tests.support.loopback import strays

OUTSIDE = ("203.0.113.1", "2001:db8::1", "iam.amazonaws.com")
CALLS = {
    "ec2": "describe_instances",
    "eks": "list_clusters",
    "iam": "list_users",
    "organizations": "list_roots",
    "sts": "get_caller_identity",
}
CONNECT = "import socket, sys; socket.create_connection((sys.argv[1], 443), timeout=60)"


@pytest.mark.parametrize("host", OUTSIDE)
def test_nothing_leaves_loopback(host: str) -> None:
    with pytest.raises(OSError, match=r"tests may not|not known"):
        socket.create_connection((host, 443), timeout=60)
    (stray,) = strays()
    assert host in stray


@pytest.mark.parametrize("environment", [None, {}, {"PYTHONPATH": "somewhere"}], ids=["its own", "none", "other"])
@pytest.mark.parametrize("host", OUTSIDE)
def test_no_process_of_a_test_leaves_loopback(host: str, environment: dict[str, str] | None) -> None:
    command = [sys.executable, "-c", CONNECT, host]
    process = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert "tests may not" in process.stderr or "not known" in process.stderr
    (stray,) = strays()
    assert host in stray


@pytest.mark.parametrize("service", CALLS)
def test_every_endpoint_is_on_loopback_or_the_call_raises(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    single_attempt = Config(connect_timeout=60, retries={"total_max_attempts": 1})
    client = Session().create_client(service, config=single_attempt)
    assert urlsplit(client.meta.endpoint_url).hostname == "127.0.0.1"
    # Where code or a test leaves the variable out, botocore takes AWS's own address.
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    of_aws = Session().create_client(service, config=single_attempt)
    host = urlsplit(of_aws.meta.endpoint_url).hostname
    assert host is not None
    assert host.endswith(".amazonaws.com")
    with pytest.raises(EndpointConnectionError):
        getattr(of_aws, CALLS[service])()
    (stray,) = strays()
    assert host in stray


def test_a_thread_that_outlives_its_test_leads_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert os.environ["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
    assert not files.cache_dir().exists()


def test_loopback_is_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=60).close()
        with pytest.raises(socket.gaierror):
            socket.create_connection(("iam.invalid", 443), timeout=60)
    assert strays() == []


def test_files_and_credentials_are_the_tests_own(own_home: Path) -> None:
    for path in (files.cache_dir(), files.state_dir(), files.config_file(), Path.home() / "x"):
        assert own_home in path.parents
        assert not path.exists()
    assert os.environ["AWS_EC2_METADATA_DISABLED"] == "true"
    assert os.environ["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
    # Any shell sets some of these: what else it sets is not for the tests either.
    assert not {"PWD", "SHLVL", "AWS_PROFILE", "NO_COLOR", "HTTPS_PROXY", "KUBECONFIG", "PAGER"} & set(os.environ)


def test_the_rig_leads_programs_to_itself(rig: Rig, own_home: Path) -> None:
    environment = rig.environment(own_home, account_id="222233334444", region="us-east-1")
    assert environment["AWS_ENDPOINT_URL"] == rig.url == os.environ["AWS_ENDPOINT_URL"]
    assert environment["AWS_DEFAULT_REGION"] == "us-east-1"
    assert "222233334444" in environment["AWS_ACCESS_KEY_ID"]


def test_a_command_can_be_run_against_the_rig(own_home: Path) -> None:
    program = "import botocore.session as s; print(s.Session().create_client('eks').list_clusters()['clusters'])"
    command = [sys.executable, "-m", "tests.rig", "--roles", "80", "--home", str(own_home), "--partition", "aws-cn"]
    ran = subprocess.run([*command, "--", sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.returncode) == ("['auto', 'prod']\n", 0), ran.stderr
