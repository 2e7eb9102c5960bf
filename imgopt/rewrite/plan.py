"""A plan: the strategies of one variant over one Dockerfile, and the text that comes of it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from imgopt.context.ecosystems import Ecosystem
from imgopt.dockerfile import Dockerfile, Edit, Instruction, apply_edits
from imgopt.dockerfile.typed import Workdir
from imgopt.results.optimize import Part, Parts
from imgopt.results.rewrite import Change, Skip
from imgopt.rewrite.draft import Draft, new_draft, parsed, run_strategy
from imgopt.rewrite.effects import Effects, other_base
from imgopt.rewrite.final.as_root import as_root
from imgopt.rewrite.final.authors_name import keep_name
from imgopt.rewrite.final.before_copy import last_run
from imgopt.rewrite.final.fates import Carved, Fate
from imgopt.rewrite.final.final_stage import FinalStage
from imgopt.rewrite.final.settings import idle_settings, removal
from imgopt.rewrite.ignored.hidden_paths import kept_out
from imgopt.rewrite.lines.base_name import spelled
from imgopt.rewrite.lines.lint_marks import without_idle_marks
from imgopt.rewrite.strategy import Project, Situation, Strategy

_MOST_PASSES = 4
_WINDOWS = "a Windows base: its shell, folders and mounts are others"
_NO_SHELL = "the last stage has no shell that could make or remove what another one needs"
_WINDOWS_NAMES = (
    "windows",
    "nanoserver",
    "servercore",
    "ltsc20",
    "/iis:",
)


@dataclass(frozen=True)
class Plan:
    """A new Dockerfile and why it is as it is. `final` is set where a stage was carved."""

    dockerfile: str
    ignore: str | None
    changes: tuple[Change, ...]
    skips: tuple[Skip, ...]
    final: FinalStage | None
    kept_out: frozenset[str] = frozenset()
    """Paths of the image that the new ignore file keeps out; for the proof, so not looked for from
    text alone."""
    effects: Effects = field(default_factory=dict)
    """What its changes do to the image beyond their lines."""
    lines: tuple[int | None, ...] = ()
    """For each line of `dockerfile`, where no stage was added: its line in the original; None for
    new lines."""

    @property
    def base(self) -> str:
        """The base of what ships, where it is not the original's; "" where it is."""
        return self.final.base if self.final is not None else other_base(self.effects)

    @property
    def removed_tools(self) -> tuple[str, ...]:
        """Packages that the builder removes, because nothing of them was opened."""
        return self.final.removed_tools if self.final is not None else ()

    @property
    def strategies(self) -> tuple[str, ...]:
        """Names of the strategies that changed something, in order."""
        return tuple(dict.fromkeys(change.strategy for change in self.changes))

    @property
    def parts(self) -> Parts:
        return summarize(self.final.carved) if self.final is not None else Parts()


def make_plan(text: str, project: Project, strategies: Iterable[Strategy]) -> Plan:
    """Runs the strategies in order; each sees what the ones before it made."""
    draft = new_draft(text, project.context.ignore)
    strategies = tuple(strategies)
    promised = frozenset[str]().union(project.promises, *(one.promises for one in strategies))
    project = replace(project, promises=promised)
    if _is_for_windows(parsed(text), project.target, project.ecosystems):
        skips = tuple(
            Skip(strategy=strategy.name, line=None, reason=_WINDOWS) for strategy in strategies
        )
        return Plan(text, draft.ignore, (), skips, None)
    settled: dict[str, str] = {}
    for strategy in strategies:
        if project.evidence is None and strategy.safety == "text":
            draft = _once(draft, strategy, project, settled)  # they settle together
        else:
            draft = _settled(draft, strategy, project)
    draft = _settled_together(draft, text, strategies, project, settled)
    if _wants_a_shell(draft, project):
        return _without_carving(text, project, strategies)
    gone = frozenset[str]()
    if project.evidence is not None:
        gone = kept_out(Situation(project, parsed(text), ignore=draft.ignore))
    lines = draft.lines if draft.final is None else ()
    named = parsed(text).target(project.target).name
    written, lines = without_idle_marks(_text(draft, project, named), lines, text, project)
    return Plan(
        written,
        draft.ignore,
        draft.changes,
        draft.skips,
        draft.final,
        gone,
        draft.effects,
        lines,
    )


def _wants_a_shell(draft: Draft, project: Project) -> bool:
    """A carved stage whose builder, the author's own stage, would have to run something and
    cannot."""
    final, evidence = draft.final, project.evidence
    if final is None or evidence is None or evidence.view.has_shell:
        return False
    if final.render_builder_middle() or final.render_builder_tail():
        return True
    dockerfile = parsed(draft.text)
    root = dockerfile.target(project.target).root
    beside = (stage for stage in dockerfile.stages if stage.root is root)
    return any(item.keyword == "RUN" for stage in beside for item in stage.instructions)


def _without_carving(text: str, project: Project, strategies: tuple[Strategy, ...]) -> Plan:
    """What is right by the text alone; the others say why they are not there."""
    by_text = [strategy for strategy in strategies if strategy.safety != "evidence"]
    plan = make_plan(text, project, by_text)
    left = (
        Skip(strategy=strategy.name, line=None, reason=_NO_SHELL)
        for strategy in strategies
        if strategy not in by_text
    )
    return replace(plan, skips=(*plan.skips, *left))


