"""Explaining a denied request: the policies that apply to it, and those of AWS that may allow it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from ekstui.denial.answer import Explanation, Fix, Policies
from ekstui.denial.assuming import with_trust
from ekstui.denial.deciding import decide
from ekstui.denial.explain import explain, explain_symptom
from ekstui.denial.fixing import role_fix
from ekstui.denial.forbidden import is_unauthorized
from ekstui.denial.parsing import MAX_CHARACTERS
from ekstui.denial.purpose import CandidatePolicy, Purpose, purpose_by_signs
from ekstui.denial.question import DeniedRequest, ForbiddenRequest, Question, denied_requests, refused_requests
from ekstui.denial.wrapping import unwrapped
from ekstui.eks.account_snapshot import AccountSnapshot, Role
from ekstui.eks.knowledge import Symptom
from ekstui.eks.pod_credentials import users_of_node_role
from ekstui.errors import InputError
from ekstui.iam import arn
from ekstui.iam.evaluation import AppliedPolicy
from ekstui.iam.principals import is_assuming
from ekstui.iam.request import Request
from ekstui.iam.text import listed
from ekstui.library.allowers import partition_of, possible_allowers
from ekstui.library.catalog import PolicyReader, knowledge, sync_there
from ekstui.library.comparing import read_side
from ekstui.library.layers import layers_in_force
from ekstui.library.library import Library
from ekstui.library.misnamed_policies import misnamed_policies
from ekstui.library.notation import Side
from ekstui.named_tuples import NamedTuple
from ekstui.sources.levels import NO_LAYERS, LayerFiles, LayersOfRequest
from ekstui.store import index

if TYPE_CHECKING:
    from ekstui.denial.access_entries import ForbiddenExplanation
    from ekstui.library.account_of_case import AccountOfCase
    from ekstui.library.kubernetes_denials import KubernetesCase
    from ekstui.library.requester import PodOfSession, Requester, TargetRole, TrustSource

_PRINCIPAL = re.compile(r"arn:aws[a-z-]{0,10}:(?:iam|sts)::[0-9]{12}:(?:role|assumed-role)/[\w+=,.@/-]{1,600}")

_MAX_SYMPTOMS = 3
_MAX_PODS = 5
"""How many of the pods of a node are named."""

_FORBIDDEN = "kubernetes-forbidden"
"""The symptom that Kubernetes forbade a request, which is an answer of its own where the text names it."""

_OF_A_PARTITION = "policy-of-a-partition"
"""The symptom that a policy may be missing in a partition, for want of anything better."""


class Inquiry(NamedTuple):
    """A question, and the policies to judge it by."""

    question: Question
    policies: tuple[Side, ...] = ()
    """Identity policies: AWS's, files, or one on standard input."""
    boundary: Side | None = None
    session: tuple[Side, ...] = ()
    layers: LayerFiles = NO_LAYERS
    """Files and folders with further layers: the organization's, the resource's, a boundary, the session's."""
    standard_input: str = ""
    """The text for a side that is StandardInput."""
    values: Mapping[str, str] = {}
    """Values for a controller's parameters."""
    principal: str | None = None
    """A role of the account by name, or a role, session or user by ARN: its policies count too.

    Without it, and without policies, the message's own principal is looked up in the account. If the call is unsigned,
    or a service makes it, this is the role to be assumed.
    """
    trust: TrustSource | None = None
    """The trust policy of the role to be assumed; None looks the role up in the account."""
    cluster: str | None = None
    """The cluster that forbade what Kubernetes forbade; None for the only one that is known."""
    pod: PodOfSession | None = None
    """The service account whose pod makes the request with the principal's role, if it is known."""


ExplainAnswer: TypeAlias = "Explanation | ForbiddenExplanation"
"""Why IAM denied a request, or Kubernetes."""


