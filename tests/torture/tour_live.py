"""The part of the tour that needs an account: a live one on loopback whose every name, tag and document is hostile."""

import json
from pathlib import Path

from tests.rig.builder import Builder
from tests.rig.documents import trusting_ec2
from tests.rig.isolation import access_key
from tests.rig.proxy import Effect
from tests.rig.rig import Rig
from tests.rig.world import world
from tests.support.documents import trust
from tests.torture.hostile import Tried, account, policy
from tests.torture.touring import TEXT, Tour, app

IN_XML = "".join(character for character in TEXT if character >= " ")
"""What of the text XML can carry, as IAM answers in it: the C1 controls are among it."""

NAME = IN_XML.replace("/", "∕").replace(":", "")
"""What can stand in an ARN's name and in a path."""

POLICY = "AmazonEKSClusterPolicy"

TRUST = account(TEXT)["RoleDetailList"][0]["AssumeRolePolicyDocument"]

MESSAGE = (
    f"An error occurred (AccessDenied) when calling the {TEXT} operation: User: "
    f"arn:aws:sts::123456789012:assumed-role/plain/{TEXT} is not authorized to perform: ec2:CreateTags on resource: "
    f"arn:aws:ec2:eu-central-1:123456789012:volume/{TEXT} because no identity-based policy allows the ec2:CreateTags action"
)

PROFILES = f"""
[profile {NAME}]
aws_access_key_id = {access_key("222233334444")}
aws_secret_access_key = not-a-secret
[profile broken]
role_arn = arn:aws:iam::123456789012:role/plain
source_profile = {NAME}
[profile other]
aws_access_key_id = {access_key("222233334444")}
aws_secret_access_key = not-a-secret
[profile guarded]
role_arn = arn:aws:iam::123456789012:role/plain
source_profile = other
mfa_serial = arn:aws:iam::222233334444:mfa/{NAME}
"""


def hostile_account(builder: Builder, region: str) -> None:
    """Add roles, a policy of the account's own and a cluster with the text wherever there is one."""
    attached_policy = builder.policy(f"own{NAME}", policy(TEXT), path=f"/{NAME}/", description=IN_XML)
    original = json.loads(world.catalogue(builder.partition).named(POLICY).versions[-1].text)
    copy = builder.policy(f"copy{NAME}", original | {"Id": TEXT}, path=f"/{NAME}/")
    inline = {NAME: policy(TEXT)}
    hostile_role = builder.role(
        f"a{NAME}", TRUST, POLICY, attached_policy.arn, copy.arn, path=f"/{NAME}/", description=IN_XML, inline=inline,
        tags={IN_XML: IN_XML}, boundary=attached_policy.arn, last_used=builder.ago(hours=1), last_used_region=IN_XML,
    )  # fmt: skip
    plain_role = builder.role("plain", TRUST, POLICY, attached_policy.arn, description=IN_XML, inline=inline)
    builder.user(f"u{NAME}", POLICY, path=f"/{NAME}/")
    builder.group(f"g{NAME}", POLICY)
    builder.instance_profile(f"p{NAME}", hostile_role)
    issue = {"code": TEXT, "message": TEXT, "resourceIds": [TEXT]}
    cluster = builder.cluster(region, f"a{NAME}", hostile_role, version=TEXT, issues=[issue], tags={TEXT: TEXT})
    node = builder.role(f"node{NAME}", trusting_ec2(builder.partition), POLICY, "AmazonEKSWorkerNodePolicy")
    builder.nodegroup(region, cluster, f"n{NAME}", node, issues=[issue])
    fargate = builder.role("fargate", trust("eks-fargate-pods.amazonaws.com"))
    builder.fargate_profile(region, cluster, f"f{NAME}", fargate, TEXT)
    builder.addon(region, cluster, "vpc-cni", plain_role, issues=[issue])
    builder.pod_identity(region, cluster, TEXT, TEXT, plain_role, target=hostile_role.arn)
    builder.access_entry(region, cluster, hostile_role.arn)
    builder.capability(region, cluster, f"c{NAME}", "ACK", hostile_role)
    builder.iam.account_aliases[:] = [IN_XML]


def live_tour(rig: Rig, home: Path, driver: str) -> Tried:
    """See the screens that are about an account, a question or a choice."""
    result = Tried(strings=1)
    with app(home, [POLICY], result, _hostile_home(rig, home, driver)) as at:
        at.see("attached", "", "4 Attached · 1234")
        see_account(at)
        see_questions(at)
        see_failures(at, rig)
    return result


def short_tour(rig: Rig, home: Path) -> Tried:
    """See as many screens as a few seconds allow, with Textual's own driver."""
    result = Tried(strings=1)
    with app(home, [POLICY], result, _hostile_home(rig, home, "plain"), quiet=0.06) as at:
        at.see("attached", "", "4 Attached · 1234")
        at.see("attached", "4", "OWNED")
        at.see("role", "g\r", "Findings")
        at.see("role, permissions", "v", "access")
        at.see("role, last used", "v", "")
        at.see("role, trust policy", "v", '"Statement"')
        at.copies("role, copy", 1)
        at.see("clusters", "\x1b\x1b\x1b\x1bc", "Clusters")
        at.see("cluster", "\r", "ekstui   cluster ")
        at.see("account", "\x1ba", "Profiles (")
        at.see("palette", "\x1b:", "Find anything")
        at.paste("palette, message", TEXT, "Explain this message")
        at.see("explain", "\x1bx", "paste an AccessDenied")
        at.paste("explain, pasted", MESSAGE, "occurred")
        at.see("explain, message", "\r", "DENIED")
    return result


