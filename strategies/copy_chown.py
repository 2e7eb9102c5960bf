"""copy-chown: files get their owner when they are copied, not in a second layer that ships them
again."""

from __future__ import annotations

import itertools
import posixpath
import re
from collections.abc import Iterator, Mapping

from imgopt.dockerfile import Edit, Instruction
from imgopt.dockerfile.typed import Copy, Run
from imgopt.rewrite.lines.steps import files_copy, script_of, source_copy, workdir_at
from imgopt.rewrite.strategy import Change, Example, Situation, Skip, Strategy

SYSTEM_FOLDERS = frozenset(
    ["", "etc", "home", "media", "mnt", "opt", "root", "srv", "tmp", "usr", "var"]
)
"""Where images of services bring folders of their own."""
KEEPS: Mapping[str, tuple[str, str]] = {
    "more": (
        "a folder that the COPY right before it does not fill as a whole",
        "`chown -R` of {what} also changes what the COPY before it does not bring",
    ),
    "workdir": (
        "a folder that WORKDIR made before the copy",
        "WORKDIR made {what} before the copy, and COPY --chown does not change its owner",
    ),
    "into": (
        "files, or a pattern, that are copied into a folder: the copy makes it, for root",
        "COPY --chown does not change the owner of {what} itself, into which files are copied",
    ),
    "base": (
        "a folder that the base has",
        "the base has {what} already, and COPY --chown does not change its owner",
    ),
    "unseen": (
        "a folder right below one where bases have their own, while the base was not looked at",
        "the base may have {what} already: needs `imgopt optimize`",
    ),
    "earlier": (
        "a folder that an earlier step or copy may have put files into",
        "`{what}` may put files into {folder} before the copy",
    ),
    "own-group": (
        "the user's own group (`chown user:`)",
        "`chown {what}` takes the user's own group, which COPY --chown does not know",
    ),
    "link": ("names of users beside COPY --link", "COPY --link knows no names of users"),
    "group": (
        "a user alone, where the files come from another stage with groups of theirs",
        "`chown` without a group keeps the group of the copied files",
    ),
}
"""What `COPY --chown` does otherwise than `chown -R`: a row of the table, and the words of its
refusal."""
OWNER = re.compile(r"[A-Za-z0-9_.-]+(?::[A-Za-z0-9_.-]*)?")


def _keeps(key: str, what: str = "", folder: str = "") -> str:
    return KEEPS[key][1].format(what=what, folder=folder)


def rewrite(situation: Situation) -> Iterator[Change | Skip]:
    """A RUN that is nothing but `chown -R OWNER FOLDER`, right behind the COPY that fills the
    folder."""
    if situation.final is not None:
        return
    items = list(situation.stage.instructions)
    for before, item in itertools.pairwise(items):
        found = _chown(situation, item)
        if found is None or not isinstance(before.typed, Copy):
            continue
        yield from _one(situation, before, before.typed, item, *found)


def _chown(situation: Situation, item: Instruction) -> tuple[str, str] | None:
    """Owner and folder of a RUN that only changes an owner."""
    typed = item.typed
    if not isinstance(typed, Run) or typed.mounts or item.heredocs:
        return None
    script = script_of(situation.dockerfile, item)
    if script.unknown or len(script.commands) != 1:
        return None
    words = [value or "" for value in script.commands[0].values]
    if (
        len(words) != 4
        or words[0] != "chown"
        or words[1] not in ("-R", "--recursive")
        or not OWNER.fullmatch(words[2])
    ):
        return None
    return words[2], posixpath.normpath(
        posixpath.join(workdir_at(situation.dockerfile.scope_at(item)), words[3])
    )


