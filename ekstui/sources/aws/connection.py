"""One set of credentials, its clients, and the one method that makes every call to AWS.

Parallel calls run in daemon threads, which do not keep the process from exiting, as the threads of a pool do.
"""

import json
import os
import queue
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from ekstui import log, spelling
from ekstui.sources import aws
from ekstui.sources.aws.answers import (
    MOST_PAGES,
    THROTTLED,
    BoundError,
    Deadline,
    Item,
    MalformedError,
    _Result,
    bound_answers,
    check_form,
    check_lists,
    settled,
)
from ekstui.sources.aws.credentials import MfaPrompt, guard_credentials
from ekstui.waiting import Cancelled, never

ATTEMPTS = 8
"""How often a call is tried that AWS throttles or fails to serve."""

NETWORK_ATTEMPTS = 2
"""How often a call is tried that finds no network or gets no answer."""

CONNECT_TIMEOUT = 3.0
"""In seconds."""

READ_TIMEOUT = 15.0
"""In seconds."""

SWEEP_READ_TIMEOUT = 30.0
"""In seconds, for a page of GetAccountAuthorizationDetails, which has up to a thousand entities."""

THREADS = 8
"""How many calls run at once; more would not help, given IAM's rate limits."""

_AWS_HOST = re.compile(
    r"(?:fips\.)?(?P<service>[a-z0-9]+)(?:-fips)?(?:\.(?:[a-z]{2,4}(?:-[a-z]+)+-\d+|us-gov|global))?"
    r"\.(?:amazonaws\.com(?:\.cn)?|amazonaws\.eu|api\.aws|api\.amazonwebservices\.(?:com\.cn|eu)"
    r"|c2s\.ic\.gov|sc2s\.sgov\.gov|cloud\.adc-e\.uk|csp\.hci\.ic\.gov"
    r"|api\.aws\.ic\.gov|api\.aws\.scloud|api\.cloud-aws\.adc-e\.uk|api\.aws\.hci\.ic\.gov)"
)
"""The host names of AWS's own endpoints: other names below these domains are of customers' machines and buckets.

Source: AWS General Reference, "Service endpoints"; the partitions of botocore.
"""

OPERATIONS = frozenset((
    "sts:GetCallerIdentity",
    "iam:GetAccountAuthorizationDetails", "iam:ListPolicies", "iam:ListOpenIDConnectProviders", "iam:GetRole",
    "iam:ListEntitiesForPolicy", "iam:ListPolicyVersions", "iam:GetPolicyVersion", "iam:SimulatePrincipalPolicy",
    "iam:GenerateServiceLastAccessedDetails", "iam:GetServiceLastAccessedDetails",
    "eks:ListClusters", "eks:DescribeCluster", "eks:ListNodegroups", "eks:DescribeNodegroup",
    "eks:ListFargateProfiles", "eks:DescribeFargateProfile", "eks:ListCapabilities", "eks:DescribeCapability",
    "eks:ListAddons", "eks:DescribeAddon", "eks:DescribeAddonVersions", "eks:DescribeAddonConfiguration",
    "eks:ListAccessEntries", "eks:DescribeAccessEntry", "eks:ListAssociatedAccessPolicies",
    "eks:ListPodIdentityAssociations", "eks:DescribePodIdentityAssociation",
    "ec2:DescribeInstances", "ec2:DescribeRegions",
    "config:SelectAggregateResourceConfig", "config:DescribeConfigurationAggregators",
))  # fmt: skip
"""Every call that ekstui can make, by IAM action: all of them only list or read."""


class IncompleteError(Exception):
    """A list ended although AWS said that there is more, or did not say that it is complete."""


