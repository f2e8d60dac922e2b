"""Environments that are detached."""

from typing import Any

from onboarding import names
from onboarding.build.kinds import NAMESPACE, Manifest
from tests.support.hub import Hub
from tests.support.waiting import wait_until

DEV, TEST = {"name": "dev", "stage": "dev"}, {"name": "test", "stage": "dev"}
CONFIG = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"a": "b"}}


def detach(hub: Hub, name: str, **spec: Any) -> Manifest:
    """Open two environments, put something into the second, drop that one, and return its detached namespace."""
    hub.declare(name, **spec, environments=[DEV, TEST])
    hub.wait(name)
    hub.api.create(f"/api/v1/namespaces/{name}-test/configmaps", CONFIG)
    hub.declare(name, **spec, environments=[DEV])

    def detached() -> Manifest | None:
        found = hub.one(NAMESPACE, f"{name}-test")
        return found if found and names.ANNOTATION_DETACHED in found["metadata"].get("annotations", {}) else None

    return wait_until(detached, what="the environment is detached")
