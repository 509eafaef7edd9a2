"""What is exported tells how the bot does, and nothing of anybody; elsewhere nothing is."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.cosmos.server import Server
from tests.graph.server import HOME
from tests.production.stage import Production, production

METRICS = {"snapshot.turns", "snapshot.calls", "snapshot.deeds", "snapshot.problems"}
PERSON = "ZQXJ0000-aaaa-4aaa-8aaa-aaaaaaaaaaaa".lower()


@dataclass
class Collector:
    """What has come, decoded."""

    url: str = ""
    metrics: list[dict[str, Any]] = field(default_factory=list)
    traces: list[dict[str, Any]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        raw = await request.read()
        if request.headers.get("Content-Encoding") == "gzip":
            raw = gzip.decompress(raw)
        if request.path.endswith("/metrics"):
            self.metrics.append(MessageToDict(ExportMetricsServiceRequest.FromString(raw)))
        else:
            self.traces.append(MessageToDict(ExportTraceServiceRequest.FromString(raw)))
        return web.Response()

    def points(self) -> list[tuple[str, dict[str, Any]]]:
        """Each metric's points, with its name."""
        return [
            (metric["name"], point)
            for export in self.metrics
            for resource in export["resourceMetrics"]
            for scope in resource["scopeMetrics"]
            for metric in scope["metrics"]
            for point in (metric.get("histogram") or metric.get("sum"))["dataPoints"]
        ]

    def spans(self) -> list[dict[str, Any]]:
        return [
            span
            for export in self.traces
            for resource in export["resourceSpans"]
            for scope in resource["scopeSpans"]
            for span in scope["spans"]
        ]


@asynccontextmanager
async def collector() -> AsyncIterator[Collector]:
    here, app = Collector(), web.Application()
    app.router.add_post("/v1/{kind}", here.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    here.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield here
    await runner.cleanup()


async def somebody_talks(stage: Production) -> None:
    person = stage.teams.signed_person("ZQXJ", HOME, PERSON)
    await person.types("start")
    token = stage.identity.signer.token(f"{stage.teams.url}/", by="another's")
    stage.teams.took_s.clear()
    answer = await stage.teams.request(b"{}", {"Authorization": f"Bearer {token}"})
    assert answer.status == 401


def values(point: dict[str, Any]) -> dict[str, str]:
    return {
        each["key"]: str(next(iter(each["value"].values()))) for each in point.get("attributes", [])
    }


async def test_what_is_exported_tells_nothing_of_anybody(cosmos: Server, tmp_path: Path) -> None:
    async with collector() as here:
        more = {"OTEL_EXPORTER_OTLP_ENDPOINT": here.url}
        async with production(tmp_path, cosmos, bots=1, more=more) as stage:
            await somebody_talks(stage)
        points = [(name, values(point)) for name, point in here.points()]
        assert {name for name, _ in points} <= METRICS
        assert {
            ("snapshot.turns", "200"),
            ("snapshot.turns", "401"),
            ("snapshot.calls", "201"),
        } <= {(name, told.get("status")) for name, told in points}
        assert {key for _, told in points for key in told} <= {"status", "did", "event", "level"}
        assert {span["name"] for span in here.spans()} <= {"round"}
        exported = f"{here.metrics} {here.traces}".lower()
        for secret in (PERSON, HOME, "zqxj", "survey.", "bearer"):
            assert secret not in exported
        assert "csa-snapshot" in exported


async def test_a_collector_that_is_away_holds_nothing_up(cosmos: Server, tmp_path: Path) -> None:
    more = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
    async with production(tmp_path, cosmos, bots=1, more=more) as stage:
        await somebody_talks(stage)
        async with asyncio.timeout(60):
            assert await stage.bots[0].ends() == 0
