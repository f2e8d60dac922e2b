"""The errors of the operator.

OnboardingError
├── ApiError          the API server answered with an error; carries its status, reason and message
├── UnreachableError  a cluster gave no answer, or its connection cannot be set up
├── SecretError       a Secret of the operator's namespace cannot be read, or lacks a key
├── StatusError       an API server refused the status of a project
├── TwiceError        two objects of a project would be one
└── WentBackError     an API server shows an older state than before, as after a restore of etcd
"""


class OnboardingError(Exception):
    """Base of every error that the operator raises on purpose."""

    outcome = "Error"
    """How a pass that it ends is counted."""


class ApiError(OnboardingError):
    """An API server refused a request."""

    def __init__(self, status: int, reason: str, message: str, *, causes: tuple[str, ...] = ()) -> None:
        super().__init__(f"{status} {reason}: {message}")
        self.status = status
        self.reason = reason
        self.message = message
        self.causes = causes
        """Reasons of ``details.causes``, such as NamespaceTerminating."""


class UnreachableError(OnboardingError):
    """A cluster cannot be asked at present; what was asked may or may not have happened."""


class SecretError(OnboardingError):
    """A Secret of the operator's namespace cannot be read, or lacks a key; the text holds none of its content."""


class StatusError(OnboardingError):
    """An API server refused the status of a project."""

    outcome = "StatusNotWritten"


class TwiceError(OnboardingError):
    """Two objects that a project is to have share a key: one would be written over the other, again and again."""


class WentBackError(OnboardingError):
    """An API server shows an older state than before: nothing that is known of it counts any more."""

    def __init__(self, resource: str, found: str) -> None:
        super().__init__(
            f"{resource}: the API server went back to an earlier state, as after a restore of etcd ({found}): "
            f"everything has to be read anew"
        )
