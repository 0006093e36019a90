"""The live account, through boto3: the only place that calls AWS."""
