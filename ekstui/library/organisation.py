"""Who carries a policy in all accounts of an organisation, asked of AWS Config."""

from ekstui.core.account import NOT_IN_CONFIG, OrganisationAnswer, in_partition
from ekstui.core.policy import Policy
from ekstui.errors import AccountError
from ekstui.library.library import Library
from ekstui.sources.aws.aggregator import read_carriers
from ekstui.sources.aws.errors import as_account_error, explain, failures
from ekstui.sources.aws.iam import read_identity
from ekstui.sources.aws.parallel import Cancelled, never


def attached_everywhere(
    library: Library, policy: Policy, aggregator: str, cancelled: Cancelled = never
) -> OrganisationAnswer:
    """Return who carries the policy in every account of an aggregator, as AWS Config recorded it.

    Raises NotFoundError for an aggregator that does not exist, AccountError where Config cannot be asked at all.
    """
    account = library.account
    if account.choice.offline or account.choice.file is not None:
        raise AccountError("An aggregator is asked of AWS.", "Leave out --offline and --account-file.")
    connection = account.connection()
    try:
        identity = read_identity(connection)
    except failures() as error:
        told = explain(error, "identity", "sts:GetCallerIdentity", profile=connection.profile)
        raise as_account_error(told, error) from None
    arn = in_partition(policy.arn, identity.partition)
    read = read_carriers(connection, aggregator, arn, cancelled)
    if read.errors and not read.carriers:
        raise AccountError(read.errors[0].message, read.errors[0].next_step)
    return OrganisationAnswer(identity, aggregator, arn, read.carriers, not read.errors, NOT_IN_CONFIG, read.errors)
