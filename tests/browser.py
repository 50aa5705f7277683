"""A headless Chromium for tests, driven over its debugging pipe: no driver, no port, no network.

with Browser(tmp_path, width=390, height=844) as page:
    page.open(url)
    page.click("Approve")
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("chrome")

needs_chromium = pytest.mark.skipif(
    CHROMIUM is None or os.name != "posix", reason="there is no Chromium on this machine"
)

_PATIENCE = 60.0
_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--no-proxy-server",
    "--remote-debugging-pipe",
)

_IN_PLACE = """
import fcntl, os, sys
program = sys.argv[3:]
commands, answers = (fcntl.fcntl(int(fd), fcntl.F_DUPFD, 10) for fd in sys.argv[1:3])
os.dup2(commands, 3), os.dup2(answers, 4)
os.execvp(program[0], program)
"""
"""The browser reads commands from descriptor 3 and answers on descriptor 4."""

_FIND = """
(words) => {
  const found = [...document.querySelectorAll("a, button, summary")]
    .filter(each => each.innerText.trim() === words && each.checkVisibility());
  if (found.length !== 1) return found.length;
  found[0].scrollIntoView({block: "center"});
  const box = found[0].getBoundingClientRect();
  return [box.x + box.width / 2, box.y + box.height / 2, box.width, box.height];
}
"""


class BrowserError(Exception):
    """The browser did not do what it was told."""


class Browser:
    """One window with one page, in a profile of its own. `scripts` off: pages run none."""

    def __init__(
        self, folder: Path, *, width: int = 390, height: int = 844, scripts: bool = True
    ) -> None:
        assert CHROMIUM is not None
        self._number = 0
        to_browser, self._out = os.pipe()
        self._in, from_browser = os.pipe()
        profile = folder / "profile"
        command = [
            CHROMIUM,
            *_OPTIONS,
            f"--user-data-dir={profile}",
            f"--window-size={width},{height}",
            "about:blank",
        ]
        place = [sys.executable, "-c", _IN_PLACE, str(to_browser), str(from_browser)]
        self._process = subprocess.Popen(
            [*place, *command],
            pass_fds=(to_browser, from_browser),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_browser)
        os.close(from_browser)
        self._rest = b""
        self._session: str | None = None
        targets = self._ask("Target.getTargets")["targetInfos"]
        target = next(each["targetId"] for each in targets if each["type"] == "page")
        options = {"targetId": target, "flatten": True}
        self._session = self._ask("Target.attachToTarget", options)["sessionId"]
        self._ask("Page.enable")
        size = {"width": width, "height": height, "deviceScaleFactor": 2, "mobile": True}
        self._ask("Emulation.setDeviceMetricsOverride", size)
        self._ask("Emulation.setScriptExecutionDisabled", {"value": not scripts})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.wait(60)
        os.close(self._in)
        os.close(self._out)

    def open(self, url: str) -> None:
        self._leaving()
        self._ask("Page.navigate", {"url": url})
        self._arrive()

    def click(self, words: str) -> tuple[float, float]:
        """Clicks on the one link or button of these words, as a finger would, and waits for the
        page that it leads to. Returns its width and height."""
        place = self.evaluate(f"({_FIND})({json.dumps(words)})")
        assert isinstance(place, list), f'{place} times "{words}" on the page:\n{self.text}'
        x, y, width, height = place
        self._leaving()
        for kind in ("mousePressed", "mouseReleased"):
            event = {"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1}
            self._ask("Input.dispatchMouseEvent", event)
        self._arrive()
        return width, height

    def type(self, text: str) -> None:
        """Types into the field that has the focus."""
        self._ask("Input.insertText", {"text": text})

    def focus(self, selector: str) -> None:
        self.evaluate(f"document.querySelector({json.dumps(selector)}).focus()")

    @property
    def text(self) -> str:
        """All that a person can read."""
        return str(self.evaluate("document.body.innerText"))

    @property
    def url(self) -> str:
        return str(self.evaluate("location.href"))

    def wait_for(self, words: str) -> None:
        """Returns once the words are on the page, which may have to load itself again."""
        end = time.monotonic() + _PATIENCE
        while words not in self.text:
            assert time.monotonic() < end, f'no "{words}" on the page:\n{self.text}'
            time.sleep(0.1)

    def evaluate(self, expression: str) -> Any:
        """The value of an expression, also where the page itself may run no scripts."""
        options = {"expression": expression, "returnByValue": True}
        end = time.monotonic() + _PATIENCE
        while True:
            try:
                return self._ask("Runtime.evaluate", options)["result"].get("value")
            except BrowserError:  # the document was just being replaced
                if time.monotonic() > end:
                    raise

    def screenshot(self, path: Path) -> None:
        import base64

        data = self._ask("Page.captureScreenshot", {"captureBeyondViewport": True})["data"]
        path.write_bytes(base64.b64decode(data))

    def _leaving(self) -> None:
        """Marks the document that is there, to know it from the next one."""
        self.evaluate("window.left = true")

    def _arrive(self) -> None:
        end = time.monotonic() + _PATIENCE
        ready = 'window.left === undefined && document.readyState === "complete"'
        while self.evaluate(ready) is not True:
            assert time.monotonic() < end, f"no other page came:\n{self.text}"
            time.sleep(0.02)

    def _ask(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params or {}}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise BrowserError(f"{method}: {answer['error']}")
                result: dict[str, Any] = answer["result"]
                return result

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            more = os.read(self._in, 65536)
            assert more, "the browser has ended"
            self._rest += more
        line, _, self._rest = self._rest.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        return message