def explain_all(
    library: Library, inquiry: Inquiry, progress: Callable[[int, int], None] = lambda _position, _total: None
) -> tuple[ExplainAnswer, ...]:
    """Return why each request of an inquiry is denied, in the message's order, once for all repeats.

    InputError if it is no denial.
    """
    snapshot = _snapshot(library, inquiry)
    of_partition = library if snapshot is None else library.in_partition(snapshot.identity.partition)
    partition = of_partition.data().partition
    account = None if snapshot is None else _account_of(snapshot, of_partition, inquiry)
    answers = of_partition.ask(
        lambda reader: _Case(inquiry, account, of_partition, reader, partition, {}).answers(progress)
    )
    if snapshot is None:
        return answers
    read_at = snapshot.fetched_at
    return tuple(
        answer._replace(fetched_at=read_at)
        if isinstance(answer, Explanation) and (answer.role or answer.trust)
        else answer
        for answer in answers
    )


def account_meant(library: Library, inquiry: Inquiry) -> bool:
    """Return whether an inquiry is judged by a known account that AWS can be asked about again."""
    if not library.has_account_without_lookup:
        return False
    is_live = library.account.choice.asks_aws and library.account.is_set_up
    return is_live and _snapshot(library, inquiry) is not None


def _snapshot(library: Library, inquiry: Inquiry) -> AccountSnapshot | None:
    """Return the account that an inquiry is about, None if no account is known or meant."""
    if inquiry.principal is not None:
        return library.account.last_snapshot_or_error()
    if inquiry.policies or inquiry.trust is not None or not library.has_account_without_lookup:
        return None
    accounts = _accounts_of(inquiry.question)
    snapshot = library.account.last_snapshot() if accounts else None
    return None if snapshot is None or snapshot.identity.account not in accounts else snapshot


def _account_of(snapshot: AccountSnapshot, library: Library, inquiry: Inquiry) -> AccountOfCase:
    # 60 ms, as much as everything else here, and only with an account.
    from ekstui.library.account_of_case import AccountOfCase

    return AccountOfCase(snapshot, library, inquiry.principal, inquiry.pod, datetime.now(UTC))


