"""The names of the commands, with what the help says of each and the module that declares it."""

TITLES = {
    "open": "open the app",
    "list": "list policies",
    "show": "show what a policy permits",
    "versions": "list a policy's versions and what each changed",
    "diff": "compare two documents",
    "who-can": "find the policies that allow an action, and who has them",
    "changes": "list what AWS changed",
    "attached": "show who has a policy attached",
    "clusters": "list the account's clusters and how many problems each has",
    "cluster": "check a cluster's roles and their policies",
    "account": "show which account is asked and what was read from it",
    "role": "check a role, and show what it may do",
    "used": "show what a role or a policy was last used for",
    "pod": "show which AWS credentials a pod uses, and why",
    "explain": "explain why a request was denied",
    "upgrade": "show what a cluster's controllers need before an upgrade",
    "pin": "record the versions that policies are at",
    "check": "show which pinned policies have changed",
    "review": "review changes to the policies in a repository",
    "trim": "print a policy without what EKS no longer uses",
    "sync": "update the cache",
    "cache": "show, verify or clear the cache",
    "config": "show the settings in effect",
    "schema": "print the JSON Schema of the answers",
    "completion": "print completion code for your shell",
    "serve": "serve the app to a browser",
}
"""Each command with its line in the help, in the order of the help; kept here so that help imports no command."""

HOMES = {
    "serve": "open",
    "versions": "changes",
    "check": "pin",
    "attached": "account",
    "clusters": "cluster",
    "role": "cluster",
    "upgrade": "cluster",
    "sync": "cache",
}
"""The module of each command that shares one; others have one of their own name."""
