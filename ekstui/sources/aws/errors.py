"""What AWS and its SDK raise, in words: one function from exception to what happened and what to do.

No base class covers what botocore raises: credentials, client and call may each raise ClientError, BotoCoreError,
plain KeyError, ValueError, OSError or EOFError, and the codes for one cause differ between services.
"""

import json
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from ekstui.core.account import ErrorKind, SourceError, SourceName
from ekstui.errors import AccountError, EkstuiError, MfaNeededError
from ekstui.sources.aws.connection import CONNECT_TIMEOUT, READ_TIMEOUT, IncompleteError

CATCHABLE: tuple[type[Exception], ...] = (KeyError, ValueError, OSError, EOFError, EkstuiError, IncompleteError)
"""What a call may raise besides botocore's own classes; see `failures`."""

LONGEST = 400
"""Characters of AWS's own words that a message may have."""

_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
_BAD_KEY = {"InvalidClientTokenId", "UnrecognizedClientException", "AuthFailure", "InvalidAccessKeyId"}
_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}
_THROTTLED = {
    "Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded", "SlowDown",
    "PriorRequestNotComplete",
}  # fmt: skip
_ABSENT = {"NoSuchEntity", "ResourceNotFoundException", "NotFoundException"}
_SIGNATURE = {"SignatureDoesNotMatch", "InvalidSignatureException"}
_CONFIG_ABSENT = {"NoRunningConfigurationRecorderException", "NoSuchConfigurationAggregatorException"}
_PORTAL = "Is a proxy or a captive portal in the way?"
_OFFLINE = "Everything else works offline."


@dataclass(frozen=True, slots=True)
class _Words:
    kind: ErrorKind
    message: str
    next_step: str = ""


def failures() -> tuple[type[Exception], ...]:
    """Return the exceptions that `explain` knows: all that session, client and call may raise."""
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    return (ClientError, BotoCoreError, ResponseParserError, *CATCHABLE)


def explain(
    error: Exception,
    source: SourceName,
    action: str | None = None,
    *,
    profile: str | None = None,
    region: str | None = None,
    subject: str | None = None,
    signed_in: bool = False,
) -> SourceError:
    """Return what happened and what to do; `signed_in` says that STS knew the credentials moments ago."""
    words = _words(error, action, profile, region, signed_in)
    if _is_assume_role(error):
        action = "sts:AssumeRole"
    return SourceError(
        source, action, words.kind, _ended(words.message), words.next_step, region=region, subject=subject
    )


def as_account_error(told: SourceError, error: Exception) -> AccountError:
    """Return the error that ends an attempt to ask the account at all."""
    return error if isinstance(error, MfaNeededError) else AccountError(told.message, told.next_step)


def _words(error: Exception, action: str | None, profile: str | None, region: str | None, signed_in: bool) -> _Words:
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    if isinstance(error, ClientError):
        return _answer(error, action, region, signed_in)
    if isinstance(error, BotoCoreError):
        return _sdk(error, profile, region)
    if isinstance(error, IncompleteError):
        return _Words("incomplete", f"The list is incomplete: {error}.", "Refresh to ask again.")
    if isinstance(error, MfaNeededError):
        return _Words("mfa", error.message, "Refresh and enter the code, or use a session that has it.")
    if isinstance(error, EkstuiError):
        return _Words("unexpected", error.message, error.next_step)
    if isinstance(error, ResponseParserError | KeyError):
        return _Words("unexpected", _unexpected(action), _PORTAL)
    return _surroundings(error)


