"""Why a probe could not find out."""

from onboarding.errors import OnboardingError


class ProbeProblem(OnboardingError):  # noqa: N818 - an answer that is missing, not a fault of the program
    """A probe cannot answer; the text is for people and holds no secret, no URL query and no foreign words."""