def _is_for_windows(
    dockerfile: Dockerfile, target: str | None, ecosystems: Iterable[Ecosystem]
) -> bool:
    """A stage of the build stands on a Windows image, by the names of Microsoft's and Docker's own,
    or says so itself: by its platform, its shell or its folders."""
    stages = dockerfile.reachable(target)
    names = [str(stage.root.base).lower() for stage in stages]
    parts = [*_WINDOWS_NAMES, *(part for one in ecosystems for part in one.windows_bases)]
    if any(part in name for name in names for part in parts):
        return True
    return any(_speaks_windows(item) for stage in stages for item in stage.instructions)


def _speaks_windows(item: Instruction) -> bool:
    if item.keyword == "FROM":
        platform = item.flag("platform")
        return platform is not None and (platform.value or "").startswith("windows")
    if item.keyword == "SHELL":
        program = (item.json or ("",))[0]
        return re.match(r"(?i)(?:.*[\\/])?(?:cmd|powershell)(?:\.exe)?$", program) is not None
    typed = item.typed
    return isinstance(typed, Workdir) and re.match(r"[A-Za-z]:[\\/]", typed.path) is not None


def _settled(draft: Draft, strategy: Strategy, project: Project) -> Draft:
    """A strategy on text alone runs until it has nothing left to change, so that rewriting twice is
    rewriting once."""
    new = first = run_strategy(draft, strategy, project)
    for _ in range(_MOST_PASSES if strategy.safety == "text" else 0):
        last = new.text
        if last == draft.text:
            break
        new = run_strategy(replace(new, skips=draft.skips), strategy, project)
        if new.text == last:
            break
    return replace(new, skips=first.skips)


def _once(draft: Draft, strategy: Strategy, project: Project, settled: dict[str, str]) -> Draft:
    """`settled`: the text to which each strategy had nothing to add."""
    new = run_strategy(draft, strategy, project)
    if new.text == draft.text:
        settled[strategy.name] = new.text
    return new


def _settled_together(
    draft: Draft,
    text: str,
    strategies: Iterable[Strategy],
    project: Project,
    settled: dict[str, str],
) -> Draft:
    """What a strategy on text alone removes (a `chown` behind a COPY) may be what held back one
    that came before it: they go on together until none has anything left to change. A carved stage
    is written once."""
    skips = draft.skips
    for _ in range(_MOST_PASSES):
        if draft.final is not None or draft.text == text:
            break
        text = draft.text
        for strategy in strategies:
            if strategy.safety == "text" and settled.get(strategy.name) != draft.text:
                draft = _once(draft, strategy, project, settled)
    return replace(draft, skips=skips)


def _text(draft: Draft, project: Project, authors_name: str | None) -> str:
    final = draft.final
    if final is None:
        return draft.text
    dockerfile = parsed(draft.text)
    stage = dockerfile.target(project.target)
    last, early, tail = last_run(stage), final.render_builder_middle(), final.render_builder_tail()
    text = draft.text
    if not authors_name:
        behind = bool(tail or (early and last is None))
        idle = idle_settings(dockerfile, stage, final.settings, behind=behind)
        text = apply_edits(text, [removal(text, item) for item in idle])
    if last is not None and early:
        early = as_root(early, dockerfile, last, project.evidence)
        text = apply_edits(text, [Edit(last.extent.end, last.extent.end, early)])
    elif early:
        tail = early + tail
    tail = as_root(tail, dockerfile, (stage.instructions or (stage.start,))[-1], project.evidence)
    base = spelled(dockerfile, stage, final.base, project.args) or final.base
    ours, others = _behind(text, stage.index)
    whole = ours.rstrip() + "\n" + tail + "\n" + replace(final, base=base).render()
    ships = parsed(whole).stages[-1].index
    if others.strip():
        whole = whole.rstrip() + "\n\n" + others.lstrip("\r\n")
    if authors_name:
        whole = keep_name(whole, authors_name, ships)
    eol = dockerfile.eol
    return whole.replace("\r\n", "\n").replace("\n", eol) if eol != "\n" else whole


def _behind(text: str, index: int) -> tuple[str, str]:
    """The file up to the end of a stage, and the stages behind it: what is built where nobody names
    a stage stays the last one."""
    dockerfile = parsed(text)
    if index == len(dockerfile.stages) - 1:
        return text, ""
    end = dockerfile.stages[index].instructions[-1].extent.end
    return text[:end], text[end:]


def summarize(carved: Carved) -> Parts:
    """The parts by folder and reason; their bytes sum to what the original adds over its base."""
    return Parts(
        kept=_rows(carved, "kept"),
        reinstalled=_rows(carved, "reinstalled"),
        replaced=_rows(carved, "replaced"),
        dropped=_rows(carved, "dropped"),
    )


def _rows(carved: Carved, fate: Fate) -> list[Part]:
    sums: dict[tuple[str, str], int] = {}
    for path in carved.paths(fate):
        key = ("/".join(path.split("/")[:3]), carved.fates[path].reason)
        sums[key] = sums.get(key, 0) + carved.facts[path].size
    rows = [Part(path=path, bytes=size, reason=reason) for (path, reason), size in sums.items()]
    return sorted(rows, key=lambda row: (-row.bytes, row.path, row.reason))
