"""The live account, through botocore: the only place that speaks to AWS."""
