"""A denial is read in whatever a log driver, a collector or a web page put around the lines of its log."""

import contextlib
import html
import json
import time
from collections.abc import Callable

import pytest

from ekstui.denial.forbidden import Forbidden
from ekstui.denial.log_lines import bare_lines
from ekstui.denial.message import Denial
from ekstui.denial.parsing import refusals_in
from ekstui.denial.wrapping import unframed
from ekstui.errors import InputError
from tests.support.patience import PROCESSOR

SESSION = "arn:aws:sts::111122223333:assumed-role/ci/1736761400000000000"
BUCKET, TABLE = "arn:aws:s3:::prod-state/terraform.tfstate", "arn:aws:dynamodb:eu-west-1:111122223333:table/locks"
TIME = "2026-11-02T10:00:00.123456789Z"

# Terraform's output, wrapped at 78 columns; tools that log in one line, in JSON and not; and Kubernetes.
LOG = f"""\
Initializing the backend...
╷
│ Error: reading S3 object (prod): operation error S3: GetObject, https response
│ error StatusCode: 403, RequestID: 9d-ab, api error AccessDenied: User:
│ {SESSION} is not authorized to
│ perform: s3:GetObject on resource:
│ {BUCKET} because no identity-based policy
│ allows the s3:GetObject action
│ 
│   with data.aws_s3_object.prod,
│   on main.tf line 12, in data "aws_s3_object" "prod":
╵
{{"level":"error","msg":"Reconciler error","error":"api error AccessDenied: User: {SESSION} is not authorized to perform: \
dynamodb:PutItem on resource: {TABLE} because no identity-based policy allows the dynamodb:PutItem action"}}
An error occurred (AccessDeniedException) when calling the ListClusters operation: User: {SESSION} is not authorized to \
perform: eks:ListClusters on resource: *
Error from server (Forbidden): pods is forbidden: User "ci" cannot list resource "pods" in API group "" in the namespace "prod"
"""  # noqa: W291 (Terraform ends a line so)
IN_LOG = [("s3:GetObject", BUCKET), ("dynamodb:PutItem", TABLE), ("eks:ListClusters", "*"), ("list", "pods")]


def by_line(coat: Callable[[str], str]) -> Callable[[str], str]:
    return lambda log: "".join(f"{coat(line)}\n" for line in log.splitlines())


def of_docker(line: str) -> str:
    return json.dumps({"log": f"{line}\n", "stream": "stderr", "time": TIME}, ensure_ascii=False)


def of_cloudwatch(line: str) -> dict[str, object]:
    return {"timestamp": 1793613600000, "message": line, "ingestionTime": 1793613601000}


def events_of(log: str) -> list[dict[str, object]]:
    return [*map(of_cloudwatch, log.splitlines())]


COATS: dict[str, Callable[[str], str]] = {
    "none": lambda log: log,
    "docker": by_line(of_docker),
    "docker, escaped": by_line(lambda line: json.dumps(json.loads(of_docker(line)))),
    "docker, CRLF": lambda log: by_line(of_docker)(log).replace("\n", "\r\n"),
    "kubectl logs --timestamps": by_line(lambda line: f"{TIME} {line}"),
    "kubectl logs --timestamps of docker": by_line(lambda line: f"{TIME} {of_docker(line)}"),
    "kubectl logs --prefix of docker": by_line(lambda line: f"[pod/ci-1/terraform] {of_docker(line)}"),
    "docker of GitHub Actions": by_line(lambda line: of_docker(f"2026-11-02T10:00:00.1234567Z {line}")),
    "Fluent Bit": by_line(
        lambda line: json.dumps(
            {"log": line, "stream": "stderr", "_p": "F", "kubernetes": {"pod_name": "ci-1", "labels": {"app": "ci"}}}
        )
    ),
    "message alone": by_line(lambda line: json.dumps({"message": line})),
    "aws logs get-log-events": lambda log: json.dumps(
        {"events": events_of(log), "nextForwardToken": "f/1/s"}, indent=4
    ),
    "aws logs filter-log-events": lambda log: json.dumps(
        {"events": [{"logStreamName": "ci/1", **event, "eventId": "38"} for event in events_of(log)]}, indent=4
    ),
    "aws logs --query events": lambda log: json.dumps(events_of(log), indent=4),
    "aws logs --query events, on one line": lambda log: json.dumps(events_of(log)),
    "docker in CloudWatch": by_line(lambda line: json.dumps(of_cloudwatch(of_docker(line)))),
    "HTML": html.escape,
    "HTML of HTML": lambda log: html.escape(html.escape(log)),
    "HTML of docker": lambda log: html.escape(by_line(of_docker)(log)),
    "docker of HTML": lambda log: by_line(of_docker)(html.escape(log)),
}


