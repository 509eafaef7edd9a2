"""The proxy through which this machine reaches the internet, where it has one."""

from __future__ import annotations

from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass


def proxy_to(url: str) -> str | None:
    """As the environment (`HTTPS_PROXY`, `NO_PROXY`) or the system names it, if it does.

    Only for https: the machine's managed identity is asked over http, and by nobody else.
    """
    parts = urlsplit(url)
    return None if parts.scheme != "https" or proxy_bypass(parts.netloc) else _https_proxy()


def proxy_host() -> str:
    """Its host and port, without what one signs in with; empty: there is none."""
    return urlsplit(_https_proxy() or "").netloc.rpartition("@")[2]


def _https_proxy() -> str | None:
    named = getproxies().get("https")
    return f"http://{named}" if named and "://" not in named else named