class Connection:
    """An account, reached with one set of credentials, for any thread; `failures` words what botocore raises."""

    def __init__(
        self,
        profile: str | None = None,
        region: str | None = None,
        mfa_prompt: MfaPrompt | None = None,
        *,
        share_role_cache: bool = False,
    ) -> None:
        """Prepare a connection; role sessions are cached where the AWS CLI does, so that a code is entered once."""
        self._profile = profile
        self._region = region
        self._mfa_prompt = mfa_prompt
        self._share_role_cache = share_role_cache
        self._lock = threading.Lock()
        self._session: Any = None
        self._deadline = Deadline()
        self.clients: dict[tuple[str, str | None], Any] = {}
        self.when_throttled: Callable[[], object] | None = None
        """Called, from any thread, when AWS limits the rate and a call will be tried again."""
        self.calls = 0
        """How many calls were made, each page counted."""

    @property
    def profile(self) -> str | None:
        """The profile selected by argument or environment."""
        return self._profile or os.environ.get("AWS_PROFILE") or os.environ.get("AWS_DEFAULT_PROFILE")

    @property
    def region(self) -> str | None:
        """The configured region, or None."""
        with self._lock:
            region: str | None = self.open_session().region_name
        return region

    def sign_in(self) -> None:
        """Get the credentials, if any, before parallel calls: so a code is asked for once, and a failure is one."""
        with self._lock:
            credentials = self.open_session().get_credentials()
        if credentials is not None:
            credentials.get_frozen_credentials()

    def credential_method(self) -> str | None:
        """Return how the credentials were found, as botocore names it, or None if there are none."""
        with self._lock:
            credentials = self.open_session().get_credentials()
        return None if credentials is None else str(credentials.method)

    def custom_endpoint(self) -> str | None:
        """Return IAM's endpoint, without user information, if it is not AWS's own."""
        return _foreign_endpoint(self._client("iam", None).meta.endpoint_url, "iam")

    def custom_endpoints(self) -> str | None:
        """Return the endpoints that are not AWS's, each with its services unless it has all; None if all are AWS's."""

        with self._lock:
            core = self.open_session()._session
            ignores_endpoints = core.get_config_variable("ignore_configured_endpoint_urls")
            settings = (core.full_config, core.get_scoped_config())
        services = sorted({action.partition(":")[0] for action in OPERATIONS})
        endpoints: dict[str, list[str]] = {}
        for service in () if ignores_endpoints else services:
            # Without a client for each, since reading the models of all takes a second.
            url = aws.sdk.ConfiguredEndpointProvider(*settings, client_name=service).provide()
            if url and (endpoint := _foreign_endpoint(url, service)):
                endpoints.setdefault(endpoint, []).append(service)
        return (
            ", ".join(
                endpoint if len(users) == len(services) else f"{endpoint} ({', '.join(users)})"
                for endpoint, users in endpoints.items()
            )
            or None
        )

    def regions_of(self, service: str, partition: str) -> tuple[str, ...]:
        """Return the regions in which the SDK knows the service."""
        with self._lock:
            return tuple(self.open_session().get_available_regions(service, partition_name=partition))

    def likely_region(self) -> str | None:
        """Return the region that the configured one looks like a misspelling of, or None if it is known or unset."""
        region = self.region
        with self._lock:
            session = self.open_session()
            partitions = session.get_available_partitions()
            regions = [region for name in partitions for region in session.get_available_regions("ec2", name)]
        if region is None or region in regions:
            return None
        return next(iter(spelling.nearest(region, regions)), None)

    def ask(self, action: str, region: str | None = None, **parameters: Any) -> Mapping[str, Any]:
        """Make one call, named by its IAM action such as `iam:ListPolicies`, and return AWS's answer."""
        if action not in OPERATIONS:
            raise AssertionError(f"{action} is not a call that ekstui makes")

        service, operation = action.split(":")
        client = self._client(service, region)
        with self._lock:
            self.calls += 1
        self._deadline.start()
        log.debug("asks %s in %s at %s: %s", action, region, client.meta.endpoint_url, parameters)
        try:
            with _logged(action):
                answer: Mapping[str, Any] = getattr(client, aws.sdk.xform_name(operation))(**parameters)
            check_form(answer, client.meta.service_model.operation_model(operation).output_shape)
        except json.JSONDecodeError:
            raise  # from a credential_process: botocore treats a body that is not JSON as a message
        except (TypeError, AttributeError, LookupError, ValueError, RecursionError, MalformedError) as error:
            raise MalformedError(action) from error
        except BoundError as error:
            raise BoundError(f"{action} {error}") from None
        return answer

    def knows(self, action: str, parameter: str) -> bool:
        """Return whether the installed SDK has a parameter of a call."""
        service, operation = action.split(":")
        shape = self._client(service, None).meta.service_model.operation_model(operation).input_shape
        return shape is not None and parameter in shape.members

    def pages(self, action: str, **parameters: Any) -> Iterator[Mapping[str, Any]]:
        """Yield the pages of an IAM list; IncompleteError if a page does not say whether and where it continues."""
        for page in self.token_pages(action, None, "Marker", **parameters):
            yield page
            if "IsTruncated" not in page:
                raise IncompleteError(f"{action} does not say whether there is more")
            if bool(page.get("Marker")) != page["IsTruncated"]:
                contradiction = (
                    "that there is more, but not where"
                    if page["IsTruncated"]
                    else "that it is complete, but gives a marker"
                )
                raise IncompleteError(f"{action} says {contradiction}")

    def token_pages(
        self, action: str, region: str | None = None, key: str = "nextToken", **parameters: Any
    ) -> Iterator[Mapping[str, Any]]:
        """Yield the pages of a list that continues while it gives a token; IncompleteError if a token repeats."""
        tokens: set[str] = set()
        continuation: dict[str, str] = {}
        while True:
            page = self.ask(action, region, **parameters, **continuation)
            yield page
            token = page.get(key)
            if not token:
                log.info("%s: complete after %d page(s)", action, len(tokens) + 1)
                return
            if token in tokens:
                raise IncompleteError(f"{action} gives the same page again")
            tokens.add(token)
            if len(tokens) >= MOST_PAGES:
                raise IncompleteError(f"{action} has not ended after {MOST_PAGES:,} pages")
            continuation = {key: token}

    def _client(self, service: str, region: str | None) -> Any:
        region = region or self.region
        with self._lock:
            key = (service, region)
            if key not in self.clients:
                self.clients[key] = self._make_client(service, region)
            return self.clients[key]

    def _make_client(self, service: str, region: str | None) -> Any:

        config = aws.sdk.Config(
            retries={"mode": "adaptive", "total_max_attempts": ATTEMPTS},
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=SWEEP_READ_TIMEOUT if service == "iam" else READ_TIMEOUT,
            max_pool_connections=2 * THREADS,
        )
        client = self.open_session().client(service, region_name=region, config=config)
        # The last one registered comes first.
        client.meta.events.register_first("needs-retry.*", _give_up_on_network)
        client.meta.events.register_first("needs-retry.*", self._deadline.check)
        client.meta.events.register_first("needs-retry.*", self._tell_throttled)
        bound_answers(client, self._deadline)
        client.meta.events.register("before-parse.*", check_lists)
        return client

    def _tell_throttled(self, response: tuple[Any, Mapping[str, Any]] | None = None, **_: Any) -> None:
        code = response[1].get("Error", {}).get("Code") if response else None
        if code in THROTTLED and (tell := self.when_throttled) is not None:
            tell()

    def open_session(self) -> Any:
        """Return the boto3 session, whose credential chain does not use the terminal."""
        if self._session is None:
            core = aws.sdk.botocore.session.Session(profile=self._profile)
            guard_credentials(core, self._mfa_prompt, share_role_cache=self._share_role_cache)
            # botocore reads AWS_DEFAULT_REGION only; the AWS CLI and the other SDKs read AWS_REGION first.
            region = self._region or os.environ.get("AWS_REGION") or None
            self._session = aws.sdk.boto3.session.Session(botocore_session=core, region_name=region)
        return self._session


