"""Whether a condition holds for a request, and whether conditions imply or exclude one another.

- `predicates` parses a line of a condition block into a `Predicate` over its key's values; start reading there.
- `values` has the values that a line accepts (`Text`, or `DeferredValue` while a policy variable is unknown), `spans`
  those of operators on numbers, dates, addresses and the like, `arn_values` those of keys that hold ARNs.
- `known_keys` is what AWS documents about keys: type, form, whether they have several values.
"""