def named(text: str) -> list[tuple[str, str | None]]:
    """Return what a text says was denied: the action and its resource."""
    subjects = [refusal.what for refusal in refusals_in(text)]
    return [
        (subject.request.verb, subject.request.resource)
        if isinstance(subject, Forbidden)
        else (subject.action, subject.resource)
        for subject in subjects
    ]


@pytest.mark.parametrize("coat", COATS)
def test_a_log_in_a_coat_says_what_it_says_without(coat: str) -> None:
    text = COATS[coat](LOG)
    assert named(text) == IN_LOG
    denials = [refusal.what for refusal in refusals_in(text) if isinstance(refusal.what, Denial)]
    assert {denial.principal for denial in denials} == {SESSION}


@pytest.mark.parametrize("coat", COATS)
def test_a_wrapped_denial_alone_in_a_coat_is_one(coat: str) -> None:
    box = LOG[LOG.index("╷") : LOG.index("╵") + 1]
    assert named(COATS[coat](box)) == [("s3:GetObject", BUCKET)]


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ('{"log":"a\\n","stream":"stdout"}\n\n{"log":"b\\n","stream":"stdout"}', "a\nb"),
        ('{"log":"a"} {"log":"b"}', "a\nb"),
        # What a tool puts before a line stays, as it does where there is no object.
        ('1 {"log":"a"}\n2 {"log":"b"}\n', "1 a\n2 b\n"),
        ('{"events":[{"message":"a"},{"message":"b"}]}', "a\nb"),
        ('host app[1]: {"log":"a","stream":"stdout"}', "host app[1]: a"),
        ('Logs:\n{"message":"a"}', "Logs:\na"),
        # Entities that end in a semicolon only: a URL may have `&region`.
        ("&lt;a&gt; &#39;b&#x27; ?a=1&region=b&amp;c", "<a> 'b' ?a=1&region=b&c"),
    ],
)
def test_the_lines_of_a_log_are_taken_out(text: str, bare: str) -> None:
    assert bare_lines(text) == bare


@pytest.mark.parametrize(
    "text",
    [
        # A message of a program has more to say than its text.
        '{"level":"error","message":"a"}',
        '{"message":"a","error":"b"}',
        '{"message":"a","line":"b"}',
        '{"log":{"a":"b"}}',
        '{"events":[{"message":"a"},{"eventName":"b"}]}',
        '{"events":[{"message":"a"}],"error":"b"}',
        '{"events":[]} {"log":1}',
        # The body of an error belongs to what is before it.
        'AccessDeniedException: {"message":"a"}',
    ],
)
def test_what_is_no_line_of_a_log_stays(text: str) -> None:
    assert bare_lines(text) == text


@pytest.mark.parametrize(
    "text",
    [
        '{"log":' * 25_000,
        '{"log":"a"}' * 15_000,
        '{"log":"' + "\\" * 150_000,
        "&" + "amp;" * 45_000 + "quot;",
        "&quot;" * 30_000,
        '{"log":"a"}' + " " * 190_000 + "x",
        "{&quot;log&quot;:" * 10_000,
        ': {"log":"a"}' * 14_000,
    ],
    ids=range(8),
)
def test_hostile_text_takes_bounded_time(text: str) -> None:
    started_at = time.process_time()
    with contextlib.suppress(InputError):
        refusals_in(text)
    assert time.process_time() - started_at < PROCESSOR


RUN_INSTANCES = (
    "operation error EC2: RunInstances, https response error StatusCode: 403, RequestID: 1, api error "
    "UnauthorizedOperation: You are not authorized to perform this operation."
)
CREATE_INTERFACE = "User: arn:aws:iam::111122223333:user/jo is not authorized to perform: ec2:CreateNetworkInterface"


def test_a_short_line_after_an_error_does_not_join_it_to_the_next_error() -> None:
    log = f"{RUN_INSTANCES}\nSynced 3 items\n{CREATE_INTERFACE}"
    actions = [refusal.what.action for refusal in refusals_in(log) if isinstance(refusal.what, Denial)]
    assert actions == ["ec2:RunInstances", "ec2:CreateNetworkInterface"]


def test_a_bar_in_a_framed_line_cuts_nothing_off() -> None:
    lines = ["web-1  | User denied", *(CREATE_INTERFACE[start : start + 30] for start in range(0, 90, 30))]
    framed_text = "\n".join(f"| {line:<30} |" for line in lines)
    assert "web-1  | User denied" in unframed(framed_text)
