"""What `make run` runs: the bot on a sample snapshot and, with Node, Microsoft's Playground on it.

POSIX like the Makefile: children are ended by their process group.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dotenv import dotenv_values

ROOT = Path(__file__).resolve().parents[2]
VAR = ROOT / "var"
PLAYGROUND = ROOT / "node_modules/@microsoft/m365agentsplayground/cli.js"
PLAYGROUND_CONFIG = Path(__file__).with_name("m365agentsplayground.yml")
PLAYGROUND_PORT = 56150
# What it prints when Node fails needs a file of its own: it deletes and remakes its log.
PLAYGROUND_LOG = VAR / "playground.log"
PLAYGROUND_OUTPUT = VAR / "playground-output.log"
PLAYGROUND_LOGS = "var/playground*.log"
OLDEST_NODE = 20

READY_WITHIN_S = 60.0  # the first start also compiles botbuilder, on a cold disk
ASK_EVERY_S = 0.2
ANSWER_WITHIN_S = 2.0
END_WITHIN_S = 10.0  # longer than a turn and its write may take

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

DEFAULTS = {
    "HOST": "127.0.0.1",
    "PORT": "3978",
    "SNAPSHOT_ENV": "local",
    "SNAPSHOT_SAMPLE": "120",
}


class Trouble(Exception):
    """Something stops the run; the message tells the person at the keyboard what to do about it."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@dataclass(frozen=True, slots=True)
class Bot:
    """Where the bot is to be, and the environment that puts it there."""

    host: str
    port: int
    playground_port: int
    environment: Mapping[str, str]

    @property
    def health(self) -> str:
        return f"http://{self.host}:{self.port}/healthz"

    @property
    def messages(self) -> str:
        return f"http://{self.host}:{self.port}/api/messages"


# ---- what to start


def bot_from(environ: Mapping[str, str], dotenv: Mapping[str, str]) -> Bot:
    """What is set, in the environment or in the `.env` that the bot reads, beats our defaults."""
    # A default passed on for what `.env` names would hide that from the bot.
    playground_port = free_port(PLAYGROUND_PORT)
    defaults = DEFAULTS | {"SNAPSHOT_LINK": f"http://localhost:{playground_port}"}
    environment = {key: value for key, value in defaults.items() if key not in dotenv}
    environment |= environ
    settings = {**dotenv, **environment}
    port = settings["PORT"]
    if not port.isdecimal():
        raise Trouble(f"PORT is {port!r}, which is not a number.")
    return Bot(settings["HOST"], int(port), playground_port, environment)


def what_the_playground_lacks() -> str | None:
    """None where it can be started; otherwise what to do, in a sentence or two."""
    node = shutil.which("node")
    if node is None or major_version_of(node) < OLDEST_NODE:
        return f"It needs Node {OLDEST_NODE} or newer, with npm: install it, then `make run` again."
    if not PLAYGROUND.is_file():
        return "It is not installed: see what npm said above, then `make run` again."
    return None


def major_version_of(node: str) -> int:
    """0 where the program does not tell, as a shim for a version that is not there."""
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    digits = told.strip().removeprefix("v").partition(".")[0]
    return int(digits) if digits.isdecimal() else 0


def is_taken(host: str, port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((host, port), ANSWER_WITHIN_S):
        return True
    return False


def free_port(preferred: int) -> int:
    """If its port is taken, the Playground picks another in silence, and we could not say which."""
    if not is_taken("127.0.0.1", preferred):
        return preferred
    with socket.socket() as any_port:
        any_port.bind(("", 0))
        return int(any_port.getsockname()[1])


# ---- starting and ending


@contextlib.asynccontextmanager
async def child(
    command: Sequence[str | Path], environment: Mapping[str, str], output: Path | None = None
) -> AsyncIterator[Process]:
    """A process in a group of its own, which ends with the block and takes its children along."""
    with contextlib.ExitStack() as files:
        sink = files.enter_context(output.open("wb")) if output else None
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=ROOT,
            env=environment,
            stdin=DEVNULL,
            stdout=sink,
            stderr=sink,
            # Ctrl+C goes to the terminal's foreground group: to us, who end the others in order.
            start_new_session=True,
        )
    try:
        yield process
    finally:
        await end(process)


async def end(process: Process) -> None:
    if process.returncode is not None:
        return  # long gone perhaps, and its number somebody else's by now
    signal_group(process, signal.SIGTERM)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), END_WITHIN_S)
    signal_group(process, signal.SIGKILL)  # for it, or for what it leaves behind
    await process.wait()


def signal_group(process: Process, number: signal.Signals) -> None:
    # An empty group is "no such process" on Linux and "not permitted" on macOS.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


