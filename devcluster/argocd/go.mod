// The Argo CD release whose custom resource definitions a development control plane serves.
module projectonboarding.io/devcluster/argocd

go 1.26.0

require github.com/argoproj/argo-cd/v3 v3.2.11
