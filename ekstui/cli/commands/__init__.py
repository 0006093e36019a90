"""A module a command: its description, examples, arguments and run stand in it, and it alone is imported to run it."""

TITLES = {
    "open": "open the app",
    "list": "list the policies",
    "show": "what a policy permits",
    "versions": "the versions of a policy and what each changed",
    "diff": "what differs between two documents",
    "who-can": "policies that allow an action, and who has them",
    "changes": "what AWS changed",
    "attached": "who has a policy attached",
    "clusters": "the account's clusters, and how much is wrong in each",
    "cluster": "a cluster's roles and findings",
    "account": "which account is asked, and what was read from it",
    "role": "what is wrong with a role, and what it may do",
    "explain": "why a request was denied",
    "upgrade": "what a cluster's controllers need before an upgrade",
    "pin": "record which versions policies are at",
    "check": "which pinned policies changed since",
    "review": "what changed in a repository's policies",
    "trim": "a policy without what EKS no longer uses",
    "sync": "bring the cache up to date",
    "cache": "the local cache",
    "config": "the settings in effect",
    "schema": "the JSON Schema of the answers",
    "completion": "completion for your shell",
    "serve": "the app in a browser",
}
"""Each command with its line in the help, in the order of the help; they are here, so that help imports no command."""
