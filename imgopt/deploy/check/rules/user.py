"""Who a container runs as, and what it may do: against the image's own user and files."""

from __future__ import annotations

from collections.abc import Iterator

from imgopt.deploy.check.examples import deployment, facts, service
from imgopt.deploy.check.rule import Case, Found, Image, Rule
from imgopt.deploy.check.situation import Situation
from imgopt.deploy.check.workload import Container, Rights, Workload
from imgopt.image.config import is_root
from imgopt.image.recipe import File
from imgopt.inspect.system.users import EXECUTE, READ
from imgopt.results.deploy import Level
from imgopt.results.run_facts import User

_CONTEXT = "https://kubernetes.io/docs/tasks/configure-pod-container/security-context/"
_STANDARDS = "https://kubernetes.io/docs/concepts/security/pod-security-standards/"


def non_root(situation: Situation) -> Iterator[Found]:
    for one, container in situation.containers():
        rights = container.rights
        if not rights.non_root:
            continue
        if rights.user == 0:
            said, node = "runAsUser is 0", rights.user_node
        elif rights.user_text:
            continue
        else:
            said, node = _image_user(situation, container), rights.non_root_node
        if said:
            yield Found(
                node,
                one.title,
                f"container {container.name} will not start: runAsNonRoot is set",
                f"{said}: the kubelet says CreateContainerConfigError",
                "USER 65532:65532 in the Dockerfile, or runAsUser: 65532 here (a number that may"
                " read the application's files)",
            )


def _image_user(situation: Situation, container: Container) -> str:
    view, known = situation.view(container), situation.facts.get(container.image)
    if view is not None:
        said = view.config.user
    elif known is not None and known.user is not None:
        said = known.user.said
    else:
        return ""
    name = said.partition(":")[0]
    if is_root(said):
        return f"the image runs as root ({f'USER {said}' if said else 'it has no USER'})"
    return "" if name.isdigit() else f"the image has a non-numeric user ({name}), cannot verify"


def access(situation: Situation) -> Iterator[Found]:
    for one, container in situation.containers():
        if not container.rights.user_text:
            continue
        said = _no_access(situation, container)
        if said:
            yield Found(
                container.rights.user_node,
                one.title,
                f"container {container.name} runs as user {container.rights.user_text}, who may not"
                " do what its start needs",
                said,
                "the user of the image, or COPY --chown and modes that let others read",
            )


def _no_access(situation: Situation, container: Container) -> str:
    view, identity = situation.view(container), situation.identity(container)
    if view is None or container.rights.user_node.varies:
        return ""
    if identity is None:
        return f"the image knows no user {container.rights.user_text}"
    workdir = container.working_dir or view.workdir
    covered = container.covers(workdir) is not None or not view.exists(workdir)
    if not covered and not view.may(EXECUTE, workdir, identity):
        return f"{workdir} cannot be entered by user {identity.uid}"
    words = (*(container.command or view.config.entrypoint or ()),)
    words = words or container.arguments or view.config.cmd or ()
    node = view.command(words[0]) if words else None
    if node is None or container.covers(node.path):
        return ""
    script = bool(view.shebang(node))
    wanted = EXECUTE | (READ if script else 0)
    if not view.may(wanted, node.path, identity):
        return f"{node.path} cannot be executed by user {identity.uid}"
    return ""


def pod_security(situation: Situation) -> Iterator[Found]:
    for one, container in situation.containers():
        if one.compose or one.kind == "DaemonSet" or container.rights.privileged:
            continue
        missing = list(_missing(container.rights, _numeric(situation, container)))
        if missing:
            yield Found(
                container.node,
                one.title,
                f"container {container.name} keeps more rights than most programs need",
                f'not set: {", ".join(missing)} (Pod Security "restricted")',
                "set them, and try it: `imgopt run-facts` says which capabilities are needed",
            )


def _numeric(situation: Situation, container: Container) -> bool:
    view = situation.view(container)
    return view is not None and not is_root(view.config.user)


def _missing(rights: Rights, own_user: bool) -> Iterator[str]:
    if not rights.non_root and not (rights.user or own_user):
        yield "runAsNonRoot: true"
    if rights.escalation is not False:
        yield "allowPrivilegeEscalation: false"
    if "ALL" not in (name.upper() for name in rights.dropped):
        yield "capabilities.drop: [ALL]"
    if rights.seccomp not in ("RuntimeDefault", "Localhost"):
        yield "seccompProfile.type: RuntimeDefault"


def privileged(situation: Situation) -> Iterator[Found]:
    for one, container in situation.containers():
        if container.rights.privileged:
            yield Found(
                container.rights.node,
                one.title,
                f"container {container.name} is privileged",
                "it has every capability and every device: it is root on the machine",
                "the capabilities that it needs, by name"
                + (" (cap_add)" if one.compose else " (capabilities.add)"),
                _node_agent(one),
            )
    for one in situation.workloads:
        for node in one.host:
            yield Found(
                node,
                one.title,
                f"{one.title} shares the machine's own network, processes or memory",
                "its ports are the machine's, or it sees all that runs there",
                "leave it out, or keep it for agents of the node",
                _node_agent(one),
            )


