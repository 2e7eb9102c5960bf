"""Dockerfiles as BuildKit reads them: lossless syntax, typed instructions, stages, shell, edits,
.dockerignore.

The kinds of instructions are in `imgopt.dockerfile.typed`, edits of whole instructions and stages
in `imgopt.dockerfile.moves`, BuildKit's own picture of a file in `imgopt.dockerfile.dump`.

>>> from imgopt.dockerfile import parse
>>> file = parse("FROM python:3.12 AS app\\nCOPY . .\\n")
>>> file.stages[0].base.tag, str(file) == file.text
('3.12', True)
"""

from imgopt.dockerfile.compat import DockerfileParser
from imgopt.dockerfile.edits import Edit, apply_edits
from imgopt.dockerfile.expand import ExpansionError, expand, expand_words
from imgopt.dockerfile.ignore import IgnoreFile, find_ignore_file
from imgopt.dockerfile.instruction import Instruction
from imgopt.dockerfile.model import Dockerfile, parse
from imgopt.dockerfile.problems import Problem
from imgopt.dockerfile.reference import ImageReference
from imgopt.dockerfile.scope import Scope
from imgopt.dockerfile.shell import read_shell
from imgopt.dockerfile.shellmodel import Command, Compound, Group, Pipeline, Script
from imgopt.dockerfile.shellwords import ShellWord
from imgopt.dockerfile.spans import Span
from imgopt.dockerfile.stages import Stage
from imgopt.dockerfile.style import Style
from imgopt.dockerfile.written import Flag

__all__ = [
    "Command",
    "Compound",
    "Dockerfile",
    "DockerfileParser",
    "Edit",
    "ExpansionError",
    "Flag",
    "Group",
    "IgnoreFile",
    "ImageReference",
    "Instruction",
    "Pipeline",
    "Problem",
    "Scope",
    "Script",
    "ShellWord",
    "Span",
    "Stage",
    "Style",
    "apply_edits",
    "expand",
    "expand_words",
    "find_ignore_file",
    "parse",
    "read_shell",
]
