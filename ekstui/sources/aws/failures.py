"""Exceptions of AWS and its SDK in words: what happened, and what to do.

No base class covers what botocore raises: credentials, client and call may each raise ClientError, BotoCoreError,
plain KeyError, ValueError, OSError or EOFError, and the codes for one cause differ between services.

The text of those exceptions is never shown: it may contain a line of the credentials file, a password in a URL, a
token. Users see our own sentences, with names that cannot be secrets: of profiles, files, regions, hosts. Only the text
that an AWS service itself answers is passed on, without anything that looks like a credential.
"""

import json
import os
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from ekstui.eks.account_snapshot import ErrorKind, SourceError, SourceName
from ekstui.errors import (
    ANOTHER_PROFILE,
    ASK_AGAIN,
    AccountError,
    Advice,
    EkstuiError,
    MfaNeededError,
    UnreachableError,
    in_app,
)
from ekstui.named_tuples import NamedTuple
from ekstui.sources import aws
from ekstui.sources.aws.answers import THROTTLED, BoundError, MalformedError
from ekstui.sources.aws.connection import CONNECT_TIMEOUT, READ_TIMEOUT, IncompleteError
from ekstui.sources.aws.credentials import NO_ANSWER, PROCESS_TIMEOUT

_OF_THE_FORM = (LookupError, TypeError, AttributeError, RecursionError, MalformedError)
"""What is raised if an answer is not in the expected form."""

CATCHABLE: tuple[type[Exception], ...] = (
    *_OF_THE_FORM, ValueError, OSError, EOFError, EkstuiError, IncompleteError, BoundError,
)  # fmt: skip
"""What a call may raise besides botocore's own classes; see `failures`."""

_LONGEST = 400
"""The most characters of AWS's own words in a message."""

_BAD_KEY = ("InvalidClientTokenId", "UnrecognizedClientException", "AuthFailure", "InvalidAccessKeyId")
_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")
_SIGNATURE = ("SignatureDoesNotMatch", "InvalidSignatureException")
_CLOCK = re.compile(r"Signature (?:expired|not yet current): \S+ is (?:now earlier|still later) than \S+")
_CREDENTIAL = re.compile(r"(?<![\w/+=:.-])(?:A[KS]IA[A-Z0-9]{12,}|(?=[^\s\d]*\d)(?=[^\sA-Z]*[A-Z])[\w/+=%.-]{32,})")
"""A word like an access key, a secret key or a token; not a part of an ARN, nor a request's id in lower case."""
_HOST = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+|[a-z0-9-]{1,24}|[0-9a-f:]+:[0-9a-f:]*")
_PATH = re.compile(r"[/~.](?!/|.*[\w+=-]{32})[\w/. +=-]{0,150}")
_PROFILE = re.compile(r"[\w .@:/+-]{1,64}")
_PORTAL = "Is a proxy or a captive portal in the way?"
_SET_CLOCK = Advice("Set the clock, then refresh.", "Set the clock, then r asks again.")
_OFFLINE = "Everything else works offline"
_ENTER_CODE = Advice(
    "Refresh and enter the code, or use a session that has it.",
    f"r asks again and takes the code; {ANOTHER_PROFILE}",
)


def _sign_in(command: str) -> Advice:
    return Advice(f"Run `{command}`, then refresh.", f"y copies `{command}`; once you have signed in, r asks again.")


class _Words(NamedTuple):
    kind: ErrorKind
    message: str
    next_step: str = ""

    def filled(self, facts: Mapping[str, str]) -> "_Words":
        """Return the words with facts in place of the braces."""
        step = self.next_step
        next_step = step.filled(facts) if isinstance(step, Advice) else step.format_map(facts)
        return _Words(self.kind, self.message.format_map(facts), next_step)


_NOT_IN_REGION = _Words("region", "{region} does not know these credentials.", "Is it enabled for this account?")


def _by_name(table: Mapping[tuple[str, ...], _Words]) -> Mapping[str, _Words]:
    return {name: words for names, words in table.items() for name in names}


_OF_AWS = _by_name({
    ("ExpiredToken", "ExpiredTokenException", "RequestExpired"): _Words("expired", "The session has expired.",
        Advice("Sign in again, then refresh.", "Sign in again, then r asks again.")),
    ("RequestTimeTooSkewed",): _Words("setting", "The local clock is off.", _SET_CLOCK),
    _BAD_KEY: _Words("credentials", "AWS does not know the access key.", "Check the credentials, or sign in again."),
    ("OptInRequired",): _Words("region", "{region} is not enabled for this account."),
    THROTTLED: _Words("throttled", "AWS is rate limiting {what}.",
        Advice("Refresh in a minute.", "r asks again, in a minute.")),
    ("NoRunningConfigurationRecorderException", "NoSuchConfigurationAggregatorException"): _Words(
        "absent", "AWS Config has no such aggregator, or records nothing here.",
        "{text}"),
    ("NoSuchEntity", "ResourceNotFoundException", "NotFoundException"): _Words("absent", "{what}: {why}"),
})  # fmt: skip
"""By AWS's error code; `_answer` fills in the braces."""


