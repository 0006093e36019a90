"""What differs between two documents, whether access widened, and what each step of a history did.

- `policy` has the values of a history: `Policy`, `VersionInfo`, and what a source delivers.
- `comparison.changes` puts a change together: the grants that differ, its kind and its reach. Start reading there.
- `differences` says what differs action by action; `reach` proves whether access widened or narrowed, with `coverage`
  for what is covered and a witness for what is gained.
- `lacking` is what one document allows beyond another, such as what a role needs before an upgrade.
- `steps` has the timeline of a policy and the feed of all; `holders` the policies that allow an action and since when.
"""