def _answer(error: object, action: str | None, region: str | None, signed_in: bool) -> _Words:
    """Put an answer of AWS in words."""
    response = getattr(error, "response", None) or {}
    details = response.get("Error", {})
    code, whole = str(details.get("Code", "")), str(details.get("Message", ""))
    text = _shortened(whole)
    if isinstance(error, Exception) and _is_assume_role(error) and code in _DENIED:
        role = re.search(r"arn:[\w-]+:iam::\d+:role/[\w+=,.@/-]+", whole)
        return _Words(
            "credentials",
            f"The credentials may not assume {role[0] if role else 'the role of the profile'}.",
            "Check the role's trust policy and the sts:AssumeRole permission of the source credentials.",
        )
    what = action or str(getattr(error, "operation_name", "the call"))
    if code in _EXPIRED:
        return _Words("expired", "The session has expired.", "Sign in again, then refresh.")
    if code in _SIGNATURE:
        if "expired" in text.lower() or "not yet current" in text.lower():
            return _Words("setting", f"The local clock is off: {text}", "Set the clock, then refresh.")
        return _Words("credentials", "AWS rejects the signature.", "Check the secret access key.")
    if code == "RequestTimeTooSkewed":
        return _Words("setting", f"The local clock is off: {text}", "Set the clock, then refresh.")
    if code in _BAD_KEY:
        if signed_in and region:
            return _Words(
                "region", f"Region {region} does not know these credentials.", "Is it enabled for this account?"
            )
        return _Words("credentials", "AWS does not know the access key.", "Check the credentials, or sign in again.")
    if code in _DENIED:
        if "service control policy" in whole:
            return _Words("denied", f"{what} is denied by a service control policy.", "Ask who runs the organisation.")
        if "permissions boundary" in whole:
            return _Words("denied", f"{what} is denied by the caller's permissions boundary.")
        return _Words("denied", f"{what} is denied.", "The README has the read-only policy that is enough.")
    if code == "OptInRequired":
        return _Words("region", f"Region {region or ''} is not enabled for this account.".replace("  ", " "))
    if code in _THROTTLED:
        return _Words("throttled", f"AWS is rate limiting {what}.", "Refresh in a minute.")
    if code in _CONFIG_ABSENT:
        return _Words("absent", "AWS Config has no such aggregator, or records nothing here.", text)
    if code in _ABSENT:
        return _Words("absent", f"{what}: {text or 'it does not exist'}")
    if text.lstrip().startswith("<"):
        return _Words("unexpected", _unexpected(action), _PORTAL)
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return _Words("unexpected", f"{what} failed: {text or code or status}" + (f" ({code})" if text and code else ""))


def _sdk(error: Exception, profile: str | None, region: str | None) -> _Words:
    """Put what the SDK itself raises in words."""
    name = type(error).__name__
    details = getattr(error, "kwargs", {})
    login = f"aws sso login --profile {profile}" if profile else "aws sso login"
    host = _host(str(details.get("endpoint_url", "")))
    match name:
        case "NoCredentialsError":
            return _Words("credentials", "No AWS credentials.", f"Set AWS_PROFILE, or run `{login}`. {_OFFLINE}")
        case "PartialCredentialsError":
            missing = details.get("cred_var")
            return _Words("credentials", f"Incomplete credentials in {details.get('provider')}: {missing} is missing.")
        case "ProfileNotFound":
            return _Words(
                "setting",
                f"There is no profile {profile or details.get('profile')!r} in the AWS config.",
                "`aws configure list-profiles` names those there are.",
            )
        case "ConfigParseError" | "ConfigNotFound":
            return _Words(
                "setting", f"The AWS config file {details.get('path')} cannot be read.", str(details.get("error", ""))
            )
        case "InvalidConfigError" | "InfiniteLoopConfigError":
            return _Words("setting", f"The AWS config is wrong: {error}")
        case "SSOTokenLoadError" | "UnauthorizedSSOTokenError" | "TokenRetrievalError":
            return _Words("expired", "There is no valid SSO session.", f"Run `{login}`, then refresh.")
        case "MissingDependencyException":
            return _Words(
                "setting",
                "This profile signs in with `aws login`, which needs the AWS CRT.",
                "Run `pip install 'ekstui[login]'`.",
            )
        case "LoginRefreshRequired" | "LoginTokenLoadError" | "LoginError" | "LoginAuthorizationCodeError":
            return _Words("expired", "The login session has expired.", "Run `aws login`, then refresh.")
        case "LoginInsufficientPermissions":
            return _Words("credentials", f"The login session cannot be used: {error}")
        case "CredentialRetrievalError":
            return _retrieval(str(details.get("provider")), str(details.get("error_msg", error)))
        case "MetadataRetrievalError":
            return _Words(
                "credentials",
                "The container's credential endpoint cannot be reached.",
                str(details.get("error_msg", "")),
            )
        case "RefreshWithMFAUnsupportedError":
            return _Words("mfa", "The MFA session has expired.", "Refresh to enter a new code.")
        case "NoRegionError":
            return _Words("setting", "No region is set.", "Give --region, or set AWS_REGION.")
        case "InvalidRegionError" | "UnknownRegionError":
            return _Words("setting", f"{details.get('region_name')!r} is no region.", "A region looks like eu-west-1.")
        case "ProxyConnectionError":
            return _Words(
                "network",
                f"The proxy {_host(str(details.get('proxy_url', '')))} cannot be reached.",
                "Check HTTPS_PROXY.",
            )
        case "ConnectTimeoutError":
            return _Words(
                "network", f"No connection to {host} in {CONNECT_TIMEOUT:.0f} s.", "Is a VPN or proxy needed?"
            )
        case "ReadTimeoutError":
            return _Words(
                "network", f"No answer from {host} in {READ_TIMEOUT:.0f} s or more.", "Is a VPN or proxy needed?"
            )
        case "SSLError":
            return _Words(
                "network",
                f"The TLS check of {host} failed.",
                "Behind a corporate proxy, set AWS_CA_BUNDLE to its certificates.",
            )
        case "EndpointConnectionError":
            typo = f" Is {region} a region?" if region else ""
            return _Words("network", f"{host} cannot be reached.", f"Check the network.{typo} {_OFFLINE}")
        case "ConnectionClosedError" | "HTTPClientError" | "ResponseStreamingError" | "IncompleteReadError":
            return _Words("network", f"The connection to {host or 'AWS'} was cut.", "Refresh to try again.")
        case "InvalidRetryModeError" | "InvalidMaxRetryAttemptsError" | "InvalidRetryConfigurationError":
            return _Words("setting", f"AWS_RETRY_MODE or AWS_MAX_ATTEMPTS is wrong: {error}")
        case "PaginationError":
            return _Words("incomplete", f"The list is incomplete: {error}")
        case _:
            return _Words("unexpected", f"{error}")


