"""Our reading of a file is BuildKit's, instruction by instruction: cases by name, generated files,
any text."""

from __future__ import annotations

import pytest
from buildkit_oracle import is_comparable, ours, random_file, theirs
from hypothesis import given, settings
from hypothesis import strategies as st

CASES = {
    "add-copy-json-with-blanks-in-names": 'FROM a\nADD ["one two", "b c", "/d/"]\nCOPY ["x", "./y"]\n',
    "args-with-and-without-values": "ARG a\nARG b=\nARG c='d e' f\nFROM a\nARG G=\"h i\" J\n",
    "long-file-with-blank-continuations": "FROM a\nRUN x && \\\n\n    y && \\\n# why\n    z\nENV A 1\nRUN w\n",
    "continuation-at-the-end-of-the-file": "FROM a\nRUN b \\",
    "continuation-then-only-blank-lines": "FROM a\nRUN b \\\n\n\n",
    "indented-continuations-keep-their-blanks": "FROM a\nRUN x\\\n    y\\\n\tz\n",
    "env-old-form-and-new-form": "FROM a\nENV n v w\nENV n=v\nENV n=v m=w\nENV n=\"a b\" m='c d'\n"
    "ENV n=a\\ b\nENV n=\n",
    "env-value-with-equals": 'FROM a\nENV a=b=c\nENV a b=c\nENV a="b=c"\n',
    "escape-directive-in-capitals": "# EsCaPe=`\nFROM a\nRUN x `\n  y\\\n",
    "escape-after-a-comment-is-a-comment": "# hi\n# escape=`\nFROM a\nRUN x `\nRUN y \\\n z\n",
    "escape-without-a-final-line-end": "# escape=`\nFROM a\nRUN x `\n y",
    "escape-below-syntax": "# syntax = x/y:1\n# escape = `\nFROM a\nRUN x `\n y\n",
    "escaped-quotes-and-line-ends": 'FROM a\nENV x="a\\"b" y=c\\\\ z=d\nENV q=1 \\\n w=2\\\\\nRUN echo \\\\\\\n',
    "escaped-backslash-ends-the-line": "FROM a\nENV x=c:\\\\\nENV y=2\n",
    "flags-and-their-end": "FROM a\nCOPY --user=me a b\nCOPY --x -- a b\nCOPY -- --a b\n"
    'CMD --d [ "a" ]\nCMD --d -- [ ]\n',
    "flags-quoted": 'FROM a\nRUN --x=\'a b\' --y="c d" --z=e\\ f g\nRUN --x="a\'b" c\n',
    "healthcheck-forms": "FROM a\nHEALTHCHECK\nHEALTHCHECK NONE\nHEALTHCHECK CMD a b\n"
    'HEALTHCHECK --interval=5s CMD ["a"]\n',
    "json-in-single-quotes-is-shell": "FROM a\nCMD ['a', 'b']\nRUN [ 'a' ]\n",
    "json-inside-a-string": 'FROM a\nCMD "[\\"a\\"]"\nCMD \'["a"]\'\n',
    "json-bracket-left-open": 'FROM a\nCMD [ "a", "b"\n',
    "json-string-left-open": 'FROM a\nCMD [ "a", "b ]\n',
    "json-with-trailing-comma": 'FROM a\nCMD ["a",]\n',
    "json-escapes": 'FROM a\nCMD ["\\u0041\\n", "\\"", "a\\/b"]\nCMD []\nENTRYPOINT [  ]\n',
    "json-nested-is-refused": 'FROM a\nCMD [ "a", [ "b" ] ]\n',
    "json-number-is-refused": "FROM a\nRUN [1]\n",
    "json-object-is-shell": 'FROM a\nRUN {"a": 1}\n',
    "entrypoint-oddities": 'FROM a\nENTRYPOINT [ "a" ]  \nENTRYPOINT x [ "a" ]\nentrypoint\tb\n',
    "edge-case-words": 'FROM a\nEXPOSE 1   2\t3\nVOLUME /a /b\nVOLUME ["/c d"]\nUSER   a b  \n',
    "onbuild-nests": 'FROM a\nONBUILD RUN x\nONBUILD ENV a=b\nONBUILD COPY ["a", "b"]\nONBUILD CMD ["a"]\n',
    "mixed-case-keywords": "from a\nRuN x\ncOpY a b\n",
    "tabs-and-form-feeds-between-words": "FROM\ta\nCOPY\ta\tb\n",
    "trailing-blanks": "FROM a   \nRUN x \t \n",
    "trailing-backslash-with-blanks": "FROM a\nRUN x \\  \n  y \\\t\n z\n",
    "crlf": 'FROM a\r\nRUN x \\\r\n y\r\nCMD ["a"]\r\n',
    "byte-order-mark": "\ufeffFROM a\n",
    "byte-order-mark-before-a-directive": "\ufeff# escape=`\nFROM a\nRUN x `\n y\n",
    "comment-characters-inside-a-line": "FROM a\nRUN x # y\nENV a=b#c\n",
    "comments-after-blanks": "  # c\nFROM a\n   RUN x\n",
    "empty-file-is-refused": "",
    "only-comments-is-refused": "# a\n# b\n",
    "env-without-a-value-is-refused": "FROM a\nENV PATH\n",
    "env-second-word-without-equals-is-refused": "FROM a\nENV a=b c\n",
    "label-without-a-value-is-refused": "FROM a\nLABEL x\n",
    "second-escape-directive-is-refused": "# escape=`\n# escape=\\\nFROM a\n",
    "unknown-escape-is-refused": "# escape=x\nFROM a\n",
    "unknown-instruction-is-read": "FROM a\nFOO bar baz\n",
    "instructions-without-arguments": "FROM\nRUN\nCOPY\nENV\nLABEL\nARG\nUSER\n",
    "backslash-alone": "\\\nFROM a\n",
    "line-of-the-greatest-length": "FROM a\nRUN " + "x" * 65531 + "\n",
    "line-too-long-is-refused": "FROM a\nRUN " + "x" * 65532 + "\n",
    "last-line-too-long-is-refused": "FROM a\nRUN " + "x" * 65532,
    "continued-line-too-long-is-refused": "FROM a\nRUN x \\\n" + "y" * 65536 + "\n",
    "line-too-long-in-bytes-is-refused": "FROM a\nRUN " + "é" * 32766 + "\n",
    "heredoc": "FROM a\nRUN <<E\nx\nE\nRUN y\n",
    "heredoc-tabs": "FROM a\nRUN <<-E\n\tx\n\tE\nRUN y\n",
    "heredoc-quoted-name": "FROM a\nRUN <<'E'\nx $y\nE\nCOPY <<\"F\" /d\nz\nF\n",
    "heredoc-with-crlf": "FROM a\r\nRUN <<E\r\nx\r\nE\r\nRUN y\r\n",
    "heredoc-last-line-without-line-end": "FROM a\nRUN <<E\nx\nE",
    "heredoc-not-ended-is-refused": "FROM a\nRUN <<E\nx\n",
    "heredoc-in-onbuild": "FROM a\nONBUILD COPY <<E /d\nx\nE\nRUN y\n",
    "heredoc-with-comment-and-continuation-in-it": "FROM a\nRUN <<E\n# c\nx \\\nE\nRUN y\n",
    "heredoc-only-in-run-copy-add": "FROM a\nUSER <<E\nE\nCMD <<E\nENV a=<<E\n",
    "heredoc-not-in-json": 'FROM a\nRUN ["<<E"]\nRUN x\n',
    "heredoc-behind-an-open-quote-is-none": "FROM a\nRUN echo it's <<E\nRUN x\n",
    "heredoc-behind-a-bad-substitution-is-none": "FROM a\nRUN ${x,,} <<E\nRUN y\n",
    "heredoc-in-the-exec-of-sh": "FROM a\nRUN cat <<E | tee f\nx\nE\nRUN y\n",
    "heredoc-name-with-an-escaped-quote": "FROM a\nRUN <<E\\'f\nE'f\nRUN x\n",
}


