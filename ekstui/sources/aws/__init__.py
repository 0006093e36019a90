"""The live account, through boto3: the only place that calls AWS.

- `connection` has one set of credentials and the one method of every call (`Connection`), `credentials` tells whether
  they are the same as last time, `answers` limits and checks what AWS returns, and `failures` puts what goes wrong into
  words.
- `iam` reads the account into an `AccountSnapshot`, with what `clusters` reads of EKS and EC2; start with
  `iam.sweep_account`. A part that cannot be read is an error in the snapshot, not an exception.
- `managed` reads AWS's own policies, `last_accessed` what was used, `aggregator` many accounts by AWS Config.
"""
