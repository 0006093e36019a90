"""How much is bundled, for tests that must not expect today's numbers; `sources/test_corpus.py` counts it."""

from collections.abc import Mapping
from datetime import timedelta

from ekstui.iam.console import LevelCount
from ekstui.iam.document import parse
from ekstui.iam.summary import ServiceSummary, services_in
from ekstui.iam.text import counted
from ekstui.library import Library
from ekstui.sources.corpus import Corpus

_MANIFEST = Corpus.bundled().manifest()

POLICIES = _MANIFEST.policies
VERSIONS = _MANIFEST.versions
FAMILY = _MANIFEST.family
"""How many policies are of the scope eks."""
KNOWN_UNTIL = _MANIFEST.known_until

CNI = "AmazonEKS_CNI_Policy"


def newest(name: str) -> int:
    """Return a policy's default version, which is its newest."""
    return Corpus.bundled().policy(name).default_version


def counts(name: str, service: str) -> Mapping[str, LevelCount]:
    """Return, by access level, how many actions of a service a policy grants, and how many the reference has today."""
    (summary,) = (row for row in _services(name) if row.service == service)
    return summary.levels


def size_words(name: str) -> str:
    """Return of how many actions and services a policy is, as the app says it."""
    rows = _services(name)
    actions = sum(count.granted for row in rows for count in row.levels.values())
    return f"{actions} actions of {counted(len(rows), 'service')}"


def _services(name: str) -> tuple[ServiceSummary, ...]:
    library = Library.open()
    policy = library.find(name).policy
    return services_in(parse(library.document_json(policy, policy.default_version)))


LATER = KNOWN_UNTIL + timedelta(hours=1)
"""When made-up news happen."""
