"""Take web.png: `ekstui serve` in headless Chromium, after a walk through list, open, copy and diff.

    python screenshots/take_web.py

Ends with an error if the page does not answer the keys or what was copied does not reach the browser's clipboard.
"""

import asyncio
import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import aiohttp

PICTURE = Path(__file__).resolve().with_name("web.png")
PORT, DEBUG_PORT = 8123, 9333
ORIGIN = f"http://localhost:{PORT}"
ENTER = ("\r", "Enter", 13)


class Browser:
    """One page of Chromium, driven through its DevTools protocol."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._sent = 0

    async def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Return the answer to one command; events in between are passed over."""
        self._sent += 1
        await self._socket.send_json({"id": self._sent, "method": method, "params": parameters})
        while True:
            message: dict[str, Any] = json.loads((await self._socket.receive()).data)
            if message.get("id") == self._sent:
                answer: dict[str, Any] = message.get("result", message)
                return answer

    async def press(self, text: str, key: str = "", code: int = 0) -> None:
        """Press one key and give the app a moment."""
        fields = {"key": key or text, "windowsVirtualKeyCode": code or ord(text.upper())}
        await self.ask("Input.dispatchKeyEvent", type="keyDown", text=text, **fields)
        await self.ask("Input.dispatchKeyEvent", type="keyUp", **fields)
        await asyncio.sleep(1)

    async def click(self, x: int, y: int) -> None:
        """Click once."""
        for kind in ("mousePressed", "mouseReleased"):
            await self.ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)
        await asyncio.sleep(1)

    async def clipboard(self) -> str:
        """Return the text in the browser's clipboard."""
        evaluation = await self.ask(
            "Runtime.evaluate", expression="navigator.clipboard.readText()", awaitPromise=True, userGesture=True
        )
        return str(evaluation["result"]["value"])


async def walk(browser: Browser, page: str) -> None:
    """Click a policy, copy its name, compare its last two versions, and take the picture."""
    await browser.ask(
        "Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"], origin=ORIGIN
    )
    await browser.ask("Page.navigate", url=page)
    await asyncio.sleep(6)
    await browser.click(150, 81)
    await browser.press("y")
    await browser.press(*ENTER)
    clipboard_text = await browser.clipboard()
    if clipboard_text != "AmazonEKSWorkerNodePolicy":
        raise SystemExit(f"the clipboard has {clipboard_text!r}")
    await asyncio.sleep(6)
    await browser.press("d")
    picture = await browser.ask("Page.captureScreenshot", format="png")
    PICTURE.write_bytes(base64.b64decode(picture["data"]))


async def main() -> None:
    """Serve, open the page, walk, and end both."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("Chromium is not installed.")
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "EKSTUI_CACHE": f"{folder}/cache", "EKSTUI_STATE": f"{folder}/state"}
        serve = [sys.executable, "-m", "ekstui", "serve", "--offline", "--port", str(PORT)]
        browse = [
            chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1280,800",
            f"--remote-debugging-port={DEBUG_PORT}", f"--user-data-dir={folder}/browser", "about:blank",
        ]  # fmt: skip
        server = subprocess.Popen(serve, env=environment, stderr=subprocess.PIPE, text=True)
        processes: list[subprocess.Popen[Any]] = [server, subprocess.Popen(browse, stderr=subprocess.DEVNULL)]
        try:
            assert server.stderr is not None
            page = next(word for line in server.stderr for word in line.split() if word.startswith(ORIGIN))
            async with aiohttp.ClientSession() as session:
                address = await _address(session, page)
                async with session.ws_connect(address, max_msg_size=0) as socket:
                    await walk(Browser(socket), page)
        finally:
            for process in processes:
                process.terminate()
                process.wait(20)


async def _address(session: aiohttp.ClientSession, page: str) -> str:
    """Return the address of the page's DevTools once Chromium and the server are up."""
    for _ in range(100):
        try:
            async with session.get(page), session.get(f"http://localhost:{DEBUG_PORT}/json") as answer:
                return next(str(tab["webSocketDebuggerUrl"]) for tab in await answer.json() if tab["type"] == "page")
        except (aiohttp.ClientError, StopIteration):
            await asyncio.sleep(0.2)
    raise SystemExit("Chromium or the server did not start.")


if __name__ == "__main__":
    asyncio.run(main())
