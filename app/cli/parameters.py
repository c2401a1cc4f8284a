"""The parameters that several commands share: settings, and the options of a match."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from app import settings
from app.output import options

_Command = TypeVar("_Command", bound=Callable[..., Any])


def setting(name: str) -> Callable[[_Command], _Command]:
    """The option of a setting, with its sentence."""
    one = settings.setting(name)
    assert one.flag is not None
    text = f"{one.sentence} Default: {one.default}; in the environment: {one.env}."
    return click.option(one.flag, name, metavar=name.upper(), help=text)


def _number(kind: str, read: Callable[[str], float]) -> Callable[[Any], float]:
    """A type of option: a number as HTTP reads it, which Python's own reading is too generous for."""

    def convert(value: Any) -> float:
        try:
            return read(value) if isinstance(value, str) else value
        except ValueError:
            text = options.shown(value)
            raise click.BadParameter(f"{text} is not a valid {kind}.") from None

    convert.__name__ = kind  # what --help shows as the value
    return convert


def match_options(command: _Command) -> _Command:
    """The options of a match, in their order."""
    return _with(options.MATCH_OPTIONS, command)


def row_options(command: _Command) -> _Command:
    """The options of what is listed with a match."""
    return _with(options.ROW_OPTIONS, command)


def _with(known: tuple[options.Option, ...], command: _Command) -> _Command:
    kinds: dict[str, Any] = {
        "text": None,
        "whole": _number("integer", options.whole),
        "number": _number("float", options.number),
        "flag": None,
    }
    for one in reversed(known):
        more: dict[str, Any] = {"required": True} if one.required else {"default": one.default}
        if one.kind == "flag":
            more["is_flag"] = True
        elif one.default is not None:
            more["show_default"] = True
        command = click.option(
            options.flag(one.name),
            one.name,
            type=click.Choice(one.choices) if one.choices else kinds[one.kind],
            metavar=one.metavar,
            help=one.sentence,
            **more,
        )(command)
    return command