@pytest.mark.parametrize("name", CASES)
def test_reads_as_buildkit_does(name: str) -> None:
    text = CASES[name]
    assert ours(text) == theirs(text)
    assert (theirs(text) == "refused") == name.endswith("-is-refused")


def test_generated_files_read_as_buildkit_does() -> None:
    compared = refused = 0
    for seed in range(1500):
        text = random_file(seed)
        if is_comparable(text):
            compared += 1
            expected = theirs(text)
            refused += expected == "refused"
            assert ours(text) == expected, f"seed {seed}: {text!r}"
    assert compared >= 300
    assert refused >= 30


_LINES = st.sampled_from(
    ["FROM a", "RUN x", "ENV a=b", "COPY a b", "CMD ['x']", "LABEL a b", "VOLUME /x", "ARG y"]
)
_TEXT = st.text(alphabet=st.sampled_from(list("ab=$ '\"\\`[],-<>#\n\r\t{}:/é")), max_size=30)


@given(st.lists(st.tuples(_LINES, _TEXT), min_size=1, max_size=5))
@settings(max_examples=200, deadline=None)
def test_any_arguments_read_as_buildkit_does(lines: list[tuple[str, str]]) -> None:
    text = "\n".join(line + rest for line, rest in lines) + "\n"
    if is_comparable(text):
        assert ours(text) == theirs(text)
