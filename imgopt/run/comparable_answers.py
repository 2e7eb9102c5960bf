"""Which answers of the original say something that a variant can be compared with."""

from __future__ import annotations

from imgopt.run.probes import UNKNOWN_PATH, Answer
from imgopt.run.what_to_ask import is_usual


def only_errors(answers: tuple[Answer, ...]) -> bool:
    """An original that only says 5xx shows nothing that a variant could be compared with."""
    asked = [
        answer
        for answer in answers
        if answer.probe.kind == "http" and answer.probe.path != UNKNOWN_PATH
    ]
    return bool(asked) and all(answer.status is None or answer.status >= 500 for answer in asked)


def is_worth_asking(answer: Answer) -> bool:
    """A guess that hit: neither unknown, nor refused, nor an error that may be another one next
    time."""
    return answer.status is not None and answer.status not in (404, 405) and answer.status < 500


def worth_keeping(answers: list[Answer]) -> list[Answer]:
    """Of the paths that were only guessed, those that say something of their own."""
    known = {(answer.status, answer.body) for answer in answers if not is_usual(answer.probe)}
    return [
        answer
        for answer in answers
        if not is_usual(answer.probe)
        or (
            answer.status is not None
            and answer.status < 400
            and (answer.status, answer.body) not in known
        )
    ]
