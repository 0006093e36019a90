#!/usr/bin/env bash
# What the action runs: the review as Markdown into the job's summary, as annotations, and as SARIF; its exit code is the step's.
set -euo pipefail
# Not in the work tree, where what is reviewed may have put a link in its place.
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
words=(review --base="$BASE" --markdown --annotations="$folder/annotations")
[ -z "${FAIL_ON:-}" ] || words+=(--fail-on="$FAIL_ON")
[ -z "${SARIF:-}" ] || words+=(--sarif="$SARIF")
read -r -d '' -a needs <<< "${NEEDS:-}" || true
for need in "${needs[@]}"; do words+=(--needs="$need"); done
read -r -d '' -a paths <<< "${PATHS:-}" || true
# A name in the answer, or in an error, may look like a command to the runner.
pause=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
echo "::stop-commands::$pause"
code=0
"${EKSTUI:-ekstui}" "${words[@]}" -- "${paths[@]}" > "$folder/answer" || code=$?
cat "$folder/answer"
echo "::$pause::"
# These are commands, whose texts ekstui has escaped.
[ ! -f "$folder/annotations" ] || cat "$folder/annotations"
[ -z "${GITHUB_STEP_SUMMARY:-}" ] || cat "$folder/answer" >> "$GITHUB_STEP_SUMMARY"
exit "$code"
