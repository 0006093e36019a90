"""Where documents of policies and facts about accounts come from; nothing here decides what they mean.

- A source of policies is a `change.policy.Source`. Start reading with `corpus`, which ships with ekstui; `archives`,
  `mirror`, `packages` and `moto` read what others publish, `shipped` the families that are not AWS's.
- `aws` asks AWS, and is the only package that imports an SDK; `account_file` reads the same from the output of the AWS
  CLI.
- `kubernetes` keeps what is needed of what `kubectl` prints; `levels` and `collected` read policies above a role.
- `repository` has the files that changed in git, `written` the access that they give.
"""