def failures() -> tuple[type[Exception], ...]:
    """Return the exceptions that `source_error_of` knows: all that session, client and call may raise."""

    return (aws.sdk.ClientError, aws.sdk.BotoCoreError, aws.sdk.ResponseParserError, *CATCHABLE)


def source_error_of(
    error: Exception,
    source: SourceName,
    action: str | None = None,
    *,
    profile: str | None = None,
    region: str | None = None,
    subject: str | None = None,
    signed_in: bool = False,
) -> SourceError:
    """Return what happened and what to do; `signed_in` means that STS has just accepted the credentials."""
    words = _words(error, action, profile, region, signed_in)
    if _is_assume_role(error):
        action = "sts:AssumeRole"
    return SourceError(
        source, action, words.kind, _ended(words.message), words.next_step, region, subject, in_app(words.next_step)
    )


def account_error(error: Exception, source: SourceName, action: str, profile: str | None) -> AccountError:
    """Return the error that ends an attempt to ask the account at all."""
    problem = source_error_of(error, source, action, profile=profile)
    kind = UnreachableError if problem.kind == "network" else AccountError
    return error if isinstance(error, MfaNeededError) else kind(problem.message, problem.advice)


def code_of(error: Exception) -> str:
    """Return the code of an error that AWS returned; empty for any other exception."""
    return str((getattr(error, "response", None) or {}).get("Error", {}).get("Code", ""))


def _words(error: Exception, action: str | None, profile: str | None, region: str | None, signed_in: bool) -> _Words:

    if isinstance(error, aws.sdk.ClientError):
        return _answer(error, action, region, signed_in)
    if isinstance(error, aws.sdk.BotoCoreError):
        return _sdk(error, profile, region)
    if isinstance(error, BoundError):
        return _Words("unexpected", f"The answer was abandoned: {error}.", _PORTAL)
    if isinstance(error, IncompleteError):
        return _Words("incomplete", f"The list is incomplete: {error}.", ASK_AGAIN)
    if isinstance(error, MfaNeededError):
        return _Words("mfa", error.message, _ENTER_CODE)
    if isinstance(error, EkstuiError):
        return _Words("unexpected", error.message, error.next_step)
    if isinstance(error, (aws.sdk.ResponseParserError, *_OF_THE_FORM)):
        return _Words("unexpected", _unexpected(action), _PORTAL)
    return _of_python(error, profile)


def _answer(error: Exception, action: str | None, region: str | None, signed_in: bool) -> _Words:
    response: Mapping[str, Any] = getattr(error, "response", {})
    code, message = code_of(error), str(response.get("Error", {}).get("Message", ""))
    text, call = _shortened(message), action or str(getattr(error, "operation_name", "the call"))
    if code in _DENIED:
        return _denial(call, message, assuming=_is_assume_role(error))
    if code in _SIGNATURE:
        return _signature(text)
    answer = _NOT_IN_REGION if signed_in and region and code in _BAD_KEY else _OF_AWS.get(code)
    if answer is not None:
        place = f"Region {region}" if region else "The region"
        return answer.filled({"what": call, "why": text or "it does not exist", "text": text, "region": place})
    if text.startswith("<"):
        return _Words("unexpected", _unexpected(action), _PORTAL)
    reason = text or code or response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return _Words("unexpected", f"{call} failed: {reason}" + (f" ({code})" if text and code else ""))


def _denial(call: str, message: str, *, assuming: bool) -> _Words:
    if assuming:
        role = re.search(r"arn:[\w-]+:iam::\d+:role/[\w+=,.@/-]+", message)
        return _Words(
            "credentials",
            f"The credentials may not assume {role[0] if role else 'the role of the profile'}.",
            "Check the role's trust policy and the sts:AssumeRole permission of the source credentials.",
        )
    if "service control policy" in message:
        return _Words("denied", f"{call} is denied by a service control policy.", "Ask who runs the organisation.")
    if "permissions boundary" in message:
        return _Words("denied", f"{call} is denied by the caller's permissions boundary.")
    return _Words("denied", f"{call} is denied.", "The README has a read-only policy that is sufficient.")


def _signature(text: str) -> _Words:
    if not any(words in text.lower() for words in ("expired", "not yet current")):
        return _Words("credentials", "AWS rejects the signature.", "Check the secret access key.")
    clock = _CLOCK.search(text)
    return _Words("setting", f"The local clock is off: {clock[0]}" if clock else "The local clock is off.", _SET_CLOCK)


