"""Place of an environment: the environment on one cluster, reached by one connection."""

from typing import NamedTuple

from onboarding.api.target import Site
from onboarding.build.kinds import HUB


class Place(NamedTuple):
    """An environment on a cluster."""

    environment: str
    cluster: str


def cluster_of(site: Site) -> str:
    """Return the name of the connection to the cluster of a site: ``hub``, or ``<Secret>/<key>``."""
    secret = site.kubeconfig_secret
    return HUB if secret is None else f"{secret.name}/{secret.key}"
