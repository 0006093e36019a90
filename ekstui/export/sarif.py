"""A review for the places where reviewers look: SARIF 2.1.0 for code scanning, and annotations of GitHub's workflows.

Source: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0"; GitHub, "SARIF support for code
scanning" and "Workflow commands for GitHub Actions".
"""

import json
from collections.abc import Iterator
from typing import Literal
from urllib.parse import quote

from ekstui.iam.text import clean_line
from ekstui.library.reviewed import Review
from ekstui.named_tuples import NamedTuple

_Level = Literal["error", "warning", "note"]

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

_RULES: dict[str, tuple[_Level, str, str]] = {
    "access-widened": ("error", "A policy allows more than before.", "7.0"),
    "access-mixed": ("error", "A policy allows more in some respects and less in others.", "7.0"),
    "access-undecided": ("warning", "Whether a policy allows more than before depends on what is not known.", "5.0"),
    "access-narrowed": ("note", "A policy allows less than before.", "0.0"),
    "access-rewritten": ("note", "A policy is written differently and allows the same.", "0.0"),
    "file-not-read": ("warning", "A changed file may hold a policy and was not read.", "5.0"),
    "release-needs": ("error", "A policy lacks what a release needs.", "4.0"),
    "release-publishes": ("note", "A policy lacks actions that a release's project publishes.", "0.0"),
}
"""Each rule with its level, what it means, and how severe GitHub shows it."""

_OF_REACH = {
    "widened": "access-widened", "mixed": "access-mixed", "narrowed": "access-narrowed", "same": "access-rewritten",
}  # fmt: skip


class Remark(NamedTuple):
    """A sentence about a line of a file."""

    rule: str
    path: str
    line: int
    """From 1; 1 where it is not known."""
    text: str

    @property
    def level(self) -> _Level:
        """How grave it is."""
        return _RULES[self.rule][0]


def remarks(review: Review) -> Iterator[Remark]:
    """Yield what a review says about each line, in its order."""
    for document in review.documents:
        change = document.change
        rule = _OF_REACH.get(change.reach, "access-undecided") if change else "access-undecided"
        words = change.verdict if change else f"not judged: {document.reason}"
        place = f"{document.place}: " if document.place else ""
        rights = f"; it can change or pass on rights ({', '.join(document.rights)})" if document.rights else ""
        yield Remark(rule, document.path, document.line or 1, clean_line(f"{place}{words}{rights}"))
    for need in review.needs:
        for rule, words in need.sentences:
            yield Remark(rule, need.path, need.line or 1, clean_line(words))
    for file in review.not_read:
        yield Remark("file-not-read", file.path, 1, clean_line(f"not read: {file.reason}"))


def sarif_text(review: Review, version: str) -> str:
    """Return a review as a SARIF log; `version` is ekstui's."""
    comments = list(remarks(review))
    used_rules = [rule for rule in _RULES if any(remark.rule == rule for remark in comments)]
    rules = [
        {
            "id": rule,
            "shortDescription": {"text": _RULES[rule][1]},
            "defaultConfiguration": {"level": _RULES[rule][0]},
            "properties": {"tags": ["security", "iam"], "security-severity": _RULES[rule][2]},
        }
        for rule in used_rules
    ]
    results = [
        {
            "ruleId": remark.rule,
            "ruleIndex": used_rules.index(remark.rule),
            "level": remark.level,
            "message": {"text": remark.text},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {
                            "uri": quote(remark.path.encode(errors="surrogateescape")),
                            "uriBaseId": "%SRCROOT%",
                        },
                        "region": {"startLine": remark.line},
                    }
                }
            ],
        }
        for remark in comments
    ]
    driver = {"name": "ekstui", "version": version, "rules": rules}
    run = {"tool": {"driver": driver}, "columnKind": "utf16CodeUnits", "results": results}
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


_COMMANDS: dict[_Level, str] = {"error": "error", "warning": "warning", "note": "notice"}


def annotations_text(review: Review) -> str:
    """Return a review as workflow commands, one a line, which GitHub shows beside the lines of the change."""
    return "".join(
        f"::{_COMMANDS[remark.level]} "
        f"file={_property(remark.path)},line={remark.line},title=ekstui::{_data(remark.text)}\n"
        for remark in remarks(review)
    )


def _data(text: str) -> str:
    # Older runners take a line for a command wherever ##[ stands in it.
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A").replace("##[", "# #[")


def _property(text: str) -> str:
    return _data(clean_line(text)).replace(":", "%3A").replace(",", "%2C")
