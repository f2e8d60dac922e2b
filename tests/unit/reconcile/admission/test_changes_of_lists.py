"""A change is not a revocation: what each edit of each list takes away and what waits, held, open and suspended.

On the Cloud π profile. A list that is new to the spec needs a row.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import pytest

from onboarding import names
from onboarding.api.decision import OnboardingDecisionSpec
from onboarding.api.project import ProjectOnboardingSpec
from onboarding.build.kinds import HUB, Manifest
from onboarding.build.place import cluster_of
from onboarding.build.wanted import build_wanted
from onboarding.checks.catalogue import GATED
from onboarding.reconcile.admission.resolve import resolve_revisions
from onboarding.reconcile.observed.snapshot import ClusterState
from onboarding.reconcile.plan.planner import make_plan
from tests.support.networkpolicies import Peer, allowed
from tests.unit.build.test_every_list import lists
from tests.unit.packaging.test_profiles import FOREVER, profile
from tests.unit.reconcile.admission.edits import GIT, Edit
from tests.unit.reconcile.admission.list_edits import TABLE
from tests.unit.snapshots import OWNER, decided, inputs_of, live_from, snapshot_of, spec_of

SHIPPED: Final = profile("cloud-pi-native")
UNCOVERED: Final = SHIPPED.policy.model_copy(
    update={
        "stages": tuple(stage.model_copy(update={"pinned": None}) for stage in SHIPPED.policy.stages),
        "gates": tuple(gate.model_copy(update={"approvals": ()}) for gate in SHIPPED.policy.gates),
    }
)
PROFILE: Final = replace(SHIPPED, policy=UNCOVERED)
"""Only checks close its gates, and it lets branches in: what approvals cover has tests of its own."""
SITES = {cluster_of(site): site.name for item in PROFILE.targets.values() for site in item.sites}
WORLD: dict[str, Any] = {
    "policy": PROFILE.policy,
    "targets": PROFILE.targets,
    "clusters": {cluster: ClusterState() for cluster in (HUB, *SITES)},
}
ENDS = {
    **{address: Peer(address) for address in ("10.50.1.1", "10.50.2.1", "10.50.8.1", "10.150.0.1")},
    **{
        f"shop-{name}": Peer(
            labels={
                names.NAMESPACE_NAME_LABEL: f"shop-{name}",
                names.LABEL_INSTALLATION: OWNER.installation,
                names.LABEL_PROJECT_UID: OWNER.uid,
            }
        )
        for name in ("prod", "other", "third")
    },
}
EDITS = {f"{path}: {name}": edit for path, edits in TABLE.items() for name, edit in edits.items()}


def spec(fragment: Mapping[str, Any]) -> ProjectOnboardingSpec:
    environments = fragment.get(
        "environments", [{"name": "prod", "stage": "prod", "target": "g-cloud", "sites": ["toulouse"]}]
    )
    return spec_of(**{"classification": {"zone": "NP"}, **fragment, "environments": ()}).model_copy(
        update={"environments": spec_of(*environments).environments}
    )


def open_gates() -> Iterator[OnboardingDecisionSpec]:
    """Return the decisions that open every gate."""
    for check in GATED:
        yield decided("Waive", check=check.id, expires=FOREVER)


def facts(edit: Edit, *decisions: OnboardingDecisionSpec) -> set[str]:
    """Return the facts of what is built after an edit of what was admitted before."""
    before = spec(edit.before)
    admitted = [
        revision
        for index in range(len(before.environments))
        for revision in resolve_revisions(inputs_of(before, index, PROFILE.policy, targets=PROFILE.targets))
    ]
    live = live_from(build_wanted(OWNER, admitted))
    plan = make_plan(snapshot_of(spec(edit.after), live, decisions=decisions, **WORLD))
    return facts_of(build_wanted(OWNER, plan.building, {}, plan.suspended))


def facts_of(wanted: Iterable[Any]) -> set[str]:
    """Return the facts of built objects, each with its environment."""
    found: set[str] = set()
    policies: dict[str, list[Manifest]] = {}
    for item in wanted:
        manifest, labels = item.manifest, item.manifest["metadata"]["labels"]
        name, environment = manifest["metadata"]["name"], labels.get(names.LABEL_ENVIRONMENT, "")
        match manifest["kind"]:
            case "Namespace":
                found.add(f"{environment} at {SITES[item.key.cluster]}")
                found |= {f"{environment} label {key}={value}" for key, value in labels.items() if "shop." in key}
            case "ResourceQuota":
                hard = manifest["spec"]["hard"]
                found.add(f"{environment} cpu {hard['requests.cpu']}")
                classes = {key.partition(".")[0]: amount for key, amount in hard.items() if ".storageclass." in key}
                found |= {f"{environment} class {name}: {amount}" for name, amount in classes.items()}
            case "RoleBinding" if not name.startswith("sync:"):
                persona = name.partition(":")[0]
                found |= {f"{environment} {persona}: {subject['name']}" for subject in manifest["subjects"]}
            case "NetworkPolicy":
                policies.setdefault(environment, []).append(manifest)
            case "Application":
                source = manifest["spec"]["source"]
                values = ",".join(source.get("helm", {}).get("valueFiles", ()))
                repository = name.rpartition("-")[2]
                found.add(f"{environment} {repository}: {source['repoURL']} {source['targetRevision']} {values}")
            case "AppProject":
                windows = (window for window in manifest["spec"].get("syncWindows", ()) if window["kind"] == "deny")
                found |= {
                    f"{namespace.removeprefix('shop-')} window {window['schedule']}"
                    for window in windows
                    for namespace in window["namespaces"]
                }
    return found | {fact for name, items in policies.items() for fact in _connections(name, items)}


def _connections(environment: str, policies: list[Manifest]) -> Iterator[str]:
    for direction in ("Egress", "Ingress"):
        for end, peer in ENDS.items():
            for port, protocol in ((443, "TCP"), (5432, "TCP"), (443, "UDP")):
                if allowed(policies, peer, port, direction=direction, protocol=protocol):
                    yield f"{environment} {direction} {end}:{port}/{protocol}"


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_an_edit_takes_what_it_removes_and_leaves_the_rest_until_it_is_admitted(edit: Edit) -> None:
    whole = {fact.split()[0] for fact in edit.waits | edit.unless_suspended if " at " in fact}

    def seen(of: Edit, *decisions: OnboardingDecisionSpec) -> set[str]:
        """Return the facts; of an environment that comes to or leaves a site, nothing but its sites."""
        return {fact for fact in facts(of, *decisions) if " at " in fact or fact.split()[0] not in whole}

    opened = tuple(open_gates())
    before = seen(Edit(edit.before, edit.before))
    assert seen(edit) == before - edit.goes - edit.unless_suspended
    assert seen(edit, *opened) == (before - edit.goes - edit.unless_suspended - edit.replaced) | edit.waits
    assert not edit.waits & (before - edit.goes)
    assert not (edit.goes | edit.unless_suspended | edit.replaced) - before
    suspended = seen(edit, *opened, decided("Suspend"))
    deploying = {fact.split()[0] for fact in suspended if f": {GIT}/" in fact}
    windows = {f"{name} window * * * * *" for name in deploying}
    assert suspended == (before - edit.goes) | windows


def test_every_list_and_map_of_the_spec_has_its_edits() -> None:
    assert set(lists(ProjectOnboardingSpec)) == set(TABLE)
    assert all(
        any(name.startswith(kind) for name in edits) for edits in TABLE.values() for kind in ("add", "change", "remove")
    )
