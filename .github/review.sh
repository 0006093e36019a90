#!/usr/bin/env bash
# What the action runs: the review as Markdown into the job's summary, its exit code as the step's.
set -euo pipefail
words=(review --base="$BASE" --markdown)
[ -z "${FAIL_ON:-}" ] || words+=(--fail-on="$FAIL_ON")
read -r -d '' -a paths <<< "${PATHS:-}" || true
# Not in the work tree, where what is reviewed may have put a link in its place.
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT
# A name in the answer, or in an error, may look like a command to the runner.
pause=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
echo "::stop-commands::$pause"
code=0
"${EKSTUI:-ekstui}" "${words[@]}" -- "${paths[@]}" > "$answer" || code=$?
cat "$answer"
echo "::$pause::"
[ -z "${GITHUB_STEP_SUMMARY:-}" ] || cat "$answer" >> "$GITHUB_STEP_SUMMARY"
exit "$code"
