"""Whatever is sent to the port: a 4xx or an answer, in time, and never a line in the log."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot import listening as listened
from bot import web as webs
from bot.app import make_app
from bot.listening import Listening
from bot.logs import set_up
from bot.rehearsal.teams import Teams
from tests.stories.conftest import Clock, RunningBot
from tests.stories.people import asks_about, begins

CANARY = "ZQXJcanary"
POST = b"POST /api/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
TWO = b"Content-Length: 2\r\n\r\n{}"
MARK = CANARY.encode()
HANG_S = 60.0
REFUSED = re.compile(rb"HTTP/1\.[01] 4\d\d ")


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[int]:
    """The whole bot, behind the server that it is behind in use."""
    set_up()
    bot = RunningBot(tmp_path, 0, sample=1)
    async with make_app(bot.settings, Clock()) as app:
        listening = Listening(app.web)
        await listening.starts("127.0.0.1", 0)
        yield listening.port
        await listening.ends()


@asynccontextmanager
async def connected(
    port: int,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def sent(port: int, *parts: bytes) -> bytes:
    """All that comes back until the connection ends, or an answer that keeps it has come."""
    async with connected(port) as (reader, writer), asyncio.timeout(HANG_S):
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.01)
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"Content-Length: (\d+)", head)
        return head + await reader.readexactly(int(length[1]) if length else 0)


ODD = {
    "no chunk": (POST + b"Transfer-Encoding: chunked\r\n\r\n", MARK + b"\r\n"),
    "a chunk too long": (POST + b"Transfer-Encoding: chunked\r\n\r\n", b"2\r\n{}XX\r\n0\r\n\r\n"),
    "chunked and counted": (POST + b"Transfer-Encoding: chunked\r\n" + TWO,),
    "more than it says": (POST + b"Content-Length: 1\r\n\r\n{}" + MARK,),
    "less than nothing": (POST + b"Content-Length: -1\r\n\r\n{}",),
    "a count of many digits": (POST + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n{}",),
    "two counts": (POST + b"Content-Length: 3\r\n" + TWO,),
    "more than may be": (POST + b"Content-Length: 9999999\r\n\r\n" + b" " * 300_000,),
    "more than may be, in chunks": (
        POST + b"Transfer-Encoding: chunked\r\n\r\n",
        *[b"10000\r\n" + b" " * 65_536 + b"\r\n"] * 5,
    ),
    "gzip": (POST + b"Content-Encoding: gzip\r\n" + TWO,),
    "deflate": (POST + b"Content-Encoding: deflate\r\n" + TWO,),
    "many headers": (POST + b"X-%b: y\r\n" % MARK * 300 + TWO,),
    "a long header": (POST + b"X: " + MARK * 10_000 + b"\r\n" + TWO,),
    "a header with a NUL": (POST + b"X: \x00" + MARK + b"\r\n" + TWO,),
    "HTTP/1.0": (b"POST /api/messages HTTP/1.0\r\n" + TWO,),
    "HTTP/9.9": (b"POST /api/messages HTTP/9.9\r\n" + TWO,),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00" + MARK,),
    "an unknown method": (MARK + b" /api/messages HTTP/1.1\r\nHost: x\r\n" + TWO,),
    "CONNECT": (b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",),
    "OPTIONS": (b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",),
    "TRACE": (b"TRACE /healthz HTTP/1.1\r\nHost: x\r\n\r\n",),
    "PUT": (b"PUT /api/messages HTTP/1.1\r\nHost: x\r\n" + TWO,),
    "a path of escapes": (b"GET /%ff%00/../../etc/" + MARK + b" HTTP/1.1\r\nHost: x\r\n\r\n",),
    "a path of bytes": (b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",),
    "a broken address": (b"GET http://[::1/" + MARK + b" HTTP/1.1\r\nHost: x\r\n\r\n",),
    "an impossible port": (b"GET http://x:99999999/ HTTP/1.1\r\nHost: x\r\n\r\n",),
    "an odd expectation": (POST + b"Expect: something\r\n" + TWO,),
    "an upgrade": (POST + b"Connection: upgrade\r\nUpgrade: h2c\r\n" + TWO,),
    "an unknown character set": (
        b"POST /api/messages HTTP/1.1\r\nHost: x\r\nContent-Type: a/b; charset=zq\r\n" + TWO,
    ),
}


async def test_what_is_no_request_is_refused_without_a_word(
    port: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webs, "READ_S", 0.3)  # what breaks in the middle is waited for
    capsys.readouterr()
    answers = {name: await sent(port, *parts) for name, parts in ODD.items()}
    assert {n: a for n, a in answers.items() if not REFUSED.match(a) or MARK in a} == {}
    assert {n: a for n, a in answers.items() if b"Python/" in a} == {}, "nor which version"
    assert capsys.readouterr().err == ""


BODIES = {
    "brackets": b"[" * 100_000 + b"]" * 100_000,
    "objects": b'{"a":' * 40_000 + b"1" + b"}" * 40_000,
    "UTF-16": '{"type": "message"}'.encode("utf-16"),
    "a mark in front": b"\xef\xbb\xbf{}",
    "half a character": b'{"type": "\xc3"}',
    "half a pair": rb'{"type": "\ud800"}',
    "NaN": b'{"type": NaN}',
    "Infinity": b'{"type": -Infinity}',
    "a large number": b'{"type": 1' + b"0" * 5_000 + b"}",
    "the same key twice": b'{"type": "message", "type": 7}',
}


async def test_what_is_no_json_of_ours_is_refused(
    port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    answers = {
        name: await sent(port, POST + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        for name, body in BODIES.items()
    }
    assert {n: a for n, a in answers.items() if not REFUSED.match(a)} == {}
    assert capsys.readouterr().err == ""


SLOW = {
    "a head": (POST[:6],),
    "a header": (POST + b"X: ",),
    "a body": (POST + b"Content-Length: 100\r\n\r\n", b"{"),
    "a chunk": (POST + b"Transfer-Encoding: chunked\r\n\r\n", b"5\r\n{"),
    "a second head": (b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", POST[:6]),
}


async def test_what_trickles_in_is_given_up(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often a byte comes: what counts is when the first one did."""
    for of, name in ((listened, "HEAD_S"), (webs, "READ_S"), (listened, "LINGERS_S")):
        monkeypatch.setattr(of, name, 0.3)
    async with asyncio.timeout(HANG_S):
        answers = await asyncio.gather(*(_trickled(port, parts) for parts in SLOW.values()))
    found = dict(zip(SLOW, answers, strict=True))
    assert {n: a for n, a in found.items() if b" 408 " not in a} == {}


