"""Words: quotes, escapes, every `${…}` form, splitting, errors. Values are BuildKit's
(shell/lex.go)."""

from __future__ import annotations

import pytest

from imgopt.dockerfile import ExpansionError, expand, expand_words
from imgopt.dockerfile.expand import Lexer

ENV = {
    "D": "/home",
    "S": "bash",
    "K": "한국어",
    "N": "",
    "P": "xxyy",
    "U": "/foo*/*/*.txt",
    "V": "v1.2.3",
}

WORDS = {
    "plain": "plain",
    "he'll'o": "hello",
    "he\\'llo": "he'llo",
    "he\\\\'l'o": "he\\lo",
    "abc\\tdef": "abctdef",
    '"abc\\tdef"': "abc\\tdef",
    "'abc\\tdef'": "abc\\tdef",
    'he\\"llo': 'he"llo',
    '"he\'llo"': "he'llo",
    "'he\"llo'": 'he"llo',
    '"he\\"llo"': 'he"llo',
    '""': "",
    "''": "",
    "a b": "a b",
    "  a ": "  a ",
    "$": "$",
    "a$": "a$",
    "$ a": "$ a",
    "\\$D": "$D",
    "'$D'": "$D",
    '"$D"': "/home",
    '"\\$D"': "$D",
    "$D": "/home",
    "${D}": "/home",
    "a$Db": "a",
    "a${D}b": "a/homeb",
    "$D:x": "/home:x",
    "$none": "",
    "${none}": "",
    "$1": "",
    "$12a": "a",
    "$@x": "x",
    "$$": "",
    "$K": "한국어",
    "안녕$K": "안녕한국어",
    "${D}${S}": "/homebash",
    "x\\": "x",
    '"x\\y"': "x\\y",
    '"x\\\\y"': "x\\y",
    "\\\\": "\\",
    "\\n": "n",
    "'\\'": "\\",
    '"\'"': "'",
    "${none-a}": "a",
    "${N-a}": "",
    "${D-a}": "/home",
    "${none:-a}": "a",
    "${N:-a}": "a",
    "${D:-a}": "/home",
    "${none+a}": "",
    "${N+a}": "a",
    "${D+a}": "a",
    "${none:+a}": "",
    "${N:+a}": "",
    "${D:+a}": "a",
    "${none:-$D}": "/home",
    "${none:-${S}}": "bash",
    "${none:-${x:-${y:-z}}}": "z",
    "${none:-a b}": "a b",
    "${none:-'a}b'}": "a}b",
    '${none:-"a}b"}': "a}b",
    "${none:-a\\}b}": "a}b",
    "${none:-}": "",
    "${N:+}": "",
    "${D?no}": "/home",
    "${D:?no}": "/home",
    "${N?no}": "",
    "${none:-\\$D}": "$D",
    '"${none:-$D}"': "/home",
    "${P#x}": "xyy",
    "${P#*x}": "xyy",
    "${P##*x}": "yy",
    "${P#*}": "xxyy",
    "${P##*}": "",
    "${P#}": "xxyy",
    "${P%y}": "xxy",
    "${P%y*}": "xxy",
    "${P%%y*}": "xx",
    "${P%%*}": "",
    "${P%}": "xxyy",
    "${P%z}": "xxyy",
    "${P#?}": "xyy",
    "${P%??}": "xx",
    "${P#*x*y}": "y",
    "${none#a}": "",
    "${D##*/}": "home",
    "${V#v}": "1.2.3",
    "${V%.*}": "v1.2",
    "${V%%.*}": "v1",
    "${P/x/z}": "zxyy",
    "${P//x/z}": "zzyy",
    "${P/q/z}": "xxyy",
    "${P//x/}": "yy",
    "${P/x*/z}": "z",
    "${P//?/z}": "zzzz",
    "${U/\\*\\//.}": "/foo.*/*.txt",
    "${D//\\//-}": "-home",
    "${P///}": "xxyy",
    "${P/x/\\/}": "\\/xyy",
    "${none/x/y}": "",
    "${V//./}": "v123",
    "${V/v/$D}": "/home1.2.3",
    "${P//x/$none}": "yy",
    "${P//x/a$0b}": "ababyy",
}


