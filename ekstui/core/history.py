"""A policy with the documents of its versions, as a source hands it over and the cache keeps it."""

from collections.abc import Mapping
from dataclasses import dataclass

from ekstui.core.policy import Policy


@dataclass(frozen=True, slots=True)
class PolicyHistory:
    """A policy and the text of each known version's document; nothing is parsed before somebody asks for it."""

    policy: Policy
    texts: Mapping[int, bytes]
    """By version number, JSON in UTF-8, as IAM has it."""
