"""The policy documents in a file of a repository: in JSON, a Terraform plan or a CloudFormation template.

One that cannot be judged, such as a trust policy or what a template computes, is found all the same, with the reason.
"""

from collections.abc import Iterator, Mapping

from ekstui.errors import DocumentError
from ekstui.sources.embedded.cloudformation import of_template
from ekstui.sources.embedded.contents import value_in
from ekstui.sources.embedded.documents import Embedded, by_place, parsed, search
from ekstui.sources.embedded.terraform_plan import plan_sides
from ekstui.sources.repository import ChangedFile

__all__ = ["Embedded", "before_and_after"]


def before_and_after(file: ChangedFile) -> tuple[dict[str, Embedded], dict[str, Embedded]]:
    """Return the documents of a file before and after its change, by place; DocumentError if they are not certain."""
    before, after = value_in(file.path, file.before), value_in(file.path, file.after)
    try:
        sides = plan_sides(after)
        if sides is None:
            # A plan that is gone, or was replaced, applied to a state of its own.
            sides = ({} if plan_sides(before) else by_place(_documents(before)), by_place(_documents(after)))
    except RecursionError:
        raise DocumentError("it is nested too deep") from None
    return sides


def _documents(value: object) -> Iterator[Embedded]:
    if isinstance(value, Mapping) and "Statement" in value:
        yield parsed("", value)
    elif isinstance(value, Mapping) and isinstance(value.get("Resources"), Mapping):
        yield from of_template(value)
    else:
        yield from search(value, "")
