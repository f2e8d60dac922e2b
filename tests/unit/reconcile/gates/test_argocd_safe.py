"""A policy may demand safe settings of Argo CD, and an approval that covers a release does."""

from collections.abc import Mapping
from typing import Any

import pytest

from onboarding.api.gates import Actor, Severity
from onboarding.checks.argocd_settings import ArgoSettings, Setting, UnsafeSetting
from onboarding.reconcile.plan.planner import make_plan
from onboarding.reconcile.plan.reconcile_plan import ReconcilePlan
from tests.unit.snapshots import approved, environment, policy_of, snapshot_of, spec_of, told, with_status

DEV, PROD = environment(), environment("prod", stage="prod")
SPEC = spec_of(DEV, PROD)
OK = ArgoSettings("ConfigMap argocd/argocd-cm")
OPEN = OK._replace(unsafe=(UnsafeSetting(Setting.REVISION_OVERRIDE, "any revision", "set the switch"),))
OTHER = OK._replace(unsafe=(UnsafeSetting(Setting.IMPERSONATION, "its own rights", "set the other switch"),))
DARK = OK._replace(unknown="it may not be read: apply the role")
OVERRIDE, ALL = "RevisionOverrideRefused", "ArgoCDSafe"


def plan(settings: ArgoSettings | None, covers: list[str] | None = None, **policy: Any) -> ReconcilePlan:
    approval: dict[str, Any] = {"name": "poa", "actor": "poa", **({"covers": covers} if covers else {})}
    gates: list[Mapping[str, Any]] = [
        {"name": "build", "opens": [{"stages": ["dev"]}]},
        {"name": "live", "opens": [{"stages": ["prod"]}], "approvals": [approval]},
    ]
    rules = policy_of(*gates, **policy)
    given = {} if settings is None else {("main", "a"): settings}
    decisions = approved(SPEC, rules, "live", "poa")
    return make_plan(snapshot_of(SPEC, policy=rules, argocd=given, decisions=decisions))


def built(found: ReconcilePlan) -> set[str]:
    return {revision.environment for revision in found.building}


DEMANDED: dict[str, tuple[ArgoSettings | None, list[str] | None, dict[str, Any], set[str]]] = {
    "a release, safe": (OK, ["Release"], {}, {"dev", "prod"}),
    "a release, open": (OPEN, ["Release"], {}, {"dev"}),
    "a release, unknown": (DARK, ["Release"], {}, {"dev"}),
    "a release, not read yet": (None, ["Release"], {}, {"dev"}),
    "a release, another setting": (OTHER, ["Release"], {}, {"dev", "prod"}),
    "all three groups": (OPEN, ["Admission", "Configuration", "Release"], {}, {"dev"}),
    "no release": (OPEN, ["Admission", "Configuration"], {}, {"dev", "prod"}),
    "nothing said": (OPEN, None, {}, {"dev", "prod"}),
    "ignored by the policy": (
        OPEN,
        ["Release"],
        {"checks": [{"id": OVERRIDE, "gate": "live", "severity": "Ignored"}]},
        {"dev", "prod"},
    ),
    "a warning of the policy": (
        OPEN,
        ["Release"],
        {"checks": [{"id": OVERRIDE, "gate": "live", "severity": "Warning"}]},
        {"dev", "prod"},
    ),
    "ignored by an override": (
        OPEN,
        ["Release"],
        {"overrides": [{"checks": [OVERRIDE], "severity": "Ignored"}]},
        {"dev", "prod"},
    ),
    "elsewhere": (OPEN, ["Release"], {"checks": [{"id": OVERRIDE, "gate": "build"}]}, set()),
    "everything, elsewhere": (OTHER, None, {"checks": [{"id": ALL, "gate": "build"}]}, set()),
    "everything, at the gate": (OTHER, None, {"checks": [{"id": ALL, "gate": "live"}]}, {"dev"}),
    "everything, unknown": (DARK, None, {"checks": [{"id": ALL, "gate": "live"}]}, {"dev"}),
    "everything, safe": (OK, None, {"checks": [{"id": ALL, "gate": "live"}]}, {"dev", "prod"}),
}


@pytest.mark.parametrize(("settings", "covers", "policy", "there"), DEMANDED.values(), ids=DEMANDED)
def test_what_is_demanded_holds_its_gate(
    settings: ArgoSettings | None, covers: list[str] | None, policy: dict[str, Any], there: set[str]
) -> None:
    assert built(plan(settings, covers, **policy)) == there


@pytest.mark.parametrize(
    ("settings", "message", "remedy"),
    [
        (OPEN, "ConfigMap argocd/argocd-cm: any revision", "set the switch"),
        (DARK, "ConfigMap argocd/argocd-cm: it may not be read: apply the role", "the platform team lets the operator"),
    ],
)
def test_the_platform_is_asked_and_told_the_remedy(settings: ArgoSettings, message: str, remedy: str) -> None:
    found = plan(settings, ["Release"])
    (blocking,) = [item for item in found.findings if item.severity is Severity.BLOCKING and item.check.id == OVERRIDE]
    assert (blocking.environment, blocking.gate, blocking.actor) == ("prod", "live", Actor.PLATFORM)
    assert (blocking.finding.message, blocking.remedy.startswith(remedy)) == (message, True)
    assert {item.environment for item in found.findings if item.severity is Severity.WARNING} == {"dev"}


def test_settings_that_are_read_anew_after_a_start_change_no_status() -> None:
    approval = {"name": "poa", "actor": "poa", "covers": ["Release"]}
    rules = policy_of(
        {"name": "build", "opens": [{"stages": ["dev"]}]},
        {"name": "live", "opens": [{"stages": ["prod"]}], "approvals": [approval]},
    )
    decisions = approved(SPEC, rules, "live", "poa")

    def world(**fields: Any) -> Any:
        return snapshot_of(SPEC, policy=rules, decisions=decisions, **fields)

    for settings in (OK, OPEN, DARK):
        before = told(world(argocd={("main", "a"): settings}))
        assert before["gates"][1]["state"] == "Open"
        after = told(with_status(world(argocd={}), before))
        assert {key: after.get(key) for key in ("gates", "checks")} == {
            key: before.get(key) for key in ("gates", "checks")
        }
        nothing_there = {key: value for key, value in before.items() if key != "environments"}
        assert built(make_plan(with_status(world(argocd={}), nothing_there))) == {"dev"}
