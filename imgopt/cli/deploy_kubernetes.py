"""`imgopt deploy kubernetes`: a Kustomize base with overlays, or a chart."""

from __future__ import annotations

from typing import Annotated

import typer

from imgopt.cli import choices, options
from imgopt.cli.deploy_options import Run, Subject, Wanted, delivered, planned, texts_in
from imgopt.cli.grouped import grouped

HELP = """
Kubernetes files from what a run of the image showed: base, production, development.

Startup, readiness and liveness apart, the drain before the stop, requests and limits by the
measured peak, a numeric user on a read-only root, spread and disruption budget, autoscaler, route:
each figure with a comment that says where it is from. Objects that lie in --out are changed in
place: what their author wrote stays, unless the run showed that it fails. Without --out, the files
are shown.

  imgopt deploy kubernetes registry.example/shop:1.4 --out k8s

  imgopt deploy kubernetes --facts facts.json --scale queue --env QUEUE_URL=amqp://queue --helm
"""
Namespace = Annotated[str, typer.Option("--namespace", "-n", help="Default: the service's name.")]
Host = Annotated[str, typer.Option("--host-name", help="Host name of the route.")]
ScaleBy = Annotated[
    str,
    typer.Option("--scale", help=f"By what: {choices.listed(choices.SCALES)}."),
]
Query = Annotated[str, typer.Option("--query", help="Of Prometheus, for --scale prometheus.")]
Ingress = Annotated[bool, typer.Option("--ingress", help="An Ingress in place of the HTTPRoute.")]
Helm = Annotated[bool, typer.Option("--helm", help="A chart in place of base and overlays.")]


def register(group: typer.Typer) -> None:
    group.command("kubernetes", help=HELP)(grouped(kubernetes, choices.format_option("deploy")))


def kubernetes(
    subject: Subject = None,
    namespace: Namespace = "",
    host_name: Host = "",
    scale: ScaleBy = "cpu",
    query: Query = "",
    ingress: Ingress = False,
    helm: Helm = False,
    *,
    wanted: Wanted,
    build: options.BuildOptions,
    smoke: options.SmokeOptions,
    out: options.OutputOptions,
) -> int:
    from imgopt.deploy.kubernetes.chart import chart_files
    from imgopt.deploy.kubernetes.files import kubernetes_files
    from imgopt.deploy.model import Options

    out.check("deploy")
    choices.check("--scale", [scale], choices.SCALES)
    more = Options(namespace=namespace, host=host_name, scale=scale, query=query, ingress=ingress)
    plan = planned(wanted, Run(subject, build, smoke), more)
    texts = texts_in(wanted.out, below=True, chart=helm)
    result = chart_files(plan, texts) if helm else kubernetes_files(plan, texts)
    return delivered(result, wanted, out)
