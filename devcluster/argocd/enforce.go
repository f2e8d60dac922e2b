package main

import (
	"encoding/json"

	"github.com/golang-jwt/jwt/v5"
	"k8s.io/client-go/tools/cache"

	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	applister "github.com/argoproj/argo-cd/v3/pkg/client/listers/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/server/rbacpolicy"
	"github.com/argoproj/argo-cd/v3/util/rbac"
)

// request is what a user with these groups would do.
type request struct {
	Groups   []string `json:"groups"`
	Resource string   `json:"resource"`
	Action   string   `json:"action"`
	Object   string   `json:"object"`
}

// enforceProject says of each request if Argo CD's API server would allow it, by this AppProject alone.
func enforceProject(question json.RawMessage) (any, error) {
	var asked struct {
		Project  v1alpha1.AppProject `json:"project"`
		Requests []request           `json:"requests"`
	}
	if err := json.Unmarshal(question, &asked); err != nil {
		return nil, err
	}
	asked.Project.NormalizePolicies()
	projects := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{})
	if err := projects.Add(&asked.Project); err != nil {
		return nil, err
	}
	enforcer := rbac.NewEnforcer(nil, asked.Project.Namespace, "argocd-rbac-cm", nil)
	lister := applister.NewAppProjectLister(projects).AppProjects(asked.Project.Namespace)
	enforcer.SetClaimsEnforcerFunc(rbacpolicy.NewRBACPolicyEnforcer(enforcer, lister).EnforceClaims)
	allowed := make([]bool, 0, len(asked.Requests))
	for _, one := range asked.Requests {
		claims := jwt.MapClaims{"sub": "somebody", "groups": one.Groups}
		allowed = append(allowed, enforcer.Enforce(claims, one.Resource, one.Action, one.Object))
	}
	return allowed, nil
}
