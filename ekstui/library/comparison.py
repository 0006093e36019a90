"""Comparing two documents, wherever they come from."""

from collections.abc import Callable
from pathlib import Path

from ekstui.core.change import changes
from ekstui.core.knowledge import Knowledge
from ekstui.core.where import FileSide, PolicyAt, RoleSide, Side, StandardInput
from ekstui.errors import InputError
from ekstui.library.policies import find_policy, known_version, parse_stored
from ekstui.library.reader import PolicyReader
from ekstui.library.values import ComparedSide, Comparison
from ekstui.sources.policy_file import document_of, read_document


def compared(before: ComparedSide, after: ComparedSide) -> Comparison:
    """Return what differs between two sides."""
    return Comparison(before, after, changes(before.document, after.document))


def read_side(
    side: Side, reader: PolicyReader, knowledge: Callable[[], Knowledge], standard_input: str
) -> ComparedSide:
    """Return the document that a side points at."""
    match side:
        case PolicyAt(name, version):
            policy = find_policy(name, reader, knowledge)
            number = known_version(policy, version)
            created = next(info.created for info in policy.versions if info.number == number)
            document = parse_stored(policy.name, number, reader.text(policy.name, number))
            return ComparedSide(str(PolicyAt(policy.name, number)), document, policy, number, created)
        case FileSide(path):
            return ComparedSide(path, read_document(Path(path).expanduser()))
        case StandardInput():
            return ComparedSide(str(side), document_of(standard_input, str(side)))
        case RoleSide():
            raise InputError(
                "A role cannot stand for a policy here.", "Give a policy, a file, or - for standard input."
            )
