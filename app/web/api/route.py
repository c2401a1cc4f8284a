"""Common parts of the routes: parameters, errors, and opening datasets and sources."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Response

from app.corpus import BeingPrepared, Client, Opened
from app.output import options as match_options
from app.output.options import Option
from app.web.services import Services
from loaders import Dataset, DatasetError

PREFIX = "/api/v1"

# A program that will try again later waits for a preparation like a page.
CLIENT = Client(page="api")

DATASET = Option("dataset", "text", "The dataset, by its id.", required=True)


class ApiError(Exception):
    """A request that cannot be answered; str(error) is one plain sentence for a person."""

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True, slots=True)
class Route:
    """One route of the API.

    Attributes
    ----------
    path
        The path after the prefix.
    sentence
        A description.
    options
        Its parameters.
    answer
        Function of the services and the values of the options, returning the JSON object, or a response
        that is not JSON.
    """

    path: str
    sentence: str
    options: tuple[Option, ...]
    answer: Callable[[Services, dict[str, Any]], dict[str, Any] | Response]


def open_dataset(services: Services, dataset_id: str) -> Dataset:
    """Return the dataset of an id; ApiError if it does not exist or cannot be opened."""
    try:
        return services.corpus.dataset(dataset_id, CLIENT)
    except DatasetError as error:
        raise ApiError(str(error), 404) from None


def open_source(services: Services, dataset: Dataset, requested: str | None) -> Opened:
    """Open a source; None means the only one.

    Raises
    ------
    OptionError
        There is no such source, or several and none was given.
    ApiError
        The source is being prepared.
    """
    name = match_options.source_name(dataset, requested, match_options.same)
    opened = services.corpus.open(dataset, name, CLIENT)
    if isinstance(opened, BeingPrepared):
        raise ApiError(
            f"The source {name!r} of {dataset.id} is being prepared, which happens once and may take "
            "minutes; try again in a minute.",
            503,
        )
    return opened


def table(route: Route) -> str:
    """Return the Markdown table of a route's parameters, as in docs/api.md."""
    lines = ["| Parameter | Value | Default | What it is |", "|---|---|---|---|"]
    kinds = {"whole": "whole number", "number": "number", "flag": "1 or 0", "text": "text"}
    for one in route.options:
        value = one.metavar or (", ".join(one.choices) or kinds[one.kind])
        default = "required" if one.required else ""
        if one.default is not None:
            default = "0" if one.default is False else str(one.default)
        escaped = value.replace("|", " or ")
        lines.append(f"| `{one.name}` | {escaped} | {default} | {one.sentence} |")
    return "\n".join(lines) + "\n"
