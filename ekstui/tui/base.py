"""What every pane and screen may ask of the app it runs in."""

from ekstui.config import Settings
from ekstui.library import Library
from ekstui.tui.background import Background
from ekstui.tui.crash import SurvivingApp
from ekstui.tui.driver import driver_class
from ekstui.tui.in_turn import KeysInTurnApp
from ekstui.tui.keys import Key
from ekstui.tui.mfa import MfaPrompter
from ekstui.tui.shown import Shown


class LibraryApp(KeysInTurnApp, SurvivingApp):
    """An app with a library to ask and a background to ask it in."""

    def __init__(self, library: Library, settings: Settings | None = None) -> None:
        super().__init__(driver_class=driver_class())
        self.library = library
        self.settings = settings or Settings()
        self.background = Background()
        self.mfa = MfaPrompter()
        self.mfa.attach(self)

    def keys_of(self, key: Key) -> str:
        """Return the keys that do this, as the user has them."""
        return self.settings.keys.get(key.id, key.keys)

    async def action_back(self) -> None:
        """Go back one screen."""
        raise NotImplementedError

    def go_to(self, shown: Shown) -> None:
        """Go back to the explorer and show a policy at a version there, once the caller is done."""
        raise NotImplementedError
