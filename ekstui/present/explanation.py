"""Why a request was denied: the verdict, the deciding statements, what would help, and what was not looked at."""

from __future__ import annotations

import json
from collections.abc import Collection, Hashable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from ekstui.change.policy import version_label
from ekstui.denial.answer import (
    Allower,
    Explanation,
    Fix,
    NewerVersion,
    OldCopy,
    decoding,
    is_narrow,
    layer_in_words,
    policy_document,
    refused_tags,
    statement_in_words,
)
from ekstui.eks.commands import Command
from ekstui.eks.use_words import use_in_words
from ekstui.iam.arn import entity_of, is_cut_off, kind_of_resource, split_arn
from ekstui.iam.document import serialise
from ekstui.iam.evaluation import IDENTITY, PRINCIPAL, RESOURCE, Failure, LayerEvaluation, StatementResult
from ekstui.iam.text import counted
from ekstui.library.notation import PolicyAt
from ekstui.named_tuples import NamedTuple
from ekstui.present.blocks import (
    Block,
    Code,
    Column,
    Heading,
    Line,
    Node,
    Part,
    Sentence,
    Span,
    Table,
    TableRow,
    Tree,
    as_of_line,
    as_of_words,
    by_place,
    code,
    command_blocks,
    facts_table,
    finding_line,
    folded,
    hints_tree,
    note,
    parts,
    step_blocks,
)
from ekstui.present.chain import breaking_line, chain_line, is_open
from ekstui.present.forbidden_report import forbidden_blocks
from ekstui.present.styled import Style
from ekstui.present.verdicts import IN_A_WORD, OUTCOMES, STYLES, reason_in_words

if TYPE_CHECKING:
    from ekstui.library.explaining import ExplainAnswer
    from ekstui.library.peeling import LayerSimulation
    from ekstui.sources.aws.iam import SimulatedDecision

_DENIED_THOUGH = {"allowed": "denied elsewhere", "depends": "denied, it depends"}
"""In a table, what was denied though the policies looked at allow it, or may."""
_OF_A_LAYER = {
    "allowed": "allows it", "explicit-deny": "denies it", "implicit-deny": "does not allow it",
    "depends": "cannot tell",
}  # fmt: skip
"""Verdicts of layers: an allowed request need not be allowed by each of them."""

_MOST_OFFERED = 6
"""The most policies shown that would allow the request; JSON has more."""

_OPTIONS = {RESOURCE: "--resource ARN", PRINCIPAL: "--principal ARN", IDENTITY: "--policy POLICY or --role NAME"}
_TYPED = {RESOURCE: "an ARN", PRINCIPAL: "who asks", IDENTITY: "role:NAME"}

_LAYERS = (Column("Layer"), Column("Verdict"), Column("By", shrink=1))
_ANSWERS = (
    Column(""),
    Column("Who", 12, names=True, shrink=2),
    Column("Action", 20, shrink=1),
    Column("On", 9, shrink=3),
    Column("Verdict"),
)

_LONGEST_NAME = 40
"""The longest name of a resource in a first line."""

_SIMULATED = {"allowed": "allowed", "explicitDeny": "denied explicitly", "implicitDeny": "denied, nothing allows it"}
"""What IAM's simulator decides."""

_VERDICT_OF = {"allowed": "allowed", "explicitDeny": "explicit-deny", "implicitDeny": "implicit-deny"}

_PEELED = (Column("Left out", shrink=1), Column("Decision"))


class AnswerRow(NamedTuple):
    """A row of the table of several answers, which unfolds one of them."""

    number: int
    """The answer's place, from 0."""


def explanation_blocks(
    answers: Sequence[ExplainAnswer],
    simulation: LayerSimulation | None = None,
    *,
    now: datetime,
    open_keys: Collection[Hashable] | None = None,
) -> list[Block]:
    """Return one answer; of several a table, and those of them whose places are unfolded.

    `open_keys` also has the keys of the parts of answers that are shown; None shows everything. The decisions of IAM's
    simulator are about the first.
    """
    several = len(answers) > 1
    blocks = _table(answers, is_whole=open_keys is None) if several else []
    for number, answer in enumerate(answers):
        if not several or open_keys is None or number in open_keys:
            if isinstance(answer, Explanation):
                decisions = None if number else simulation
                blocks += _explanation(number, answer, decisions, now, open_keys, several=several)
            else:
                blocks += forbidden_blocks(answer, now, number if several else None, open_keys)
    return blocks