@contextmanager
def _logged(action: str) -> Iterator[None]:
    start = time.monotonic()
    result = "answered"
    try:
        yield
    except Exception as error:
        code = (getattr(error, "response", None) or {}).get("Error", {}).get("Code")
        result = f"refused as {code}" if code else f"failed ({type(error).__name__})"
        raise
    finally:
        log.info("%s: %s after %.2f s", action, result, time.monotonic() - start)


def _foreign_endpoint(url: str, service: str) -> str | None:
    """Return scheme, host and port of an endpoint, None if it is AWS's own of the service."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    host_of_aws = _AWS_HOST.fullmatch(host)
    if host_of_aws and host_of_aws["service"] == service and parts.scheme == "https" and parts.port in (None, 443):
        return None
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else "")


def _give_up_on_network(attempts: int, caught_exception: Exception | None, **_: Any) -> None:

    unreachable = (aws.sdk.ConnectTimeoutError, aws.sdk.EndpointConnectionError, aws.sdk.ReadTimeoutError)
    if isinstance(caught_exception, BoundError) or (
        isinstance(caught_exception, unreachable) and attempts >= NETWORK_ATTEMPTS
    ):
        raise caught_exception


CHECK_SECONDS = 0.1
"""How often a wait checks whether it was cancelled, in seconds."""


def in_parallel(
    function: Callable[[Item], _Result], items: Iterable[Item], cancelled: Cancelled = never
) -> Iterator[tuple[Item, Future[_Result]]]:
    """Call a function for all items in parallel, yield answers as they come, and stop early when cancelled."""
    pending_items = deque(items)
    answers: queue.SimpleQueue[tuple[Item, Future[_Result]]] = queue.SimpleQueue()
    stop = threading.Event()
    pending_count = len(pending_items)

    def work() -> None:
        while not stop.is_set():
            try:
                item = pending_items.popleft()
            except IndexError:
                return
            answers.put((item, settled(function, item)))

    for number in range(min(THREADS, pending_count)):
        threading.Thread(target=work, name=f"ekstui-aws-{number}", daemon=True).start()
    try:
        while pending_count and not cancelled():
            try:
                answer = answers.get(timeout=CHECK_SECONDS)
            except queue.Empty:
                continue
            pending_count -= 1
            yield answer
    finally:
        stop.set()
