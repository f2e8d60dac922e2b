// Command argocd is the parts of Argo CD that a development control plane runs, what their
// repository server calls, and Argo CD's own judgement for tests to compare with. Its own name
// (argv[0]) chooses which one runs.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/argoproj/argo-cd/v3/util/log"
	"github.com/spf13/cobra"
	"k8s.io/klog/v2"
	"sigs.k8s.io/kustomize/kustomize/v5/commands"

	controller "github.com/argoproj/argo-cd/v3/cmd/argocd-application-controller/commands"
	applicationset "github.com/argoproj/argo-cd/v3/cmd/argocd-applicationset-controller/commands"
	askpass "github.com/argoproj/argo-cd/v3/cmd/argocd-git-ask-pass/commands"
	reposerver "github.com/argoproj/argo-cd/v3/cmd/argocd-repo-server/commands"
)

// Argo CD's programs say by this variable which part of it their own file shall be, above argv[0].
const nameVariable = "ARGOCD_BINARY_NAME"

var parts = map[string]func() error{
	"argocd-application-controller":    executes(controller.NewCommand),
	"argocd-applicationset-controller": executes(applicationset.NewCommand),
	"argocd-enforce":                   func() error { return answerLines(enforceProject) },
	"argocd-git-ask-pass":              executes(askpass.NewCommand),
	"argocd-lua":                       func() error { return answerLines(runScript) },
	"argocd-repo-server":               executes(reposerver.NewCommand),
	"argocd-validate":                  func() error { return answerLines(validateProject) },
	"kustomize":                        executes(commands.NewDefaultCommand),
	"redis":                            serveRedis,
}

func executes(command func() *cobra.Command) func() error {
	return func() error { return command().Execute() }
}

func main() {
	name := filepath.Base(os.Args[0])
	if given := os.Getenv(nameVariable); given != "" {
		name = given
	}
	run, known := parts[name]
	if !known {
		names := make([]string, 0, len(parts))
		for name := range parts {
			names = append(names, name)
		}
		slices.Sort(names)
		fmt.Fprintf(os.Stderr, "call this file by one of these names: %s\n", strings.Join(names, ", "))
		os.Exit(2)
	}
	klog.SetLogger(log.NewLogrusLogger(log.NewWithCurrentConfig()))
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
