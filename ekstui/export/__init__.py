"""Values as JSON, Terraform, CloudFormation, patches and feeds, for both the commands and the app."""
