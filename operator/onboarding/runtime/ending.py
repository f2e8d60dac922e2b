"""The error with which the operator ends by itself."""

import asyncio
from typing import Any

from onboarding.errors import OnboardingError


def cause_of(died: asyncio.Task[Any]) -> OnboardingError:
    """Return the error of a task that has died; an OnboardingError is returned as it is."""
    error = None if died.cancelled() else died.exception()
    return error if isinstance(error, OnboardingError) else OnboardingError(f"a part of the operator died: {died}")