def _node_agent(one: Workload) -> Level | None:
    return "note" if one.kind == "DaemonSet" else None


_NON_ROOT = "securityContext:\n  runAsNonRoot: true{}\n"
_NAMED_USER = Image({"/etc/passwd": "app:x:10:10::/home:/bin/sh\n"}, {"User": "app"})
NON_ROOT = Rule(
    id="D3",
    name="non-root-user",
    level="error",
    title="runAsNonRoot with a user that is no number",
    why="The kubelet looks at the image's USER alone: a name could be root, so the container never"
    " starts.",
    reference=_CONTEXT,
    look=non_root,
    needs=("image",),
    good=(
        Case(
            "a number",
            deployment(_NON_ROOT.format("")),
            image=Image({}, {"User": "65532:65532"}),
        ),
        Case(
            "the file says the number",
            deployment(_NON_ROOT.format("") + "  runAsUser: 10\n"),
            image=_NAMED_USER,
        ),
        Case("nobody asks for it", deployment(), image=_NAMED_USER),
        Case("the image is not here", deployment(_NON_ROOT.format(""))),
    ),
    bad=(
        Case("a name", deployment(_NON_ROOT.format("  # <-")), image=_NAMED_USER),
        Case("root", deployment(_NON_ROOT.format("  # <-")), image=Image({"/x": "x"})),
        Case(
            "of the pod",
            deployment(pod=_NON_ROOT.format("  # <-")),
            facts=facts(user=User(said="app", uid=10, gid=10)),
        ),
        Case("both are said", deployment(_NON_ROOT.format("") + "  runAsUser: 0  # <-\n")),
    ),
)
_APP = Image(
    {"/app": File(mode=0o700, uid=10, gid=10, folder=True), "/app/web": File("x", 0o700, 10, 10)},
    {"User": "10", "Entrypoint": ["/app/web"]},
)
ACCESS = Rule(
    id="D4",
    name="user-access",
    level="error",
    title="The user may not read what the start needs",
    why="Files belong to the image's own user; another number finds them closed.",
    reference=_CONTEXT,
    look=access,
    needs=("image",),
    good=(
        Case("the image's own", deployment("securityContext: {runAsUser: 10}\n"), image=_APP),
        Case("root may", deployment("securityContext: {runAsUser: 0}\n"), image=_APP),
        Case(
            "everybody may",
            deployment("securityContext: {runAsUser: 1000}\n"),
            image=Image({"/app/web": File("x", 0o755)}, {"Entrypoint": ["/app/web"]}),
        ),
    ),
    bad=(
        Case(
            "closed",
            deployment("securityContext:\n  runAsUser: 1000  # <-\n"),
            image=_APP,
        ),
        Case("no such name", service("user: shop  # <-\n"), image=_APP),
    ),
)
_RESTRICTED = (
    "securityContext:\n  runAsNonRoot: true\n  allowPrivilegeEscalation: false\n"
    "  capabilities: {drop: [ALL]}\n  seccompProfile: {type: RuntimeDefault}\n"
)
_NAMED = ("name: web\n          image", "name: web  # <-\n          image", 1)
POD_SECURITY = Rule(
    id="D31",
    name="pod-security",
    level="note",
    title="Rights that most programs do not need",
    why='A namespace with Pod Security "restricted" refuses the pod; and whoever breaks into it has'
    " them.",
    reference=_STANDARDS,
    look=pod_security,
    good=(
        Case("all is said", deployment(_RESTRICTED)),
        Case("agents of a node need more", deployment(kind="DaemonSet")),
        Case(
            "the pod says a part",
            deployment(
                "securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}\n",
                pod="securityContext: {runAsUser: 5, seccompProfile: {type: RuntimeDefault}}\n",
            ),
        ),
    ),
    bad=(Case("nothing is said", deployment().replace(*_NAMED)),),
)
PRIVILEGED = Rule(
    id="D32",
    name="privileged",
    level="warning",
    title="A container is root on the machine",
    why="Nothing is between it and the machine, whatever its image does.",
    reference=_STANDARDS,
    look=privileged,
    good=(
        Case("one capability", deployment("securityContext: {capabilities: {add: [NET_RAW]}}\n")),
        Case("said to be not", service("privileged: false\n")),
    ),
    bad=(
        Case("in a pod", deployment("securityContext:\n  privileged: true  # <-\n")),
        Case("in Compose", service("privileged: true  # <-\n")),
        Case("the machine's network", deployment(pod="hostNetwork: true  # <-\n")),
    ),
)
RULES = (NON_ROOT, ACCESS, POD_SECURITY, PRIVILEGED)
