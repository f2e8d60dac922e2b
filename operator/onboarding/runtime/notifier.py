"""A notification that can be handed to its senders before its receiver exists."""

from collections.abc import Callable


class Notifier:
    """Calls its receiver; without one a notification is lost, as nothing depends on it yet."""

    def __init__(self) -> None:
        self._receiver: Callable[[], object] = lambda: None

    def connect(self, receiver: Callable[[], object]) -> None:
        """Call ``receiver`` from now on."""
        self._receiver = receiver

    def __call__(self) -> None:
        """Notify the receiver."""
        self._receiver()
