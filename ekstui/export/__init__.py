"""Answers as texts for programs, for both the commands and the app.

- `encoding` turns any value into JSON by its table of fields, from which the schema is made too; start reading there.
  `shapes` puts together what a whole answer has beside one value, `forms` writes its JSON as YAML or as names alone.
- `texts` writes policies as Terraform and CloudFormation, `entry_texts` access entries; `patch` writes a difference,
  `atom` the feed of changes, `sarif` what code scanning reads.
"""
