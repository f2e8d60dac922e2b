"""The running operator: Kopf's events, our queue, metrics and health."""

# Before Kopf, which imports models of the official client: see there.
from onboarding.adapters import official as official
