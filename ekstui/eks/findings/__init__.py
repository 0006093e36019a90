"""What is wrong, outdated or too broad about the roles, access entries and clusters of an account.

Every finding is an entry (`table`): its code, severity, title, what it needs to have been read, what it means and how
it is fixed, above the function that looks for it. `looking` has the whole table, and looks for all of them
(`findings_of`). `subjects` has what findings are about and what is known besides. `conditions` says whether what
`eks.toml` requires applies to a use of a role. The findings themselves: `health` (what EKS reports), `trust` (trust
policies), `permissions` (what is missing), `controllers` (what a controller's release needs), `policies` (what is
superseded, too broad or without effect), `entries` (access entries), `aws_auth` (the ConfigMap that came before them),
`pods` (their credentials).

To add one, write its entry and function in the module of its subject; start reading in `looking`.
"""
