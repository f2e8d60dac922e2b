"""Errors that say what to do next."""


class ImageError(Exception):
    """Something a person can put right; the message names the remedy."""
