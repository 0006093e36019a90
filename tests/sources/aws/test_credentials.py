"""The credential chain neither reads from nor writes to the terminal, nor hangs; each run has its own home."""

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ekstui.errors import AccountError, MfaNeededError
from ekstui.sources.aws.connection import Connection
from ekstui.sources.aws.iam import sweep_account
from tests.sources.aws.configured import Configured
from tests.support.patience import PATIENCE

ROOT = Path(__file__).parents[3]

KEYS = "[profile p]\naws_access_key_id = x\naws_secret_access_key = y\n"


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Configured:
    return Configured(tmp_path, monkeypatch)


@pytest.mark.parametrize("chained", [False, True], ids=["direct", "as source profile"])
@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("import time; time.sleep(600)", "no answer in"),
        ("import sys; sys.stderr.write('secret \\x1b[31m\\n'); sys.exit(3)", "process failed."),
        ("print('junk')", "its output is not JSON"),
    ],
)
def test_a_failing_credential_process_is_reported(
    aws: Configured, monkeypatch: pytest.MonkeyPatch, body: str, words: str, chained: bool
) -> None:
    # On a busy machine a helper that does answer takes its time.
    monkeypatch.setattr("ekstui.sources.aws.credentials.PROCESS_TIMEOUT", 0.5 if words == "no answer in" else PATIENCE)
    command = f"credential_process = {aws.helper(body)}"
    role = "role_arn = arn:aws:iam::111122223333:role/x\nsource_profile = s\n[profile s]\n"
    aws.configure(f"[profile p]\n{role if chained else ''}{command}\n")
    error = aws.reported_error()
    assert error.kind == "credentials"
    assert error.message.startswith("credential_process failed")
    assert words in error.message


def test_credential_process_still_works(aws: Configured) -> None:
    keys = json.dumps({"Version": 1, "AccessKeyId": "AKIAEXAMPLE", "SecretAccessKey": "x"})
    aws.configure(f"[profile p]\ncredential_process = {aws.helper(f'print({keys!r})')}\n")
    assert Connection(profile="p").credential_method() == "custom-process"
    assert aws.reported_error().message == "127.0.0.1:9 cannot be reached."


def test_credential_process_cannot_write_over_the_screen(aws: Configured) -> None:
    aws.configure(f"[profile p]\ncredential_process = {aws.helper(WRITES_TO_THE_TERMINAL)}\n")
    screen, terminal = os.openpty()
    with subprocess.Popen([sys.executable, "-c", ON_A_TERMINAL, str(terminal)], cwd=ROOT, pass_fds=[terminal]) as child:
        os.close(terminal)
        output = b""
        with contextlib.suppress(OSError):  # how a terminal says that its last user has gone
            while part := os.read(screen, 4096):
                output += part
        os.close(screen)
    assert child.returncode == 0, output
    assert b"over the screen" not in output
    assert b"credential_process failed" in output


WRITES_TO_THE_TERMINAL = """
    import sys
    with open("/dev/tty", "w") as terminal:
        terminal.write("over the screen")
    sys.exit(3)
    """

ON_A_TERMINAL = """
import os, sys
if os.fork():
    sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))
os.login_tty(int(sys.argv[1]))
from ekstui.sources.aws.connection import Connection
from ekstui.sources.aws.failures import failures, source_error_of
try:
    Connection(profile="p").credential_method()
except failures() as error:
    print(source_error_of(error, "identity").message)
"""

MFA = """
    [profile p]
    role_arn = arn:aws:iam::111122223333:role/x
    source_profile = s
    mfa_serial = arn:aws:iam::111122223333:mfa/ana
    [profile s]
    aws_access_key_id = AKIAEXAMPLE
    aws_secret_access_key = x
    """


def test_a_profile_with_mfa_does_not_prompt_unasked(aws: Configured) -> None:
    aws.configure(MFA)
    with pytest.raises(MfaNeededError) as error:
        Connection(profile="p").ask("sts:GetCallerIdentity")
    assert error.value.device == "arn:aws:iam::111122223333:mfa/ana"
    assert aws.reported_error().kind == "mfa"


def test_the_prompt_gets_the_device_and_its_code_is_used(aws: Configured) -> None:
    aws.configure(MFA)
    prompts: list[str] = []

    def prompt(text: str) -> str:
        prompts.append(text)
        return "123456"

    assert aws.reported_error(mfa_prompt=prompt).message == "127.0.0.1:9 cannot be reached."
    assert prompts == ["Enter MFA code for arn:aws:iam::111122223333:mfa/ana: "]


def test_a_refused_code_is_asked_for_once(aws: Configured) -> None:
    aws.configure(MFA)
    prompts: list[str] = []

    def refuse(text: str) -> str:
        prompts.append(text)
        raise MfaNeededError("No code was given.", text)

    with pytest.raises(MfaNeededError, match="No code was given"):
        sweep_account(Connection(profile="p", mfa_prompt=refuse))
    assert len(prompts) == 1


