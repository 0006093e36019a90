"""`ekstui show`: what a version of a policy permits."""

import argparse
from collections.abc import Sequence

from ekstui.cli.exit_code import ExitCode
from ekstui.cli.opening import open_library
from ekstui.cli.output import Cell, Tone, print_json, print_table, print_text, print_wrapped
from ekstui.core.knowledge import PolicyKnowledge, Symptom
from ekstui.core.policy import version_label
from ekstui.core.summary import ServiceSummary
from ekstui.core.where import parse_policy
from ekstui.export.documents import cloudformation_text, terraform_text
from ekstui.export.markdown import version_markdown
from ekstui.export.shapes import show_shape
from ekstui.library.knowledge import knowledge as all_knowledge
from ekstui.library.policies import known_version


def run(arguments: argparse.Namespace) -> int:
    """Print the console's table, a service a line, then the actions of each; or the document itself."""
    library = open_library()
    wanted = parse_policy(arguments.policy)
    entry = library.find(wanted.name)
    version = known_version(entry.policy, wanted.version)
    if arguments.document:
        print_json(library.document_json(entry.policy, version))
        return ExitCode.DONE
    if arguments.terraform or arguments.cloudformation:
        text = terraform_text if arguments.terraform else cloudformation_text
        print_text(text(entry.policy.name, library.document_json(entry.policy, version)).rstrip("\n"))
        return ExitCode.DONE
    services = library.summary(entry.policy, version)
    if arguments.markdown:
        print_text(version_markdown(entry.policy, version, services).rstrip("\n"))
        return ExitCode.DONE
    knowledge = library.knowledge(entry.policy)
    reasons = knowledge.services if knowledge else {}
    if arguments.json:
        document = library.document_json(entry.policy, version)
        print_json(show_shape(library.data(), entry, version, document, services, reasons))
        return ExitCode.DONE
    created = next(info.created for info in entry.policy.versions if info.number == version)
    print_text(f"{entry.policy.name} {version_label(version)}", "bold")
    print_text(f"{entry.policy.arn}")
    print_text(f"{'default version' if version == entry.policy.default_version else 'not the default version'}, "
               f"{f'created {created:%Y-%m-%d}' if created else 'date unknown'}")  # fmt: skip
    if knowledge:
        print_wrapped(knowledge.purpose)
        print_wrapped(carried_by(knowledge))
        if knowledge.supersession:
            print_wrapped(
                f"AWS offers instead: {', '.join(knowledge.superseded_by)}. {knowledge.supersession}", tone="yellow"
            )
    if entry.also_access_policy:
        print_text(
            "Also an EKS access policy: that one is tied to an access entry and cannot be attached to a role.", "yellow"
        )
    print_text()
    _print_services(services)
    for service in services:
        print_text()
        _print_actions(service, reasons.get(service.service))
    if knowledge:
        _print_notes(knowledge, all_knowledge().symptoms_of(entry.policy.name))
    return ExitCode.DONE


def carried_by(knowledge: PolicyKnowledge) -> str:
    """Return what carries a policy, and whether a user may attach it."""
    if knowledge.service_linked_role:
        return f"Carried by the service-linked role {knowledge.service_linked_role}; nobody else may attach it."
    return f"For: {', '.join(knowledge.attached_to)}."


def access_words(service: ServiceSummary) -> str:
    """Return the console's words with the count beside each limited level: `Limited: Write 6/421`."""
    full, separator, limited = service.access.partition("Limited: ")
    if not separator:
        return service.access
    counted = [
        f"{level} {service.levels[level].granted}/{service.levels[level].total}" if level in service.levels else level
        for level in limited.split(", ")
    ]
    return full + separator + ", ".join(counted)


def _print_services(services: Sequence[ServiceSummary]) -> None:
    rows: list[tuple[Cell, ...]] = []
    for service in services:
        tone: Tone = "red" if service.effect == "Deny" else ""
        name = service.service if service.effect == "Allow" else f"{service.service} (deny)"
        rows.append(((name, tone), access_words(service), service.resource, service.condition))
    print_table(rows, ("SERVICE", "ACCESS LEVEL", "RESOURCE", "CONDITION"))


def _print_notes(knowledge: PolicyKnowledge, symptoms: Sequence[Symptom]) -> None:
    notes = [*knowledge.notes, *(f"{symptom.symptom}: {symptom.answer}" for symptom in symptoms)]
    for title, lines in (("Worth knowing", notes), ("Where AWS's text differs", knowledge.disagreements)):
        if lines:
            print_text()
            print_text(title, "bold")
        for line in lines:
            print_wrapped(line, indent="  ")


def _print_actions(service: ServiceSummary, reason: str | None) -> None:
    print_wrapped(
        f"{service.service}{' (deny)' if service.effect == 'Deny' else ''}{f': {reason}' if reason else ''}",
        tone="bold",
    )
    for warning in service.warnings:
        print_wrapped(f"! {warning}", "  ", "yellow")
    rows: list[tuple[Cell, ...]] = []
    for action in service.actions:
        flags = [f"denied: {action.denied}"] if action.denied else []
        flags += [f"! {warning}" for warning in action.warnings]
        rows.append((action.action, action.level, action.resource, action.condition, ("; ".join(flags), "yellow")))
    print_table(rows, indent="  ")
