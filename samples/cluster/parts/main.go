// One program for the parts of Kubernetes: the first argument (or the name it is called by) says which.
// One instead of seven, because the linker and the packages that they share are paid for once.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
)

// The parts of Kubernetes that are commands of cobra; node.go and kubectl.go add theirs.
var parts = map[string]func() *cobra.Command{
	"kube-apiserver": apiserver.NewAPIServerCommand,
}

func main() {
	name := filepath.Base(os.Args[0])
	if _, known := parts[name]; !known && name != "etcd" && len(os.Args) > 1 {
		name = os.Args[1]
		os.Args = os.Args[1:]
	}
	if name == "etcd" {
		etcdmain.Main(os.Args)
		return
	}
	part, known := parts[name]
	if !known {
		names := []string{"etcd"}
		for each := range parts {
			names = append(names, each)
		}
		sort.Strings(names)
		fmt.Fprintln(os.Stderr, "which part? "+strings.Join(names, " "))
		os.Exit(2)
	}
	os.Exit(cli.Run(part()))
}
