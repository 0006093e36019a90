"""The forms in which a version can be written to a file."""

from ekstui.core.policy import version_label
from ekstui.export.documents import cloudformation_text, document_text, terraform_text
from ekstui.library import Library
from ekstui.present.policies import services_table, version_blocks
from ekstui.present.rendering import markdown
from ekstui.tui.copying import Copyable
from ekstui.tui.screens.outgoing import Export
from ekstui.tui.shown import Shown


def version_exports(shown: Shown, library: Library) -> list[Export]:
    """Return JSON, Markdown, Terraform and CloudFormation of the shown version."""
    policy, version = shown.entry.policy, shown.version
    stem = f"{policy.name}-{version_label(version)}"

    def document() -> object:
        return library.document_json(policy, version)

    return [
        Export("JSON", f"{stem}.json", Copyable("JSON", "", lambda: document_text(document()))),
        Export(
            "Markdown",
            f"{stem}.md",
            Copyable(
                "Markdown",
                "",
                lambda: markdown([*version_blocks(policy, version), services_table(library.summary(policy, version))]),
            ),
        ),
        Export("Terraform", f"{stem}.tf", Copyable("Terraform", "", lambda: terraform_text(policy.name, document()))),
        Export(
            "CloudFormation",
            f"{stem}.cfn.json",
            Copyable("CloudFormation", "", lambda: cloudformation_text(policy.name, document())),
        ),
    ]
