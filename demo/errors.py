"""Errors of the demo that a person can put right."""


class DemoError(Exception):
    """The demo cannot go on; the message says why and where to look."""
