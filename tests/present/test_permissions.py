"""What a document permits reads alike in the pane, the command and Markdown."""

from rich.cells import cell_len

from ekstui.iam.console import LevelCount
from ekstui.iam.document import parse
from ekstui.iam.summary import services_in
from ekstui.library import Library
from ekstui.present.grants_in_short import key_in_short
from ekstui.present.permissions import (
    EIGHTHS,
    actions_blocks,
    bar,
    permission_rows,
    services_blocks,
    services_table,
    share,
    unfolded,
)
from ekstui.present.rendering import lines, markdown
from ekstui.present.styled import plain


def test_a_bar_grows_with_the_share_and_is_whole_only_for_all_of_it() -> None:
    for total in (1, 2, 8, 517):
        bars = [bar(granted_count, total) for granted_count in range(total + 1)]
        assert bars[0] == "" and bars[-1] == "█"
        assert "█" not in bars[:-1]
        heights = [EIGHTHS.index(cell) for cell in bars[1:]]
        assert heights == sorted(heights)
    assert [bar(granted_count, 8) for granted_count in range(1, 9)] == list(EIGHTHS)


def test_a_share_has_the_count_and_says_nothing_of_what_is_not_known() -> None:
    assert plain(share("Write", LevelCount(13, 517))) == "▏13/517"
    assert plain(share("unknown", LevelCount(3, 0))) == "3"
    assert share("Write", LevelCount(0, 517)) == share("Write", None) == ()


def test_what_is_to_be_said_of_a_service_and_an_action_stands_in_every_form() -> None:
    """The command left out that the reference lacks a service and that an action has two levels, Markdown all warnings."""
    document = parse(
        {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": ["foo:*", "s3:PutObjectAcl", "s3:Nope*"], "Resource": "*"},
                {"Effect": "Deny", "Action": ["s3:PutObjectAcl"], "Resource": "arn:aws:s3:::x/*"},
            ],
        }
    )
    services = services_in(document)
    pane = "\n".join(plain(row.cells[0]) for row in permission_rows(services, {("Allow", "foo"), ("Allow", "s3")}, 200))
    command = "\n".join(
        lines([services_table(services), *actions_blocks(services, {})], 200, colours=False, whole_tables=True)
    )
    table = markdown(services_blocks(services))
    for words in ("unknown to the reference", "This service is not recognised"):
        assert all(words in text for text in (pane, command, table)), words
    for words in ("also Write", "denied: partial", "! No known action matches this pattern"):
        assert words in pane, words
        assert words in command, words


def test_no_key_of_a_condition_is_broken_beside_its_action() -> None:
    """At 120 columns the pane has 61: what does not fit beside an action stands below it."""
    library = Library.open()
    policy = library.find("AmazonEKSLoadBalancingPolicy").policy
    services = library.summary(policy, policy.default_version)
    open_services = {(service.effect, service.service) for service in services}
    lines = [plain(row.cells[0]) for row in permission_rows(services, open_services, 61)]
    assert max(map(cell_len, lines)) <= 61
    keys = {
        key_in_short(condition.key)
        for service in services
        for action in service.actions
        for grant in action.grants
        for condition in grant.conditions
    }
    assert keys
    for key in keys:
        assert any(key in line for line in lines), key


def test_no_service_stays_folded_above_a_pane_that_is_mostly_empty() -> None:
    library = Library.open()
    policy = library.find("AmazonEKSClusterPolicy").policy
    services = library.summary(policy, 10)
    sizes = {service.service: sum(count.granted for count in service.levels.values()) for service in services}
    for room in range(10, 120):
        open_services = {service for _, service in unfolded(services, room)}
        used_rows = 1 + len(services) + sum(sizes[service] for service in open_services)
        assert 2 * used_rows >= room or len(open_services) == len(services), room
        # At most one more is unfolded than fits.
        fitting_services = [service for service in open_services if used_rows - sizes[service] <= room]
        assert used_rows <= room or fitting_services, room
    assert "ec2" in {service for _, service in unfolded(services, 34)}
