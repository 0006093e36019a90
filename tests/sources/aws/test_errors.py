"""Every cause has its own sentence and next step, whichever service and layer raises it."""

import json
import threading

import pytest
from botocore import exceptions
from botocore.parsers import ResponseParserError

from ekstui.eks.account_snapshot import ErrorKind
from ekstui.errors import AccountError, MfaNeededError
from ekstui.sources.aws.connection import Connection, IncompleteError
from ekstui.sources.aws.failures import failures, source_error_of
from ekstui.sources.aws.iam import sweep_account


def answer(code: str, message: str = "", operation: str = "ListPolicies") -> exceptions.ClientError:
    return exceptions.ClientError({"Error": {"Code": code, "Message": message}}, operation)


HOST = "https://ana:secret@iam.example.com:8443/path"


def test_over_ssh_the_sign_in_needs_no_browser_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "10.0.0.1 50000 10.0.0.2 22")
    for error, command in (
        (exceptions.SSOTokenLoadError(error_msg="x"), "`aws sso login --use-device-code --profile prod`"),
        (exceptions.LoginRefreshRequired(), "`aws login --remote`"),
    ):
        assert command in source_error_of(error, "identity", profile="prod").next_step


CASES: list[tuple[Exception, ErrorKind, str]] = [
    (exceptions.NoCredentialsError(), "credentials", "aws sso login --profile prod"),
    (exceptions.PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"), "credentials", "AWS_SECRET_ACCESS_KEY is missing"),
    (exceptions.ProfileNotFound(profile="prod"), "setting", "'prod'"),
    (exceptions.ConfigParseError(path="/home/ana/.aws/config"), "setting", "/home/ana/.aws/config"),
    (exceptions.InvalidConfigError(error_msg="odd"), "setting", "profile 'prod' is wrong"),
    (exceptions.InfiniteLoopConfigError(source_profile="a", visited_profiles=["a"]), "setting", "source_profile"),
    (exceptions.SSOTokenLoadError(error_msg="x"), "expired", "aws sso login --profile prod"),
    (exceptions.UnauthorizedSSOTokenError(), "expired", "aws sso login --profile prod"),
    (exceptions.TokenRetrievalError(provider="sso", error_msg="x"), "expired", "aws sso login --profile prod"),
    (exceptions.MissingDependencyException(msg="x"), "setting", "ekstui[login]"),
    (exceptions.LoginRefreshRequired(), "expired", "aws login"),
    (exceptions.CredentialRetrievalError(provider="custom-process", error_msg="Traceback\nVaultError: locked\n"), "credentials", "credential_process failed."),
    (exceptions.CredentialRetrievalError(provider="container-role", error_msg="x"), "credentials", "credential endpoint"),
    (exceptions.MetadataRetrievalError(error_msg="x"), "credentials", "credential endpoint"),
    (exceptions.RefreshWithMFAUnsupportedError(), "mfa", "new code"),
    (MfaNeededError("The profile asks for an MFA code.", "arn"), "mfa", "MFA code"),
    (EOFError(), "mfa", "MFA code"),
    (exceptions.NoRegionError(), "setting", "AWS_REGION"),
    (exceptions.InvalidRegionError(region_name="eu west"), "setting", "'eu west'"),
    (exceptions.EndpointConnectionError(endpoint_url=HOST), "network", "iam.example.com:8443 cannot be reached"),
    (exceptions.ConnectTimeoutError(endpoint_url=HOST), "network", "No connection to iam.example.com:8443"),
    (exceptions.ReadTimeoutError(endpoint_url=HOST), "network", "No whole answer from iam.example.com:8443 in 15 s."),
    (exceptions.SSLError(endpoint_url=HOST, error="x"), "network", "AWS_CA_BUNDLE"),
    (exceptions.ProxyConnectionError(proxy_url="http://ana:secret@proxy:3128"), "network", "proxy:3128"),
    (exceptions.ConnectionClosedError(endpoint_url=HOST), "network", "was cut"),
    (exceptions.InvalidRetryModeError(provided_retry_mode="x", valid_modes=("adaptive",)), "setting", "AWS_RETRY_MODE"),
    (exceptions.PaginationError(message="repeated"), "incomplete", "incomplete"),
    (IncompleteError("more"), "incomplete", "incomplete"),
    (answer("ExpiredToken"), "expired", "expired"),
    (answer("ExpiredTokenException"), "expired", "expired"),
    (answer("RequestExpired"), "expired", "expired"),
    (answer("InvalidClientTokenId"), "credentials", "does not know"),
    (answer("UnrecognizedClientException"), "credentials", "does not know"),
    (answer("AuthFailure"), "credentials", "does not know"),
    (answer("SignatureDoesNotMatch", "Signature expired: 20260101T000000Z is now earlier than 20260101T010000Z"), "setting", "clock"),
    (answer("InvalidSignatureException", "Signature expired: 20260101T000000Z"), "setting", "clock"),
    (answer("SignatureDoesNotMatch", "The request signature we calculated does not match"), "credentials", "secret access key"),
    (answer("AccessDenied", "not authorized"), "denied", "iam:ListPolicies is denied"),
    (answer("AccessDeniedException", "with an explicit deny in a service control policy"), "denied", "service control policy"),
    (answer("UnauthorizedOperation"), "denied", "iam:ListPolicies is denied"),
    (answer("AccessDenied", "User: u is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::111122223333:role/ops/x", "AssumeRole"), "credentials", "arn:aws:iam::111122223333:role/ops/x"),
    (answer("OptInRequired"), "region", "eu-west-1 is not enabled"),
    (answer("Throttling"), "throttled", "rate limiting"),
    (answer("ThrottlingException"), "throttled", "rate limiting"),
    (answer("TooManyRequestsException"), "throttled", "rate limiting"),
    (answer("NoRunningConfigurationRecorderException", "x"), "absent", "Config"),
    (answer("NoSuchConfigurationAggregatorException", "x"), "absent", "Config"),
    (answer("NoSuchEntity", "The role x cannot be found."), "absent", "cannot be found"),
    (answer("ResourceNotFoundException"), "absent", "does not exist"),
    (answer("ServiceUnavailable", "try later"), "unexpected", "try later"),
    (answer("404", "<!doctype html>\n<title>404 Not Found</title>"), "unexpected", "captive portal"),
    (answer("InternalFailure", "one\ntwo " * 500), "unexpected", "one two one"),
    (KeyError("ListPoliciesResult"), "unexpected", "captive portal"),
    (ResponseParserError("no element found"), "unexpected", "captive portal"),
    (FileNotFoundError(2, "No such file", "/no/such/helper"), "credentials", "credential_process"),
    (FileNotFoundError(2, "No such file", "/var/run/secrets/eks.amazonaws.com/serviceaccount/token"), "credentials", "web identity token"),
    (json.JSONDecodeError("Expecting value", "junk", 0), "credentials", "credential_process"),
    (ValueError("Invalid endpoint: htp:/x"), "setting", "AWS_ENDPOINT_URL"),
]  # fmt: skip


@pytest.mark.parametrize(("error", "kind", "words"), CASES, ids=lambda case: type(case).__name__)
def test_each_cause_has_its_words(error: Exception, kind: ErrorKind, words: str) -> None:
    assert isinstance(error, failures())
    source_error = source_error_of(error, "counts", "iam:ListPolicies", profile="prod", region="eu-west-1")
    assert source_error.kind == kind
    assert words.lower() in f"{source_error.message} {source_error.next_step}".lower()
    assert source_error.message.endswith((".", "?", "!", "…"))
    assert "\n" not in source_error.message
    assert len(source_error.message) < 500
    assert "secret@" not in f"{source_error}"


@pytest.mark.parametrize("code", ["InvalidClientTokenId", "UnrecognizedClientException", "AuthFailure"])
def test_a_known_key_makes_the_region_the_suspect(code: str) -> None:
    source_error = source_error_of(answer(code), "clusters", "eks:ListClusters", region="ap-east-1", signed_in=True)
    assert source_error.kind == "region"
    assert "ap-east-1" in source_error.message


def test_iam_is_not_asked_with_credentials_that_sts_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    prompts: list[str] = []
    another = threading.Event()

    def ask(connection: Connection, action: str, region: str | None = None, **parameters: object) -> None:
        prompts.append(action)
        if action == "sts:GetCallerIdentity":
            # Long enough for a call that does not wait for this answer.
            another.wait(0.5)
        another.set()
        raise answer("InvalidClientTokenId", operation=action)

    monkeypatch.setattr(Connection, "ask", ask)
    with pytest.raises(AccountError, match="does not know"):
        sweep_account(Connection())
    assert prompts == ["sts:GetCallerIdentity"]