class _Case(NamedTuple):
    """An inquiry, the account that it is about, and the documents of one partition to judge it by."""

    inquiry: Inquiry
    account: AccountOfCase | None
    library: Library
    reader: PolicyReader
    partition: str
    candidates_read: dict[tuple[object, ...], list[CandidatePolicy]]
    """The policies that may allow the action looked at last, with what is parsed and evaluated of them."""

    def answers(self, progress: Callable[[int, int], None]) -> tuple[ExplainAnswer, ...]:
        """Return why each request of the inquiry is denied."""
        question, trust = self.inquiry.question, self.inquiry.trust
        symptoms = _symptoms_in(question.message)
        if (unknown := self._unauthorized()) is not None:
            return (unknown,)
        try:
            refusals = refused_requests(question)
        except InputError:
            symptoms = self._of_policies(symptoms)
            if not symptoms:
                raise
            return (self._of_symptoms(symptoms),)
        requests = [refusal for refusal in refusals if isinstance(refusal, DeniedRequest)]
        if trust is not None and not any(is_assuming(entry.request.action) for entry in requests):
            raise InputError(
                f"{requests[0].request.action if requests else 'What Kubernetes forbids'} does not assume a role, so "
                "no trust policy counts.",
                "Leave out --trust, or name the action.",
            )
        if len(refusals) == 1 and requests:
            return tuple(self._of_denied_request(requests[0]._replace(text=""), symptoms))
        kubernetes = self._kubernetes() if len(requests) < len(refusals) else None
        answers: dict[int, tuple[ExplainAnswer, ...]] = {}
        # Denials of one action have their policies in common, of which only those of one action fit into memory.
        for position, refusal in sorted(enumerate(refusals), key=lambda entry: _action_of(entry[1])):
            progress(len(answers), len(refusals))
            if isinstance(refusal, DeniedRequest):
                answers[position] = tuple(self._of_denied_request(refusal, _symptoms_in(refusal.text)))
            elif kubernetes is not None:
                answers[position] = (kubernetes.forbidden(refusal.forbidden, refusal.times),)
        in_order = chain.from_iterable(answers[position] for position in range(len(refusals)))
        return (*in_order, *self._of_other_lines(symptoms, refusals))

    def _unauthorized(self) -> ForbiddenExplanation | None:
        """Return why a cluster does not know the caller, if the message says so and which cluster or who is known."""
        message, principal = self.inquiry.question.message, self.inquiry.question.principal
        if message is None or (self.inquiry.cluster is None and principal is None):
            return None
        if not is_unauthorized(message) or "forbidden: " in message:
            return None
        return self._kubernetes().unauthorized(principal)

    def _kubernetes(self) -> KubernetesCase:
        from ekstui.library.kubernetes_denials import kubernetes_case  # only for Kubernetes' denials

        return kubernetes_case(self.library, self.inquiry.cluster)

    def _of_denied_request(self, denied_request: DeniedRequest, symptoms: tuple[Symptom, ...]) -> Iterator[Explanation]:
        """Yield why a request was denied; a further answer for repeats on resources that are decided otherwise."""
        if not denied_request.request.action:
            yield _without_action(denied_request)
            return
        # The known meaning of a text says more than an action that only an SDK's wrapper names.
        if symptoms and self.inquiry.question.action is None and _is_bare(denied_request):
            yield self._of_symptoms(symptoms)._replace(times=denied_request.times)
            return
        for group in self._decided_alike(denied_request):
            resources = tuple(dict.fromkeys(name for request in group.variants for name in request.resources))
            answer = self._of_request(group, symptoms)
            yield answer._replace(times=group.times, resources=resources if len(resources) > 1 else ())

    def _decided_alike(self, denied_request: DeniedRequest) -> Iterator[DeniedRequest]:
        """Yield a request and its repeats, apart from those about which the policies decide otherwise."""
        requester = self._requester(denied_request)
        variants = dict.fromkeys(
            (denied_request.request.resources, request.resources) for request in denied_request.variants
        )
        if len(variants) < 2 or (requester is None and not self.inquiry.policies):
            yield denied_request
            return
        groups: dict[str, list[Request]] = {}
        for request in denied_request.variants:
            request_in_account, policies = self._request_and_policies(
                denied_request._replace(request=request), requester
            )
            groups.setdefault(decide(request_in_account, policies, denied_request.denial).verdict, []).append(request)
        unlisted_times = denied_request.times - len(denied_request.variants)
        for requests in groups.values():
            yield denied_request._replace(
                request=requests[0], times=len(requests) + unlisted_times, variants=tuple(requests)
            )
            unlisted_times = 0

    def _of_other_lines(
        self, symptoms: tuple[Symptom, ...], refusals: Sequence[DeniedRequest | ForbiddenRequest]
    ) -> Iterator[Explanation]:
        """Yield what is known of lines that are no denial, besides what the denials' own text has."""
        symptoms_of_denials = {
            symptom
            for refusal in refusals
            if isinstance(refusal, DeniedRequest)
            for symptom in _symptoms_in(refusal.text)
        }
        lines = (self.inquiry.question.message or "").lower().splitlines()
        other_symptoms = tuple(
            symptom
            for symptom in symptoms
            if symptom not in symptoms_of_denials
            and symptom.code != _FORBIDDEN
            and any(symptom.is_in(line) for line in lines)
        )
        if other_symptoms:
            yield self._of_symptoms(other_symptoms)

    def _of_policies(self, symptoms: tuple[Symptom, ...]) -> tuple[Symptom, ...]:
        """Return what a message without a denial means: what is wrong with the policies it names says the most."""
        message = self.inquiry.question.message
        if message is None or len(message) > MAX_CHARACTERS:
            return symptoms
        symptoms_of_names = tuple(misnamed_policies(message, self.reader, knowledge(), self.partition))[:_MAX_SYMPTOMS]
        if not symptoms_of_names:
            return symptoms
        return (*symptoms_of_names, *(symptom for symptom in symptoms if symptom.code != _OF_A_PARTITION))

    def _of_symptoms(self, symptoms: tuple[Symptom, ...]) -> Explanation:
        question = self.inquiry.question
        caller = DeniedRequest(Request("", principal=question.principal or _role_in(question.message)), None)
        requester = self._requester(caller)
        request, policies = self._request_and_policies(caller, requester)
        explanation = explain_symptom(symptoms, policies, request.principal, knowledge())
        explanation = self._with_findings(explanation, requester)
        # Without a request nothing can be tried; each of these ends its finding.
        ending = (
            finding.commands
            for finding in explanation.findings
            if finding.code != "missing-policy" and finding.commands
        )
        return explanation._replace(fixes=tuple(map(Fix, ending)))

    def _of_request(self, denied_request: DeniedRequest, symptoms: tuple[Symptom, ...]) -> Explanation:
        principal_is_target, target = self._target(denied_request.request)
        requester = None if principal_is_target else self._requester(denied_request)
        request, policies = self._request_and_policies(denied_request, requester)
        explanation = self._explain(
            request, denied_request, policies, self._purpose(request, denied_request, requester, policies)
        )
        trust = self._layers(request).trust or (None if target is None else target.trust)
        if trust is not None:
            explanation = with_trust(explanation, request, policies, trust, denial=denied_request.denial)
        all_symptoms = dict.fromkeys((*symptoms, *explanation.symptoms))
        is_denied = explanation.verdict != "allowed"
        if self.account and requester and requester.role and is_denied and explanation.allowed_by:
            outdated_copies = tuple(self.account.old_copies(requester.role, request, self.reader))
            explanation = explanation._replace(outdated_copies=outdated_copies)
        explanation = self._with_findings(explanation._replace(symptoms=tuple(all_symptoms)[:_MAX_SYMPTOMS]), requester)
        if requester is not None and self.inquiry.pod is None and is_denied:
            session = arn.entity_of(denied_request.request.principal).session
            explanation = explanation._replace(notes=(*explanation.notes, *self._pods_of_node(requester, session)))
        role = None if target is None else target.role
        if role is not None:
            explanation = self._with_findings_of(role, explanation)
        if not is_denied or not explanation.findings:
            return explanation
        role_fixes = (
            role_fix(finding.commands, request, policies, None if role is None else role.arn)
            for finding in explanation.findings
        )
        return explanation._replace(fixes=(*filter(None, role_fixes), *explanation.fixes))

    def _pods_of_node(self, requester: Requester, session: str | None) -> Iterator[str]:
        """Yield which pods may have made a call with the role of their node, as far as pods were read."""
        if self.account is None or requester.arn is None:
            return
        for cluster in self.account.snapshot.clusters:
            users = users_of_node_role(cluster, requester.arn, session)
            if users:
                names = [workload.title for workload in users[:_MAX_PODS]]
                remainder = [f"{len(users) - _MAX_PODS} more"] if len(users) > _MAX_PODS else []
                predicate = "has no role of its own" if len(users) == 1 else "have no role of their own"
                yield (
                    f"In {cluster.name}, {listed([*names, *remainder])} {predicate} and may have made this call with the node's "
                    "role."
                )
            elif users is not None:
                yield (
                    f"In {cluster.name}, every pod that was read has a role of its own: the node itself may have made "
                    "this call."
                )

    def _target(self, request: Request) -> tuple[bool, TargetRole | None]:
        """Return whether the inquiry's principal is the role to be assumed, and the role to be assumed, if any."""
        trust = self.inquiry.trust
        if self.account is None and trust is None:
            return False, None
        from ekstui.library.requester import target_of  # only with an account or a trust policy

        assumed_role = self.account.principal_assumed_by(request) if self.account else None
        snapshot = self.account.snapshot if self.account else None
        return assumed_role is not None, target_of(request, assumed_role, snapshot, trust, self.inquiry.standard_input)

    def _requester(self, denied_request: DeniedRequest) -> Requester | None:
        """Return the principal that is named, or the message's own if it is in the account, with its policies."""
        if self.account is None:
            return None
        name = denied_request.request.principal
        return self.account.requester(name, self.reader, others=not self.inquiry.policies)

    def _request_and_policies(
        self, denied_request: DeniedRequest, requester: Requester | None
    ) -> tuple[Request, Policies]:
        """Return the request with what is known of its principal, and the policies to judge it by."""
        request, policies = denied_request.request, Policies()
        if requester is not None:
            request, policies = _of_principal(request, requester), requester.policies
        layers = self._layers(request)
        keys = {key.lower() for key in (*request.context, *request.absent)}
        if layers.resource_account is not None and "aws:resourceaccount" not in keys:
            owner = {"aws:ResourceAccount": (layers.resource_account,)}
            request = request._replace(context={**request.context, **owner})
        return request, self._with_inquiry(policies, layers)

    def _layers(self, request: Request) -> LayersOfRequest:
        account = arn.split_arn(request.principal or "").account
        layers = layers_in_force(self.inquiry.layers, self.library, account)
        return layers.for_request(request, assumes=is_assuming(request.action))

    def _with_inquiry(self, policies: Policies, layers: LayersOfRequest) -> Policies:
        inquiry = self.inquiry
        boundary = layers.boundary if inquiry.boundary is None else self._applied_policy(inquiry.boundary)
        return policies._replace(
            identity=(*policies.identity, *map(self._applied_policy, inquiry.policies)),
            boundary=boundary or policies.boundary,
            session=(*policies.session, *map(self._applied_policy, inquiry.session), *layers.session),
            organization=layers.organization,
            resource=layers.resource,
            without=layers.without,
            notes=layers.notes,
        )

    def _applied_policy(self, side: Side) -> AppliedPolicy:
        side_read = read_side(side, self.library, self.inquiry.standard_input, self.inquiry.values, named=False)
        if side_read.policy is not None:
            return AppliedPolicy(side_read.policy.name, side_read.version, side_read.document, side_read.policy.arn)
        return AppliedPolicy(Path(side_read.label).name, side_read.version, side_read.document)

    def _purpose(
        self, request: Request, denied_request: DeniedRequest, requester: Requester | None, policies: Policies
    ) -> Purpose:
        """Return what the principal is for, by the account or else by signs."""
        if self.account is not None and requester is not None and requester.role is not None:
            purpose = self.account.purpose_of(requester.role)
            if purpose is not None:
                return purpose
        names = [policy.name for policy in _of_aws(policies)]
        return purpose_by_signs(request.principal, self._text_about(denied_request), names, knowledge())

    def _text_about(self, denied_request: DeniedRequest) -> str:
        """Return the part of the message that is about a request; of a single one, all of it."""
        return denied_request.text or self.inquiry.question.message or ""

    def _explain(
        self, request: Request, denied_request: DeniedRequest, policies: Policies, purpose: Purpose
    ) -> Explanation:
        elsewhere = partition_of(request)
        if elsewhere in (None, self.partition):
            candidates = self._candidates(request, policies)
            text = self._text_about(denied_request)
            return explain(
                request,
                policies,
                candidates,
                denial=denied_request.denial,
                knowledge=knowledge(),
                purpose=purpose,
                text=text,
            )
        # Documents of one partition never judge a request in another.
        if policy_names := [policy.name for policy in _of_aws(policies)]:
            raise InputError(
                f"The request is of partition {elsewhere}, and the documents known of {policy_names[0]} are those of "
                f"{self.partition}.",
                sync_there(elsewhere),
            )
        explanation = explain(request, policies, (), denial=denied_request.denial, knowledge=knowledge())
        return explanation._replace(
            not_looked_at=(*explanation.not_looked_at, f"the AWS managed policies of partition {elsewhere}"),
        )

    def _candidates(self, request: Request, policies: Policies) -> list[CandidatePolicy]:
        """Return the policies that may allow an action, and those in force."""
        in_force = frozenset(policy.arn or "" for policy in policies.identity)
        key = (request.action.lower(), in_force, partition_of(request))
        if key not in self.candidates_read:
            policy_names = {(policy.arn or "").rpartition("/")[2] for policy in _of_aws(policies)}
            names = self.library.cached(lambda: index.names_allowing(self.library.store, request.action, policy_names))
            self.candidates_read.clear()
            self.candidates_read[key] = list(possible_allowers(request, policies, self.reader, knowledge(), names))
        return self.candidates_read[key]

    def _with_findings(self, explanation: Explanation, requester: Requester | None) -> Explanation:
        if requester is None:
            return explanation
        explanation = explanation._replace(role=requester.arn)
        return explanation if requester.role is None else self._with_findings_of(requester.role, explanation)

    def _with_findings_of(self, role: Role, explanation: Explanation) -> Explanation:
        """Return the explanation with a role's findings that may be the reason, and the commands that fix them."""
        if self.account is None:
            return explanation
        # What is wrong with a role that is to be assumed comes before what is wrong with the one that assumes it.
        return explanation._replace(findings=(*self.account.findings(role, self.reader), *explanation.findings))