def _table(answers: Sequence[ExplainAnswer], *, is_whole: bool) -> list[Block]:
    """Return a row an answer: how often, who, what, on what kind of resource, and the verdict in a word."""
    read, different = sum(answer.times for answer in answers), sum(answer.times > 0 for answer in answers)
    words = f"{counted(read, 'denial')}, {different} different"
    blocks: list[Block] = [Sentence(Span(words, "strong"))]
    blocks.append(Table(_ANSWERS, [_row(number, answer) for number, answer in enumerate(answers)]))
    if not is_whole:
        blocks.append(Sentence(by_place("enter explains one", "--full explains each of them", "muted")))
    return blocks


def _row(number: int, answer: ExplainAnswer) -> TableRow:
    kind: str | None
    if isinstance(answer, Explanation):
        caller = entity_of(answer.principal).name or answer.principal or ""
        action = answer.action or (answer.symptoms[0].symptom if answer.symptoms else "not named")
        kind = kind_of_resource(answer.resource or answer.resource_name) or ""
        if answer.resource_name and not answer.resource:
            kind = ""
    else:
        caller = (answer.subject.name or answer.subject.username) if answer.subject else ""
        action = str(answer.request or "")
        kind = answer.request.resource if answer.request else ""
    times = f"{answer.times} ×" if answer.times else ""
    word = _word(answer)
    verdict = Span(word, "warn" if word in _DENIED_THOUGH.values() else STYLES[answer.verdict])
    cells = (times, code(caller), code(action, "strong"), code("" if kind == "*" else kind), verdict)
    return TableRow(cells, AnswerRow(number), (number, "row"))


def _word(answer: ExplainAnswer) -> str:
    if isinstance(answer, Explanation):
        if not answer.times:
            return "known"
        # A denial without an action, or one whose meaning is known, was denied all the same.
        if (not answer.judged and not answer.action) or answer.symptoms:
            return "denied"
        if answer.verdict in _DENIED_THOUGH and answer.outcome == "denied":
            return _DENIED_THOUGH[answer.verdict]
    return IN_A_WORD[answer.verdict]


def policy_json(explanation: Explanation) -> str:
    """Return the smallest statement that would allow the request, as JSON; empty if there is none."""
    statement = explanation.smallest_statement
    return "" if statement is None else json.dumps(serialise(policy_document(statement)), indent=2)


def _explanation(
    number: int,
    explanation: Explanation,
    simulation: LayerSimulation | None,
    now: datetime,
    open_keys: Collection[Hashable] | None,
    *,
    several: bool,
) -> Iterator[Block]:
    """Yield the verdict and the chain that leads to it, then what to check and what fixes it; all else is folded."""
    headline, *meanings = _headlines(explanation)
    yield Heading(headline) if several else Sentence(headline)
    for line in (chain_line(explanation), breaking_line(explanation)):
        if line is not None:
            yield Sentence(line)
    sentences, notes = map(Sentence, meanings), map(note, explanation.notes)
    # What is said of this very request comes before what is known of its kind.
    yield from (*notes, *sentences) if explanation.denied or explanation.judged else (*sentences, *notes)
    for finding in explanation.findings:
        yield Sentence(finding_line(finding, finding.text, " with the role"))
    if simulation is not None:
        yield from _simulation(number, explanation, simulation)
    yield from _newer(number, explanation)
    yield from _steps(number, explanation)
    yield from folded([*_parts(number, explanation, now)], open_keys, level=3 if several else 2)


def _steps(number: int, explanation: Explanation) -> Iterator[Block]:
    """Yield what to check and what certainly fixes it, each a command below what it does; without any, what to add."""
    checks = [*explanation.checks, *filter(None, [decoding(explanation)])]
    fixes = [fix for fix in explanation.fixes if not fix.depends_on] or explanation.fixes
    steps = [("CHECK  ", command) for command in checks]
    for fix in fixes:
        only_if = f"only if {depends_words(fix)}: " if fix.depends_on else ""
        steps += [(f"FIX  {only_if}", command) for command in fix.commands]
    yield from step_blocks(steps, (number, "step"))
    if not checks and not fixes:
        for word, line in _to_add(explanation):
            yield Sentence((Span(f"{word}  ", "strong"), *parts(line)))


