"""Free ports on the loopback address."""

import contextlib
import random
import socket
from collections.abc import Callable
from itertools import islice
from typing import TypeVar

from devcluster.errors import PortTakenError

T = TypeVar("T")

# Below those that Linux gives to outgoing connections: while the API server is down for a moment, a client that
# reconnects could otherwise be given the server's own port.
_CANDIDATES = range(10000, 32768)
_ATTEMPTS = 3


def free_ports(count: int) -> list[int]:
    """Choose ports that nobody listens on now."""
    free = filter(_is_free, random.sample(_CANDIDATES, len(_CANDIDATES)))
    return list(islice(free, count))


def with_free_ports(start: Callable[[], T]) -> T:
    """Start something; if another process takes one of its ports at that moment, start it again with others."""
    for _ in range(_ATTEMPTS - 1):
        with contextlib.suppress(PortTakenError):
            return start()
    return start()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return True
    return False


def accepts(port: int) -> bool:
    """Say whether something listens on a port."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True
