"""Values as JSON, Markdown, Terraform, CloudFormation and patches, for commands and the app alike."""