def _headlines(explanation: Explanation) -> tuple[Line, ...]:
    """Return the answer in one line, then what else the message is known to mean."""
    lines: list[Line] = [(Span(f"{symptom.symptom}: ", "strong"), symptom.answer) for symptom in explanation.symptoms]
    if explanation.symptoms and not explanation.denied and not explanation.judged:
        first = explanation.symptoms[0]
        return Span(first.symptom, "strong"), first.answer, *lines[1:]
    word, style = OUTCOMES[explanation.outcome]
    verdict, reason = Span(f"{word}  ", style), reason_in_words(explanation)
    if not explanation.action:
        return (verdict, reason), *lines
    return (verdict, code(explanation.action, "strong"), code(_on_what(explanation)), f": {reason}"), *lines


def _on_what(explanation: Explanation) -> str:
    """Return ` on ` and the resource without what ARNs of its kind begin with; empty if that is long, or not known."""
    arn = explanation.resource or ""
    kind, name = kind_of_resource(arn), split_arn(arn).resource
    name = entity_of(arn).name or name
    for separator in ":/":
        if "*" not in name:
            name = name.removeprefix(f"{kind}{separator}")
    name = name.removesuffix(":log-stream:")  # the ARN of a log group in denials
    return f" on {name}" if name != "*" and 0 < len(name) <= _LONGEST_NAME else ""


def _about(explanation: Explanation, now: datetime) -> Iterator[tuple[str, Line]]:
    if explanation.symptoms and not explanation.denied and not explanation.judged:
        yield from _about_symptoms(explanation)
    yield from _about_request(explanation)
    if explanation.used_by:
        yield "used by", "; ".join(map(use_in_words, explanation.used_by))
    if explanation.fetched_at is not None:
        yield "account", as_of_line(explanation.fetched_at, now)


def _to_add(explanation: Explanation) -> Iterator[tuple[str, Line]]:
    """Yield what would have to be said for a clearer answer."""
    if explanation.denied and not explanation.judged and explanation.identity_policies_could_allow:
        prefix = by_place("role:NAME or policy:NAME before it", "--role NAME or --policy NAME")
        yield "NEXT", (*prefix, " shows which statement came nearest")
    if explanation.symptoms and explanation.role is None and any(symptom.actions for symptom in explanation.symptoms):
        option = by_place("role:NAME before it", "--role NAME")
        yield "NEXT", (*option, " shows which of the actions a role of the account lacks")
    if missing := [key for key in explanation.missing_context if key not in explanation.tag_keys_of_new_resource]:
        options = [_OPTIONS.get(key) or f"--{_option(key)} {key}=…" for key in missing]
        words_to_type = [_TYPED.get(key) or f"{key}=…" for key in missing]
        yield "ADD", by_place(f"{', '.join(words_to_type)}; x asks again", ", ".join(options))


def _about_request(explanation: Explanation) -> Iterator[tuple[str, Line]]:
    if explanation.times > 1:
        on = f", on {len(explanation.resources)} resources, such as the next" if explanation.resources else ""
        yield "denied", f"{explanation.times} times{on}"
    if explanation.resource is not None and (explanation.denied or explanation.resource != "*"):
        yield "resource", code(explanation.resource)
    elif explanation.resource_name is not None:
        lacks = "which the message cuts off" if is_cut_off(explanation.resource_name) else "whose ARN the message lacks"
        yield "resource", (code(explanation.resource_name), f", {lacks}")
    if explanation.principal is not None:
        yield "principal", code(explanation.principal)
    if (trust := explanation.trust) is not None:
        if trust.role is not None and trust.role != explanation.resource:
            yield "role", code(trust.role)
        if trust.caller.kind == "web-identity" and trust.caller.subject is not None:
            yield "token", (code(trust.caller.subject), f" of {trust.caller.issuer or 'an unknown cluster'}")
    if explanation.role is not None and explanation.role != explanation.principal:
        yield "judged by", ("all policies of ", code(explanation.role))


