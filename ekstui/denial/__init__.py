"""Why a request was denied, and what would allow it: from a pasted text to request, decision and remedies.

- `parsing.refusals_in` reads everything that a text says was denied, in its order: sentences of IAM (`message`), named
  calls of SDKs and tools (`calls`), events (`event`) and what Kubernetes says (`forbidden`), in each form that the text
  had before a terminal wrapped or framed it (`wrapping`) and a log driver put its lines into JSON (`log_lines`).
- `question.refused_requests` makes requests of that, repeats together, or of what a user describes. `explain.explain`
  decides one: what decides (`deciding`, for roles `assuming`), and what is remembered of it (`answer.Explanation`).
  Start reading there.
- `purpose` says what the principal is for, `pod_session` what a pod's session has, `remedies` which policies and
  statements would allow the request; `access_entries` does the same for a request that Kubernetes forbade.
"""