@pytest.mark.parametrize(
    ("config", "environment", "kind", "words"),
    [
        ("", {}, "setting", "There is no profile 'p'"),
        ("[profile p]\n", {}, "credentials", "No AWS credentials."),
        ("[profile p", {}, "setting", "The AWS config file"),
        ("[profile p]\naws_access_key_id = x\n", {}, "credentials", "Incomplete credentials"),
        (
            (
                "[profile p]\nsource_profile = q\nrole_arn = arn:aws:iam::111122223333:role/x\n"
                "[profile q]\nsource_profile = p\nrole_arn = arn:aws:iam::111122223333:role/y\n"
            ),
            {},
            "setting",
            "The AWS config of profile 'p' is wrong",
        ),
        (
            "[profile p]\nsso_start_url = https://x\nsso_region = eu-west-1\nsso_account_id = 1\nsso_role_name = x\n",
            {},
            "expired",
            "Run `aws sso login --profile p`",
        ),
        (
            (
                "[profile p]\nsso_session = s\nsso_account_id = 1\nsso_role_name = x\n"
                "[sso-session s]\nsso_start_url = https://x\nsso_region = eu-west-1\n"
            ),
            {},
            "expired",
            "Run `aws sso login --profile p`",
        ),
        (
            "[profile p]\nrole_arn = arn:aws:iam::111122223333:role/x\nweb_identity_token_file = /no/token\n",
            {},
            "credentials",
            "The web identity token /no/token cannot be read.",
        ),
        (KEYS, {"AWS_REGION": "eu west"}, "setting", "'eu west' is not a region"),
        (KEYS, {"AWS_REGION": ""}, "setting", "No region is set"),
        (
            KEYS,
            {"AWS_ENDPOINT_URL": "htp:/x"},
            "setting",
            "A configured endpoint is not a URL. Check AWS_ENDPOINT_URL.",
        ),
    ],
)
def test_real_failures_are_reported(
    aws: Configured, config: str, environment: dict[str, str], kind: str, words: str
) -> None:
    aws.configure(config)
    aws.set(**environment)
    error = aws.reported_error()
    assert error.kind == kind
    assert words in f"{error.message} {error.next_step}"


def test_a_misspelt_region_is_reported(aws: Configured, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.configure(KEYS)
    aws.set(AWS_REGION="eu-wset-1")
    with pytest.raises(AccountError, match="did you mean eu-west-1"):
        sweep_account(Connection(profile="p"))
    aws.set(AWS_REGION="eu-west-1")
    with pytest.raises(AccountError, match="Check the network"):
        sweep_account(Connection(profile="p"))


def test_the_role_cache_of_the_cli_is_used_only_when_asked(aws: Configured) -> None:
    aws.configure(MFA)
    for share in (False, True):
        session = Connection(profile="p", share_role_cache=share).open_session()
        provider = session._session.get_component("credential_provider").get_provider("assume-role")
        assert (type(provider.cache).__name__ == "JSONFileCache") is share


@pytest.mark.parametrize(
    ("environment", "config", "named"),
    [
        ({"AWS_ENDPOINT_URL": "http://u:secret@localhost:1"}, "", "http://localhost:1"),
        ({"AWS_ENDPOINT_URL_EKS": "http://localhost:2"}, "", "http://localhost:2 (eks)"),
        ({"AWS_ENDPOINT_URL_CONFIG_SERVICE": "http://localhost:3"}, "", "http://localhost:3 (config)"),
        (
            {"AWS_ENDPOINT_URL_EKS": "http://a.example", "AWS_ENDPOINT_URL_STS": "https://sts.eu-west-1.amazonaws.com"},
            "[profile p]\nservices = s\n[services s]\niam =\n  endpoint_url = http://b.example\n",
            "http://a.example (eks), http://b.example (iam)",
        ),
        ({"AWS_ENDPOINT_URL_EKS": "http://a.example", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}, "", None),
        ({}, "", None),
        *(
            ({"AWS_ENDPOINT_URL_IAM": url}, "", f"{url} (iam)")
            for url in (
                "http://iam.amazonaws.com", "https://iam.amazonaws.com:4566", "https://ec2.eu-west-1.amazonaws.com",
                "https://ec2-1-2-3-4.compute-1.amazonaws.com", "https://iam-1.eu-west-1.elb.amazonaws.com",
                "https://iam.s3.amazonaws.com", "https://iam.execute-api.eu-west-1.amazonaws.com", "https://iam.eu-west-1.on.aws",
                "https://iam.lambda-url.eu-west-1.amazonaws.com", "https://iam.amazonaws.com.example.org",
            )
        ),
        *(
            ({"AWS_ENDPOINT_URL_EKS": f"https://{host}"}, "", None)
            for host in (
                "eks.eu-central-1.amazonaws.com", "fips.eks.us-east-1.amazonaws.com", "eks.us-gov-west-1.amazonaws.com",
                "eks.cn-north-1.amazonaws.com.cn", "eks.eu-west-1.api.aws", "EKS.eu-west-1.amazonaws.com:443",
            )
        ),
    ],
)  # fmt: skip
def test_an_endpoint_of_one_service_alone_is_named(
    aws: Configured,
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    config: str,
    named: str | None,
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    aws.set(**environment)
    aws.configure(config or "[profile p]\n")
    assert Connection(profile="p").custom_endpoints() == named
