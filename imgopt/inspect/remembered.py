"""Answers about an image that are asked for again and again: they stay with the image, and go with
it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar, cast

P = ParamSpec("P")
T = TypeVar("T")


class Remembers(Protocol):
    """What answers are kept with."""

    @property
    def answers(self) -> dict[Hashable, object]: ...


R = TypeVar("R", bound=Remembers)


def remembered(function: Callable[Concatenate[R, P], T]) -> Callable[Concatenate[R, P], T]:
    """The function is called once for an image and the same further arguments."""

    @wraps(function)
    def answer(view: R, *args: P.args, **named: P.kwargs) -> T:
        key = (function, args, tuple(sorted(named.items())))
        if key not in view.answers:
            view.answers[key] = function(view, *args, **named)
        return cast(T, view.answers[key])

    return cast(Callable[Concatenate[R, P], T], answer)
