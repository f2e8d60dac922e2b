"""Writes on ProjectOnboardings."""

from typing import Any

import orjson

from onboarding.adapters.hub import HubProjects
from tests.unit.apiserver import connected, serving


async def test_a_status_is_applied_whole_and_the_answer_handed_on() -> None:
    answer = {"metadata": {"name": "atlas", "resourceVersion": "8"}}
    written: list[Any] = []
    async with serving() as fake, connected(fake.url) as client:
        fake.script.append(fake.json(answer))
        await HubProjects(client, written.append, "default").write_status("atlas", {"stage": "Running"})
    (request,) = fake.requests
    assert request.method == "PATCH"
    assert request.path == "/apis/projectonboarding.io/v1alpha1/projectonboardings/atlas/status"
    assert request.headers["Content-Type"] == "application/apply-patch+yaml"
    assert request.query["fieldManager"] == "project-onboarding-operator"
    assert orjson.loads(fake.bodies[0]) == {
        "apiVersion": "projectonboarding.io/v1alpha1",
        "kind": "ProjectOnboarding",
        "metadata": {"name": "atlas"},
        "status": {"stage": "Running"},
    }
    assert written == [answer]
