"""Applications as Argo CD 3.6.1 reports on them, whatever it says."""

from typing import Any

COMMIT = "08303a2136b2dde49d61609b090a18459c3c5441"
OTHER = "4cf0420f7243000a0bce1d4d3c07b7c05f0b546f"
AT = "2026-01-02T03:05:00Z"
LATER = "2026-01-02T04:00:00Z"


def compared(revision: str = COMMIT, sync: str = "Synced", health: str = "Healthy", **more: Any) -> dict[str, Any]:
    """Return the status of an Application that Argo CD has compared with a commit."""
    status = {"sync": {"status": sync, "revision": revision}, "health": {"status": health}}
    return {**status, "reconciledAt": "2026-01-02T03:10:00Z", **more}


def entry(number: int, revision: str = COMMIT, at: str = AT, path: str = "deploy") -> dict[str, Any]:
    """Return an entry of the history."""
    return {"id": number, "revision": revision, "deployedAt": at, "deployStartedAt": at, "source": {"path": path}}


def synced(revision: str = COMMIT, at: str = AT, **more: Any) -> dict[str, Any]:
    """Return the status of an Application at rest."""
    operation = {
        "phase": "Succeeded",
        "message": "successfully synced (all tasks run)",
        "startedAt": at,
        "finishedAt": at,
        "syncResult": {"revision": revision, "resources": [item("ConfigMap", "a", "configmap/a created", "Synced")]},
    }
    given = {"history": [entry(0, revision, at)], "operationState": operation, **more}
    return compared(revision, **given)


def incomparable(message: str, kind: str = "ComparisonError") -> dict[str, Any]:
    """Return the status of an Application that Argo CD cannot compare: it calls it Healthy all the same."""
    return compared("main", "Unknown", conditions=[{"type": kind, "message": message, "lastTransitionTime": AT}])


def item(kind: str, name: str, message: str, status: str = "SyncFailed") -> dict[str, Any]:
    """Return what became of one object in a sync."""
    return {"kind": kind, "name": name, "namespace": "shop-dev", "status": status, "message": message}


def failing(*items: dict[str, Any], attempt: int = 2, again: bool = True) -> dict[str, Any]:
    """Return the status of an Application whose sync fails and is tried again, or has been given up."""
    said = "one or more objects failed to apply"
    waits = {"phase": "Running", "message": f"{said}. Retrying attempt #{attempt} at 5:5{attempt}PM."}
    ended = {"phase": "Failed", "message": f"{said} (retried {attempt} times)."}
    operation = {
        **(waits if again else ended),
        "retryCount": attempt,
        "startedAt": AT,
        "finishedAt": AT,
        "syncResult": {"revision": COMMIT, "resources": list(items)},
    }
    wrong = {"type": "SyncError", "message": f"Failed last sync attempt to [{COMMIT}]: {ended['message']}"}
    return compared(COMMIT, "OutOfSync", "Missing", operationState=operation, conditions=[] if again else [wrong])


def trying_again(status: dict[str, Any]) -> dict[str, Any]:
    """Return the same status while another attempt runs: what became of the objects stays until it has ended."""
    attempt = status["operationState"]["retryCount"]
    operation = {**status["operationState"], "message": f"Retrying operation. Attempt #{attempt}"}
    operation.pop("finishedAt")
    return {**status, "operationState": operation}
