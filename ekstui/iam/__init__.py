"""What a policy document says: the language of IAM, with no history, no clock and nothing of EKS.

`document.parse` turns JSON into a `Document` of statements; everything else works on that value.

- Which actions does a statement mean? `wildcard`, `expansion`, `reference` (the service authorization reference).
- What does it grant? `grants.Grant`: one action, one resource, one condition block. `summary` and `access_levels` show
  grants as the console does, `action_facts` one action.
- Is this request allowed? `evaluation.evaluate`, with `conditions` and `arn` for its parts; start reading there.
- Can the grant apply at all? `applicability`. Whom does a statement name? `principals`.
"""