@pytest.mark.parametrize("word", WORDS)
def test_expansion(word: str) -> None:
    assert expand(word, ENV) == WORDS[word]


REFUSED = {
    "'a": "single-quote",
    '"a': "double-quote",
    "${": "missing '}'",
    "${}": "bad substitution",
    "${:-a}": "bad substitution",
    "${{a}": "bad substitution",
    "${a": "unsupported modifier",
    "${a:": "missing '}'",
    "${a:-": "missing '}'",
    "${a:-b": "missing '}'",
    "${a,,}": "unsupported modifier",
    "${a^}": "unsupported modifier",
    "${a=b}": "unsupported modifier",
    "${a:=b}": "unsupported modifier",
    "${a:1}": "unsupported modifier",
    "${a?}": "a: is not allowed to be unset",
    "${a?need it}": "a: need it",
    "${N:?}": "N: is not allowed to be empty",
    "${a:?$D}": "a: /home",
    "${D/x}": "missing '/'",
    "${D//}": "missing '/'",
    "${D/x/y": "missing '}'",
    "${D#\\x}": "invalid pattern",
    '"${a:-b"': "",
    "${a:-'b}": "",
    "'it''s": "single-quote",
}


@pytest.mark.parametrize("word", REFUSED)
def test_refused_words(word: str) -> None:
    with pytest.raises(ExpansionError) as caught:
        expand(word, ENV)
    assert REFUSED[word] in str(caught.value)


SPLIT = {
    "a b": ("a", "b"),
    "  a   b ": ("a", "b"),
    "'a b' c": ("a b", "c"),
    'a"b c"d': ("ab cd",),
    "a\\ b": ("a b",),
    "$TWO": ("x", "y"),
    '"$TWO"': ("x y",),
    "a$TWO": ("ax", "y"),
    "${none:-a b}": ("a", "b"),
    "''": (),
    '""a': ("a",),
    "": (),
    "$none": (),
    "a $none b": ("a", "b"),
    "<<A b": ("<<A", "b"),
    "<<  A b": ("<<  A", "b"),
    "a\u00a0b": ("a", "b"),
}


@pytest.mark.parametrize("word", SPLIT)
def test_splitting(word: str) -> None:
    assert expand_words(word, {"TWO": "x y"}) == SPLIT[word]


def test_matched_and_unmatched_names() -> None:
    found = Lexer("${A-x} ${B:-$C} $A", {"A": "1", "B": ""}).run()
    assert (found.text, found.matched, found.unmatched) == ("1  1", {"A", "B"}, {"C"})


def test_unset_variables_can_be_kept() -> None:
    found = Lexer("$A ${B} ${C:-d} ${E/f/g} $F", {"F": "x"}, skip_unset=True).run()
    assert found.text == "$A ${B} ${C:-d} ${E/f/g} x"


def test_quotes_and_escapes_can_be_kept() -> None:
    assert (
        Lexer("'a' \"b\" c\\d", {}, raw_quotes=True, raw_escapes=True).run().text
        == "'a' \"b\" c\\d"
    )


def test_quotes_can_be_plain_text() -> None:
    assert Lexer('it\'s $A "$A"', {"A": "1"}, skip_quotes=True).run().text == 'it\'s 1 "1"'


def test_backquote_escapes_when_the_file_says_so() -> None:
    assert expand("a`$b \\$A", {"A": "1"}, "`") == "a$b \\1"


def test_many_stars_take_no_exponential_time() -> None:
    word = "${P#" + "*a" * 40 + "b}"
    assert expand(word, {"P": "a" * 4000}) == "a" * 4000


def test_substitutions_nested_beyond_reason_are_refused() -> None:
    with pytest.raises(ExpansionError, match="nested"):
        expand("${a:-" * 100_000, {})
