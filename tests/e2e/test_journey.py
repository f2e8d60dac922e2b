"""A project walks the Cloud π profile from proposal to production, each gate held until the right identity decides."""

from typing import Any

import pytest

from onboarding.build.kinds import NETWORK_POLICY
from tests.e2e.journey import Journey, in_time
from tests.support.waiting import wait_until

Contract = dict[str, Any]
"""What the project declares, as far as it has come."""
NAME = "dossier"
UNSEEN = "v2:" + "0" * 64
USUAL = {"classification": {"zone": "NP"}}
ENVIRONMENTS = [
    {"name": "dev", "stage": "dev", "target": "acceleration", "size": "small"},
    {"name": "preprod", "stage": "preprod", "target": "cloud-pi-np", "size": "medium"},
    {"name": "prod", "stage": "prod", "target": "cloud-pi-np", "size": "medium"},
]
GROUPS = {"admin": ["dossier-admins"], "developer": ["dossier-devs"], "poa": ["poas"]}
CLAIRE = {"name": "Claire Martin", "email": "claire.martin@example.org"}
TEAM = [
    {"name": "Ali", "email": "ali@example.org", "roles": ["development"], "affiliation": "Internal"},
    {"name": "Bo", "email": "bo@example.org", "roles": ["operations"], "affiliation": "Internal"},
    {"name": "Cy", "email": "cy@example.org", "roles": ["test"], "affiliation": "Internal"},
]
RIE = {"name": "directory", "zone": "rie", "port": 636, "environments": ["preprod", "prod"], "justification": "Logins"}


@pytest.mark.timeout(900)
def test_a_project_walks_from_proposal_to_run(journey: Journey) -> None:
    """Each step begins where the one before has ended, so that they are one test."""
    commit = journey.outside.git.make("dossier", {"deploy/kustomization.yaml": "resources: []\n"})
    journey.outside.groups |= {group for groups in GROUPS.values() for group in groups}
    journey.outside.images.add("shop:v1")
    dev, preprod, prod = ENVIRONMENTS
    prod = {**prod, "deployments": [{"repository": "infra", "revision": commit}]}
    contract: Contract = {"owner": CLAIRE, "environments": [dev, preprod, prod], "team": {"groups": GROUPS}, **USUAL}
    a_proposal_is_told_what_it_lacks(journey, contract)
    only_the_right_person_opens_a_gate(journey)
    a_waiver_counts_until_it_expires(journey, contract)
    the_first_environment_opens_behind_the_acceleration_gate(journey, contract)
    the_internal_cloud_opens_when_it_runs_and_its_flows_are_open(journey, contract)
    production_opens_by_the_pilot_alone_and_a_rejection_holds(journey, contract)
    the_run_begins_when_production_is_seen_to_work(journey, contract)
    every_gate_told_of_itself_once(journey)
    a_decision_counts_for_no_other_project_of_the_name(journey)


def repository(journey: Journey, revision: str) -> dict[str, Any]:
    url = f"https://{journey.outside.host}/dossier.git"
    return {"name": "infra", "url": url, "path": "deploy", "revision": revision}


def a_proposal_is_told_what_it_lacks(journey: Journey, contract: Contract) -> None:
    journey.hub.declare(NAME, **contract)
    journey.reaches(NAME, "proposal", "sponsor", "objectives", "demand-pilot")
    assert {item["actor"] for item in journey.status(NAME)["nextActions"]} == {"project", "service-team"}
    contract |= {"sponsor": CLAIRE | {"email": "sponsor@example.org"}, "objectives": ["Shorter files"]}
    journey.hub.declare(NAME, **contract)
    journey.reaches(NAME, "proposal", "demand-pilot")


