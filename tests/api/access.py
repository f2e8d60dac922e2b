"""Questions to the API server: what somebody may do."""

import json
from collections.abc import Sequence
from typing import Any

from devcluster import ControlPlane


def review(group: str, verb: str, resource: str, name: str = "", namespace: str = "") -> dict[str, Any]:
    """Ask whether the members of a group may do something; a resource is ``plural.group/subresource``."""
    kind, _, subresource = resource.partition("/")
    plural, _, api_group = kind.partition(".")
    about = {"verb": verb, "group": api_group, "resource": plural, "subresource": subresource}
    about |= {"name": name, "namespace": namespace}
    spec = {"user": "tina", "groups": [group], "resourceAttributes": about}
    return {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}


def verdicts(cluster: ControlPlane, reviews: Sequence[dict[str, Any]]) -> list[bool]:
    """Return the answers, in the order of the questions."""
    body = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(reviews)})
    lines = '--output=jsonpath={.status.allowed}{"\\n"}'
    answers = cluster.kubectl("create", "--filename=-", lines, stdin=body).stdout.splitlines()
    assert len(answers) == len(reviews)
    return [answer == "true" for answer in answers]
