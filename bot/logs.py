"""Structured logs that cannot hold an answer, a name or a key.

Events have fixed names and carry the snapshot's id at most. An exception is logged as its type
and the lines that it came through, never with its message or values, which may quote data.
"""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from pathlib import Path

import structlog

from bot.telemetry import count_problem

_ROOT = Path(__file__).parent.parent


def set_up() -> None:
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            count_problem,
            structlog.processors.TimeStamper(fmt="%Y-%m-%dT%H:%MZ", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
    # Libraries may quote what they were given: only that they complained is let through.
    logging.getLogger().handlers[:] = [_NameOnly()]


def tell_of_faults() -> None:
    """Of what nobody has caught too: Python itself would print its message."""
    sys.excepthook = lambda _, error, __: _ended_by(error)
    threading.excepthook = lambda thrown: _ended_by(thrown.exc_value)


def _ended_by(error: BaseException | None) -> None:
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            _ended_by(each)
    elif isinstance(error, Exception):
        structlog.get_logger().error("ended by a fault", **where(error))


def where(error: BaseException) -> dict[str, str]:
    """What a log may say of an exception."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if Path(f.filename).is_relative_to(_ROOT)] or frames
    lines = [f"{Path(f.filename).name}:{f.lineno}" for f in ours[-6:]]
    return {"error": type(error).__name__, "at": " > ".join(lines)}


class _NameOnly(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.WARNING:
            structlog.get_logger().warning("library", source=record.name, line=record.lineno)
