"""Why a request was denied, and what would allow it: from a pasted text to request, decision and remedies.

- `parsing` reads a text into `Denial` values: log lines and SDK errors (`message`), CloudTrail events (`event`);
  `forbidden` reads what Kubernetes says.
- `explain.explain` decides one denial: who asked (`callers`), what decides (`deciding`, `assuming` for roles), and what
  is remembered of it (`answer.Explanation`). Start reading there.
- `purpose` says what the principal is for, `remedies` which policies and statements would allow the request;
  `access_entries` does the same for a request that Kubernetes forbade.
"""
