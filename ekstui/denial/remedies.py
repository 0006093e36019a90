"""What would allow a request: policies to attach, and a newer version of one that is attached."""

from collections.abc import Callable, Iterable, Sequence
from itertools import takewhile

from ekstui.change.holders import Since, first_of_run
from ekstui.change.policy import VersionInfo
from ekstui.denial.answer import Allower, NewerVersion
from ekstui.denial.purpose import CandidatePolicy, Fit, Purpose, fit_of
from ekstui.iam.document import Document, Statement
from ekstui.iam.evaluation import AppliedPolicy, Evaluation, Verdict, evaluate
from ekstui.iam.grants import action_matches
from ekstui.iam.reference import reference
from ekstui.iam.request import Request, caller_facts

MAX_ALLOWERS = 15
"""The most policies that are offered."""

_FITS: tuple[Fit, ...] = ("own", "kind", "unknown", "other")

_ACTIONS_OF_A_PATTERN = 20
_ACTIONS_OF_NOT_ACTION = 20_000


def allowers(
    request: Request, candidates: Iterable[CandidatePolicy], purpose: Purpose
) -> tuple[tuple[Allower, ...], int]:
    """Return the attachable policies that would allow the request, and how many more there are.

    Those made for what the principal runs come first, the ones that certainly allow the request before the others. Then
    come those of the EKS scope, those that name the action before those that use a wildcard, and narrower before wider
    ones.
    """
    ranking: list[tuple[tuple[bool | int, ...], CandidatePolicy, Evaluation, Fit, bool]] = []
    for candidate in candidates:
        if not candidate.policy.attachable or candidate.policy.withdrawn:
            continue
        evaluation = evaluated_by(request, candidate)
        if evaluation.verdict not in ("allowed", "depends"):
            continue
        wildcard = all(
            gives_by_wildcard(result.statement, request.action)
            for entry in evaluation.resources
            for result in entry.statements
            if result.matches is not False and result.statement.effect == "Allow"
        )
        # Expanding the patterns of every policy would read the whole reference.
        width = _width(candidate.document, expand=candidate.scope == "eks")
        depends = evaluation.verdict == "depends"
        # AWS's policies for EKS come first, then those of the controllers' projects.
        family = 0 if candidate.scope == "eks" else 1 if candidate.published else 2
        fit = fit_of(candidate, purpose)
        doubtful = depends and fit == "own"
        rank = (_FITS.index(fit), doubtful, family, wildcard, candidate.superseded, width, depends)
        ranking.append((rank, candidate, evaluation, fit, wildcard))
    ranking.sort(key=lambda entry: entry[0])
    offers = tuple(
        Allower(
            policy=candidate.policy.name,
            version=candidate.policy.default_version,
            since=_since(request, candidate),
            missing=evaluation.missing,
            wildcard=wildcard,
            scope=candidate.scope,
            meant_for=candidate.meant_for,
            arn=None if candidate.published else candidate.policy.arn,
            fit=fit,
        )
        for _, candidate, evaluation, fit, wildcard in ranking[:MAX_ALLOWERS]
    )
    return offers, len(ranking) - len(offers)


def newer_version(
    request: Request, identity: Sequence[AppliedPolicy], candidates: Iterable[CandidatePolicy]
) -> NewerVersion | None:
    """Return a later version of an attached policy that allows the request.

    Without one, a version that may allow it if the current one does not.
    """
    by_arn = {candidate.policy.arn: candidate for candidate in candidates}
    versions: list[NewerVersion] = []
    for policy in identity:
        candidate = by_arn.get(policy.arn or "")
        if candidate is not None and policy.version is not None:
            newer = newer_release(request, candidate, policy.version)
            if newer is not None:
                versions.append(newer)
    return min(versions, key=lambda newer: bool(newer.missing), default=None)


