#!/usr/bin/env bash
# What the action runs: the review as Markdown into the job's summary, its exit code as the step's.
set -euo pipefail
words=(review --base "$BASE" --markdown)
[ -z "${FAIL_ON:-}" ] || words+=(--fail-on "$FAIL_ON")
read -r -a paths <<< "${PATHS:-}"
code=0
"${EKSTUI:-ekstui}" "${words[@]}" -- "${paths[@]}" > review.md || code=$?
cat review.md
[ -z "${GITHUB_STEP_SUMMARY:-}" ] || cat review.md >> "$GITHUB_STEP_SUMMARY"
rm -f review.md
exit "$code"
