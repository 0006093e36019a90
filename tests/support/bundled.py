"""How much is bundled, for tests that must not expect today's numbers; `sources/test_corpus.py` counts it."""

from ekstui.sources.corpus import Corpus

_MANIFEST = Corpus.bundled().manifest()

POLICIES = _MANIFEST.policies
VERSIONS = _MANIFEST.versions
FAMILY = _MANIFEST.family
"""How many policies are of the scope eks."""
KNOWN_UNTIL = _MANIFEST.known_until
