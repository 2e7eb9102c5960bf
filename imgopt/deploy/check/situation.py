"""What a rule looks at: everything that the files say of one project or cluster, the images that
they name, and what running those showed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Generic, TypeVar

from imgopt.deploy.check.nodes import Node
from imgopt.deploy.check.objects import Budget, Objects, Scaler, Service
from imgopt.deploy.check.said import comment
from imgopt.deploy.check.workload import SERVED, Container, Workload

if TYPE_CHECKING:
    from imgopt.inspect.image_view import ImageView
    from imgopt.inspect.system.users import Identity
    from imgopt.results.run_facts import ImageFacts


T = TypeVar("T", Service, Budget)


def _first(item: Service | Budget) -> tuple[str, str, str]:
    """Its namespace, and one label that it asks for."""
    key, value = next(iter(item.selector.items()))
    return item.namespace, key, value


class Selectors(Generic[T]):
    """What selects pods by labels, found by one of them: files may have thousands of both."""

    def __init__(self, every: Iterable[T]) -> None:
        self._by_label: dict[tuple[str, str, str], list[T]] = {}
        for item in every:
            if item.selector:
                self._by_label.setdefault(_first(item), []).append(item)

    def of(self, one: Workload) -> list[T]:
        return [
            found
            for key, value in one.labels.items()
            for found in self._by_label.get((one.namespace, key, value), ())
            if found.selector.items() <= one.labels.items()
        ]


@dataclass
class Situation:
    """`views` and `facts` are by the name of the image as the files write it."""

    objects: Objects
    views: Mapping[str, ImageView] = field(default_factory=dict)
    facts: Mapping[str, ImageFacts] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    """The files, for the comments beside figures."""
    built: frozenset[str] = frozenset()
    """Images that the project builds and tags by itself, by their names in the files."""

    @property
    def workloads(self) -> list[Workload]:
        return self.objects.workloads

    def containers(self) -> Iterator[tuple[Workload, Container]]:
        """All of them, those that only prepare included."""
        for one in self.workloads:
            for container in one.containers:
                yield one, container

    def running(self) -> Iterator[tuple[Workload, Container]]:
        """Those that run for as long as their workload does."""
        for one in self.workloads:
            for container in one.main:
                yield one, container

    def view(self, container: Container) -> ImageView | None:
        return self.views.get(container.image)

    def known(self, container: Container) -> ImageFacts | None:
        """What a run of its image showed. Where the file starts another program than the image
        does, that tells nothing of this one."""
        facts = self.facts.get(container.image)
        if facts is None or container.kind == "init":
            return None
        return facts if _same_start(container, facts) else None

    def beside(self, node: Node) -> str:
        """The comment beside a figure."""
        return comment(self.texts, node)

    @cached_property
    def _services(self) -> Selectors[Service]:
        return Selectors(self.objects.services)

    @cached_property
    def _budgets(self) -> Selectors[Budget]:
        return Selectors(self.objects.budgets)

    @cached_property
    def _scalers(self) -> dict[tuple[str, str, str], list[Scaler]]:
        found: dict[tuple[str, str, str], list[Scaler]] = {}
        for one in self.objects.scalers:
            found.setdefault((one.target_kind, one.target, one.namespace), []).append(one)
        return found

    def services_of(self, one: Workload) -> list[Service]:
        return self._services.of(one)

    def scalers_of(self, one: Workload) -> list[Scaler]:
        return self._scalers.get((one.kind, one.name, one.namespace), [])

    def budgets_of(self, one: Workload) -> list[Budget]:
        return self._budgets.of(one)

    @cached_property
    def selecting(self) -> set[int]:
        """Services that select something, by their identity."""
        return {id(service) for one in self.workloads for service in self.services_of(one)}

    @cached_property
    def behind(self) -> dict[str, list[Workload]]:
        """Workloads by the name of a Service that leads to them."""
        found: dict[str, list[Workload]] = {}
        for one in self.workloads:
            for service in self.services_of(one):
                found.setdefault(service.name, []).append(one)
        return found

    @cached_property
    def related(self) -> dict[tuple[str, str], list[Workload]]:
        """Workloads by namespace and name, and by namespace and each of their labels."""
        found: dict[tuple[str, str], list[Workload]] = {}
        for one in self.workloads:
            for key in (one.name, *(f"{k}={v}" for k, v in one.labels.items())):
                found.setdefault((one.namespace, key), []).append(one)
        return found

    @cached_property
    def configs(self) -> set[tuple[str, str]]:
        """Namespace and name of config maps of these files that may change under the same name."""
        return {
            (node.find("metadata", "namespace").text, name)
            for node in self.objects.configs
            if node["kind"].text == "ConfigMap" and not node["immutable"].flag
            for name in [node.find("metadata", "name").text]
            if name not in self.objects.generated
        }

    def served(self, one: Workload) -> bool:
        """Whether requests come to it by a Service of these files."""
        asked = [s for s in self.services_of(one) if not s.early]
        return one.kind in SERVED and any(
            not s.ports or any(not port.measures for port in s.ports) for s in asked
        )

    def may_be_served(self, one: Workload) -> bool:
        """Where these files have no Service at all, one may lie elsewhere."""
        ports = any(port.name != "metrics" for box in one.main for port in box.ports)
        return one.kind in ("Deployment", "StatefulSet") and ports and not self.objects.services

    def identity(self, container: Container) -> Identity | None:
        """Who it runs as; None where nobody can tell."""
        from imgopt.inspect.system.users import resolve_user

        view, rights = self.view(container), container.rights
        if view is None:
            return None
        if not rights.user_text:
            return view.identity
        group = f":{rights.group}" if rights.group is not None else ""
        return resolve_user(f"{rights.user_text}{group}", view.read)


def _same_start(container: Container, facts: ImageFacts) -> bool:
    if container.command is not None:
        words = (*container.command, *(container.arguments or ()))
        return words in (tuple(facts.entrypoint), (*facts.entrypoint, *facts.command))
    return container.arguments is None or container.arguments == tuple(facts.command)
