"""Part ``decide``: from the approval of an environment to the first object that is made for it."""

import asyncio
import json
import time
from collections.abc import Sequence
from typing import Any

from onboarding.adapters.client import Client
from onboarding.names import API_VERSION
from tests.bench.audit import Tail
from tests.bench.figures import Result, percentile
from tests.bench.plane import OPERATOR, Plane, caught_up, declare
from tests.bench.progress import Progress
from tests.support.operator import OperatorProcess
from tests.support.waiting import wait_until

PART = "decide"
PER_SECOND = 10
P99_LIMIT = 1.0
_DECISIONS = f"/apis/{API_VERSION}/onboardingdecisions"
_APPROVAL = {"name": "visa", "actor": "platform", "covers": ["Admission", "Configuration"]}
_ENVIRONMENT = "prod"


def demand_approval(plane: Plane) -> None:
    """Let production of the default policy wait for an approval."""
    patch = [{"op": "add", "path": "/spec/gates/1/approvals", "value": [_APPROVAL]}]
    plane.cluster.kubectl("patch", "onboardingpolicy", "default", "--type=json", f"--patch={json.dumps(patch)}")


def measure_decide(plane: Plane, operator: OperatorProcess, projects: int, progress: Progress) -> Result:
    """Declare projects whose production waits, approve one after the other, and see when its namespace is made."""
    declare(plane, projects, progress)
    wait_until(lambda: caught_up(operator, projects), what="every project waits for its approval", within=60)
    decisions = _decisions(plane)
    start = plane.mark()
    progress.tell(f"decide: {len(decisions)} approvals, {PER_SECOND} a second")
    asyncio.run(_decide(plane, decisions, progress))
    wait_until(lambda: caught_up(operator, projects), what="every decision has had its effect", within=60)
    plane.mark()
    decided: dict[str, float] = {}
    effect: dict[str, float] = {}
    for entry in Tail(plane.cluster.audit_log, start).poll():
        if entry.resource == "onboardingdecisions" and entry.stores and entry.verb == "create":
            decided[f"{entry.name}-{_ENVIRONMENT}"] = entry.answered
        elif entry.user == OPERATOR and entry.resource == "namespaces" and entry.stores and entry.verb == "create":
            effect[entry.name] = entry.answered
    seconds = [effect[name] - decided[name] for name in decided.keys() & effect.keys()]
    result = Result()
    result.exactly(PART, "approvals without an effect", len(decisions) - len(seconds), 0)
    result.informs(PART, f"p50 of {len(decisions)} approvals, to the namespace", f"{percentile(seconds, 0.5):.3f} s")
    result.at_most(PART, "p99", percentile(seconds, 0.99), P99_LIMIT, " s")
    return result


def _decisions(plane: Plane) -> list[dict[str, Any]]:
    """Return an approval of each project, with the digest that its status shows."""
    user = json.loads(plane.cluster.kubectl("auth", "whoami", "-o", "json").stdout)["status"]["userInfo"]
    author = {"username": user["username"], "groups": user["groups"]}
    found = json.loads(plane.cluster.kubectl("get", "projectonboardings", "-o", "json").stdout)["items"]
    return [_decision(item, author) for item in found]


def _decision(project: dict[str, Any], author: dict[str, Any]) -> dict[str, Any]:
    name, gate = project["metadata"]["name"], project["status"]["gates"][1]
    (asked,) = gate["approvals"]
    spec = {
        "decision": "Approve",
        "project": {"name": name, "uid": project["metadata"]["uid"]},
        "gate": gate["name"],
        "approval": asked["name"],
        "environment": asked["environment"],
        "digest": asked["digest"],
        "by": author,
        "reason": "Measured.",
    }
    return {"apiVersion": API_VERSION, "kind": "OnboardingDecision", "metadata": {"name": name}, "spec": spec}


async def _decide(plane: Plane, decisions: Sequence[dict[str, Any]], progress: Progress) -> None:
    """Create the decisions at an even pace; a slow answer delays no later one."""
    client = await Client.from_environment(str(plane.cluster.kubeconfig), request_timeout=30)
    began = time.monotonic()
    try:
        async with asyncio.TaskGroup() as group:
            for number, decision in enumerate(decisions):
                await asyncio.sleep(max(0.0, began + number / PER_SECOND - time.monotonic()))
                group.create_task(client.request("POST", _DECISIONS, body=decision))
                progress.show(number + 1, len(decisions))
    finally:
        await client.close()