def only_the_right_person_opens_a_gate(journey: Journey) -> None:
    digest = journey.gate(NAME, "awareness")["digest"]
    approve = {"decision": "Approve", "gate": "awareness", "approval": "demand-pilot", "digest": digest}
    wrong = journey.decision("network", NAME, "wrong-person", **approve)
    assert "awareness:demand-pilot" in journey.person("network").refusal("create", "-f", "-", body=wrong)
    borrowed = journey.decision("demand-pilot", NAME, "borrowed", **approve)
    assert "spec.by" in journey.person("network").refusal("create", "-f", "-", body=borrowed)
    journey.decides("demand-pilot", NAME, "self", "dossier-admins", **approve)
    journey.is_void(NAME, "awareness", "group dossier-admins of the project")
    journey.decides("demand-pilot", NAME, "unseen", **approve | {"digest": UNSEEN})
    journey.is_void(NAME, "awareness", "have changed since")
    journey.decides("demand-pilot", NAME, "agreed", **approve)
    journey.reaches(NAME, "awareness", "organisation", "spec.team.people", "spec.team.poa")


def a_waiver_counts_until_it_expires(journey: Journey, contract: Contract) -> None:
    contract |= {"organisation": {"name": "Interior"}}
    contract |= {"team": {"groups": GROUPS, "people": TEAM, "poa": CLAIRE}}
    contract |= {"repositories": [repository(journey, "nowhere")], "flows": [RIE]}
    journey.hub.declare(NAME, **contract)
    journey.reaches(NAME, "awareness", "owner")
    contract["team"]["poa"] = {"name": "Dan", "email": "dan@example.org"}
    journey.hub.declare(NAME, **contract)
    journey.reaches(NAME, "contact", "RunAcknowledged")
    waive = {"decision": "Waive", "check": "RunAcknowledged"}
    journey.decides("platform", NAME, "waived-once", **waive, expires=in_time(15))
    wait_until(lambda: journey.gate(NAME, "architecture").get("state") == "Open", what="the waiver opens the gate")
    journey.reaches(NAME, "contact", "RunAcknowledged")
    checks = {item["id"]: item for item in journey.status(NAME)["checks"]}
    acknowledged = {
        "decision": "Attest",
        "check": "RunAcknowledged",
        "digest": checks["RunAcknowledged"]["digest"],
        "expires": in_time(3600),
    }
    journey.decides("service-team", NAME, "run", **acknowledged)


def the_first_environment_opens_behind_the_acceleration_gate(journey: Journey, contract: Contract) -> None:
    journey.reaches(NAME, "architecture", "nowhere")
    assert journey.hub.project(NAME)["status"]["summary"]["environments"] == "0/3"
    contract["repositories"] = [repository(journey, "main")]
    journey.hub.declare(NAME, **contract)
    journey.reaches(NAME, "acceleration", "WorkloadsDeployed", "ApplicationsHealthy", "FlowsOpened", "service-team")
    journey.hub.wait(NAME, "True", "EnvironmentsHeld")
    assert journey.status(NAME)["summary"]["environments"] == "1/3"


def the_internal_cloud_opens_when_it_runs_and_its_flows_are_open(journey: Journey, contract: Contract) -> None:
    journey.deploys(f"{NAME}-dev")
    journey.reports(f"{NAME}-dev-infra", "Healthy")
    is_asked_anew(journey, contract)
    journey.reaches(NAME, "acceleration", "FlowsOpened", "service-team")
    checks = {item["id"]: item for item in journey.status(NAME)["checks"]}
    opened = {"decision": "Attest", "check": "FlowsOpened", "expires": in_time(3600)}
    journey.decides("network", NAME, "flows", **opened, digest=checks["FlowsOpened"]["digest"])
    journey.reaches(NAME, "acceleration", "service-team")
    approve = {"decision": "Approve", "gate": "cloud-pi", "approval": "service-team", "environment": "preprod"}
    former = journey.asked(NAME, "cloud-pi", "preprod")
    contract["flows"] = [RIE | {"port": 389}]
    journey.hub.declare(NAME, **contract)
    journey.reaches(NAME, "acceleration", "FlowsOpened", "service-team")
    journey.decides("service-team", NAME, "too-late", **approve, digest=former)
    journey.is_void(NAME, "cloud-pi", "have changed since")
    contract["flows"] = [RIE]
    journey.hub.declare(NAME, **contract)
    journey.reaches(NAME, "cloud-pi", "WorkloadsDeployed", "ApplicationsHealthy", within=120)
    assert journey.hub.one(NETWORK_POLICY, "flow-directory", f"{NAME}-preprod")


