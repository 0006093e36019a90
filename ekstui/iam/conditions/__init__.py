"""Condition blocks: values, spans, what is known about keys, and predicates, which are parsed condition lines."""
