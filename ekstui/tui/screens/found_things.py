"""What opens a thing that was found: a request to the app, or a screen."""

from collections.abc import Sequence

from textual.message import Message

from ekstui.change.policy import ReleaseNumber, version_label
from ekstui.eks.account_snapshot import AccountSnapshot
from ekstui.eks.cluster import Cluster
from ekstui.eks.pods import PodPlace
from ekstui.errors import InputError
from ekstui.library import Library
from ekstui.library.catalog import PolicyEntry
from ekstui.library.find_anything import catalogue
from ekstui.library.lookup import PastedMessage, PolicyVersion, Sides, Thing, ThingKind
from ekstui.library.notation import RoleSide, StandardInput, parse_sides
from ekstui.tui import screens
from ekstui.tui.base import AppScreen
from ekstui.tui.messages import AskExplain, AskWhoCan, Open, PolicyView, ShowComparison


def find_thing(text: str, kind: ThingKind | None, library: Library, snapshot: AccountSnapshot | None) -> Thing | None:
    """Return the first thing that a text finds, of one kind if it is given."""
    things = catalogue(library, snapshot).find(text)
    return next((thing for thing in things if kind in (None, thing.kind)), None)


def policy_view_of(thing: Thing) -> PolicyView | None:
    """Return the policy and version that a thing is; None for anything else."""
    match thing.value:
        case PolicyEntry() as entry:
            return PolicyView(entry, entry.policy.default_version)
        case PolicyVersion(policy=Thing(value=PolicyEntry() as entry), place=place):
            number, label = entry.policy.versions[place].number, thing.name.rpartition("@")[2]
            return PolicyView(entry, number if version_label(number) == label else ReleaseNumber(number, label))
        case _:
            return None


def opened_by(
    thing: Thing, library: Library, snapshot: AccountSnapshot | None
) -> PolicyView | Message | AppScreen | None:
    """Return what shows a thing; None if nothing does, InputError for sides that cannot be compared."""
    if policy_view := policy_view_of(thing):
        return policy_view
    match thing.value:
        case RoleSide() | PodPlace():
            return Open(thing.value)
        case Cluster(name=name, region=region):
            return screens.cluster_screens.ClusterScreen(name, region)
        case Sides():
            return _comparison_of(thing.value)
        case PastedMessage(text):
            return AskExplain(text)
        case str() as action:
            return AskWhoCan(action)
        case value if blocks := screens.card_screens.card_of(value, library, snapshot):
            return screens.card_screens.CardScreen(thing, blocks)
    return None


def _comparison_of(sides: Sequence[str]) -> ShowComparison:
    before, after = parse_sides(sides)
    if StandardInput() in (before, after):
        raise InputError("The app reads the keyboard from standard input.", "Name a file instead.")
    return ShowComparison(before, after)
