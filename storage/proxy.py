"""The proxy through which this machine reaches the internet, where it has one."""

from __future__ import annotations

import re
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

NAMES = ("HTTPS_PROXY", "https_proxy")

_PROXY = re.compile(
    r"(https?://)?([^/?#\s]*@)?(?P<host>([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?)/?"
)


def is_proxy(named: str) -> bool:
    """Whether it is written so that we can go through it."""
    return _PROXY.fullmatch(named) is not None


def proxy_to(url: str) -> str | None:
    """As the environment (`HTTPS_PROXY`, `NO_PROXY`) or the system names it, if it does.

    Only for https: the machine's managed identity is asked over http, and by nobody else.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" or proxy_bypass(parts.netloc):
        return None
    named = _named()
    return f"http://{named}" if named and "://" not in named else named


def proxy_host() -> str:
    """Its host and port, without what one signs in with; empty: there is none."""
    named = _named()
    found = _PROXY.fullmatch(named or "")
    # A password with a slash in it would be taken for the host.
    return found["host"] if found else "an address that cannot be read" if named else ""


def _named() -> str | None:
    return getproxies().get("https")
