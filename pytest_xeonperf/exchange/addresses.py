"""Addresses of the web, as people give them."""

from urllib.parse import urlsplit


def is_web_address(text: str) -> bool:
    """Whether it is http or https of a host, at a port that there can be; each use has rules of its own besides."""
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
