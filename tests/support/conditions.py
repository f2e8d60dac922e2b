"""How other tools read an object: kstatus (kubectl wait, Argo CD, Flux) and the rules of Flux's condition checks."""

from typing import Final

from onboarding.build.kinds import Manifest

_NEGATIVE: Final = ("Reconciling", "Stalled", "Drifted", "Suspended")


def kstatus(item: Manifest) -> str:
    """Return Terminating, InProgress, Failed or Current, by the generic rules of kstatus and in their order."""
    status = item.get("status") or {}
    conditions = {condition["type"]: condition["status"] for condition in status.get("conditions", ())}
    if "deletionTimestamp" in item["metadata"]:
        return "Terminating"
    if status.get("observedGeneration", item["metadata"]["generation"]) != item["metadata"]["generation"]:
        return "InProgress"
    if conditions.get("Reconciling") == "True":
        return "InProgress"
    if conditions.get("Stalled") == "True":
        return "Failed"
    return "InProgress" if conditions.get("Ready", "True") != "True" else "Current"


def flux_problems(item: Manifest) -> list[str]:
    """Return which rules of Flux's ``conditions/check`` an object breaks; one that nobody has looked at breaks none."""
    status = item["status"]
    generation, observed = item["metadata"]["generation"], status["observedGeneration"]
    if observed == -1:
        return []
    conditions = {condition["type"]: condition for condition in status.get("conditions", ())}
    ready = conditions.get("Ready")
    if ready is None:
        return ["FAIL0002: Ready is missing"]
    is_true = {kind for kind, condition in conditions.items() if condition["status"] == "True"}
    negative = [kind for kind in _NEGATIVE if kind in is_true]
    lagging = [kind for kind, condition in conditions.items() if condition["observedGeneration"] < observed]
    rules = {
        "FAIL0001: a negative condition is True beside Ready": bool(negative) and "Ready" in is_true,
        "FAIL0005: Reconciling and Stalled at once": {"Reconciling", "Stalled"} <= is_true,
        "FAIL0006: observedGeneration is ahead": observed > generation,
        "FAIL0008: Ready while a condition lags": bool(lagging) and "Ready" in is_true,
        "FAIL0009: Ready of another generation": "Ready" in is_true and ready["observedGeneration"] != observed,
        "FAIL0011: Ready is Unknown and nothing reconciles": ready["status"] == "Unknown"
        and "Reconciling" not in is_true,
        "WARN: a negative condition is there and not True": any(
            kind in conditions and kind not in is_true for kind in _NEGATIVE
        ),
        "WARN: Ready tells another reason than what is wrong": any(
            (conditions[kind]["reason"], conditions[kind]["message"]) != (ready["reason"], ready["message"])
            for kind in negative
        ),
    }
    return [rule for rule, broken in rules.items() if broken]


def contradictions(item: Manifest) -> list[str]:
    """Return which rules about the meaning of our own conditions a ProjectOnboarding breaks."""
    status = item["status"]
    if status["observedGeneration"] == -1:
        return []
    true = {condition["type"] for condition in status["conditions"] if condition["status"] == "True"}
    ready = next(condition for condition in status["conditions"] if condition["type"] == "Ready")
    environments = status.get("environments", ())
    states = [site["state"] for environment in environments for site in environment.get("sites", ())]
    rules = {
        "Ready is True and a site is not": "Ready" in true and set(states) - {"Ready", "Lost"},
        "Ready is True and Provisioned is not": "Ready" in true and states and "Provisioned" not in true,
        "Provisioned is True and nothing is there": "Provisioned" in true and not states,
        "UpToDate is True and Ready is not": "UpToDate" in true and "Ready" not in true,
        "UpToDate is True and an environment is held": "UpToDate" in true
        and any("held" in environment for environment in environments),
        "PrerequisitesMet is True and an environment is held": {"PrerequisitesMet"} & true
        and "plan" not in status
        and any("held" in environment and "stage" in environment for environment in environments),
        "Stalled is True and nobody is asked to act": "Stalled" in true and not status.get("nextActions"),
        "Refused and not Stalled": ready["reason"] == "Refused" and "Stalled" not in true,
    }
    return [rule for rule, broken in rules.items() if broken]
