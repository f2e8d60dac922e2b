"""The demo waits for the right thing: what is shown as deployed is what the project's status says."""

from typing import Any

import pytest

from demo.board import Board
from onboarding import names

COMMIT = "0123456789abcdef0123456789abcdef01234567"
WELL = {"sync": "Synced", "health": "Healthy", "revision": COMMIT[:12]}
BY_HAND = {"sync": "OutOfSync", "health": "Missing"}


def board(dev: dict[str, str], prod: dict[str, str]) -> Board:
    """A project that is Ready, whose environment dev syncs by itself and prod does not."""
    declared = {"metadata": {"name": "shop"}, "spec": {"environments": [{"name": "dev"}, {"name": "prod"}]}}
    shown = Board(declared)
    environments = []
    for environment, policy, told in (("dev", {"automated": {}}, dev), ("prod", {}, prod)):
        application = f"shop-{environment}-app"
        shown.take("ADDED", labelled("Namespace", f"shop-{environment}", environment))
        shown.take("ADDED", {**labelled("Application", application, environment), "spec": {"syncPolicy": policy}})
        environments.append({"name": environment, "sites": [{"applications": [{"name": application, **told}]}]})
    ready = {"type": "Ready", "status": "True", "reason": "Ready", "message": ""}
    status = {"observedGeneration": 1, "conditions": [ready], "environments": environments}
    metadata = {"name": "shop", "generation": 1}
    shown.take("MODIFIED", {"kind": "ProjectOnboarding", "metadata": metadata, "status": status})
    return shown


def labelled(kind: str, name: str, environment: str) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": name, "labels": {names.LABEL_ENVIRONMENT: environment}}}


def test_what_syncs_by_itself_is_deployed_while_production_waits() -> None:
    """Nobody syncs production in the demo, so that it is not waited for."""
    shown = board(WELL, BY_HAND)
    assert shown.syncing() == ["dev"]
    assert shown.is_deployed(COMMIT)


@pytest.mark.parametrize(
    "told",
    [
        {},
        {**WELL, "sync": "OutOfSync"},
        {**WELL, "health": "Progressing"},
        {**WELL, "revision": "ba9876543210"},
        {"sync": "Synced", "health": "Healthy"},
    ],
    ids=["nothing said", "not synced", "not healthy", "the commit before", "no commit"],
)
def test_anything_else_is_not_deployed_yet(told: dict[str, str]) -> None:
    """Also Healthy of the commit before is not."""
    assert not board(told, BY_HAND).is_deployed(COMMIT)
