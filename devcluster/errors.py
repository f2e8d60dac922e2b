"""Errors that say what to do next."""

from pathlib import Path

_TAIL_LINES = 15


class DevclusterError(Exception):
    """Something a person can put right; the message names the remedy."""


class NotRunningError(DevclusterError):
    """No control plane runs where one was expected."""


class AlreadyRunningError(DevclusterError):
    """A control plane runs already in the folder that was asked for."""


class KubectlError(DevclusterError):
    """A kubectl command that ended with an error; the message shows what it wrote."""


class PortTakenError(DevclusterError):
    """A program that ended because another process had taken its port in the meantime."""


def failure(program: str, log: Path) -> DevclusterError:
    """Return the error of a program that ended before it was ready."""
    tail = "\n".join(log.read_text().splitlines()[-_TAIL_LINES:])
    kind = PortTakenError if "address already in use" in tail.lower() else DevclusterError
    return kind(f"{program} ended while it started, see {log}:\n{tail}")
