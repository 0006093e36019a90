"""Who in an account uses a role, what that use needs, and what is wrong with it.

- `account_snapshot` has the account as values (`Role`, `Use`), `cluster` what EKS knows of its clusters.
- `uses` joins the two: which part of EKS uses a role; `unseen` says what was not read and might use it too;
  `trust` whom a role trusts, clusters and pods among them.
- `knowledge` is what `assets/eks.toml` says about EKS's policies, `published` what controllers publish, `kubernetes`
  the rules of EKS access policies.
- `findings` says what is wrong with a role, `commands` has AWS CLI commands to run. Start with `findings`.
"""