async def answers(url: str, process: Process) -> bool:
    """True as soon as `url` answers 200; False if the process ends first or READY_WITHIN_S pass."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(READY_WITHIN_S):
            while process.returncode is None:
                if await asyncio.to_thread(is_ok, url):
                    return True
                await asyncio.sleep(ASK_EVERY_S)
    return False


def is_ok(url: str) -> bool:
    # A proxy from the environment must not stand between two programs of one machine.
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(url, timeout=ANSWER_WITHIN_S) as answer:
            return int(answer.status) == 200
    except (urllib.error.URLError, OSError):
        return False


# ---- the run


async def start_bot(bot: Bot, children: contextlib.AsyncExitStack) -> Process:
    if is_taken(bot.host, bot.port):
        raise Trouble(
            f"Something listens on {bot.host}:{bot.port} already, perhaps an earlier run."
            " Stop it, or choose another port: PORT=3979 make run"
        )
    command = [sys.executable, "-m", "bot", "serve"]
    process = await children.enter_async_context(child(command, bot.environment))
    if await answers(bot.health, process):
        return process
    if process.returncode is None:
        raise Trouble(f"The bot does not answer at {bot.health} after {READY_WITHIN_S:.0f} s.")
    raise Trouble(
        f"The bot stopped before it was ready ({how_it_ended(process)});"
        " its own message, if any, stands above.",
        exit_code_after(process),
    )


async def start_playground(
    bot: Bot, children: contextlib.AsyncExitStack
) -> tuple[Process | None, str]:
    """The process, if there is one, and what to tell about it."""
    lacks = what_the_playground_lacks()
    if lacks:
        return None, WITHOUT_PLAYGROUND.format(bot=bot, lacks=lacks)
    VAR.mkdir(exist_ok=True)
    process = await children.enter_async_context(
        child(playground_command(bot), playground_environment(), PLAYGROUND_OUTPUT)
    )
    address = f"http://localhost:{bot.playground_port}"
    if not await answers(address, process):
        lacks = f"It did not start: {PLAYGROUND_LOGS} says why."
        return None, WITHOUT_PLAYGROUND.format(bot=bot, lacks=lacks)
    return process, WITH_PLAYGROUND.format(address=address)


def playground_command(bot: Bot) -> list[str | Path]:
    where = ["-e", bot.messages, "-c", "msteams", "-p", str(bot.playground_port)]
    return ["node", PLAYGROUND, *where, "--disable-telemetry"]


def playground_environment() -> dict[str, str]:
    return {
        **os.environ,
        "M365_AGENTS_PLAYGROUND_CONFIG_PATH": str(PLAYGROUND_CONFIG),
        "M365_AGENTS_PLAYGROUND_LOGFILE": str(PLAYGROUND_LOG),
        "TEAMSAPPTESTER_BROWSER": "none",
    }


WITH_PLAYGROUND = """\
The bot runs. Open {address}

In Personal Chat, type               start
In the channel Snapshot facilitators @CSA Snapshot status
                                     @CSA Snapshot close
(type @ and choose CSA Snapshot from the list that opens)

The Playground listens on every network interface of this machine:
use it on a network that you trust. Ctrl+C stops both."""

WITHOUT_PLAYGROUND = """\
The bot runs and takes messages at {bot.messages}

Microsoft's Playground, a page to talk to it from, is not there.
{lacks}

Ctrl+C stops the bot."""


def framed(text: str) -> str:
    lines = text.splitlines()
    width = max(map(len, lines))
    body = [f"│ {line:<{width}} │" for line in lines]
    return "\n".join([f"┌{'─' * (width + 2)}┐", *body, f"└{'─' * (width + 2)}┘"])


def exit_code_after(process: Process) -> int:
    """The child's own, as a shell would report it; never 0, since nobody asked it to end."""
    code = process.returncode or 1
    return 128 - code if code < 0 else code


def how_it_ended(process: Process) -> str:
    code = process.returncode or 0
    return f"signal {-code}" if code < 0 else f"exit code {code}"


async def run(bot: Bot) -> None:
    """Go on until cancelled; raise `Trouble` when the bot cannot start or ends by itself."""
    async with contextlib.AsyncExitStack() as children:
        serving = await start_bot(bot, children)
        playground, message = await start_playground(bot, children)
        print(framed(message), flush=True)
        async with asyncio.TaskGroup() as group:
            telling = group.create_task(tell_when_ended(playground), name="playground")
            await serving.wait()
            telling.cancel()
        raise Trouble(
            f"The bot ended by itself ({how_it_ended(serving)}).", exit_code_after(serving)
        )


async def tell_when_ended(playground: Process | None) -> None:
    if playground is None:
        return
    await playground.wait()
    print(
        f"The Playground ended ({how_it_ended(playground)}); {PLAYGROUND_LOGS} may say why."
        " The bot goes on. Ctrl+C, then `make run`, starts both again.",
        flush=True,
    )


async def run_until_signalled(bot: Bot) -> None:
    """A signal cancels the run, so that each child is ended in turn; a second hurries nothing."""
    running = asyncio.create_task(run(bot), name="run")
    loop = asyncio.get_running_loop()

    def stop() -> None:
        for number in STOPPING:
            loop.add_signal_handler(number, lambda: None)
        print("\nStopping.", flush=True)
        running.cancel()

    for number in STOPPING:
        loop.add_signal_handler(number, stop)
    with contextlib.suppress(asyncio.CancelledError):
        await running


def main() -> int:
    """Return 0 after Ctrl+C, which is how a run is meant to end, or else what fits the trouble."""
    try:
        dotenv = {name: value for name, value in dotenv_values(ROOT / ".env").items() if value}
        asyncio.run(run_until_signalled(bot_from(os.environ, dotenv)))
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
        return trouble.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
