"""State of tools that a final stage keeps and that no other build has under that name."""

from __future__ import annotations

import re

from imgopt.engine import BuildFailure
from imgopt.inspect.files.application_files import copied_layers
from imgopt.inspect.files.drawn_names import is_of_one_build
from imgopt.proof.built_again import BuiltAgain
from imgopt.rewrite.evidence import Evidence
from imgopt.rewrite.final.final_stage import FinalStage

ONLY_HERE = "state of a tool: each build gives it another name"
_TOOLS_OWN = re.compile(r"^/(?:(?:root|home/[^/]+)/)?\.[^/]+/|^/(?:var/)?tmp/|^/var/cache/")
"""Hidden folders of a home and folders for what is temporary: what COPY and the build command make
lies elsewhere."""


def drawn_state(final: FinalStage, evidence: Evidence, again: BuiltAgain) -> tuple[str, ...]:
    """What a final stage keeps in places of tools, that nothing opened and that only this build
    has; nothing is built where no COPY line would tell a name that a build draws."""
    named = {path for copy in final.copies if not copy.stage for path in copy.sources}
    if not any(_TOOLS_OWN.match(path) and is_of_one_build(path) for path in named):
        return ()
    kept = [
        path
        for path in final.carved.paths("kept")
        if _TOOLS_OWN.match(path) and path not in evidence.opened
    ]
    copied = copied_layers(evidence.view)
    own = [path for path in kept if evidence.facts[path].layer not in copied]
    try:
        return tuple(sorted(path for path in own if again.tree().get(path) is None)) if own else ()
    except BuildFailure:
        return ()
