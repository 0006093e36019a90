"""Condition blocks: operators, values, policy variables, and what is known about the context of a request."""
