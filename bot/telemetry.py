"""Metrics and traces by OpenTelemetry, exported only where somebody has said where to.

Nothing in them tells of a person, or of what anybody chose: turns are told together, without what
was pressed, and only the worker's rounds are traced. When somebody tapped is in no trace.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

from opentelemetry import metrics, trace

EXPORT_EVERY_S = 60.0
ENDS_WITHIN_S = 5.0
_NAME = "csa-snapshot"

# Without a provider, which only `exporting` sets, each of these does next to nothing.
_meter = metrics.get_meter(_NAME)
tracer = trace.get_tracer(_NAME)

turns = _meter.create_histogram(
    "snapshot.turns", unit="s", description="How long requests of Teams took, by HTTP status"
)
calls = _meter.create_counter(
    "snapshot.calls", description="Calls of Teams' connector, by HTTP status; 0: no answer"
)
deeds = _meter.create_counter("snapshot.deeds", description="What the worker did, by its kind")
problems = _meter.create_counter(
    "snapshot.problems", description="Warnings and errors that were logged, by their event"
)

_TOLD = ("warning", "error")


def count_problem(
    _: object, level: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """A processor of structlog's: events have fixed names, and nothing else of them is told."""
    if level in _TOLD:
        problems.add(1, {"event": str(event.get("event")), "level": level})
    return event


@asynccontextmanager
async def exporting(endpoint: str) -> AsyncIterator[None]:
    """To an OpenTelemetry collector, by threads of the SDK's; nothing where `endpoint` is empty."""
    if not endpoint:
        yield
        return
    # Large, and most do without.
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    about, base = Resource.create({"service.name": _NAME}), endpoint.rstrip("/")
    reader = PeriodicExportingMetricReader(
        OTLPMetricExporter(endpoint=f"{base}/v1/metrics"),
        export_interval_millis=1_000 * EXPORT_EVERY_S,
    )
    meters = MeterProvider([reader], resource=about, shutdown_on_exit=False)
    tracers = TracerProvider(resource=about, shutdown_on_exit=False)
    tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{base}/v1/traces")))
    metrics.set_meter_provider(meters)
    trace.set_tracer_provider(tracers)
    try:
        yield
    finally:
        # What is left is sent, unless the collector is away.
        ending = [asyncio.to_thread(provider.shutdown) for provider in (meters, tracers)]
        await asyncio.wait([asyncio.ensure_future(e) for e in ending], timeout=ENDS_WITHIN_S)
