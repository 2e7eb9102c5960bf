"""What the three Compose files say of the service. Texts of the image have `$` doubled: Compose
would put a variable there."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from imgopt.compose.model import in_bytes
from imgopt.deploy import figures
from imgopt.deploy.model import MIB, Plan, Said, Writable
from imgopt.deploy.yaml_tree import Noted, Tree

FRONT, BACK = "front", "back"


def literal(text: str) -> str:
    return text.replace("$", "$$")


def base(plan: Plan) -> dict[str, Tree]:
    """What holds everywhere."""
    service: dict[str, Tree] = {"image": literal(plan.image), **measured(plan)}
    environment = {**_settings(plan), **_given(plan)}
    if environment:
        service["environment"] = environment
    if plan.options.secret_files:
        service["secrets"] = list(plan.options.secret_files)
    volumes = [_named_volume(one) for one in plan.writable if one.kept]
    if volumes:
        service["volumes"] = Noted(volumes, "measured: the image declares them as volumes")
    networks = [FRONT, BACK] if plan.facts.companions else [FRONT]
    service["networks"] = networks
    if plan.ends:
        service["profiles"] = Noted(["job"], "rule: it ends by itself; `docker compose run`")
    found: dict[str, Tree] = {"name": plan.name, "services": {plan.name: service}}
    found["networks"] = {name: _network(name) for name in networks}
    if volumes:
        found["volumes"] = {_volume(one): {} for one in plan.writable if one.kept}
    if plan.options.secret_files:
        found["secrets"] = {
            name: Noted({"file": f"./secrets/{name.lower()}"}, "rule: not committed")
            for name in plan.options.secret_files
        }
    return found


def measured(plan: Plan) -> dict[str, Tree]:
    """What a run shows of any service, a base that somebody wrote included."""
    found: dict[str, Tree] = {}
    if plan.health is not None:
        window = figures.startup_window(plan.facts)
        found["healthcheck"] = {
            "test": Noted(_test(plan.health.words), plan.health.note),
            "interval": "10s",
            "timeout": f"{max(2, plan.health.timeout)}s",
            "start_period": window.noted(f"{window.value}s"),
            "start_interval": "1s",
            "retries": 3,
        }
    if not plan.ends:
        stop = figures.grace(plan.facts, drained=0, agent=plan.options.agent)
        found["stop_grace_period"] = stop.noted(f"{stop.value}s", _lasts(stop.value))
    if _needs_init(plan):
        found["init"] = Noted(True, "measured: process 1 has no handler for SIGTERM, was killed")
    if plan.facts.stop_signal and any(one.is_own and not one.killed for one in plan.facts.stops):
        found["stop_signal"] = literal(plan.facts.stop_signal)
    return found


def settings(plan: Plan) -> dict[str, Tree]:
    """For a base that somebody wrote: what the run proposes."""
    return {"environment": _settings(plan)} if _settings(plan) else {}


def development(plan: Plan, context: str, own: Collection[str] = ()) -> dict[str, Tree]:
    """Beside the base: the port for this machine alone, and a build that follows the sources."""
    service: dict[str, Tree] = {}
    if plan.port is not None and "ports" not in own:
        service["ports"] = Noted([f"127.0.0.1:{plan.port}:{plan.port}"], "rule: this machine alone")
    if context:
        if "build" not in own:
            service["build"] = {"context": literal(context)}
        service["develop"] = {
            "watch": Noted(
                [{"action": "rebuild", "path": literal(context)}],
                "rule: `docker compose watch`; what .dockerignore leaves out changes nothing",
            )
        }
    return {"services": {plan.name: service}} if service else {}


def production(plan: Plan, own: Collection[str] = ()) -> dict[str, Tree]:
    """Over the base: rights, limits, restarts. `own` are keys that the base's author wrote."""
    service: dict[str, Tree] = {}
    if plan.port is not None and "ports" not in own:
        service["ports"] = [f"${{PORT:-{plan.port}}}:{plan.port}"]
    service["restart"] = "no" if plan.ends else "unless-stopped"
    service["read_only"] = plan.read_only.noted()
    tmpfs = [one for one in plan.writable if not one.kept]
    plain = [one for one in tmpfs if ":" not in one.path]
    if plain:
        service["tmpfs"] = [_tmpfs(one) for one in plain]
    if len(plain) < len(tmpfs):
        service["volumes"] = [_long_tmpfs(one) for one in tmpfs if one not in plain]
    if plan.user is not None and plan.user.measured:
        uid, gid = plan.user.value
        service["user"] = plan.user.noted(f"{uid}:{gid}")
    service["cap_drop"] = Noted(["ALL"], plan.capabilities.note)
    if plan.capabilities.value:
        service["cap_add"] = list(plan.capabilities.value)
    service["security_opt"] = Noted(["no-new-privileges:true"], "rule: no program gains rights")
    service.update(_resources(plan, tmpfs, own))
    service["logging"] = {
        "driver": "json-file",
        "options": Noted({"max-size": "10m", "max-file": "3"}, "rule: a log never fills the disk"),
    }
    return {"services": {plan.name: service}}


