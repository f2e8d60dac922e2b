"""Part ``unchanged``: what a pass costs over a project of which nothing has changed, under every check there is.

It runs in this process, with the operator's own caches, because the CPU of a single pass is what counts: no API server
is asked, and none may be.
"""

import asyncio
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from onboarding.api.status import GateState
from onboarding.build.kinds import HUB
from onboarding.reconcile.observed.dated import DatedDecision
from onboarding.reconcile.observed.ledgers import Ledgers
from onboarding.reconcile.observed.observer import Observer
from onboarding.reconcile.observed.projects import ProjectCache
from onboarding.reconcile.reconciler import Reconciler
from tests.bench.figures import Result, percentile
from tests.bench.inmemory import NOW, POLICY, Memory, NoSecrets, Outside, Projects, offer, uid_of
from tests.bench.progress import Progress

PART = "unchanged"
MILLISECONDS_LIMIT = 3
_LOOKS = 3
"""Of each project the cheapest look counts: what else the machine does only ever adds to the others."""
_LATER = "2027-06-01T00:00:00Z"


def measure_unchanged(projects: int, progress: Progress) -> Result:
    """Bring the projects before the gate to production, and then look at them again."""
    return asyncio.run(_measure(projects, progress))


async def _measure(projects: int, progress: Progress) -> Result:
    declared, ledgers, outside = ProjectCache(), Ledgers("bench", lambda _project: None), Outside()
    cluster, hub = Memory(ledgers), Projects(declared)
    offer(declared)
    observer = Observer(
        declared,
        {HUB: cluster},
        installation="bench",
        policy=POLICY,
        clock=lambda: NOW,
        answers=outside,
        ledgers=ledgers,
        teardown_hold=lambda: "",
    )
    reconciler = Reconciler(observer, {HUB: cluster}, hub, outside, ledgers, NoSecrets())
    progress.tell(f"bringing {projects} projects before the gate to production, in memory")
    for index in range(projects):
        progress.show(index, projects)
        hub.declare(_name(index), _spec())
        await _walk(declared, reconciler, hub, _name(index))
    return await _look_again(reconciler, cluster, hub, projects, outside)


async def _look_again(
    reconciler: Reconciler, cluster: Memory, hub: Projects, projects: int, outside: Outside
) -> Result:
    before = cluster.writes + hub.writes
    looks = [[await _cost(reconciler, _name(index)) for index in range(projects)] for _ in range(_LOOKS)]
    costs = [min(of_one) for of_one in zip(*looks, strict=True)]
    unchanged = cluster.writes + hub.writes
    outside.ask_again(NOW + timedelta(hours=1))
    for index in range(projects):
        await reconciler.reconcile(_name(index))
    asked_again = cluster.writes + hub.writes
    result = Result(details={"projects": projects, "milliseconds of CPU": sorted(costs)[:: max(1, projects // 20)]})
    result.exactly(PART, f"writes, {_LOOKS} looks at {projects} projects", unchanged - before, 0)
    result.exactly(PART, "writes after newer answers that say the same", asked_again - unchanged, 0)
    cheapest = f"CPU per pass, cheapest of {_LOOKS}"
    result.at_most(PART, f"{cheapest}: mean", sum(costs) / projects, MILLISECONDS_LIMIT, " ms")
    result.informs(PART, f"{cheapest}: p99", f"{percentile(costs, 0.99):.2f} ms")
    result.informs(PART, f"CPU per pass, all {_LOOKS}: mean", f"{sum(map(sum, looks)) / _LOOKS / projects:.2f} ms")
    return result


async def _cost(reconciler: Reconciler, name: str) -> float:
    """Return the milliseconds of CPU that a pass over a project takes."""
    began = time.process_time()
    await reconciler.reconcile(name)
    return 1000 * (time.process_time() - began)


async def _walk(declared: ProjectCache, reconciler: Reconciler, hub: Projects, name: str) -> None:
    """Decide whatever the gates before production ask for."""
    for _ in range(12):
        await reconciler.reconcile(name)
        if _gate_results(hub, name).get("production") == GateState.HELD:
            # What a pass has written, the next one reports.
            await reconciler.reconcile(name)
            await reconciler.reconcile(name)
            return
        for number, decision in enumerate(_decisions(hub, name)):
            decided = f"{name}-{number}-{decision.get('gate')}{decision.get('check')}"
            declared.put_decision(decided, DatedDecision.model_validate(decision))
    raise AssertionError(f"{name} does not come to the gate: {hub.status(name)}")


def _decisions(hub: Projects, name: str) -> Iterator[dict[str, Any]]:
    status = hub.status(name)
    about = {"project": {"name": name, "uid": uid_of(name)}, "by": {"username": "decider"}, "reason": "bench"}
    about = {**about, "created": "2026-01-01T00:00:00Z"}
    for gate in status["gates"]:
        if gate["name"] == "awareness" and "digest" in gate:
            given = {"gate": gate["name"], "approval": "demand-pilot", "digest": gate["digest"]}
            yield {**about, "decision": "Approve", **given}
        for item in gate.get("approvals", ()) if gate["name"] == "cloud-pi" else ():
            named = {"approval": item["name"], "environment": item["environment"], "digest": item["digest"]}
            yield {**about, "decision": "Approve", "gate": gate["name"], **named}
    for check in status.get("checks", ()):
        if "digest" in check and check["gate"] != "production":
            given = {"check": check["id"], "digest": check["digest"], "expires": _LATER}
            yield {**about, "decision": "Attest", **given}


def _spec() -> dict[str, Any]:
    person = {"name": "Claire", "email": "claire@example.org"}
    roles = ("development", "operations", "test")
    return {
        "owner": person,
        "classification": {"zone": "NP"},
        "sponsor": {"name": "Sam", "email": "sam@example.org"},
        "objectives": ["Shorter files"],
        "organisation": {"name": "Interior"},
        "team": {
            "people": [
                {"name": role, "email": f"{role}@example.org", "roles": [role], "affiliation": "Internal"}
                for role in roles
            ],
            "groups": {"admin": ["admins"], "developer": ["developers"], "viewer": ["viewers"]},
            "poa": {"name": "Paul", "email": "paul@example.org"},
        },
        "repositories": [{"name": "app", "url": "https://git.example.org/app.git"}],
        "flows": [{"name": "directory", "zone": "s3", "port": 443, "justification": "Files"}],
        "environments": [
            {"name": "dev", "stage": "dev", "target": "acceleration"},
            {"name": "preprod", "stage": "preprod", "target": "cloud-pi-np"},
            {"name": "prod", "stage": "prod", "target": "cloud-pi-np"},
        ],
    }


def _name(index: int) -> str:
    return f"project-{index:04}"


def _gate_results(hub: Projects, name: str) -> dict[str, str]:
    return {gate["name"]: gate["state"] for gate in hub.status(name).get("gates", ())}
