"""Tags of a request that makes something: they are those of what is made, and no key for what is there already.

EC2 User Guide, "Grant permission to tag Amazon EC2 resources during creation"; kubernetes-sigs/aws-ebs-csi-driver#2190.
"""

from collections.abc import Iterable

from ekstui.core.arn import split_arn
from ekstui.core.denial.parameters import made_by
from ekstui.core.evaluation import Evaluation, Request


def is_there_already(request: Request, resource: str | None) -> bool:
    """Return whether a call of EC2 that makes something is denied on something else, which has an identifier of its own."""
    service, _, name = request.action.partition(":")
    if resource is None or service.lower() != "ec2" or name.lower() == "createtags" or not made_by(request.action):
        return False
    kind, _, identifier = split_arn(resource).resource.partition("/")
    return bool(identifier) and "*" not in identifier and kind not in made_by(request.action)


def of_request_tags(keys: Iterable[str]) -> tuple[str, ...]:
    """Return the condition keys that are about the tags of a request."""
    return tuple(key for key in keys if key.lower().startswith(("aws:requesttag/", "aws:tagkeys")))


def is_allowed_by_request_tags_alone(evaluation: Evaluation) -> bool:
    """Return whether every statement that allows the decisive resource asks for tags of the request."""
    allowing = [
        result.statement
        for result in evaluation.decisive.statements
        if result.matches and result.statement.effect == "Allow"
    ]
    return bool(allowing) and all(
        of_request_tags(condition.key for condition in statement.conditions) for statement in allowing
    )
