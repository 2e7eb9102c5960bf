"""The program that hands out a built site, where a web server can do that in its place."""

from __future__ import annotations

from imgopt.inspect.sites.built_site import site_folder
from imgopt.inspect.sites.file_servers import FileServer, file_server
from imgopt.rewrite.evidence import Evidence
from imgopt.rewrite.final.fates import is_below
from imgopt.rewrite.strategy import SERVER, Project, Situation


def site_server(project: Project) -> FileServer | str:
    """The server of files that a web server can replace; else why not, "" for an image that starts
    none."""
    evidence = project.evidence
    if evidence is None or evidence.seen.opened is None:
        return ""
    server = file_server(evidence.view)
    if not isinstance(server, FileServer):
        return server.reason
    ports = evidence.seen.ports
    if site_folder(evidence.view, evidence.opened) != server.folder:
        return f"the service did not open {server.folder}/index.html"
    if len(ports) != 1 or (server.port is not None and ports != (server.port,)):
        return f"{server.program} listens on {', '.join(map(str, ports)) or 'no port'}"
    if any(
        _leads_out(evidence, path, server.folder)
        for path in evidence.facts
        if is_below(path, [server.folder])
    ):
        return f"a link in {server.folder} leads out of it"
    if evidence.view.identity is None:
        return f"the image does not know its user {evidence.config.user}"
    return server


def replaces_server(situation: Situation) -> bool:
    """Whether the service's own program and its packages are about to go, so that nothing has to be
    made smaller."""
    project = situation.project
    return SERVER in project.promises and isinstance(site_server(project), FileServer)


def _leads_out(evidence: Evidence, path: str, folder: str) -> bool:
    if evidence.facts[path].kind != "symlink":
        return False
    target = evidence.tree.resolve(path)
    return target is None or not is_below(target.path, [folder])
