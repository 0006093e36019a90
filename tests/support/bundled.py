"""How much is bundled, for tests that must not expect today's numbers; `sources/test_corpus.py` counts it."""

from datetime import timedelta

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


LATER = KNOWN_UNTIL + timedelta(hours=1)
"""When made-up news happen."""