def _about_symptoms(explanation: Explanation) -> Iterator[tuple[str, Line]]:
    policies = dict.fromkeys(name for symptom in explanation.symptoms for name in symptom.policies)
    actions = dict.fromkeys(name for symptom in explanation.symptoms for name in symptom.actions)
    if policies:
        yield "policies", code(", ".join(policies))
    if actions:
        yield "actions", code(", ".join(actions))
    yield "source", code(", ".join(dict.fromkeys(symptom.source for symptom in explanation.symptoms)))


def _newer(number: int, explanation: Explanation) -> Iterator[Block]:
    """Yield which later version allows it, and which policies of the role are copies of an older release."""
    if (newer := explanation.newer_version) is not None:
        value = PolicyAt(newer.policy, newer.version)
        words = "A newer version may allow it: " if newer.missing else "A newer version allows it: "
        yield Sentence(Span(words + newer_in_words(newer), "good"), value, (number, "newer"))
    for index, copy in enumerate(explanation.outdated_copies):
        value = PolicyAt(copy.newer.policy, copy.newer.version)
        yield Sentence(Span(copy_in_words(copy, explanation.action or ""), "good"), value, (number, "behind", index))
        newer_release = f"{copy.newer.policy}@{version_label(copy.newer.version)}"
        command = Command(("ekstui", "diff", f"role:{copy.role}", newer_release), "compares them")
        yield Code(command.text, "sh", command, (number, "behind", index, "command"))


def _parts(number: int, explanation: Explanation, now: datetime) -> Iterator[Part]:
    """Yield what is folded, the most useful first."""
    if explanation.nearest:
        title = "statements that allow it" if explanation.verdict == "allowed" else "nearest statements"
        nodes = [_near((number, "near", index), result) for index, result in enumerate(explanation.nearest)]
        yield Part((number, "nearest"), f"{title} ({len(nodes)})", [Tree(nodes)])
    unlikely = explanation.fixes if any(not fix.depends_on for fix in explanation.fixes) else ()
    for index, fix in enumerate(fix for fix in unlikely if fix.depends_on):
        title = f"fixes it only if {depends_words(fix)}"
        yield Part((number, "if", index), title, [*command_blocks(fix.commands, (number, "possible", index))])
    if explanation.allowed_by:
        count = len(explanation.allowed_by) + explanation.allowed_by_more
        yield Part(
            (number, "allowers"), f"would also allow it, if attached ({count})", list(_allowers(number, explanation))
        )
    if text := policy_json(explanation):
        # Without a known resource, the statement allows more than it needs to.
        proviso = "; replace * with the resource" if not is_narrow(explanation) else ""
        if explanation.smallest_statement is not None and explanation.smallest_statement.conditions:
            proviso += ", if its conditions hold"
        yield Part((number, "smallest"), f"smallest policy that allows it{proviso}", [Code(text)])
    if len(explanation.layers) > 1:
        table = Table(_LAYERS, [_layer(number, layer) for layer in explanation.layers])
        yield Part((number, "layers"), "by layer", [table])
    yield from _besides(number, explanation)
    if about := list(_about(explanation, now)):
        read = f" · account {as_of_words(explanation.fetched_at)}" if explanation.fetched_at else ""
        yield Part((number, "about"), f"who asked for what{read}", [facts_table(about)])


def _version_with_day(version: int, created: datetime | None) -> str:
    return f"{version_label(version)} ({created:%Y-%m-%d})" if created else version_label(version)


def newer_in_words(newer: NewerVersion) -> str:
    """Return in words which later version allows a request, and what that depends on."""
    earlier = f"; {_in_words(newer.conditional)}" if newer.conditional else ""
    return f"{newer.policy} {_in_words(newer)}{earlier}; in force is {version_label(newer.current)}"


def _in_words(newer: NewerVersion) -> str:
    depends = f", if {', '.join(newer.missing)} fits" if newer.missing else ""
    return f"{_version_with_day(newer.version, newer.created)}{depends}"


