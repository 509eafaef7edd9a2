"""Ports for servers that a test starts later, and may stop and start again."""

from __future__ import annotations

import socket
from collections import deque

_HELD_AT_MOST = 64
"""More than one test asks for; what a run asked for before it has long stopped."""

_held: deque[socket.socket] = deque()


def free_port() -> int:
    """A port of this machine that nobody else is given until the test is over.

    A socket that is bound and never listens holds it: Linux then gives the port to no outgoing
    connection and to nobody who asks for any port, while a server that names it may listen there.
    Without it, on a busy machine, one run of thousands of tests in some lost its port to a
    connection in the moment before its server started.
    """
    while len(_held) >= _HELD_AT_MOST:
        _held.popleft().close()
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    _held.append(held)
    port: int = held.getsockname()[1]
    return port