def _action_of(refusal: DeniedRequest | ForbiddenRequest) -> str:
    return refusal.request.action.lower() if isinstance(refusal, DeniedRequest) else ""


def _without_action(denied_request: DeniedRequest) -> Explanation:
    """Return what is known of a denial whose action its text does not name."""
    may_be = denied_request.ambiguous[:8]
    return Explanation(
        verdict="depends",
        action=None,
        notes=(f"It may be {listed(may_be, 'or')}.",) if may_be else (),
        encoded=None if denied_request.denial is None else denied_request.denial.encoded,
        denied=True,
        times=denied_request.times,
    )


def _is_bare(denied_request: DeniedRequest) -> bool:
    """Return whether a message names an action and nothing else."""
    denial = denied_request.denial
    return denial is not None and (denial.principal, denial.resource, denial.cause) == (None, None, None)


def _symptoms_in(message: str | None) -> tuple[Symptom, ...]:
    if message is None or len(message) > MAX_CHARACTERS:
        return ()
    symptoms = dict.fromkeys(symptom for text in unwrapped(message) for symptom in knowledge().symptoms_in(text))
    return tuple(symptoms)[:_MAX_SYMPTOMS]


def _accounts_of(question: Question) -> frozenset[str]:
    """Return the accounts of the principals that a question names, and of the roles that they want to assume."""
    names: list[str | None] = []
    try:
        for denied_request in denied_requests(question):
            names += [
                denied_request.request.principal,
                *(denied_request.request.resources if is_assuming(denied_request.request.action) else ()),
            ]
    except InputError:
        names = [_role_in(question.message)]
    accounts = (arn.split_arn(name).account for name in names if name is not None and name.startswith("arn:"))
    return frozenset(account for account in accounts if account.isdigit())


def _role_in(message: str | None) -> str | None:
    """Return the role or session that a text names, if it names only one."""
    principals = set(_PRINCIPAL.findall(message or ""))
    return principals.pop() if len(principals) == 1 else None


def _of_principal(request: Request, requester: Requester) -> Request:
    """Return the request with what is known about its principal and session; given values take precedence."""
    keys = {key.lower() for key in request.context} | {key.lower() for key in request.absent}
    tags = dict(requester.session.tags)
    if requester.arn is not None:
        # A session's ARN leaves out the role's path.
        tags["aws:PrincipalArn"] = (requester.arn,)
    context = {**request.context, **{key: values for key, values in tags.items() if key.lower() not in keys}}
    return request._replace(
        principal=request.principal or requester.arn,
        context=context,
        absent=request.absent | requester.session.absent,
    )


def _of_aws(policies: Policies) -> Iterator[AppliedPolicy]:
    everything = (*policies.identity, *policies.session, *((policies.boundary,) if policies.boundary else ()))
    return (policy for policy in everything if policy.arn is not None and arn.is_of_aws(policy.arn))