def _hostile_home(rig: Rig, home: Path, driver: str) -> dict[str, str]:
    seeded_state = rig.reset(0)
    hostile_account(seeded_state.builder, seeded_state.home)
    (home / ".aws").mkdir(exist_ok=True)
    (home / ".aws" / "config").write_text(PROFILES)
    return {**rig.environment(home), "EKSTUI_DRIVER": driver}


def see_account(at: Tour) -> None:
    """See what is known of the account: attachments, a role, clusters, a cluster, the account itself."""
    at.see("attached", "4z", "oops")
    at.copies("attached, copy")
    at.see("role", "g\r", "Findings")
    at.see("role, end", "G", "")
    at.see("role, permissions", "v", "access")
    at.see("role, permissions, open", "g", "")
    at.see("role, permissions, open", "\r", "▾")
    at.see("role, permissions, open", "\x1b[B", "")
    at.see("action card", "\r", "› action ")
    at.see("explain of a role", "x", "not a denial")  # IAM has no role of such a name, so it is not asked about
    at.see("role, last used", "\x1b\x1b\x1bv", "")
    at.see("role, trust policy", "v", '"Statement"')
    at.see("role, searched", "/oops", "")
    at.see("role, next match", "\rn", "")
    at.copies("role, copy")
    at.exports("role, export", 1)
    at.see("clusters", "\x1b\x1b\x1bzc", "Clusters")
    at.see("cluster", "\r", "ekstui   cluster ")
    at.see("cluster, end", "G", "")
    at.copies("cluster, copy")
    at.exports("cluster, export", 1)
    at.see("map of a cluster", "v", "map of")
    at.see("map of a cluster, unfolded", "*", "")
    at.see("map of a cluster, end", "G", "")
    at.copies("map of a cluster, copy", 2)
    at.exports("map of a cluster, export", 1)
    at.see("account", "\x1b\x1ba", "Profiles (")
    at.see("account, end", "G", "copies of")
    at.copies("account, copy")
    at.exports("account, export", 1)
    at.see("back", "\x1b", "Policies")


def see_questions(at: Tour) -> None:
    """Ask hostile questions on every screen that takes one."""
    at.see("explain", "x", "paste an AccessDenied")
    at.paste("explain, pasted", MESSAGE, "occurred")
    at.see("explain, message", "\r", "DENIED")
    at.see("explain, end", "G", "")
    at.copies("explain of a message, copy", 3)
    at.exports("explain of a message, export", 1)
    at.see("who can, of the message's action", "w", "› who can ")
    at.see("who can", "\x1b\x1bw", "Type an action")
    at.paste("who can, pasted", TEXT, "OWNED")
    at.see("who can, asked", "\r", "OWNED")
    at.see("palette", "\x1b\x1b:", "Find anything")
    at.paste("palette, message", TEXT, "Explain this message")
    at.see("palette, found", "\x15owned", "OWNED")
    at.see("palette, cleared", "\x15", "Find anything")
    at.paste("palette, nothing", "[/oops][red]qjqjqj", "Nothing matches")
    at.see("palette, compare", "\x15diff cni /", "AmazonEKS_CNI_Policy with /")
    at.paste("palette, compare", "".join(TEXT.split()), "OWNED")
    at.see("palette, compared", "\r", "")
    at.see("changes", "\x1b\x1bf", "ekstui   changes ")
    at.see("changes, all years", "ppp", "all years up to")
    at.see("changes, end", "G", "")
    at.copies("changes, copy", 1)
    at.exports("changes, export", 1)
    at.see("help", "?", "")
    at.see("about the policy", "\x1b\x1b2i", "")
    at.see("what is not allowed", "\x1b\x1b2v", "")
    for pane in "1234":
        at.see(f"pane {pane}", pane, "")
        at.see(f"filter of pane {pane}", "/", "type to filter")
        at.paste(f"filter of pane {pane}", TEXT, "Nothing here matches")
        at.see(f"filter of pane {pane}, cleared", "\x15", "type to filter")
        at.see(f"filter of pane {pane}, gone", "\r", "Policies")
    at.see("name of a file", "e\r", "Save to a file")
    at.paste("name of a file", "/nowhere/" + TEXT, "")
    at.see("name of a file, refused", "\r", "")
    at.see("back", "\x1b\x1b\x1b1", "Policies")


def see_failures(at: Tour, rig: Rig) -> None:
    """See what is said where AWS fails with hostile words, and where a hostile device is to give a code."""
    rig.proxy.add(Effect("error", code=IN_XML, status=400, message=IN_XML), "iam")
    at.see("pane 4", "4", "")
    at.see("attached, failed", "r", "oops")
    at.see("pane 1", "1", "")
    at.see("synchronised, failed", "r", "could not")
    rig.proxy.clear()
    for profile, phrase in (("broken", "is wrong"), ("guarded", "MFA code")):
        at.see("account", "a", "guarded")
        at.see("account, searched", "/", "type to search")
        at.see("account, searched", profile, "")
        at.see("account, searched", "\r", "")
        at.see("account, match", "n", "")
        at.see(f"{profile} profile", "\r", phrase)
        at.see("back", "\x1b\x1b", "Policies")