def _one(
    situation: Situation,
    before: Instruction,
    copy: Copy,
    item: Instruction,
    owner: str,
    folder: str,
) -> Iterator[Change | Skip]:
    scope = situation.dockerfile.scope_at(before)
    target = scope.expand_known(copy.destination)
    place = (
        posixpath.normpath(posixpath.join(workdir_at(scope), target))
        if target is not None
        else None
    )
    if copy.chown or before.keyword != "COPY":
        return
    if place != folder:
        yield Skip(_keeps("more", folder), item.line)
        return
    if scope.workdir and posixpath.normpath("/" + scope.workdir.lstrip("/")) == folder:
        yield Skip(_keeps("workdir", folder), item.line)
        return
    refusal = (
        _made_folder(situation, copy)
        or _other_files(situation, before, folder)
        or _other_owner(copy, owner)
    )
    if refusal:
        yield Skip(refusal, item.line)
        return
    if ":" not in owner:
        owner += ":0"
    at = before.flags[0].span.start if before.flags else before.value_span.start
    start = item.comments[0].start if item.comments else item.extent.start
    because = "the owner is set while copying: `chown` afterwards ships every file a second time"
    yield Change(
        because, item.line, (Edit(at, at, f"--chown={owner} "), Edit(start, item.extent.end, ""))
    )


def _made_folder(situation: Situation, copy: Copy) -> str:
    """Files that are copied into a folder: the copy makes it for root, and `chown -R` gives it
    away."""
    if len(copy.sources) == 1 and not set(str(copy.sources[0])) & set("*?[$"):
        source = posixpath.normpath("/" + str(copy.sources[0])).strip("/")
        below = f"{source}/" if source else ""
        if not str(copy.destination).endswith("/"):
            return ""
        if copy.from_ is None and any(
            path.startswith(below) for path in situation.project.context.sizes
        ):
            return ""
    return _keeps("into", str(copy.destination))


def _other_files(situation: Situation, before: Instruction, folder: str) -> str:
    """What else may lie in the folder: `chown -R` changes that as well, and the copy does not."""
    evidence = situation.evidence
    base = evidence.view.base if evidence is not None else None
    if base is not None and base.tree().get(folder) is not None:
        return _keeps("base", folder)
    if base is None and folder.split("/")[1] in SYSTEM_FOLDERS:
        return _keeps("unseen", folder)
    name = folder.rpartition("/")[2]
    for part in situation.stage.chain:
        for other in part.instructions:
            if other is before or other.span.start > before.span.start:
                continue
            if name in other.value or _brings(situation, other, folder):
                return _keeps("earlier", f"{other.keyword} {other.value[:50]}", folder)
    return ""


def _brings(situation: Situation, item: Instruction, folder: str) -> bool:
    """Whether a copy that goes around the folder has such a folder itself, as far as can be told
    (`COPY . /`)."""
    if not isinstance(item.typed, Copy):
        return False
    scope = situation.dockerfile.scope_at(item)
    target = scope.expand_known(item.typed.destination)
    place = (
        posixpath.normpath(posixpath.join(workdir_at(scope), target)) if target is not None else "/"
    )
    if not f"{folder}/".startswith(f"{place.rstrip('/')}/"):
        return False
    context = situation.project.context
    copy = source_copy(situation.dockerfile, item, context)
    if copy is not None:
        return any(path.startswith(f"{folder}/") for path, _ in copy.lays(context))
    files = files_copy(situation.dockerfile, item, context, ())
    return files is None


def _other_owner(copy: Copy, owner: str) -> str:
    """Why `--chown` would give another owner or group than `chown` does."""
    user, colon, group = owner.partition(":")
    if colon and not group:
        return _keeps("own-group", owner)
    if copy.link and not (user.isdigit() and (group or "0").isdigit()):
        return _keeps("link")
    return "" if group or copy.from_ is None else _keeps("group")