def _retrieval(provider: str, text: str) -> _Words:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    last = lines[-1] if lines else "no reason given"
    if provider == "custom-process":
        return _Words(
            "credentials", f"credential_process failed: {last}", "If it asks for a password, unlock it first."
        )
    if provider in ("container-role", "iam-role"):
        return _Words("credentials", "The container's credential endpoint cannot be reached.", last)
    return _Words("credentials", f"Credentials from {provider} cannot be had: {last}")


def _surroundings(error: Exception) -> _Words:
    """Put what the language raises below the SDK in words."""
    if isinstance(error, json.JSONDecodeError):
        return _Words("credentials", "credential_process failed: it printed no JSON.")
    if isinstance(error, EOFError):
        return _Words("mfa", "The profile asks for an MFA code, and there is no terminal to ask.")
    if isinstance(error, FileNotFoundError):
        name = str(error.filename or error)
        if "token" in name.lower():
            return _Words("credentials", f"The web identity token {name} cannot be read.")
        return _Words("credentials", f"credential_process failed: {name} is not there.")
    if isinstance(error, OSError):
        return _Words("credentials", f"Credentials cannot be read: {error}")
    if "endpoint" in str(error).lower():
        return _Words("setting", f"{error}", "Check AWS_ENDPOINT_URL and its forms for one service.")
    return _Words("unexpected", f"{error}")


def _unexpected(action: str | None) -> str:
    return f"{action or 'AWS'} gave an answer that is not AWS's."


def _is_assume_role(error: Exception) -> bool:
    return str(getattr(error, "operation_name", "")).startswith("AssumeRole")


def _shortened(text: str) -> str:
    """Return a message of AWS on one line, cut where it is longer than anybody reads."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[:LONGEST].rstrip()}…"


def _ended(sentence: str) -> str:
    """Return a sentence, which may end in the words of AWS, with a full stop."""
    sentence = sentence.rstrip()
    return sentence if sentence.endswith((".", "?", "!", "…")) else f"{sentence}."


def _host(url: str) -> str:
    """Return the host and port of a URL, never its user information."""
    parts = urlsplit(url if "//" in url else f"//{url}")
    try:
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        port = ""
    return (parts.hostname or "AWS") + port