def newer_release(request: Request, candidate: CandidatePolicy, current: int) -> NewerVersion | None:
    """Return the first later version that allows a request, if any.

    Else the first with a further statement that may allow it and that the newest has too.
    """
    policy = candidate.policy
    later = [
        (info, evaluated_by(request, candidate, info.number))
        for info in policy.versions
        if current < info.number <= policy.default_version
    ]
    if not later:
        return None
    now, newest = evaluated_by(request, candidate, current), later[-1][1]

    def first(run: Sequence[tuple[VersionInfo, Evaluation]]) -> NewerVersion:
        info, evaluation = run[-1]
        return NewerVersion(policy.name, current, info.number, info.created, evaluation.missing)

    def decided(*verdicts: Verdict) -> list[tuple[VersionInfo, Evaluation]]:
        # A version that depends on more than the newest one does not count.
        keys = set(newest.missing)
        return _newest_run(later, lambda entry: entry.verdict in verdicts and set(entry.missing) <= keys)

    run = decided("allowed")
    if not run and now.verdict not in ("allowed", "depends"):
        run = decided("allowed", "depends")
    if run:
        before = [] if now.verdict == "depends" else later[: -len(run)]
        conditional = _newest_run(before, lambda entry: entry.verdict == "depends")
        return first(run)._replace(conditional=first(conditional) if conditional else None)
    added = _alternatives(newest) - _alternatives(now)
    run = _newest_run(later, lambda entry: bool(added & _alternatives(entry)))
    if not run:
        return None
    added_keys = {key for tags in added for key in tags}
    missing = tuple(key for key in newest.missing if key.lower() in added_keys)
    return first(run)._replace(missing=missing or newest.missing)


def _newest_run(
    versions: Sequence[tuple[VersionInfo, Evaluation]], counts: Callable[[Evaluation], bool]
) -> list[tuple[VersionInfo, Evaluation]]:
    """Return the last of some versions that count without a break, the newest first."""
    return list(takewhile(lambda version: counts(version[1]), reversed(versions)))


def _width(document: Document, *, expand: bool) -> int:
    """Return how many actions a document allows; unless patterns are expanded, each counts like a small service."""

    def actions(pattern: str) -> int:
        if not expand:
            return _ACTIONS_OF_A_PATTERN if "*" in pattern else 1
        return len(reference().expand(pattern)) or 1

    return sum(
        _ACTIONS_OF_NOT_ACTION if statement.action_element == "NotAction" else sum(map(actions, statement.actions))
        for statement in document.statements
        if statement.effect == "Allow"
    )


def _since(request: Request, candidate: CandidatePolicy) -> Since:
    """Return the start of the run of versions that allow the request as certainly as the default version does.

    If that depends on conditions, a version without one of its alternatives is none of them.
    """
    newest = evaluated_by(request, candidate)
    default_strength, alternatives = _STRENGTHS[newest.verdict], _alternatives(newest)

    def allows(version: int) -> bool:
        evaluation = evaluated_by(request, candidate, version)
        strength = _STRENGTHS.get(evaluation.verdict, 0)
        return strength > default_strength or (
            strength == default_strength and (default_strength > 1 or alternatives <= _alternatives(evaluation))
        )

    return first_of_run(candidate.policy, allows)


_STRENGTHS: dict[Verdict, int] = {"allowed": 2, "depends": 1}
"""How certainly a request is allowed."""


def _alternatives(evaluation: Evaluation) -> frozenset[frozenset[str]]:
    """Return the condition keys of each statement that allows the decisive resource, or may."""
    return frozenset(
        frozenset(condition.key.lower() for condition in result.statement.conditions)
        for result in evaluation.decisive.statements
        if result.matches is not False and result.statement.effect == "Allow"
    )


def evaluated_by(request: Request, candidate: CandidatePolicy, version: int | None = None) -> Evaluation:
    """Return what a version of a policy, by default the one in force, decides by itself about a request."""
    version = candidate.policy.default_version if version is None else version
    if candidate.evaluations is None:
        return _evaluated(request, candidate, version)
    context = frozenset(request.context.items())
    caller = caller_facts(request.principal)
    key = (version, request.action.lower(), request.resources, caller, context, request.absent)
    if key not in candidate.evaluations:
        candidate.evaluations[key] = _evaluated(request, candidate, version)
    return candidate.evaluations[key]


def _evaluated(request: Request, candidate: CandidatePolicy, version: int) -> Evaluation:
    policy = candidate.policy
    document = candidate.documents[version]
    # Statements about other actions, which are most of them, decide nothing.
    statements = tuple(statement for statement in document.statements if action_matches(statement, request.action))
    applied_policy = AppliedPolicy(policy.name, version, document._replace(statements=statements), policy.arn)
    return evaluate(request, (applied_policy,), reference=reference())


def gives_by_wildcard(statement: Statement, action: str) -> bool:
    """Return whether a statement allows an action only with all others of its service, or with more."""
    service = action.partition(":")[0].lower()
    if statement.action_element == "NotAction":
        return True
    narrower = tuple(entry for entry in statement.actions if entry.lower() not in ("*", "*:*", f"{service}:*"))
    return not action_matches(statement._replace(actions=narrower), action)
