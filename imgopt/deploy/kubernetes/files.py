"""The Kubernetes files of a plan: new, or put into what lies in the folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from imgopt.deploy.draft import Draft, figures_of, is_ours, merged
from imgopt.deploy.in_place import child, text_of
from imgopt.deploy.kubernetes import existing, layout
from imgopt.deploy.kubernetes.existing import Object
from imgopt.deploy.model import Plan
from imgopt.deploy.yaml_tree import Tree, bare, value_of
from imgopt.results.deploy import DeployFile, DeployFiles, Figure, Refused, Remark

_SCALERS = ("HorizontalPodAutoscaler", "ScaledObject")
_WAYS_IN = ("HTTPRoute", "GRPCRoute", "Ingress")
_OF_NAMESPACE = ("Kustomization", "Namespace", "ResourceQuota", "LimitRange", "ServiceAccount")
"""Not put beside a Deployment of another layout: others may live in its namespace."""
_END = "Ingress: its usual controller (ingress-nginx) is at its end of life since March 2026"


@dataclass
class _Work:
    """What becomes of each file; texts change as one object after the other is put in."""

    texts: dict[str, str]
    made: dict[str, DeployFile] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)

    def put(self, draft: Draft, there: Object | None, before: Mapping[str, str]) -> None:
        if there is not None:
            file, _, left = merged(draft, there.path, self.texts[there.path], there.document)
            self.refused += [Refused(what=f"{there.path}: {one}", reason="left") for one in left]
        elif draft.path in self.texts:
            reason = "the file has another object; give another --out, or move it"
            self.refused.append(Refused(what=draft.path, reason=reason))
            return
        else:
            file = draft.new()
        self.texts[file.path] = file.text
        self.made[file.path] = replace_before(file, before.get(file.path))


def replace_before(file: DeployFile, before: str | None) -> DeployFile:
    from msgspec import structs

    return structs.replace(file, before=before)


def kubernetes_files(plan: Plan, texts: Mapping[str, str]) -> DeployFiles:
    """`texts` are the folder's YAML files by path. Raises InputError for what cannot be read."""
    found = existing.objects_of(texts)
    kind = "Job" if plan.ends else "Deployment"
    there = existing.workload(plan, found, kind)
    if there is not None:
        plan = existing.as_there(plan, there)
    drafts = layout.files(plan)
    foreign = there is not None and not there.path.startswith(f"{layout.BASE}/")
    if foreign and there is not None:
        drafts = _flat(drafts, there, found)
    work = _Work(dict(texts))
    work.refused += list(_companions(plan))
    for draft in drafts:
        same = _same(draft, found, plan)
        reason = _clash(draft, there, found)
        if reason:
            work.refused.append(Refused(what=draft.path, reason=reason))
            continue
        if same is not None and same is not there and _is_authors(same, texts):
            continue
        if same is not None and same is there:
            ours = is_ours(texts[same.path])
            tree, left = existing.pruned(value_of(draft.tree), same, ours=ours)
            work.refused += [Refused(what=f"{same.path}: {one}", reason="left") for one in left]
            draft = replace(draft, tree=tree)
        work.put(_present(draft, work.texts), same, texts)
    return DeployFiles(
        target="kubernetes",
        name=plan.name,
        image=plan.image,
        measured=plan.source,
        files=list(work.made.values()),
        figures=figures(drafts),
        remarks=[*plan.remarks, *remarks(plan)],
        refused=work.refused,
    )


def figures(drafts: list[Draft]) -> list[Figure]:
    """What was measured first."""
    found = [
        one
        for draft in drafts
        if value_of(draft.tree).get("kind") != "Kustomization"
        for one in figures_of(draft.tree)
    ]
    short = [_short(one) for one in found]
    return sorted(short, key=lambda one: not one.measured)


def _short(one: Figure) -> Figure:
    """Without the way to the pod, which everybody knows."""
    from msgspec import structs

    name = one.name.removeprefix("spec.").removeprefix("template.").removeprefix("spec.")
    return structs.replace(one, name=name.rpartition("].")[2] if "containers[" in name else name)