async def _trickled(port: int, parts: tuple[bytes, ...]) -> bytes:
    """All that comes back until the connection is ended from the other side."""
    found = b""
    async with connected(port) as (reader, writer):
        for part in parts:
            writer.write(part)
            await asyncio.sleep(0.05)
        trickling = asyncio.create_task(_trickles(writer))
        try:
            while more := await reader.read(2_000):
                found += more
        except ConnectionError:  # it ended while we were writing
            pass
        finally:
            trickling.cancel()
    return found


async def _trickles(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"x")
        await asyncio.sleep(0.05)


async def test_who_connects_and_says_nothing_is_given_up(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some thousand of them, and no more could connect."""
    monkeypatch.setattr(listened, "HEAD_S", 0.1)
    async with connected(port) as (reader, _), asyncio.timeout(HANG_S):
        assert b" 408 " in await reader.read()


async def test_a_connection_that_is_kept_and_used_slowly_is_not_given_up(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listened, "HEAD_S", 1.0)
    async with connected(port) as (reader, writer):
        for pause_s in (1.3, 0.0):
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
            await asyncio.sleep(pause_s)


async def test_a_hundred_requests_in_one_breath_are_answered_in_order(port: int) -> None:
    async with connected(port) as (reader, writer), asyncio.timeout(HANG_S):
        writer.write((b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" + POST + TWO) * 50)
        for _ in range(50):
            assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
            assert b" 401 " in await reader.readuntil(b"\r\n\r\n")


async def test_who_goes_away_in_the_middle_leaves_nothing_behind(
    port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    before = len(asyncio.all_tasks())
    for _ in range(20):
        async with connected(port) as (_, writer):
            writer.write(POST + b"Content-Length: 100\r\n\r\n{")
            await writer.drain()
            await asyncio.sleep(0.01)
    async with asyncio.timeout(HANG_S):
        while len(asyncio.all_tasks()) > before:  # noqa: ASYNC110 - nobody tells when they end
            await asyncio.sleep(0.01)
    assert capsys.readouterr().err == ""


async def test_while_some_trickle_others_are_answered(port: int) -> None:
    trickling = [await asyncio.open_connection("127.0.0.1", port) for _ in range(100)]
    for _, writer in trickling:
        writer.write(POST + b"Content-Length: 100\r\n\r\n{")
    async with Teams(f"http://127.0.0.1:{port}") as teams:
        assert asks_about(await begins(teams.person("Ada"))) == "AW1"
    for _, writer in trickling:
        writer.close()
