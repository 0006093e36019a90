"""The verdict on a request in a word, and its reason in a line."""

from ekstui.denial.answer import Explanation, Outcome, layer_in_words, statement_in_words
from ekstui.denial.message import Cause
from ekstui.denial.parameters import made_by
from ekstui.iam.arn import kind_of_resource, split_arn
from ekstui.iam.evaluation import IDENTITY, PRINCIPAL, RESOURCE, exemption_of
from ekstui.iam.principals import UNSIGNED, is_own_role
from ekstui.present.styled import Style

STYLES: dict[str, Style] = {
    "allowed": "good", "explicit-deny": "bad", "implicit-deny": "bad", "forbidden": "bad", "depends": "warn",
}  # fmt: skip
"""The style of each verdict, of IAM or of Kubernetes."""

IN_A_WORD = {
    "allowed": "allowed", "explicit-deny": "denied by a Deny", "implicit-deny": "denied", "forbidden": "forbidden",
    "depends": "cannot tell",
}  # fmt: skip
"""Verdicts in a table."""

_NAMED = {RESOURCE: "the resource", PRINCIPAL: "who asks", IDENTITY: "the identity policies"}
"""What may be missing besides condition keys."""

_MOST_KEYS = 3
"""The most condition keys in a first line."""


OUTCOMES: dict[Outcome, tuple[str, Style]] = {
    "allowed": ("ALLOWED", "good"), "denied": ("DENIED", "bad"), "unknown": ("CANNOT TELL", "warn"),
}  # fmt: skip
"""What becomes of a request, at the start of an answer."""


def reason_in_words(explanation: Explanation) -> str:
    """Return the reason of an answer's outcome; if it comes from the message, with the kind of policy."""
    if explanation.lacks_only_tags_of_new_resource:
        return _of_foreign_tags(explanation)
    if explanation.verdict == "allowed" and exemption_of(explanation.action or "", explanation.principal) == "action":
        return "it always is, as it needs no permission"
    if explanation.denied and not explanation.action:
        hint = "only its encoded part does" if explanation.encoded else "the lines around it may"
        return f"the message does not name the action; {hint}"
    if explanation.judged:
        return _reason_by_policies(explanation)
    if not explanation.denied:
        return "no policy was given to judge it by"
    if explanation.cause is None and (words := _of_assuming(explanation)):
        return words
    return _as_the_message_says(explanation.cause)


def _of_assuming(explanation: Explanation) -> str:
    """Return who does not let a role be assumed; empty for another action."""
    action = (explanation.action or "").lower()
    if action in UNSIGNED:
        return "the role does not exist, or its trust policy does not accept the token"
    if action != "sts:assumerole":
        return ""
    accounts = {split_arn(name or "").account for name in (explanation.principal, explanation.resource)}
    if is_own_role(explanation.principal, explanation.resource):
        return "the role assumes itself, which its own trust policy would have to allow"
    if len(accounts) > 1 and all(account.isdigit() for account in accounts):
        return "across accounts, the caller's policies and the trust policy of the role must both allow it"
    return "the caller's policies do not allow it, or the trust policy of the role does not"


def _as_the_message_says(cause: Cause | None) -> str:
    if cause is None:
        return "the message does not say by which policy"
    if cause.policy_type == "public-access-block":
        return f"S3 Block Public Access ({cause.policy}), which no policy overrides, denies it, as the message says"
    if cause.is_one_of_several:
        return f"the {cause.kind} denies it, or the resource does not exist, as the message says"
    if cause.explicit:
        return f"{cause.one_policy} denies it explicitly, as the message says"
    says = f"the {cause.kind} does not allow it" if cause.policy_type == "trust" else f"no {cause.kind} allows it"
    return f"{says}, as the message says"


def _of_foreign_tags(explanation: Explanation) -> str:
    """Return that only the tags of what the call makes would allow it, which the denied resource cannot have."""
    new_kind = next(iter(made_by(explanation.action or "")), "resource").replace("-", " ")
    kind = kind_of_resource(explanation.resource)
    service = (explanation.action or "").partition(":")[0].upper()
    resource = f"the {kind}" if kind and kind != "*" else "another resource"
    return f"the policies cover only the new {new_kind}, by its tags; {service} also checks {resource}"


def _reason_by_policies(explanation: Explanation) -> str:
    if explanation.verdict == "allowed":
        return _reason_allowed(explanation)
    if explanation.verdict == "depends":
        questions = _open_questions(explanation)
        return f"{'whether the policies allow ' if explanation.denied else ''}it depends on {questions}"
    if explanation.verdict == "explicit-deny":
        deny = next((result for result in explanation.nearest if result.statement.effect == "Deny"), None)
        statement_words = "a statement" if deny is None else statement_in_words(deny).removesuffix(", a Deny")
        return f"{statement_words} denies it, and a Deny overrides any Allow"
    if (layer := explanation.limiting_layer) is not None:
        return f"the {layer_in_words(layer)} does not allow it, though identity policies do"
    failure_by_part = {failure.part: failure for result in explanation.nearest[:1] for failure in result.failed}
    if failure_by_part and "action" not in failure_by_part:
        if "resource" in failure_by_part:
            return "the policies allow it only on other resources"
        if (condition := failure_by_part.get("condition")) is not None:
            return f"the policies allow it only under a condition on {condition.key} that it does not meet"
    return "none of the policies looked at allows it"


def _reason_allowed(explanation: Explanation) -> str:
    """Return that the policies allow it, and what else has a say."""
    words = "the policies looked at allow it"
    if explanation.must_allow_too is not None:
        return f"{words}, but {explanation.must_allow_too} must allow it too"
    return f"{words}, so something else denied it, or they have changed since" if explanation.denied else words


def _open_questions(explanation: Explanation) -> str:
    """Return what would have to be known for a verdict."""
    missing = [key for key in explanation.missing_context if key not in explanation.tag_keys_of_new_resource]
    questions = [words for key, words in _NAMED.items() if key in missing]
    keys = [key for key in missing if key not in _NAMED]
    of_tags = [key for key in keys if "tag" in key.partition(":")[2].lower()]
    if of_tags:
        questions.append("tags")
    questions += [key for key in keys if key not in of_tags][:_MOST_KEYS]
    if not questions:
        return "what the policies do not tell"
    plural = len(questions) > 1 or questions in (["tags"], [_NAMED[IDENTITY]])
    unknown = (
        "which the message does not show" if explanation.denied else f"which {'were' if plural else 'was'} not given"
    )
    if questions == ["tags"]:
        return f"tags that {unknown.removeprefix('which ')}"
    return f"{', '.join(questions[:-1])}{' and ' if len(questions) > 1 else ''}{questions[-1]}, {unknown}"
