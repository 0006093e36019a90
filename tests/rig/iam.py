"""IAM as AWS answers it, where moto does not: entities of a policy, the authorization details, versions, boundaries."""

from collections import ChainMap, Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias, cast
from urllib.parse import quote

from moto.core.responses import ActionResult, EmptyResult
from moto.iam.exceptions import NoSuchEntity, NotFoundException
from moto.iam.models import Group, IAMBackend, InstanceProfile, ManagedPolicy, PolicyVersion, Role, User
from moto.iam.responses import IamResponse

from tests.rig.world import SignedRegion, world
from tests.rig.xml import iam_answer

Entity: TypeAlias = Role | User | Group


def boundary_of(entity: Entity) -> str | None:
    """Return the ARN of the entity's permissions boundary; groups have none."""
    return getattr(entity, "permissions_boundary_arn", None)


def policies_of_new_backend(backend: IAMBackend) -> dict[str, ManagedPolicy]:
    """Return a backend's policies: its own, in front of those that AWS manages, which all accounts share."""
    # A backend's region_name is its partition; moto wants a dict, and a ChainMap is all it needs of one.
    aws_policies = world.catalogue(backend.region_name).policies
    return cast("dict[str, ManagedPolicy]", ChainMap[str, Any]({}, aws_policies))


