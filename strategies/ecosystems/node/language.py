"""Node.js: what a script of package.json starts, and its packages."""

from __future__ import annotations

from imgopt.rewrite.language import Language
from imgopt.strategies.ecosystems.node.packages import NodePackages
from imgopt.strategies.ecosystems.node.scripts import node_script

LANGUAGE = Language(launched=node_script, packages=NodePackages)
