package main

import (
	"encoding/json"

	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/util/rbac"
)

// validateProject says what Argo CD's API server says when it is given an AppProject.
func validateProject(question json.RawMessage) (any, error) {
	var project v1alpha1.AppProject
	if err := json.Unmarshal(question, &project); err != nil {
		return nil, err
	}
	project.NormalizePolicies()
	if err := project.ValidateProject(); err != nil {
		return nil, err
	}
	return nil, rbac.ValidatePolicy(project.ProjectPoliciesString())
}