def is_asked_anew(journey: Journey, contract: Contract) -> None:
    """Leave the gates that ask what runs and come back, which asks at once: by itself that takes up to a minute."""
    journey.hub.declare(NAME, **contract, journey="workshop")
    wait_until(
        lambda: journey.status(NAME).get("journey", {}).get("name") == "workshop",
        what="the shorter journey is in force",
    )
    journey.hub.declare(NAME, **contract)


def production_opens_by_the_pilot_alone_and_a_rejection_holds(journey: Journey, contract: Contract) -> None:
    journey.deploys(f"{NAME}-preprod", env="preprod")
    journey.reports(f"{NAME}-preprod-infra", "Healthy")
    is_asked_anew(journey, contract)
    journey.reaches(NAME, "audit", "SecurityAudited", "HomologationDecided", "poa", within=150)
    checks = {item["id"]: item for item in journey.status(NAME)["checks"]}
    for index, check in enumerate(("SecurityAudited", "HomologationDecided")):
        spec = {"decision": "Attest", "check": check, "digest": checks[check]["digest"], "expires": in_time(3600)}
        journey.decides("security", NAME, f"audit-{index}", **spec)
    journey.reaches(NAME, "audit", "poa")
    result = {"gate": "production", "approval": "poa", "environment": "prod"}
    digest = journey.asked(NAME, "production", "prod")
    journey.decides("poa", NAME, "builder", "dossier-devs", **result, decision="Approve", digest=digest)
    journey.is_void(NAME, "production", "group dossier-devs of the project")
    journey.decides("poa", NAME, "not-yet", **result, decision="Reject")
    journey.decides("poa", NAME, "approved", **result, decision="Approve", digest=digest)
    journey.reaches(NAME, "audit", "Reject production/poa by poa")
    assert journey.hub.project(NAME)["status"]["summary"]["environments"] == "2/3"
    journey.withdraws("poa", NAME, "not-yet")
    journey.reaches(NAME, "production", "WorkloadsDeployed", "ApplicationsHealthy")
    journey.hub.wait(NAME, "True", "Ready")
    assert journey.status(NAME)["summary"]["environments"] == "3/3"


def the_run_begins_when_production_is_seen_to_work(journey: Journey, contract: Contract) -> None:
    journey.deploys(f"{NAME}-prod", env="prod")
    journey.reports(f"{NAME}-prod-infra", "Healthy")
    is_asked_anew(journey, contract)
    journey.reaches(NAME, "run", within=150)
    assert "nextActions" not in journey.status(NAME)


def every_gate_told_of_itself_once(journey: Journey) -> None:
    uid = journey.hub.project(NAME)["metadata"]["uid"]

    def opened() -> list[str]:
        events = journey.hub.api.items("/apis/events.k8s.io/v1/namespaces/default/events")
        return sorted(
            item["note"] for item in events if item["regarding"]["uid"] == uid and item["reason"] == "GateOpened"
        )

    # The waiver opened one gate, which closed when it expired and was opened for good by the attestation. A shorter
    # journey closes none behind which an environment stands.
    gates = ["proposal", "awareness", "contact", "architecture", "architecture", "acceleration", "cloud-pi", "audit"]
    expected = sorted(f"gate {gate} is open" for gate in [*gates, "production", "run"])
    # The last of them is posted after the status that the last test has seen.
    wait_until(lambda: opened() == expected, what=f"exactly these gates told of themselves: {expected}; {opened()}")


def a_decision_counts_for_no_other_project_of_the_name(journey: Journey) -> None:
    journey.hub.delete(NAME)
    journey.hub.wait_gone(NAME, meanwhile=lambda: journey.hub.finish_applications(NAME))
    journey.hub.declare(
        NAME, owner=CLAIRE, environments=ENVIRONMENTS[:1], objectives=["Again"], sponsor=CLAIRE, **USUAL
    )
    journey.reaches(NAME, "proposal", "demand-pilot")
