"""The Go programs that run here without being installed."""

from pathlib import Path

from devcluster.build import Build

_HERE = Path(__file__).parent

# Without a version, kubectl and the API server refuse to compare theirs. A fixed date keeps the build reproducible.
_STAMP = {
    "gitVersion": "v1.36.3",
    "gitMajor": "1",
    "gitMinor": "36",
    "gitTreeState": "clean",
    "gitCommit": "",
    "buildDate": "1970-01-01T00:00:00Z",
}
_VERSION = "k8s.io/component-base/version"

KUBE = Build(
    "the control plane",
    "some 10 minutes",
    _HERE / "kube",
    ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl"),
    " ".join(["-s -w", *(f"-X {_VERSION}.{key}={to}" for key, to in _STAMP.items())]),
)

ARGOCD = Build(
    "Argo CD",
    "some 5 minutes",
    _HERE / "argocd",
    (
        # The name by which Git asks the repository server for a password.
        "argocd",
        "argocd-application-controller",
        "argocd-applicationset-controller",
        "argocd-enforce",
        "argocd-lua",
        "argocd-repo-server",
        "argocd-validate",
        "kustomize",
        "redis",
    ),
)

KWOK = Build("kwok", "some 3 minutes", _HERE / "kwok", ("kwok", "kwok-stages"))

HELM = Build("Helm", "some 3 minutes", _HERE / "helm", ("helm",), package="helm.sh/helm/v4/cmd/helm")