class CorrectedIam(SignedRegion, IamResponse):
    """moto's IAM, with the operations that ekstui relies on answered as AWS answers them."""

    def list_policies(self) -> str:
        scope = self._get_param("Scope", "All")
        usage = self._get_param("PolicyUsageFilter")
        # Read once: the question for 1,500 policies is the longest of a small account's.
        prefix = self._get_param("PathPrefix", "/")
        attached_only = self._get_bool_param("OnlyAttached", False) or usage
        attachment_counts, boundary_counts = self._usage_counts()
        policies = []
        for policy in self._policies(scope):
            if not policy.path.startswith(prefix):
                continue
            if usage == "PermissionsBoundary":
                if not boundary_counts[policy.arn]:
                    continue
            elif attached_only and not attachment_counts[policy.arn]:
                continue
            policies.append(policy)
        page, marker = self._page(policies)
        return self._listed("Policies", [self._policy(p, attachment_counts, boundary_counts) for p in page], marker)

    def get_policy(self) -> str:
        policy = self._policy_or_error(self._get_param("PolicyArn"))
        attachment_counts, boundary_counts = self._usage_counts()
        detail = self._policy(policy, attachment_counts, boundary_counts) | {
            "Description": policy.description,
            "Tags": policy.get_tags(),
        }
        return self._answer({"Policy": detail})

    def list_policy_versions(self) -> str:
        policy = self._policy_or_error(self._get_param("PolicyArn"))
        page, marker = self._page(_newest_first(policy))
        return self._listed("Versions", [_version(v) for v in page], marker)

    def get_policy_version(self) -> str:
        policy = self._policy_or_error(self._get_param("PolicyArn"))
        version_id = self._get_param("VersionId")
        for version in policy.versions:
            if version.version_id == version_id:
                return self._answer({"PolicyVersion": _version(version) | {"Document": _encoded(version.document)}})
        raise NoSuchEntity(f"Policy {policy.arn} version {version_id} does not exist or is not attachable.")

    def list_entities_for_policy(self) -> str:
        arn = self._policy_or_error(self._get_param("PolicyArn")).arn
        kind = self._get_param("EntityFilter")
        usage = self._get_param("PolicyUsageFilter")
        prefix = self._get_param("PathPrefix", "/")
        entities: list[Entity] = []
        for name, members in self._entities().items():
            if kind and kind != name:
                continue
            for entity in members:
                is_attached = arn in entity.managed_policies and usage != "PermissionsBoundary"
                is_boundary = boundary_of(entity) == arn and usage != "PermissionsPolicy"
                if (is_attached or is_boundary) and entity.path.startswith(prefix):
                    entities.append(entity)
        page, marker = self._page(entities)
        result = {
            "PolicyGroups": [{"GroupName": e.name, "GroupId": e.id} for e in page if isinstance(e, Group)],
            "PolicyUsers": [{"UserName": e.name, "UserId": e.id} for e in page if isinstance(e, User)],
            "PolicyRoles": [{"RoleName": e.name, "RoleId": e.id} for e in page if isinstance(e, Role)],
        }
        return self._answer(result | {"IsTruncated": marker is not None, "Marker": marker})

    def get_account_authorization_details(self) -> str:
        kinds = self._get_param("Filter", []) or ["User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"]
        attachment_counts, boundary_counts = self._usage_counts()
        members: list[Entity | ManagedPolicy] = []
        for name, entities in self._entities().items():
            if name in kinds:
                members.extend(entities)
        if "AWSManagedPolicy" in kinds:
            # AWS lists those of its own policies that something uses, never all of them.
            used_arns = attachment_counts.keys() | boundary_counts.keys()
            members.extend(policy for policy in self._policies("AWS") if policy.arn in used_arns)
        if "LocalManagedPolicy" in kinds:
            members.extend(self._policies("Local"))
        page, marker = self._page(members)
        result = {
            "UserDetailList": [_user_detail(m) for m in page if isinstance(m, User)],
            "GroupDetailList": [_group_detail(m) for m in page if isinstance(m, Group)],
            "RoleDetailList": [_role_detail(m) for m in page if isinstance(m, Role)],
            "Policies": [
                self._policy(m, attachment_counts, boundary_counts)
                | {"PolicyVersionList": [_whole_version(v) for v in _newest_first(m)]}
                for m in page
                if isinstance(m, ManagedPolicy)
            ],
        }
        return self._answer(result | {"IsTruncated": marker is not None, "Marker": marker})

    def list_roles(self) -> str:
        prefix = self._get_param("PathPrefix", "/")
        page, marker = self._page([r for r in self.backend.roles.values() if r.path.startswith(prefix)])
        return self._listed("Roles", [_role(role) for role in page], marker)

    def list_users(self) -> str:
        prefix = self._get_param("PathPrefix", "/")
        page, marker = self._page([u for u in self.backend.users.values() if u.path.startswith(prefix)])
        return self._listed("Users", [_user(user) for user in page], marker)

    def list_groups(self) -> str:
        page, marker = self._page(list(self.backend.groups.values()))
        return self._listed("Groups", [_group(group) for group in page], marker)

    def list_attached_role_policies(self) -> str:
        role = self.backend.get_role(self._get_param("RoleName"))
        page, marker = self._page(_attached(role))
        return self._listed("AttachedPolicies", page, marker)

    def list_role_policies(self) -> str:
        page, marker = self._page(list(self.backend.get_role(self._get_param("RoleName")).policies))
        return self._listed("PolicyNames", page, marker)

    def list_instance_profiles_for_role(self) -> str:
        role = self.backend.get_role(self._get_param("RoleName"))
        page, marker = self._page(list(role.instance_profile_list))
        return self._listed("InstanceProfiles", [_profile(profile) for profile in page], marker)

    def get_role(self) -> str:
        role = self.backend.get_role(self._get_param("RoleName"))
        detail = _role(role) | {
            "PermissionsBoundary": _boundary(role),
            "Tags": role.tags or None,
            "RoleLastUsed": _last_used(role),
        }
        return self._answer({"Role": detail})

    def create_user(self) -> ActionResult:
        created = super().create_user()
        if boundary := self._get_param("PermissionsBoundary"):
            self._set_user_boundary(boundary)
        return created

    def get_user(self) -> str:
        user = cast("dict[str, Any]", super().get_user().result)["User"]
        return self._answer({"User": _user(user) | {"PermissionsBoundary": _boundary(user), "Tags": user.tags}})

    def put_user_permissions_boundary(self) -> ActionResult:
        self._set_user_boundary(self._get_param("PermissionsBoundary"))
        return EmptyResult()

    def delete_user_permissions_boundary(self) -> ActionResult:
        self._set_user_boundary(None)
        return EmptyResult()

    def simulate_principal_policy(self) -> str:
        results = world.simulation(self.params)
        page, marker = self._page(results)
        return self._listed("EvaluationResults", page, marker)

    def generate_service_last_accessed_details(self) -> str:
        job = f"{len(world.jobs):08}-0000-4000-8000-000000000000"
        world.jobs[job] = [self._get_param("Arn")]
        return self._answer({"JobId": job})

    def get_service_last_accessed_details(self) -> str:
        job = world.jobs.get(self._get_param("JobId"))
        if job is None:
            raise NoSuchEntity("The job does not exist.")
        job.append("asked")
        began = datetime.now(UTC)
        answer: dict[str, Any] = {"JobStatus": "IN_PROGRESS", "JobType": "ACTION_LEVEL", "JobCreationDate": began}
        if len(job) <= world.questions_per_report:
            return self._answer(
                {**answer, "ServicesLastAccessed": [], "JobCompletionDate": began, "IsTruncated": False}
            )
        page, marker = self._page(world.reports(job[0]))
        report = {**answer, "JobStatus": "COMPLETED", "JobCompletionDate": began, "ServicesLastAccessed": page}
        return self._answer({**report, "IsTruncated": marker is not None, "Marker": marker})

    def _set_user_boundary(self, arn: str | None) -> None:
        # moto's User has no boundary, so the rig keeps it on the user under the name that Role uses.
        setattr(self.backend.get_user(self._get_param("UserName")), "permissions_boundary_arn", arn)  # noqa: B010

    def _policy_or_error(self, arn: str) -> ManagedPolicy:
        policy = self.backend.managed_policies.get(arn)
        if policy is None:
            raise NotFoundException(f"Policy {arn} does not exist or is not attachable.")
        return policy

    def _policies(self, scope: str = "All") -> Iterable[ManagedPolicy]:
        """Return the policies of a scope, AWS's own first; each step over the ChainMap would look through both."""
        local, managed = cast("ChainMap[str, Any]", self.backend.managed_policies).maps
        return [*(managed.values() if scope != "Local" else ()), *(local.values() if scope != "AWS" else ())]

    def _entities(self) -> dict[str, Iterable[Entity]]:
        backend = self.backend
        return {"User": backend.users.values(), "Group": backend.groups.values(), "Role": backend.roles.values()}

    def _usage_counts(self) -> tuple[Counter[str], Counter[str]]:
        attachment_counts: Counter[str] = Counter()
        boundary_counts: Counter[str] = Counter()
        for members in self._entities().values():
            for entity in members:
                attachment_counts.update(entity.managed_policies.keys())
                if boundary := boundary_of(entity):
                    boundary_counts[boundary] += 1
        return attachment_counts, boundary_counts

    def _page(self, items: list[Any]) -> tuple[list[Any], str | None]:
        return world.page(items, self._get_param("Marker"), self._get_int_param("MaxItems"))

    def _answer(self, result: Mapping[str, Any]) -> str:
        self.response_headers["Content-Type"] = "text/xml"
        return iam_answer(self._get_action(), result)

    def _listed(self, key: str, items: list[Any], marker: str | None) -> str:
        return self._answer({key: items, "IsTruncated": marker is not None, "Marker": marker})

    def _policy(
        self, policy: ManagedPolicy, attachment_counts: Counter[str], boundary_counts: Counter[str]
    ) -> dict[str, Any]:
        return {
            "PolicyName": policy.name,
            "PolicyId": policy.id,
            "Arn": policy.arn,
            "Path": policy.path,
            "DefaultVersionId": policy.default_version_id,
            "AttachmentCount": attachment_counts[policy.arn],
            "PermissionsBoundaryUsageCount": boundary_counts[policy.arn],
            "IsAttachable": True,
            "CreateDate": policy.create_date,
            "UpdateDate": policy.update_date,
        }


