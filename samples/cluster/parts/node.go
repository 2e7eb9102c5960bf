//go:build !server && !api

package main

import (
	"context"

	"github.com/spf13/cobra"
	manager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

func init() {
	parts["kube-controller-manager"] = manager.NewControllerManagerCommand
	parts["kube-scheduler"] = func() *cobra.Command { return scheduler.NewSchedulerCommand() }
	parts["kubelet"] = func() *cobra.Command { return kubelet.NewKubeletCommand(context.Background()) }
	parts["kube-proxy"] = proxy.NewProxyCommand
}