def remarks(plan: Plan) -> Iterator[Remark]:
    if plan.options.ingress and plan.port is not None:
        yield Remark(level="warning", message=_END, fix="leave --ingress out: an HTTPRoute")
    for one in plan.writable:
        if one.kept:
            yield Remark(
                level="warning",
                message=f"{one.path} is a volume of the image; here it is lost with its pod",
                fix="give it a PersistentVolumeClaim, or keep it in a service",
            )
    if plan.options.scale == "requests" and not plan.facts.metrics_path:
        yield Remark(
            level="warning",
            message="no metrics were answered: nobody counts its requests",
            fix="--scale cpu, or --scale prometheus with the query of your gateway",
        )
    if plan.secrets:
        names = " ".join(f"--from-literal={one.name}=..." for one in plan.secrets)
        command = f"kubectl create secret generic {plan.name}-secrets {names}"
        yield Remark(
            level="note", message=f"a Secret {plan.name}-secrets has to be there", fix=command
        )


def _companions(plan: Plan) -> Iterator[Refused]:
    for name in plan.facts.companions:
        yield Refused(
            what=f"a Deployment of {name}",
            reason="what it keeps needs an operator or a managed service; its host is a setting",
        )


def _same(draft: Draft, found: list[Object], plan: Plan) -> Object | None:
    tree = bare(draft.tree)
    if tree["kind"] == "Kustomization":
        return next((one for one in found if one.path == draft.path), None)
    same = [one for one in found if one.kind == tree["kind"]]
    named = [one for one in same if one.name == tree["metadata"]["name"]]
    if named or tree["kind"] not in ("Service", "PodDisruptionBudget"):
        return named[0] if named else None
    return next((one for one in same if _selects(one, plan)), None)


def _selects(one: Object, plan: Plan) -> bool:
    """By the labels of the pods, whatever it is called."""
    selector = child(one.node, "spec", "selector")
    selector = child(selector, "matchLabels") or selector
    labels = {str(k.value): str(v.value) for k, v in selector.value} if selector is not None else {}
    wanted = plan.selector or {"app.kubernetes.io/name": plan.name}
    return bool(labels) and labels.items() <= dict(wanted).items()


def _present(draft: Draft, texts: Mapping[str, str]) -> Draft:
    """A list of files names those alone that are there: what was refused is not."""
    tree = value_of(draft.tree)
    if tree["kind"] != "Kustomization":
        return draft
    folder = draft.path.rpartition("/")[0]
    inside = f"{folder}/" if folder else ""
    there = [one for one in tree["resources"] if one.startswith("..") or f"{inside}{one}" in texts]
    return replace(draft, tree={**tree, "resources": there})


def _is_authors(same: Object, texts: Mapping[str, str]) -> bool:
    """An object that somebody wrote is left as it is; a list of files gets the new ones."""
    return same.kind != "Kustomization" and not is_ours(texts[same.path])


def _clash(draft: Draft, there: Object | None, found: list[Object]) -> str:
    """An autoscaler beside another one, or beside replicas that a file fixes; a second way in."""
    kind, name = bare(draft.tree)["kind"], (bare(draft.tree).get("metadata") or {}).get("name")
    group = next((one for one in (_SCALERS, _WAYS_IN) if kind in one), ())
    for other in found:
        if other.kind in group and (other.kind, other.name) != (kind, name):
            return f"there is a {other.kind} in {other.path}"
    own = text_of(there.node, "spec", "replicas") if there is not None else ""
    if kind in _SCALERS and own:
        return f"replicas: {own} is fixed in the file; without that line it is written"
    return ""


def _flat(drafts: list[Draft], there: Object, found: list[Object]) -> list[Draft]:
    """Beside a Deployment of another layout: no overlays; a kustomization that is there gets the
    new files."""
    folder = there.path.rpartition("/")[0]
    inside = f"{folder}/" if folder else ""
    kept = [one for one in drafts if bare(one.tree)["kind"] not in _OF_NAMESPACE]
    flat = [replace(one, path=f"{inside}{one.path.rpartition('/')[2]}") for one in kept]
    own = next((one for one in found if one.kind == "Kustomization" and _beside(one, folder)), None)
    if own is None:
        return flat
    known = {(one.kind, one.name) for one in found}
    new = [
        one.path.removeprefix(inside)
        for one in flat
        if (bare(one.tree)["kind"], bare(one.tree)["metadata"]["name"]) not in known
    ]
    tree: Tree = {"kind": "Kustomization", "resources": new}
    return [*flat, Draft(own.path, "what belongs together", tree)]


def _beside(one: Object, folder: str) -> bool:
    return one.path.rpartition("/")[0] == folder
