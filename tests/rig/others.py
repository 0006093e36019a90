"""STS and EC2 as far as the app asks them: who am I, which regions, which instances."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

import botocore.session
from moto.core.responses import ActionResult, BaseResponse
from moto.sts.responses import TokenResponse

from tests.rig.world import SignedRegion, world

SSO_CALLER = "assumed-role/AWSReservedSSO_ReadOnlyAccess_0123456789abcdef/alex"
"""Who the caller is, unless a test says otherwise."""


class CorrectedSts(SignedRegion, TokenResponse):
    """moto's STS, with the caller that a test sets."""

    def get_caller_identity(self) -> ActionResult:
        default = f"arn:{self.partition}:sts::{self.current_account}:{SSO_CALLER}"
        arn = world.callers.get(self.current_account, default)
        return ActionResult({"UserId": "AROAEXAMPLEID:alex", "Account": self.current_account, "Arn": arn})


class SmallEc2(SignedRegion, BaseResponse):
    """EC2's DescribeInstances and DescribeRegions.

    moto's own EC2 takes 1.5 s to import and 0.45 s for each region that is asked.
    """

    def __init__(self) -> None:
        super().__init__(service_name="ec2")
        self.automated_parameter_parsing = True

    def describe_instances(self) -> ActionResult:
        instances = world.instances.get((self.current_account, self.region), [])
        instance_ids = self._get_param("InstanceIds") or []
        matches = [
            one
            for one in instances
            if all(_passes(one, a_filter) for a_filter in self._get_param("Filters", []))
            and (not instance_ids or one["InstanceId"] in instance_ids)
        ]
        page, token = world.page(matches, self._get_param("NextToken"), self._get_int_param("MaxResults"))
        reservations = [
            {"ReservationId": f"r-{one['InstanceId'][2:]}", "OwnerId": self.current_account, "Instances": [one]}
            for one in page
        ]
        return ActionResult({"Reservations": reservations, "NextToken": token})

    def describe_regions(self) -> ActionResult:
        names = botocore.session.get_session().get_available_regions("ec2", partition_name=self.partition)
        region_names = self._get_param("RegionNames") or names
        everything = self._get_bool_param("AllRegions", False)
        regions = [
            {
                "RegionName": name,
                "Endpoint": f"ec2.{name}.amazonaws.com",
                "OptInStatus": "not-opted-in" if name in world.not_opted_in else "opt-in-not-required",
            }
            for name in names
            if name in region_names and (everything or name not in world.not_opted_in)
        ]
        return ActionResult({"Regions": regions})


def _passes(instance: Mapping[str, Any], a_filter: Mapping[str, Any]) -> bool:
    name, patterns = a_filter["Name"], a_filter["Values"]
    tags = {tag["Key"]: tag["Value"] for tag in instance.get("Tags", [])}
    if name == "tag-key":
        values = list(tags)
    elif name.startswith("tag:"):
        values = [tags[name[4:]]] if name[4:] in tags else []
    elif name == "instance-state-name":
        values = [instance["State"]["Name"]]
    elif name == "iam-instance-profile.arn":
        values = [instance.get("IamInstanceProfile", {}).get("Arn", "")]
    else:
        raise NotImplementedError(f"the rig's EC2 does not know the filter {name}")
    return any(fnmatchcase(value, pattern) for value in values for pattern in patterns)
