"""What is kept on disk: the policies of each source, the index over them, and the last snapshot of each account.

- `objects` has files of objects, named by the hash of their bytes, and is the only code that runs SQL.
- `policy_store.PolicyStore` has the policies of a collection and what each source says of them; start reading there.
- `index` answers who-can and the feed from one state of the store.
- `accounts` has an account's last snapshot, in a file of its own that only the user can read.
"""
