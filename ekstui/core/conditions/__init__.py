"""Condition blocks: operators, values, policy variables, and what is known of a request's context."""