STRATEGY = Strategy(
    name="copy-chown",
    does="Sets the owner while copying, not in a second layer.",
    why=(
        "`RUN chown -R` writes every file whose owner changes into a new layer, so the image ships"
        " all of them twice."
    ),
    safety="text",
    tidies_layers=True,
    doubt=25,
    wrong="the files are shipped twice, once for each owner",
    references=("https://docs.docker.com/reference/dockerfile/#copy---chown---chmod",),
    rewrite=rewrite,
    refuses=(
        "A folder that existed before the copy (its own owner would stay), or other paths than the"
        " copied ones."
    ),
    table=(
        (
            "`RUN chown -R OWNER FOLDER`, right behind the COPY that fills FOLDER",
            "the COPY gives the owner",
        ),
        ("a RUN that does more, has mounts, or names more than one path", "stays"),
        ("another instruction between the two, or a COPY with an owner of its own", "both stay"),
        *((row, "stays") for row, _ in KEEPS.values()),
    ),
    examples=(
        Example(
            "chown behind the copy",
            before="FROM node:20\nCOPY . /app\nRUN chown -R node:node /app\nUSER node\n",
            after="FROM node:20\nCOPY --chown=node:node . /app\nUSER node\n",
        ),
        Example(
            "the working directory was there before",
            before="FROM node:20\nWORKDIR /app\nCOPY . .\nRUN chown -R node /app\n",
            after=None,
            refused="does not change its owner",
        ),
        Example(
            "more than what was copied",
            before="FROM n\nCOPY a /app/a\nRUN chown -R node /app\n",
            after=None,
            refused="also changes",
        ),
        Example(
            "files of an earlier step",
            before="FROM n\nRUN mkdir -p /app/logs\nCOPY . /app\nRUN chown -R n:n /app\n",
            after=None,
            refused="may put files into /app",
        ),
        Example(
            "a folder that the base has",
            before=(
                "FROM nginx\nCOPY . /usr/share/nginx/html\nRUN chown -R nginx:nginx"
                " /usr/share/nginx/html\n"
            ),
            after=None,
            refused="the base may have",
        ),
        Example(
            "the group stays root's",
            before="FROM n\nCOPY . /app\nRUN chown -R 1001 /app\n",
            after="FROM n\nCOPY --chown=1001:0 . /app\n",
        ),
        Example(
            "a name in a layer of its own",
            before="FROM n\nCOPY --link . /app\nRUN chown -R n:n /app\n",
            after=None,
            refused="knows no names",
        ),
        Example(
            "a file into a folder that the copy makes",
            before="FROM n\nCOPY a.conf /conf/\nRUN chown -R n:n /conf\n",
            after=None,
            refused="owner of /conf/ itself",
            files={"a.conf": "a"},
        ),
        Example(
            "what another stage has may be one file",
            before="FROM a AS b\nFROM n\nCOPY --from=b /out /srv/app/\nRUN chown -R n:n /srv/app\n",
            after=None,
            refused="owner of /srv/app/ itself",
        ),
        Example(
            "the source brought the folder",
            before="FROM n\nCOPY . .\nCOPY conf /conf\nRUN chown -R n:n /conf\n",
            after=None,
            refused="may put files into /conf",
            files={"conf/x": "x"},
        ),
        Example(
            "the source goes elsewhere",
            before="FROM n\nWORKDIR /app\nCOPY . .\nCOPY conf /conf\nRUN chown -R n:n /conf\n",
            after="FROM n\nWORKDIR /app\nCOPY . .\nCOPY --chown=n:n conf /conf\n",
            files={"conf/x": "x"},
        ),
        Example(
            "several sources into a folder",
            before="FROM n\nCOPY a b /conf/\nRUN chown -R n:n /conf\n",
            after=None,
            refused="owner of /conf/ itself",
            files={"a/x": "x", "b/y": "y"},
        ),
        Example(
            "a folder under its own name",
            before="FROM n\nCOPY conf /conf/\nRUN chown -R n:n /conf\n",
            after="FROM n\nCOPY --chown=n:n conf /conf/\n",
            files={"conf/x": "x"},
        ),
        Example(
            "a second command",
            before="FROM n\nCOPY . /app\nRUN chown -R n /app && ls\n",
            after=None,
        ),
    ),
)
