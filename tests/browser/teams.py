"""Microsoft's local Teams with the bot behind it, and somebody who looks at it in Chromium."""

from __future__ import annotations

import os
import re
import sys
from asyncio.subprocess import PIPE, Process, create_subprocess_exec
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from playwright.async_api import Locator, Page, expect

from infra.playground.run import PLAYGROUND, PLAYGROUND_CONFIG, answers, child
from snapshot.opening import take_up
from snapshot.ports import DIRECTORY, Kind
from snapshot.snapshot import Snapshot
from storage.keyfiles import KeyFiles
from storage.sqlite import SqliteRecords
from tests.ports import free_port

SAMPLE_PEOPLE = 120
SHOTS = Path(__file__).parents[2] / "var/shots"

_CARD = ".ac-adaptiveCard"
# A plain [contenteditable] would also find the Playground's log.
_EDITOR = '[data-lexical-editor="true"]'
_TABS_AT_MOST = 40


# -- the two programs -----------------------------------------------------------------------------


@dataclass(slots=True)
class LocalTeams:
    """What `make run` starts, on ports and files of its own. The bot can be restarted on them."""

    folder: Path
    bot_port: int
    port: int
    _serving: AsyncExitStack = field(default_factory=AsyncExitStack)
    _process: Process | None = None
    _logs: list[Path] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def _bot(self) -> str:
        return f"http://127.0.0.1:{self.bot_port}"

    async def starts_the_bot(self) -> None:
        log = self.folder / f"bot-{len(self._logs) + 1}.log"
        self._logs.append(log)
        command = [sys.executable, "-m", "bot", "serve"]
        serving = child(command, self._settings_of_the_bot(), log)
        self._process = await self._serving.enter_async_context(serving)
        assert await answers(f"{self._bot}/healthz", self._process), self.said_by_the_bot()

    async def stops_the_bot(self) -> None:
        """With SIGTERM, as a host would; exit code 0 says that it went by itself."""
        await self._serving.aclose()
        assert self._process is None or self._process.returncode == 0, self.said_by_the_bot()

    async def restarts_the_bot(self) -> None:
        await self.stops_the_bot()
        await self.starts_the_bot()

    async def ticks(self, at: datetime) -> str:
        """What is due at this time is done, by a process of its own; what that has said."""
        command = [sys.executable, "-m", "bot", "tick", "--at", at.isoformat()]
        settings = self._settings_of_the_bot()
        ticking = await create_subprocess_exec(*command, env=settings, stdout=PIPE, stderr=PIPE)
        out, errors = await ticking.communicate()
        assert ticking.returncode == 0, errors.decode()
        assert b"error" not in errors, errors.decode()
        return out.decode()

    async def snapshot(self) -> Snapshot:
        async with SqliteRecords(self.folder / "snapshot.db") as records:
            (record,) = await records.read_all(DIRECTORY, Kind.SNAPSHOT)
            return (await take_up(record, KeyFiles(self.folder / "keys"))).snapshot

    async def starts_the_playground(self, running: AsyncExitStack) -> None:
        log = self.folder / "playground-output.log"
        where = ["-e", f"{self._bot}/api/messages", "-c", "msteams", "-p", str(self.port)]
        command: list[str | Path] = ["node", PLAYGROUND, *where, "--disable-telemetry"]
        playground = child(command, self._settings_of_the_playground(), log)
        process = await running.enter_async_context(playground)
        assert await answers(self.address, process), log.read_text()

    def said_by_the_bot(self) -> str:
        return "".join(log.read_text() for log in self._logs)

    def errors_of_the_bot(self) -> list[str]:
        signs = ('"level": "error"', "Traceback")
        lines = self.said_by_the_bot().splitlines()
        return [line for line in lines if any(sign in line for sign in signs)]

    def _settings_of_the_bot(self) -> dict[str, str]:
        return {
            **os.environ,
            "HOST": "127.0.0.1",
            "PORT": str(self.bot_port),
            "SNAPSHOT_ENV": "local",
            "SNAPSHOT_SAMPLE": str(SAMPLE_PEOPLE),
            "SNAPSHOT_STORE": f"sqlite:///{self.folder / 'snapshot.db'}",
            "SNAPSHOT_KEYS": f"file:{self.folder / 'keys'}",
            "SNAPSHOT_LINK": self.address,
        }

    def _settings_of_the_playground(self) -> dict[str, str]:
        return {
            **os.environ,
            "M365_AGENTS_PLAYGROUND_CONFIG_PATH": str(PLAYGROUND_CONFIG),
            "M365_AGENTS_PLAYGROUND_LOGFILE": str(self.folder / "playground.log"),
            "TEAMSAPPTESTER_BROWSER": "none",
        }