def _encoded(document: str) -> str:
    return quote(document, safe="")


def _newest_first(policy: ManagedPolicy) -> list[PolicyVersion]:
    return sorted(policy.versions, key=lambda version: int(version.version_id[1:]), reverse=True)


def _version(version: PolicyVersion) -> dict[str, Any]:
    return {
        "VersionId": version.version_id,
        "IsDefaultVersion": version.is_default,
        "CreateDate": version.create_date,
    }


def _whole_version(version: PolicyVersion) -> dict[str, Any]:
    return _version(version) | {"Document": _encoded(version.document)}


def _attached(entity: Entity) -> list[dict[str, str]]:
    return [{"PolicyName": p.name, "PolicyArn": p.arn} for p in entity.managed_policies.values()]


def _inline(entity: Entity) -> list[dict[str, str]]:
    return [{"PolicyName": name, "PolicyDocument": _encoded(text)} for name, text in entity.policies.items()]


def _boundary(entity: Entity) -> dict[str, str] | None:
    arn = boundary_of(entity)
    return {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn} if arn else None


def _last_used(role: Role) -> dict[str, Any]:
    return {"LastUsedDate": role.last_used, "Region": role.last_used_region} if role.last_used else {}


def _role(role: Role) -> dict[str, Any]:
    return {
        "Path": role.path,
        "RoleName": role.name,
        "RoleId": role.id,
        "Arn": role.arn,
        "CreateDate": role.create_date,
        "AssumeRolePolicyDocument": _encoded(role.assume_role_policy_document),
        "Description": role.description or None,
        "MaxSessionDuration": role.max_session_duration,
    }


def _user(user: User) -> dict[str, Any]:
    return {
        "Path": user.path,
        "UserName": user.name,
        "UserId": user.id,
        "Arn": user.arn,
        "CreateDate": user.create_date,
    }


def _group(group: Group) -> dict[str, Any]:
    return {
        "Path": group.path,
        "GroupName": group.name,
        "GroupId": group.id,
        "Arn": group.arn,
        "CreateDate": group.create_date,
    }


def _profile(profile: InstanceProfile) -> dict[str, Any]:
    return {
        "Path": profile.path,
        "InstanceProfileName": profile.name,
        "InstanceProfileId": profile.id,
        "Arn": profile.arn,
        "CreateDate": profile.create_date,
        "Roles": [_role(role) for role in profile.roles],
    }


def _role_detail(role: Role) -> dict[str, Any]:
    # The authorization details have neither of these two.
    detail = _role(role) | {"Description": None, "MaxSessionDuration": None}
    return detail | {
        "InstanceProfileList": [_profile(profile) for profile in role.instance_profile_list],
        "RolePolicyList": _inline(role),
        "AttachedManagedPolicies": _attached(role),
        "PermissionsBoundary": _boundary(role),
        "Tags": role.tags or [],
        "RoleLastUsed": _last_used(role),
    }


def _user_detail(user: User) -> dict[str, Any]:
    return _user(user) | {
        "UserPolicyList": _inline(user),
        "GroupList": user.group_list,
        "AttachedManagedPolicies": _attached(user),
        "PermissionsBoundary": _boundary(user),
        "Tags": user.tags or [],
    }


def _group_detail(group: Group) -> dict[str, Any]:
    return _group(group) | {"GroupPolicyList": _inline(group), "AttachedManagedPolicies": _attached(group)}
