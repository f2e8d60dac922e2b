"""What Argo CD 3.6.1 wrote into the status of Applications, as its controllers were seen to; digits of paths vary."""

from typing import Any

from tests.unit.argocd_status import AT, COMMIT, compared, failing, incomparable, item, synced

_LOADING = (
    "Failed to load target state: failed to generate manifest for source 1 of 1: rpc error: code = Unknown desc = "
)
_HELM = (
    "failed to execute helm template command: failed running helm: `helm template . --name-template chart-dev-app "
    "--namespace chart-dev --kube-version 1.36.3 <api versions removed> --include-crds` failed exit status "
    "1: Error: execution error at (c/templates/cm.yaml:3:20): a name is needed\n\n"
    "Use --debug flag to render out invalid YAML"
)
_KUSTOMIZE = (
    "`kustomize build <path to cached source>/deploy` failed exit status 1: Error: accumulating resources: "
    "accumulation err='accumulating resources from 'missing.yaml'\naccumulating resources: once more"
)
_UNMARSHAL = (
    "Failed to load target state: failed to generate manifest for source 1 of 1: rpc error: code = FailedPrecondition "
    'desc = Failed to unmarshal "p.yaml": failed to unmarshal manifest: error converting YAML to JSON: yaml: line 3: '
    "did not find expected ',' or '}'"
)
_POD_SECURITY = (
    'pods "bad" is forbidden: violates PodSecurity "restricted:v1.36": allowPrivilegeEscalation != false (container '
    '"c" must set securityContext.allowPrivilegeEscalation=false)'
)
_GUARD = (
    "serviceaccounts \"mine\" is forbidden: ValidatingAdmissionPolicy 'project-onboarding-managed-objects' with "
    "binding 'project-onboarding-managed-objects' denied request: CREATE of serviceaccounts 'sa-dev/mine' refused "
    "(rule project-onboarding-managed-objects): only the operator makes objects with the label "
    "projectonboarding.io/installation. Leave the label out."
)
_TAGS = "pods \"bad\" is forbidden: ValidatingAdmissionPolicy 'tags' with binding 'tags' denied request: no"
_NOT_SERVED = (
    'The Kubernetes API could not find example.org/Widget for requested resource crd-dev/a. Make sure the "Widget" CRD '
    "is installed on the destination cluster."
)
_NODE_PORT = (
    'services "cm-acme-http-solver-abcde" is forbidden: exceeded quota: onboarding, requested: services.nodeports=1, '
    "used: services.nodeports=0, limited: services.nodeports=0"
)
_COUNT = 'secrets "one-more" is forbidden: exceeded quota: q, requested: secrets=1, used: secrets=5, limited: secrets=5'
_SHARED = {
    "type": "SharedResourceWarning",
    "message": "ConfigMap/shared is part of applications argocd/a-dev-app and b-dev-app",
    "lastTransitionTime": AT,
}
_QUOTA = (
    'persistentvolumeclaims "big" is forbidden: exceeded quota: onboarding, requested: requests.storage=500Gi, used: '
    "requests.storage=0, limited: requests.storage=20Gi"
)
_PANIC = (
    "error running kubectl auth reconcile: error running kubectl auth reconcile: runtime error: invalid memory address "
    "or nil pointer dereference"
)
_RIGHTS = (
    "error when retrieving current configuration of:\n"
    'Resource: "/v1, Resource=configmaps", GroupVersionKind: "/v1, Kind=ConfigMap"\n'
    'Name: "a", Namespace: "shop-dev"\n'
    'from server for: "/dev/shm/{}": configmaps "a" is forbidden: User "system:serviceaccount:shop-dev:nobody" cannot '
    'get resource "configmaps" in API group "" in the namespace "shop-dev"'
)


def lacking_rights(path: int) -> dict[str, Any]:
    """Return the status of an Application whose account may nothing; the path differs at every attempt."""
    return failing(item("ConfigMap", "a", _RIGHTS.format(path)))