@asynccontextmanager
async def local_teams(folder: Path) -> AsyncIterator[LocalTeams]:
    teams = LocalTeams(folder, free_port(), free_port())
    async with AsyncExitStack() as running:
        running.push_async_callback(teams.stops_the_bot)
        await teams.starts_the_bot()
        await teams.starts_the_playground(running)
        yield teams


# -- the person -----------------------------------------------------------------------------------


@dataclass(slots=True)
class Person:
    """Somebody at the Playground's page. `taps` counts the buttons of cards that they pressed."""

    page: Page
    taps: int = 0

    async def opens(self, address: str) -> None:
        """The private chat, as on another device: empty but for what the bot says at once."""
        await self.page.goto(address)

    async def goes_to(self, place: str) -> None:
        await self.page.get_by_role("treeitem", name=place).click()

    async def presses(self, title: str, *, hint: str = "", on: Locator | None = None) -> None:
        """A button of the newest card in the chat, unless another is meant.

        `hint` is what it tells beside its title, and tells two of one title apart.
        """
        button = (on or self.card).get_by_role("button", name=title, exact=True)
        if hint:
            button = button.and_(self.page.get_by_title(hint, exact=True))
        await button.click()
        self.taps += 1

    async def tabs_to_and_enters(self, title: str) -> None:
        for _ in range(_TABS_AT_MOST):
            await self.page.keyboard.press("Tab")
            if await self.page.evaluate("document.activeElement.innerText") == title:
                await self.page.keyboard.press("Enter")
                self.taps += 1
                return
        raise AssertionError(f"{_TABS_AT_MOST} times Tab do not lead to {title!r}")

    async def fills(self, typed: Mapping[str, str], *, on: Locator | None = None) -> None:
        """Type into inputs of a card, each found by its label."""
        for label, value in typed.items():
            await (on or self.card).get_by_label(label, exact=True).fill(value)

    async def chooses(self, *labels: str, on: Locator | None = None) -> None:
        for label in labels:
            await (on or self.card).get_by_label(label, exact=True).check()

    async def types(self, words: str) -> None:
        await self.page.locator(_EDITOR).first.click()
        await self.page.keyboard.type(words)
        await self.page.keyboard.press("Enter")

    async def tells_the_bot(self, words: str) -> None:
        """A new post in a channel, where the bot hears only what mentions it."""
        await self.page.locator(_EDITOR).first.click()
        await self.page.keyboard.type("@")
        await self.page.get_by_role("menuitem", name="CSA Snapshot").first.click()
        await self.page.keyboard.type(f" {words}")
        await self.page.get_by_role("button", name="Post", exact=True).click()

    # What is seen is waited for, never a time.

    @property
    def card(self) -> Locator:
        """The newest card of a private chat."""
        return self.page.locator(_CARD).last

    def card_with(self, words: str) -> Locator:
        """The newest card of a channel, where new posts stand on top, that holds these words."""
        return self.page.locator(_CARD).filter(has_text=words).first

    async def reads_after(self, line: str) -> str:
        """The line of the card below this one."""
        lines = [text for text in (await self.card.inner_text()).splitlines() if text.strip()]
        return lines[lines.index(line) + 1]

    async def sees(self, *texts: str | re.Pattern[str], on: Locator | None = None) -> None:
        for text in texts:
            await expect(on or self.card).to_contain_text(text)

    async def takes_a_picture(self, kind: str, of: Locator | None = None) -> None:
        SHOTS.mkdir(parents=True, exist_ok=True)
        await (of or self.card).screenshot(path=SHOTS / f"{kind}.png")
