"""Answers as texts for programs, for both the commands and the app.

- `encoding` turns any value into JSON by its table of fields, from which the schema is made too; start reading there.
  `shapes` puts together what a whole answer has beside one value.
- `texts` writes Terraform, CloudFormation, patches and feeds; `sarif` what code scanning reads.
"""
