"""RoleBindings of an environment, one per persona, and the ServiceAccount that Argo CD syncs with."""

from onboarding import names
from onboarding.build.kinds import ROLE_BINDING, SERVICE_ACCOUNT, Manifest
from onboarding.build.naming import SYNC_BINDING, head, ownership_labels
from onboarding.build.revision import Binding, Owner, Revision

_RBAC = "rbac.authorization.k8s.io"


def build_role_bindings(owner: Owner, revision: Revision) -> list[Manifest]:
    """Return the RoleBindings of the personas with groups and a role, and that of the sync account if there is one."""
    # The role is part of the name, because roleRef is immutable: another role needs another binding.
    bindings = [
        _binding(owner, revision, f"{item.persona}:{item.cluster_role}", item.cluster_role, _groups(revision, item))
        for item in revision.bindings
        if item.groups and item.cluster_role
    ]
    if revision.impersonation:
        account = {"kind": "ServiceAccount", "name": revision.namespace, "namespace": names.SYNC_NAMESPACE}
        bindings.append(_binding(owner, revision, SYNC_BINDING, names.SYNC_ROLE, [account]))
    return bindings


def build_sync_account(owner: Owner, revision: Revision) -> Manifest:
    """Return the ServiceAccount that Argo CD impersonates; no tenant can run a pod in its namespace."""
    labels = ownership_labels(owner, revision)
    manifest = head(SERVICE_ACCOUNT, revision.namespace, labels, names.SYNC_NAMESPACE)
    manifest["automountServiceAccountToken"] = False
    return manifest


def _groups(revision: Revision, binding: Binding) -> list[Manifest]:
    return [{"apiGroup": _RBAC, "kind": "Group", "name": group} for group in revision.groups_on_site(binding)]


def _binding(owner: Owner, revision: Revision, name: str, role: str, subjects: list[Manifest]) -> Manifest:
    manifest = head(ROLE_BINDING, name, ownership_labels(owner, revision), revision.namespace)
    manifest["roleRef"] = {"apiGroup": _RBAC, "kind": "ClusterRole", "name": role}
    manifest["subjects"] = subjects
    return manifest