def copy_in_words(copy: OldCopy, action: str) -> str:
    """Return which release a copy is like, and what a later one has for an action."""
    newer = copy.newer
    allows = f"has a further statement for {action}" if newer.missing else f"allows {action}"
    version = _version_with_day(newer.version, newer.created)
    return f"{copy.name} is like {newer.policy} {version_label(newer.current)}; {version} {allows}"


def since_in_words(allower: Allower) -> str:
    """Return in words since which version a policy has allowed a request."""
    since = allower.since
    return f"since {'at latest ' if since.at_latest else ''}{_version_with_day(since.version, since.created)}"


def depends_words(fix: Fix) -> str:
    """Return what a fix depends on as the end of `only if …`."""
    keys = [name for name in fix.depends_on if ":" in name]
    other_policies = [f"{name} allows it too" for name in fix.depends_on if ":" not in name and name != RESOURCE]
    open_resource = ["the resource, which the message lacks, is one of these"] if RESOURCE in fix.depends_on else []
    return " and ".join((*([f"{', '.join(keys)} fits"] if keys else []), *open_resource, *other_policies))


def _besides(number: int, explanation: Explanation) -> Iterator[Part]:
    """Yield what else such a call needs, and what was not looked at."""
    if explanation.also_authorised_on:
        names = [f"{use.name}{'' if use.required else ' (if used)'}" for use in explanation.also_authorised_on]
        yield Part((number, "also"), "the same call is also authorised on", [Sentence(", ".join(names))])
    if explanation.hints:
        yield Part((number, "hints"), "such a call often needs", [hints_tree(explanation.hints)])
    if unseen := explanation.not_looked_at:
        yield Part((number, "unseen"), f"not looked at ({len(unseen)})", [Sentence(Span(", ".join(unseen), "muted"))])


def _layer(number: int, layer: LayerEvaluation) -> TableRow:
    decider = "" if layer.decided_by is None else statement_in_words(layer.decided_by)
    cells = (layer_in_words(layer), Span(_OF_A_LAYER[layer.verdict], STYLES[layer.verdict]), decider)
    return TableRow(cells, layer, (number, "layer", layer.layer, layer.level))


def _near(key: tuple[object, ...], result: StatementResult) -> Node:
    value = PolicyAt(result.policy.name, result.policy.version) if result.policy.version is not None else result
    style: Style = "bad" if result.statement.effect == "Deny" else ""
    return Node(
        Span(statement_in_words(result), style),
        [Node((_cross(result, failure), failure_in_words(failure))) for failure in result.failed],
        value,
        key,
    )


def failure_in_words(failure: Failure) -> str:
    """Return what a statement requires and what the request has."""
    if failure.part == "effect":
        return "it denies the request"
    required = f"{failure.operator} {' or '.join(failure.wanted) or 'nothing'}"
    if failure.actual is None:
        actual = "not given"
    else:
        actual = (
            f"the request has {', '.join(failure.actual)}" if failure.actual else "the request does not have the key"
        )
    if failure.part != "condition":
        return f"{required}; {actual}"
    tags = refused_tags(failure)
    actual = f"refused: {', '.join(tags)}; {actual}" if tags else actual
    return f"condition {failure.key}: {required}; {actual}"


def _cross(result: StatementResult, failure: Failure) -> Span:
    """Return a cross for what does not match, a question mark for what is not known."""
    return Span("? ", "warn") if is_open(result, failure) else Span("✗ ", "bad")


def _option(key: str) -> str:
    """Return the option that sets a value: --param for a policy's parameter, which has no service prefix."""
    return "context" if ":" in key.replace("::", "") else "param"


