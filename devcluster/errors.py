"""Errors that say what to do next."""


class DevclusterError(Exception):
    """Something a person can put right; the message names the remedy."""


class NotRunningError(DevclusterError):
    """No control plane runs where one was expected."""


class AlreadyRunningError(DevclusterError):
    """A control plane runs already in the folder that was asked for."""


class KubectlError(DevclusterError):
    """A kubectl command that ended with an error; the message shows what it wrote."""
