//go:build !server

package main

import kubectl "k8s.io/kubectl/pkg/cmd"

func init() {
	parts["kubectl"] = kubectl.NewDefaultKubectlCommand
}
