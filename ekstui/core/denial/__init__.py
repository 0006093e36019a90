"""Denials as people paste them: log lines, SDK errors, CloudTrail events and decoded authorization messages."""

from ekstui.core.denial.message import Cause, Denial, PolicyType
from ekstui.core.denial.parse import MAX_CHARACTERS, parse_denial, parse_denials, unwrapped

__all__ = ["MAX_CHARACTERS", "Cause", "Denial", "PolicyType", "parse_denial", "parse_denials", "unwrapped"]