WORDS: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "quota": (
        failing(item("PersistentVolumeClaim", "big", _QUOTA)),
        (
            "the quota of the environment refuses PersistentVolumeClaim/big: requested requests.storage=500Gi; used "
            "requests.storage=0; limit requests.storage=20Gi"
        ),
        "reduce its requests",
        "project",
    ),
    "Pod Security": (
        failing(item("Pod", "bad", _POD_SECURITY)),
        "Pod Security restricted:v1.36 refuses Pod/bad: allowPrivilegeEscalation != false",
        "securityContext",
        "project",
    ),
    "guard rail": (
        failing(item("ServiceAccount", "mine", _GUARD)),
        (
            "the guard rails refuse ServiceAccount/mine: only the operator makes objects with the label "
            "projectonboarding.io/installation. Leave the label out. (rule project-onboarding-managed-objects)"
        ),
        "remove it from the repository",
        "project",
    ),
    "policy of the cluster": (
        failing(item("Pod", "bad", _TAGS)),
        "policy tags of the cluster refuses Pod/bad: no",
        "fix the manifest",
        "project",
    ),
    "guarded kind": (
        failing(item("ResourceQuota", "mine", "resource :ResourceQuota is not permitted in project quota")),
        "ResourceQuota/mine: projects may not sync ResourceQuota here",
        "remove it from the repository",
        "project",
    ),
    "cluster-scoped kind": (
        failing(
            item(
                "ClusterRole", "big", "resource rbac.authorization.k8s.io:ClusterRole is not permitted in project shop"
            )
        ),
        "ClusterRole/big: projects may not sync ClusterRole here",
        "remove it from the repository",
        "project",
    ),
    "neighbour": (
        failing(item("ConfigMap", "a", "namespace ok-dev is not permitted in project 'neighbour'")),
        "ConfigMap/a is for namespace ok-dev, which does not belong to the environment",
        "remove metadata.namespace",
        "project",
    ),
    "rights of the account": (
        lacking_rights(1707491613),
        "the service account of the environment may not get configmaps (ConfigMap/a)",
        "aggregate-to-sync",
        "platform",
    ),
    "no account": (
        compared(
            COMMIT,
            "OutOfSync",
            "Missing",
            operationState={
                "phase": "Error",
                "message": "no matching service account found for destination server https://kubernetes.default.svc "
                "and namespace ok-dev (retried 1 times).",
            },
        ),
        "Argo CD finds no service account for the sync",
        "destinationServiceAccounts",
        "platform",
    ),
    "an account that cannot be": (
        compared(
            COMMIT,
            "OutOfSync",
            "Missing",
            operationState={
                "phase": "Error",
                "message": "failed to derive service account to impersonate: default service account contains invalid "
                "chars 'a*b' (retried 1 times).",
            },
        ),
        "Argo CD finds no service account for the sync",
        "destinationServiceAccounts",
        "platform",
    ),
    "a binding that is refused": (
        failing(item("RoleBinding", "root", _PANIC)),
        "the API server refuses RoleBinding/root, and Argo CD does not report the reason",
        "no more than the service account of the environment has",
        "project",
    ),
    "kind that is not served": (
        failing(item("Widget", "a", _NOT_SERVED)),
        "the cluster does not serve example.org/Widget",
        "install the CustomResourceDefinition",
        "platform",
    ),
    "invalid object": (
        failing(item("Service", "b", 'Service "b" is invalid: spec.ports[0].port: Invalid value: 80000')),
        "the API server refuses Service/b: spec.ports[0].port: Invalid value: 80000",
        "fix the manifest",
        "project",
    ),
    "AppProject missing": (
        incomparable("Application referencing project nowhere which does not exist", "InvalidSpecError"),
        "AppProject nowhere is missing",
        "the operator creates it again",
        "platform",
    ),
    "destination": (
        incomparable(
            "application destination server 'https://kubernetes.default.svc' and namespace 'ok-dev' do not match any "
            "of the allowed destinations in project 'narrow'",
            "InvalidSpecError",
        ),
        "the AppProject does not allow it: application destination server",
        "who changed the AppProject",
        "platform",
    ),
    "cluster": (
        incomparable(
            'error getting cluster by server "https://b.example.org:6443": rpc error: code = NotFound desc = cluster '
            '"https://b.example.org:6443" not found',
            "InvalidSpecError",
        ),
        "Argo CD does not know the cluster of the target: error getting cluster by server",
        "register the cluster",
        "platform",
    ),
    "login": (
        incomparable(f"{_LOADING}failed to list refs: authentication required: "),
        "the repository refuses Argo CD's login, or requires one",
        "repositories.credentials",
        "project",
    ),
    "no repository": (
        incomparable(f"{_LOADING}failed to list refs: repository not found: "),
        "the repository does not exist, or Argo CD has no access to it",
        "fix the URL",
        "project",
    ),
    "no revision": (
        incomparable(f"{_LOADING}unable to resolve 'nope' to a commit SHA: revision not found"),
        "the repository has no revision nope",
        "push that branch",
        "project",
    ),
    "no path": (
        incomparable(f"{_LOADING}deploy: app path does not exist"),
        "the repository has no path deploy in that revision",
        "commit that folder",
        "project",
    ),
    "no server": (
        incomparable(
            f'{_LOADING}failed to list refs: Get "http://127.0.0.1:9/x/y.git/info/refs?service=git-upload-pack": dial '
            "tcp 127.0.0.1:9: connect: connection refused"
        ),
        "Argo CD cannot reach a server: failed to list refs: Get",
        "check that the server is up",
        "platform",
    ),
    "chart": (
        incomparable(_LOADING + _HELM),
        (
            "the manifests in the repository do not render: helm template: Error: execution error at "
            "(c/templates/cm.yaml:3:20): a name is needed"
        ),
        "fix the error",
        "project",
    ),
    "kustomization": (
        incomparable(_LOADING + _KUSTOMIZE),
        (
            "the manifests in the repository do not render: kustomize build: Error: accumulating resources: "
            "accumulation err='accumulating resources from 'missing.yaml'"
        ),
        "fix the error",
        "project",
    ),
    "no YAML": (
        incomparable(_UNMARSHAL),
        'the manifests in the repository do not render: Failed to unmarshal "p.yaml"',
        "fix the error",
        "project",
    ),
    "case 09: a node port": (
        failing(item("Service", "cm-acme-http-solver-abcde", _NODE_PORT)),
        "the quota of the environment refuses Service/cm-acme-http-solver-abcde: no Service may have a node port",
        "set serviceType: ClusterIP in the issuer",
        "project",
    ),
    "case 09: a count of objects": (
        failing(item("Secret", "one-more", _COUNT)),
        "the environment has as many objects as the platform allows, so that Secret/one-more is refused",
        "ask the platform to raise the count (spec.objectCounts of the policy)",
        "project",
    ),
    "two Applications with one object": (
        synced(conditions=[_SHARED]),
        "two Applications deploy ConfigMap/shared: argocd/a-dev-app and b-dev-app, so that each undoes what the other",
        "remove the object from one of the two repositories",
        "project",
    ),
    "a word that nobody knows": (
        failing(item("Widget", "a", "it is a Tuesday")),
        "Widget/a: it is a Tuesday",
        "the Application shows in Argo CD",
        "project",
    ),
    "a condition that nobody knows": (
        incomparable("full moon", "UnknownError"),
        "UnknownError: full moon",
        "the Application shows in Argo CD",
        "project",
    ),
}
"""By what is wrong: the status, how the message begins, what the remedy holds, and who acts."""
