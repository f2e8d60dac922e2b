package main

import (
	"encoding/json"
	"fmt"

	"github.com/argoproj/argo-cd/v3/util/lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// scriptRun is one script of a resource customization, and the object to run it with.
type scriptRun struct {
	Kind   string                     `json:"kind"`
	Script string                     `json:"script"`
	Object *unstructured.Unstructured `json:"object"`
}

// runScript runs a script as the application controller does: without Lua's standard libraries.
func runScript(question json.RawMessage) (any, error) {
	var run scriptRun
	if err := json.Unmarshal(question, &run); err != nil {
		return nil, err
	}
	switch run.Kind {
	case "health":
		return lua.VM{}.ExecuteHealthLua(run.Object, run.Script)
	case "discovery":
		return lua.VM{}.ExecuteResourceActionDiscovery(run.Object, []string{run.Script})
	case "action":
		return lua.VM{}.ExecuteResourceAction(run.Object, run.Script, nil)
	}
	return nil, fmt.Errorf("%q is no kind of script: health, discovery or action", run.Kind)
}
