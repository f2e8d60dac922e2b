"""Free ports on the loopback address."""

import contextlib
import random
import socket
from itertools import islice

# Below those that Linux gives to outgoing connections: while the API server is down for a moment, a client that
# reconnects could otherwise be given the server's own port.
_CANDIDATES = range(10000, 32768)


def free_ports(count: int) -> list[int]:
    """Choose ports that nobody listens on now."""
    free = filter(_is_free, random.sample(_CANDIDATES, len(_CANDIDATES)))
    return list(islice(free, count))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return True
    return False