def _allowers(number: int, explanation: Explanation) -> Iterator[Block]:
    allowers = explanation.worth_attaching[:_MOST_OFFERED]
    yield Table(
        (Column("", shrink=1), Column(""), Column(""), Column("", shrink=2)),
        [
            TableRow(
                (
                    code(allower.policy, "strong"),
                    version_label(allower.version),
                    since_in_words(allower),
                    Span(_remarks(allower), "muted"),
                ),
                PolicyAt(allower.policy, allower.version),
                (number, "allower", allower.policy),
            )
            for allower in allowers
        ],
    )
    left_out = explanation.allowed_by_more + len(explanation.allowed_by) - len(allowers)
    if left_out:
        is_unknown = explanation.allowed_by[0].fit == "unknown"
        none = "No EKS policy" if is_unknown else "No policy for this kind of role"
        remainder = counted(left_out, "other") if is_unknown else counted(left_out, "unrelated one")
        do = "does" if left_out == 1 else "do"
        remark = f"and {left_out} more" if allowers else f"{none} allows it ({remainder} {do})"
        if is_unknown and not allowers and any(allower.scope == "eks" for allower in explanation.allowed_by):
            remark = f"{counted(left_out, 'policy', 'policies')}, those of EKS by a wildcard"
        yield Sentence(by_place(f"{remark}; w lists them", f"{remark}:", "muted"))
        command = Command(("ekstui", "who-can", explanation.action or "", "--scope", "all"), "lists them")
        yield Code(command.text, "sh", command, (number, "all"), "outside")


def _remarks(allower: Allower) -> str:
    purpose = f"for {' or '.join(f'{kind}s' for kind in allower.meant_for)}" if allower.meant_for else ""
    origin = "published by its project" if allower.published else ""
    reach = "allows it by a wildcard" if allower.wildcard else ""
    return "; ".join(
        filter(None, (purpose, origin, reach, f"if {', '.join(allower.missing)}" if allower.missing else ""))
    )


def _simulation(number: int, explanation: Explanation, simulation: LayerSimulation) -> Iterator[Block]:
    """Yield what IAM's simulator decides with everything, and then without one layer after the other."""
    for decision in simulation.steps[0].decisions:
        yield Heading(f"IAM's own simulator: {_SIMULATED.get(decision.decision, decision.decision)}", 3)
        yield _simulation_table(decision)
    blocks: list[Block] = []
    if simulation.planned > 1:
        rows = [
            TableRow((f"without {step.without}", _decision(step.decision)), step, (number, "peel", step.without))
            for step in simulation.steps[1:]
        ]
        blocks = [Sentence(Span(simulation.verdict, "strong")), Table(_PEELED, rows)]
        if simulation.error is not None:
            blocks.append(note(f"Not every layer was asked about: {simulation.error}"))
        elif not simulation.complete:
            blocks.append(note(f"{len(simulation.steps)} of {simulation.planned} questions answered…"))
    if (difference := _simulator_differs(explanation, simulation)) is not None:
        blocks.append(note(difference))
    if blocks:
        yield from (Heading("Layer by layer, by IAM's own simulator", 3), *blocks)


def _decision(decision: str) -> Span:
    verdict = _VERDICT_OF[decision]
    return Span(IN_A_WORD[verdict], STYLES[verdict])


def _simulator_differs(explanation: Explanation, simulation: LayerSimulation) -> str | None:
    """Return what each did not know, if the simulator and ekstui decide differently; None if they agree."""
    whole_decision = simulation.steps[0].decision
    if not explanation.judged or explanation.verdict == _VERDICT_OF[whole_decision]:
        return None
    keys = dict.fromkeys(key for decision in simulation.steps[0].decisions for key in decision.missing_context)
    missing_keys = f" and was not given {', '.join(keys)}" if keys else ""
    unseen = ", ".join(explanation.not_looked_at) or "nothing that it knows of"
    return (
        f"ekstui and the simulator differ ({IN_A_WORD[explanation.verdict]}; {_SIMULATED.get(whole_decision, whole_decision)}). "
        "The simulator knows no policies of resources, resource control policies, session policies or VPC endpoint "
        f"policies{missing_keys}. ekstui did not look at: {unseen}."
    )


def _simulation_table(decision: SimulatedDecision) -> Table:
    about: list[tuple[str, Line]] = [
        ("resource", decision.resource),
        ("matched", ", ".join(decision.matched)),
        ("not given", ", ".join(decision.missing_context)),
        ("organisation", _allows(decision.allowed_by_organisation)),
        ("boundary", _allows(decision.allowed_by_boundary)),
    ]
    return facts_table([(word, text) for word, text in about if text])


def _allows(flag: bool | None) -> str:
    return "" if flag is None else "allows" if flag else "does not allow"
