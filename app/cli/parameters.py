"""The parameters that several commands share: settings, and the options of a match."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from app import settings
from app.output import options

_Command = TypeVar("_Command", bound=Callable[..., Any])


def setting(name: str) -> Callable[[_Command], _Command]:
    """Return the option for a setting, with its description as help."""
    one = settings.setting(name)
    assert one.flag is not None
    text = f"{one.sentence} Default: {one.default}; environment variable: {one.env}."
    return click.option(one.flag, name, metavar=name.upper(), help=text)


def _number(kind: str, read: Callable[[str], float]) -> Callable[[Any], float]:
    """Return an option type for numbers as HTTP reads them; Python's parsing accepts more."""

    def convert(value: Any) -> float:
        try:
            return read(value) if isinstance(value, str) else value
        except ValueError:
            text = options.shown(value)
            raise click.BadParameter(f"{text} is not a valid {kind}.") from None

    convert.__name__ = kind  # shown as the value by --help
    return convert


def options_of(known: tuple[options.Option, ...]) -> Callable[[_Command], _Command]:
    """Add the options that a command shares with HTTP, in order."""
    kinds: dict[str, Any] = {
        "text": None,
        "whole": _number("integer", options.whole),
        "number": _number("float", options.number),
        "flag": None,
    }

    def add(command: _Command) -> _Command:
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

    return add