def _sdk(error: Exception, profile: str | None, region: str | None) -> _Words:
    name, details = type(error).__name__, getattr(error, "kwargs", {})
    if name == "CredentialRetrievalError":
        return _retrieval(str(details.get("provider")), in_time=details.get("error_msg") != NO_ANSWER)
    answer = _OF_THE_SDK.get(name)
    if answer is None:
        return _Words("unexpected", f"The AWS SDK failed with {name}.")
    return answer.filled(_facts(details, profile, region))


def _facts(details: Mapping[str, Any], profile: str | None, region: str | None) -> dict[str, str]:
    line = _line_of(details.get("error"))
    host = _host(str(details.get("endpoint_url", "")))
    return {
        "login": " ".join(
            (
                "aws sso login",
                *(("--use-device-code",) if _is_remote() else ()),
                *((f"--profile {profile}",) if profile else ()),
            )
        ),
        "aws_login": "aws login --remote" if _is_remote() else "aws login",
        "profile": f"profile {_quoted(profile)}" if profile else "the profile",
        "wanted_profile": _quoted(profile or details.get("profile")),
        "provider": str(details.get("provider")),
        "missing": str(details.get("cred_var")),
        "place": f"{details.get('path')}, line {line}," if line else str(details.get("path")),
        "region": _quoted(details.get("region_name")),
        "typo": f" Is {region} a region?" if region else "",
        "proxy": _host(str(details.get("proxy_url", ""))),
        "host": host,
        "seconds": str(details.get("seconds", f"{READ_TIMEOUT:.0f}")),
        "host_or_aws": host or "AWS",
    }


def _is_remote() -> bool:
    """Return whether the user came by SSH, where no browser opens to sign in."""
    return any(os.environ.get(name) for name in ("SSH_CONNECTION", "SSH_TTY"))


_OF_THE_SDK = _by_name({
    ("NoCredentialsError",): _Words("credentials", "No AWS credentials.",
        Advice(f"Set AWS_PROFILE, or run `{{login}}`. {_OFFLINE}, and --demo shows a made-up account.",
               f"{ANOTHER_PROFILE[:-1]}; y copies `{{login}}`, and then r asks again. {_OFFLINE}.")),
    ("PartialCredentialsError",): _Words("credentials", "Incomplete credentials in {provider}: {missing} is missing."),
    ("ProfileNotFound",): _Words("setting", "There is no profile {wanted_profile} in the AWS config.",
        Advice("`aws configure list-profiles` lists the profiles.", ANOTHER_PROFILE)),
    ("ConfigParseError", "ConfigNotFound"): _Words("setting", "The AWS config file {place} cannot be read.",
        "Correct or remove that line."),
    ("InvalidConfigError", "InfiniteLoopConfigError"): _Words("setting", "The AWS config of {profile} is wrong.",
        "Check its source_profile, credential_source, role_arn and sso_session."),
    ("SSOTokenLoadError", "UnauthorizedSSOTokenError", "TokenRetrievalError"): _Words(
        "expired", "There is no valid SSO session.",
        _sign_in("{login}")),
    ("MissingDependencyException",): _Words(
        "setting", "This profile signs in with `aws login`, which needs the AWS CRT.",
        Advice("Run `pip install 'ekstui[login]'`.",
            "y copies `pip install 'ekstui[login]'`; a lists the other profiles.")),
    ("LoginRefreshRequired", "LoginTokenLoadError", "LoginError", "LoginAuthorizationCodeError"): _Words(
        "expired", "The login session has expired.",
        _sign_in("{aws_login}")),
    ("LoginInsufficientPermissions",): _Words("credentials", "The login session may not be used here.",
        _sign_in("{aws_login}")),
    ("MetadataRetrievalError",): _Words("credentials", "The container's credential endpoint cannot be reached.",
        "Check AWS_CONTAINER_CREDENTIALS_FULL_URI and its token."),
    ("RefreshWithMFAUnsupportedError",): _Words("mfa", "The MFA session has expired.",
        Advice("Refresh to enter a new code.", "r takes a new code.")),
    ("NoRegionError",): _Words("setting", "No region is set.",
        Advice("Give --region, or set AWS_REGION.", "a lists the regions.")),
    ("InvalidRegionError", "UnknownRegionError"): _Words("setting", "{region} is not a region.",
        "A region looks like eu-west-1."),
    ("ProxyConnectionError",): _Words("network", "The proxy {proxy} cannot be reached.", "Check HTTPS_PROXY."),
    ("ConnectTimeoutError",): _Words("network", f"No connection to {{host}} in {CONNECT_TIMEOUT:.0f} s.",
        "Is a VPN or proxy needed?"),
    ("ReadTimeoutError",): _Words("network", "No whole answer from {host} in {seconds} s.",
        "Is a VPN or proxy needed?"),
    ("SSLError",): _Words("network", "The TLS check of {host} failed.",
        "Behind a corporate proxy, set AWS_CA_BUNDLE to its certificates."),
    ("EndpointConnectionError",): _Words("network", "{host} cannot be reached.",
        f"Check the network.{{typo}} {_OFFLINE}."),
    ("ConnectionClosedError", "HTTPClientError", "ResponseStreamingError", "IncompleteReadError"): _Words(
        "network", "The connection to {host_or_aws} was cut.",
        Advice("Refresh to try again.", ASK_AGAIN.in_app)),
    ("InvalidRetryModeError", "InvalidMaxRetryAttemptsError", "InvalidRetryConfigurationError"): _Words(
        "setting", "AWS_RETRY_MODE or AWS_MAX_ATTEMPTS is wrong.",
        "For example, set them to `standard` and 3."),
    ("PaginationError",): _Words("incomplete", "The list is incomplete.", ASK_AGAIN),
})  # fmt: skip
"""By the name of the SDK's exception; `_facts` fills in the braces."""


