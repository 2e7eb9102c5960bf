"""modern-syntax: old forms of instructions as they are written today, with the same result to the
byte."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from imgopt.dockerfile import Edit, Instruction
from imgopt.dockerfile.typed import Add, Env, Label, Maintainer, Pairs
from imgopt.rewrite.ignored.served_files import is_glob
from imgopt.rewrite.lines.paths import present
from imgopt.rewrite.lines.steps import is_archive
from imgopt.rewrite.strategy import Change, Example, Situation, Skip, Strategy

_KEY = re.compile(r"[A-Za-z_][\w./-]*", re.ASCII)
_QUOTED = re.compile(r"\"[^\"'\\`]*\"|'[^\"'\\`]*'")
_BARE = re.compile(r"[^\s\"'\\`]+")


def rewrite(situation: Situation) -> Iterator[Change | Skip]:
    """Every instruction in an old form, in every stage; what ONBUILD holds back stays as it is."""
    for item in situation.dockerfile.instructions:
        for form in FORMS.values():
            found = form.rewrite(situation, item)
            if found is not None:
                yield found


def _pairs(_situation: Situation, item: Instruction) -> Change | Skip | None:
    """`ENV key the rest of the line`: the rest is one value, quoted where the new form would cut
    it."""
    typed = item.typed
    if not isinstance(typed, Env | Label) or not typed.legacy:
        return None
    value = _value(item, typed)
    if value is None:
        return Skip(
            f"{item.keyword} stays in its old form: quotes, escapes or several lines may mean"
            " something else",
            item.line,
        )
    key = typed.pairs[0].key
    span = item.value_span
    because = (
        f"`{item.keyword} {key} ...` is an old form: the value is the rest of the line, whatever"
        " stands there"
    )
    return Change(because, item.line, (Edit(span.start, span.end, f"{key}={value}"),))


def _value(item: Instruction, pairs: Pairs) -> str | None:
    """The value as the new form writes it; None where that is not surely the same."""
    pair = pairs.pairs[0]
    value = pair.value or ""
    if (
        item.line != item.end_line
        or not _KEY.fullmatch(pair.key)
        or any(ord(char) < 32 for char in item.value)
    ):
        return None
    if _BARE.fullmatch(value) or _QUOTED.fullmatch(value):
        return value
    return None if set(value) & set("\"'\\`") else f'"{value}"'


def _add(situation: Situation, item: Instruction) -> Change | Skip | None:
    """ADD of files and folders of the context, which it neither fetches nor unpacks."""
    typed = item.typed
    if item.keyword != "ADD" or not isinstance(typed, Add):
        return None
    if typed.heredocs or typed.checksum or typed.keep_git_dir or typed.unpack is not None:
        return None
    scope = situation.dockerfile.scope_at(item)
    for written in typed.sources:
        source = scope.expand_known(written)
        if source is None:
            return Skip(f"`ADD {written}` stays: its name is a variable", item.line)
        if _fetches(source):
            return None
        why = _not_certain(situation, source)
        if why:
            return Skip(f"`ADD {written}` stays: {why}", item.line)
    span = item.keyword_span
    word = "copy" if item.text[span.start : span.end].islower() else "COPY"
    return Change(
        "ADD does here what COPY does: it fetches and unpacks nothing",
        item.line,
        (Edit(span.start, span.end, word),),
    )


def _fetches(source: str) -> bool:
    return "://" in source or source.startswith(("git@", "github.com/")) or source.endswith(".git")


def _not_certain(situation: Situation, source: str) -> str:
    """What ADD does with a source of the context besides copying it, or may do with a later file of
    that name."""
    context = situation.project.context
    clean = posixpath.normpath("/" + source).strip("/")
    found = [clean]
    if is_glob(clean):
        if not re.fullmatch(
            r"\.[a-z]{1,6}", posixpath.splitext(posixpath.basename(clean))[1]
        ) or _unpacked(clean):
            return "an archive that fits the pattern would be unpacked"
        found = present(context, clean)
    elif not clean or clean in context.folders:
        return ""
    if not found or any(path not in context.sizes for path in found):
        return "it is not in the build context"
    archive = next((path for path in found if _unpacked(path) or is_archive(context, path)), None)
    return f"{archive} is an archive, which ADD unpacks" if archive else ""


def _unpacked(path: str) -> bool:
    """By its name: the file may be a placeholder for an archive that is not fetched yet."""
    return path.endswith(
        (".tar", ".tgz", ".tbz", ".tbz2", ".txz", ".tzst", ".gz", ".bz2", ".xz", ".zst", ".lzma")
    )


def _maintainer(_situation: Situation, item: Instruction) -> Change | Skip | None:
    if not isinstance(item.typed, Maintainer):
        return None
    return Skip(
        "MAINTAINER stays: it fills the image's Author field, which no label does", item.line
    )


@dataclass(frozen=True, slots=True)
class Form:
    """An old form, what is written for it, and where it stays."""

    new: str
    stays: str
    rewrite: Callable[[Situation, Instruction], Change | Skip | None]


FORMS: Mapping[str, Form] = {
    "ENV KEY VALUE, LABEL KEY VALUE": Form(
        "may become KEY=VALUE, in quotes where the value has blanks",
        "a value with escapes, quotes inside, or several lines",
        _pairs,
    ),
    "ADD of plain files and folders of the context": Form(
        "may become COPY",
        "addresses, git, archives, patterns that may fit an archive, names in variables, ONBUILD",
        _add,
    ),
    "MAINTAINER": Form(
        "may become nothing else", "always: a label is not the image's Author field", _maintainer
    ),
}


STRATEGY = Strategy(
    name="modern-syntax",
    does="Old forms of ENV, LABEL and ADD as written today.",
    why=(
        "The old form `ENV KEY VALUE` takes the rest of the line for the value, `A=b` included, and"
        " BuildKit warns of it; ADD may fetch and unpack, which a reader has to rule out. The new"
        " forms say the same without doubt."
    ),
    safety="text",
    doubt=5,
    wrong="this is an old form of the instruction",
    references=(
        "https://docs.docker.com/reference/build-checks/legacy-key-value-format/",
        "https://docs.docker.com/build/building/best-practices/#add-or-copy",
    ),
    rewrite=rewrite,
    refuses=(
        "Values with escapes or quotes inside, instructions of several lines, ONBUILD; ADD of"
        " anything but plain files and folders that are in the context; MAINTAINER, which fills a"
        " field of its own."
    ),
    table=tuple((old, f"{form.new}; stays: {form.stays}") for old, form in FORMS.items()),
    examples=(
        Example(
            "an escape means something else in quotes",
            before="FROM a\nENV GREETING hello\\ world\n",
            after=None,
            refused="stays in its old form",
        ),
        Example(
            "a quote inside",
            before='FROM a\nENV JSON {"a": 1}\n',
            after=None,
            refused="stays in its old form",
        ),
        Example(
            "several lines", before="FROM a\nENV A b \\\n  c\n", after=None, refused="several lines"
        ),
        Example("the new form already", before="FROM a\nENV A=b C=d\nLABEL a=b\n", after=None),
        Example(
            "an instruction that waits for another build",
            before="FROM a\nONBUILD ADD x /x\n",
            after=None,
        ),
        Example("an address", before="FROM a\nADD https://example.org/x.txt /x\n", after=None),
        Example("a repository", before="FROM a\nADD git@example.org:a/b.git /b\n", after=None),
        Example(
            "an archive is unpacked",
            before="FROM a\nADD rootfs.tar.gz /\n",
            after=None,
            refused="which ADD unpacks",
            files={"rootfs.tar.gz": "x"},
        ),
        Example(
            "a pattern may fit an archive later",
            before="FROM a\nADD conf* /etc/\n",
            after=None,
            refused="would be unpacked",
            files={"conf.yml": "x"},
        ),
        Example(
            "a name in a variable",
            before="FROM a\nARG F\nADD $F /x\n",
            after=None,
            refused="is a variable",
        ),
        Example(
            "not in the context",
            before="FROM a\nADD app.jar /x\n",
            after=None,
            refused="not in the build context",
        ),
        Example(
            "a checksum is ADD's own",
            before="FROM a\nADD --checksum=sha256:" + 64 * "0" + " https://example.org/x /x\n",
            after=None,
        ),
        Example(
            "the author's field has no label",
            before="FROM a\nMAINTAINER Jo <jo@example.org>\n",
            after=None,
            refused="Author field",
        ),
        Example(
            "values with blanks, variables and equal signs",
            before=(
                'FROM a\nENV PATH /opt/bin:$PATH\nENV A b c=d\nENV OPTS  "-x $A"\nLABEL name The'
                " Name\n"
            ),
            after=(
                'FROM a\nENV PATH=/opt/bin:$PATH\nENV A="b c=d"\nENV OPTS="-x $A"\nLABEL name="The'
                ' Name"\n'
            ),
        ),
        Example(
            "files and folders",
            before="FROM a\nADD --chown=1:1 app.py src/ /srv/\nadd *.py /srv/\nADD . /all\n",
            after="FROM a\nCOPY --chown=1:1 app.py src/ /srv/\ncopy *.py /srv/\nCOPY . /all\n",
            files={"app.py": "", "src/a.py": ""},
        ),
    ),
)
