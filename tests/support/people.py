"""People who decide: users with a certificate, groups and the rights that an administrator gave them."""

from typing import Any

from onboarding import names
from tests.support.api import Api
from tests.support.hub import ROOT, Hub

_RBAC = "/apis/rbac.authorization.k8s.io/v1"
_AUTHENTICATED = "system:authenticated"


class Decider:
    """Somebody who may create decisions and, if so made, holds ``confirm-delete`` on every project."""

    def __init__(self, hub: Hub, user: str, *, may_confirm: bool = True) -> None:
        self._user, self._groups = user, ["service-team", _AUTHENTICATED]
        self._api = Api(hub.cluster, hub.cluster.kubeconfig_for(user, ["service-team"]))
        rules = [{"apiGroups": [names.GROUP], "resources": ["onboardingdecisions"], "verbs": ["create", "get"]}]
        if may_confirm:
            rules.append({"apiGroups": [names.GROUP], "resources": ["projects"], "verbs": ["confirm-delete"]})
        role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": user}}
        hub.api.apply(f"{_RBAC}/clusterroles/{user}", {**role, "rules": rules})
        binding = {
            **role,
            "kind": "ClusterRoleBinding",
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": user},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}],
        }
        hub.api.apply(f"{_RBAC}/clusterrolebindings/{user}", binding)

    def confirm(
        self, name: str, project: str, uid: str, environment: str | None = None, digest: str | None = None
    ) -> None:
        """Confirm that a project, or one of its environments, may be deleted."""
        spec: dict[str, Any] = {
            "decision": "ConfirmDelete",
            "project": {"name": project, "uid": uid},
            "by": {"username": self._user, "groups": self._groups},
            "reason": "the service has ended",
        }
        if environment:
            spec["environment"] = environment
        if digest:
            spec["digest"] = digest
        decision = {"apiVersion": names.API_VERSION, "kind": "OnboardingDecision", "metadata": {"name": name}}
        self._api.create(f"{ROOT}/onboardingdecisions", {**decision, "spec": spec})


def may_bind(api: Api, account: str, role: str) -> tuple[str, str]:
    """Give a service account the right to bind a ClusterRole; return the paths of what was made."""
    name = f"bind:{role}"
    head = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": name}}
    rule = {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["clusterroles"], "verbs": ["bind"]}
    binding = {
        "kind": "ClusterRoleBinding",
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": account}],
    }
    paths = f"{_RBAC}/clusterroles/{name}", f"{_RBAC}/clusterrolebindings/{name}"
    api.apply(paths[0], {**head, "kind": "ClusterRole", "rules": [{**rule, "resourceNames": [role]}]})
    api.apply(paths[1], {**head, **binding})
    return paths