def _retrieval(provider: str, *, in_time: bool) -> _Words:
    if provider == "custom-process":
        return _Words(
            "credentials",
            "credential_process failed."
            if in_time
            else f"credential_process failed: no answer in {PROCESS_TIMEOUT:.0f} s.",
            "Run its command in a shell to see why; if it asks for a password, unlock it first.",
        )
    if provider in ("container-role", "iam-role"):
        return _Words("credentials", "The container's credential endpoint cannot be reached.")
    return _Words("credentials", f"There are no credentials from {provider}.")


def _of_python(error: Exception, profile: str | None) -> _Words:
    if isinstance(error, json.JSONDecodeError):
        return _Words("credentials", "credential_process failed: its output is not JSON.")
    if isinstance(error, EOFError):
        return _Words("mfa", "The profile asks for an MFA code, and there is no terminal to ask.")
    if isinstance(error, FileNotFoundError):
        name = str(error.filename)
        if name == os.environ.get("AWS_WEB_IDENTITY_TOKEN_FILE") or "token" in name.lower():
            return _Words(
                "credentials",
                f"The web identity token {f'{name} ' if _PATH.fullmatch(name) else ''}cannot be read.",
                "Set AWS_WEB_IDENTITY_TOKEN_FILE to its file.",
            )
        return _Words(
            "credentials", "credential_process failed: its program was not found.", "Check it in the AWS config."
        )
    if isinstance(error, OSError):
        return _Words("credentials", f"Credentials cannot be read: {error.strerror or type(error).__name__}.")
    if "endpoint" in str(error).lower():
        names = sorted(name for name in os.environ if name.startswith("AWS_ENDPOINT_URL"))
        settings = ", ".join(names) or "endpoint_url in the AWS config"
        return _Words("setting", "A configured endpoint is not a URL.", f"Check {settings}.")
    return _Words(
        "setting",
        "Something in the AWS config or environment cannot be read.",
        f"Check {f'profile {_quoted(profile)}' if profile else 'the profile'} and the AWS_ variables.",
    )


def _line_of(error: object) -> int | None:
    """Return the line that configparser could not read, None if it names none."""
    if isinstance(line := getattr(error, "lineno", None), int):
        return line
    errors = getattr(error, "errors", None)
    return int(errors[0][0]) if errors else None


def _quoted(name: object) -> str:
    """Return a name in quotes, or a word for it if it does not look like a name."""
    text = str(name)
    return f"{text!r}" if _PROFILE.fullmatch(text) and not _CREDENTIAL.search(text) else "of that name"


def _unexpected(action: str | None) -> str:
    return f"{action or 'AWS'} gave an answer that was not understood."


def _is_assume_role(error: Exception) -> bool:
    return str(getattr(error, "operation_name", "")).startswith("AssumeRole")


def _shortened(text: str) -> str:
    """Return a message of AWS on one line, without credentials and of at most _LONGEST characters."""
    line = _CREDENTIAL.sub("…", " ".join(text.split()))
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST].rstrip()}…"


def _ended(sentence: str) -> str:
    """Return a sentence, which may end in the words of AWS, with a full stop."""
    sentence = sentence.rstrip()
    return sentence if sentence.endswith((".", "?", "!", "…")) else f"{sentence}."


def _host(url: str) -> str:
    """Return the host and port of a URL, never its user information, and a word for anything else."""
    address = url.rpartition("@")[2]
    try:
        parts = urlsplit(address if "//" in address else f"//{address}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "AWS"
    if not _HOST.fullmatch(host) or _CREDENTIAL.search(host):
        return "AWS"
    return f"{host}:{port}" if port else host