def _resources(plan: Plan, tmpfs: list[Writable], own: Collection[str]) -> dict[str, Tree]:
    """In the form that the base has: Compose refuses two that differ."""
    limit = memory_limit(plan, tmpfs)
    memory = limit.noted(f"{limit.value // MIB}m", _at_least(figures.least_memory(plan.facts)))
    request = plan.memory_request.noted(f"{plan.memory_request.value // MIB}m")
    cpus = plan.cpu_limit.noted(f"{plan.cpu_limit.value:g}") if plan.cpu_limit else None
    found: dict[str, Tree] = {}
    limits: dict[str, Tree] = {}
    reservations: dict[str, Tree] = {}
    if "mem_limit" in own:
        found["mem_limit"] = memory
    else:
        limits["memory"], reservations["memory"] = memory, request
    if cpus is not None and "cpus" not in own:
        limits["cpus"] = cpus
    if plan.gpu is not None:
        device = {"driver": "nvidia", "count": plan.gpu.value, "capabilities": ["gpu"]}
        reservations["devices"] = Noted([device], plan.gpu.note)
    parts = {"limits": limits, "reservations": reservations}
    resources = {name: part for name, part in parts.items() if part}
    return {**found, **({"deploy": {"resources": resources}} if resources else {})}


def memory_limit(plan: Plan, tmpfs: list[Writable]) -> Said[int]:
    """What is written into a tmpfs counts as memory of the container."""
    folders = [one.path for one in tmpfs]
    inside = sum(
        one.bytes
        for one in plan.facts.written
        if any(f"{one.folder}/".startswith(f"{folder}/") for folder in folders)
    )
    limit = plan.memory_limit
    if not inside:
        return limit
    step = figures.MEMORY_STEP
    whole = -(-(limit.value + inside) // step) * step
    return Said(whole, f"{limit.origin}, and {figures.mib(inside)} in tmpfs", limit.measured)


def _settings(plan: Plan) -> dict[str, Tree]:
    return {
        one.name: Noted(literal(one.value), f"measured: {one.origin}")
        for one in plan.variables
        if one.kind == "setting"
    }


def _given(plan: Plan) -> dict[str, Tree]:
    found: dict[str, Tree] = {}
    for one in plan.variables:
        if one.name in plan.options.secret_files:
            continue
        if one.kind == "plain":
            found[one.name] = literal(one.value)
        elif one.kind in ("secret", "unknown"):
            found[one.name] = f"${{{one.name}:?set it in .env, which is not committed}}"
    for name in plan.options.secret_files:
        found[f"{name}_FILE"] = f"/run/secrets/{name}"
    return found


def _network(name: str) -> Tree:
    if name == BACK:
        return Noted({"internal": True}, "rule: for services that nobody outside asks")
    return {}


def _test(words: tuple[str, ...]) -> list[str]:
    begun = words if words[0] in ("CMD", "CMD-SHELL") else ("CMD", *words)
    return [literal(word) for word in begun]


def _tmpfs(one: Writable) -> Noted:
    mode = "1777" if one.path == "/tmp" else "0777"
    return Noted(f"{literal(one.path)}:size={one.size.value // MIB}m,mode={mode}", one.size.note)


def _long_tmpfs(one: Writable) -> Noted:
    """Of a path with a colon, at which the short form would end."""
    options = {"size": f"{one.size.value // MIB}m", "mode": 0o1777}
    found = {"type": "tmpfs", "target": literal(one.path), "tmpfs": options}
    return Noted(found, one.size.note)


def _named_volume(one: Writable) -> Tree:
    if ":" not in one.path:
        return f"{_volume(one)}:{literal(one.path)}"
    return {"type": "volume", "source": _volume(one), "target": literal(one.path)}


def _volume(one: Writable) -> str:
    from imgopt.deploy.kubernetes.pod import volume_name

    return volume_name(one)


def _needs_init(plan: Plan) -> bool:
    """A signal without a handler ends every process but the first of a container."""
    one, stops = plan.facts.process_one, plan.facts.stops
    if one is None or one.kind == "init" or not stops:
        return False
    return all(stop.killed for stop in stops) and "SIGTERM" not in one.catches


def _at_least(least: int) -> Any:
    def holds(value: Any) -> bool:
        own = in_bytes(value)  # 0 for a variable, or for what Compose will refuse by itself
        return own == 0 or own >= least

    return holds


def _lasts(least: int) -> Any:
    from imgopt.compose.model import seconds

    def holds(value: Any) -> bool:
        own = seconds(value)
        return own is None or own >= least

    return holds
