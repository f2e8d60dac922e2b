"""Put what a version has left onto another control plane, as a restored backup and its controllers would have it."""

import json
from collections.abc import Iterable, Mapping, Sequence

from devcluster import ControlPlane
from onboarding import names
from onboarding.build.kinds import NAMESPACE, Manifest
from tests.support.api import APPLY_PATCH, Api
from tests.support.hub import ROOT
from tests.upgrade import plane

_PLURALS = {
    "HostingTarget": "hostingtargets",
    "OnboardingPolicy": "onboardingpolicies",
    "ProjectOnboarding": "projectonboardings",
    "OnboardingDecision": "onboardingdecisions",
}
_PROJECT = "ProjectOnboarding"
_DECISION = "OnboardingDecision"


def path(item: Manifest) -> str:
    """Return the URL path of an object of ours."""
    return f"{ROOT}/{_PLURALS[item['kind']]}/{item['metadata']['name']}"


def of_kind(items: Iterable[Manifest], *kinds: str) -> list[Manifest]:
    """Return the objects of some kinds."""
    return [item for item in items if item["kind"] in kinds]


def load(cluster: ControlPlane, recorded: Sequence[Manifest]) -> list[Manifest]:
    """Create what was recorded, and return it with the UIDs and generations of this control plane."""
    api = Api(cluster)
    declared = of_kind(recorded, "HostingTarget", "OnboardingPolicy", _PROJECT)
    for item in declared:
        api.create(path(item).rpartition("/")[0], _bare(item))
    uids = _uids(api, recorded)
    now = json.loads(_replaced(json.dumps(recorded), uids))
    others = [item for item in now if item["kind"] not in _PLURALS]
    # Namespaces first.
    _create(cluster, sorted(others, key=lambda item: item["kind"] != "Namespace"))
    plane.decide(cluster, map(_bare, of_kind(now, _DECISION)))
    for item in of_kind(now, "HostingTarget", "OnboardingPolicy", _PROJECT):
        _report(api, item)
    return now


def _uids(api: Api, recorded: Sequence[Manifest]) -> dict[str, str]:
    """Return the present UID for each that what was recorded may speak of: of projects, and of the cluster itself."""
    found = {}
    for item in of_kind(recorded, _PROJECT):
        there = api.get(path(item))
        assert there is not None
        found[item["metadata"]["uid"]] = there["metadata"]["uid"]
    cluster = api.get(NAMESPACE.path(name="kube-system"))
    (clusters,) = [item for item in recorded if item["metadata"]["name"] == names.CLUSTERS_CONFIGMAP]
    assert cluster is not None
    found[clusters["data"]["hub"]] = cluster["metadata"]["uid"]
    return found


def _replaced(text: str, words: Mapping[str, str]) -> str:
    for former, present in words.items():
        text = text.replace(former, present)
    return text


def _bare(item: Manifest) -> Manifest:
    """Return an object as it is created; the server gives it its UID and generation, and takes no status."""
    metadata = {key: value for key, value in item["metadata"].items() if key not in ("uid", "generation")}
    body = {**item, "metadata": metadata}
    if item["kind"] in _PLURALS:
        body.pop("status", None)
    return body


def _create(cluster: ControlPlane, items: Iterable[Manifest]) -> None:
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": [_bare(item) for item in items]})
    cluster.kubectl("create", "-f", "-", stdin=text)


def _report(api: Api, item: Manifest) -> None:
    """Write a status as the operator wrote it, so that the fields are its own; this object has one generation only."""
    status = json.loads(json.dumps(item["status"]))
    generation = item["metadata"].get("generation", 1)
    for part in (status, *status.get("conditions", ())):
        if part["observedGeneration"] == generation:
            part["observedGeneration"] = 1
    body = {"apiVersion": item["apiVersion"], "kind": item["kind"], "metadata": {"name": item["metadata"]["name"]}}
    query = {"fieldManager": names.MANAGER, "force": "true"}
    api.request("PATCH", f"{path(item)}/status", query=query, body={**body, "status": status}, Content_Type=APPLY_PATCH)
