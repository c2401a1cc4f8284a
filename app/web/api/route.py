"""What the routes have in common: parameters, errors, and how a dataset and a source are opened."""

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

# A program that is to ask again later waits for a preparation as a page does.
CLIENT = Client(page="api")

DATASET = Option("dataset", "text", "The dataset, by its id.", required=True)


class ApiError(Exception):
    """A request that cannot be answered; str(error) is one plain sentence for a person."""

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True, slots=True)
class Route:
    """One question that can be asked.

    Attributes
    ----------
    path
        After the prefix.
    sentence
        What it answers.
    options
        Its parameters.
    answer
        Services and values of the options -> the JSON object, or an answer that is not JSON.
    """

    path: str
    sentence: str
    options: tuple[Option, ...]
    answer: Callable[[Services, dict[str, Any]], dict[str, Any] | Response]


def open_dataset(services: Services, dataset_id: str) -> Dataset:
    """Return the dataset of an id; ApiError if there is none that can be opened."""
    try:
        return services.corpus.dataset(dataset_id, CLIENT)
    except DatasetError as error:
        raise ApiError(str(error), 404) from None


def open_source(services: Services, dataset: Dataset, requested: str | None) -> Opened:
    """Open a source; None stands for the only one.

    Raises
    ------
    OptionError
        No source can be told from that name.
    ApiError
        It is being prepared.
    """
    name = match_options.source_name(dataset, requested, match_options.same)
    opened = services.corpus.open(dataset, name, CLIENT)
    if isinstance(opened, BeingPrepared):
        raise ApiError(
            f"The source {name!r} of {dataset.id} is being prepared, which is done once and may take "
            "minutes; ask again in a minute.",
            503,
        )
    return opened


def table(route: Route) -> str:
    """Return the Markdown table of a route's parameters, as it stands in docs/api.md."""
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
