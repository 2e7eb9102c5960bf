"""Options that come in groups: a command takes a dataclass, and its fields are options of their
own."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from typing import Annotated, Any, get_type_hints


def grouped(command: Callable[..., int], format_option: Any = None) -> Callable[..., int]:
    """The command as typer can read it: every parameter that is a dataclass gives way to the fields
    of it.

    The fields are annotated as parameters are, and have defaults. `format_option` is the command's
    own `--format`.
    """
    own = inspect.signature(command, eval_str=True)
    groups: dict[str, Any] = {
        name: parameter.annotation
        for name, parameter in own.parameters.items()
        if is_dataclass(parameter.annotation)
    }

    def call(**values: Any) -> int:
        made = {
            name: group(**{field.name: values.pop(field.name) for field in fields(group)})
            for name, group in groups.items()
        }
        return command(**values, **made)

    parameters = [
        shown
        for parameter in own.parameters.values()
        for shown in (
            _of(groups[parameter.name]) if parameter.name in groups else [_by_name(parameter)]
        )
    ]
    if format_option is not None:
        own_format = Annotated[str, format_option]
        parameters = [
            each.replace(annotation=own_format) if each.name == "format" else each
            for each in parameters
        ]
    call.__name__, call.__doc__ = command.__name__, command.__doc__
    call.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters} | {
        "return": int
    }
    call.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
    return call


def _of(group: Any) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if field.default is MISSING else field.default,
            annotation=hints[field.name],
        )
        for field in fields(group)
    ]


def _by_name(parameter: inspect.Parameter) -> inspect.Parameter:
    return parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
