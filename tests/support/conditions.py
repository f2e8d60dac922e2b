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
