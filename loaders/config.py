"""dataset.yaml: names, titles, transforms, kinds, colours and the view on opening.

Every key is optional; an unknown key is a problem that names it and lists the known keys.
"""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from loaders.problems import Problem, listed, suggestion

FILE_NAME = "dataset.yaml"
KINDS = ("categorical", "scalar", "ranked", "interval")
TRANSFORMS = ("tanh",)

TOP_KEYS = ("name", "description", "direction", "sources", "annotations", "default")
DIRECTIONS = ("ltr", "rtl")
SOURCE_KEYS = ("title", "transform")
ANNOTATION_KEYS = ("kind", "order", "colors", "unit")
DEFAULT_KEYS = ("source", "start", "stop", "off_before", "off_after", "threshold", "tracks")

_COLOR = re.compile(r"#[0-9a-fA-F]{6}")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
# A subset of what YAML 1.1 reads as these types, so that any YAML writer quotes text correctly.
_NUMBERS: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        "int": re.compile(r"-?(?:0|[1-9][0-9]*)$"),
        "float": re.compile(r"[+-]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][+-][0-9]+)?$"),
    }
)
_NO_TEXT: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """What dataset.yaml says about one source."""

    title: str | None = None
    transform: str | None = None


@dataclass(frozen=True, slots=True)
class AnnotationSettings:
    """What dataset.yaml says about one annotation; `order` and `colors` refer to labels."""

    kind: str | None = None
    order: tuple[str, ...] | None = None
    colors: Mapping[str, str] = field(default_factory=lambda: _NO_TEXT)
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Default:
    """The view that a dataset opens with.

    `start` and `stop` (half-open) are both given or both None. `off_before` and `off_after` are the
    numbers of steps before and after the range at which the states must be off. A threshold of None
    means the suggested threshold of the source; tracks of None mean the tracks shown without a
    default. `source` may be None after parsing, but is always set in an opened dataset.
    """

    source: str | None = None
    start: int | None = None
    stop: int | None = None
    threshold: float | None = None
    tracks: tuple[str, ...] | None = None
    off_before: int = 0
    off_after: int = 0


@dataclass(frozen=True, slots=True)
class Config:
    """The content of dataset.yaml; its form is checked, but not whether it fits the data."""

    name: str | None = None
    description: str = ""
    direction: str | None = None
    sources: Mapping[str, SourceSettings] = field(default_factory=dict)
    annotations: Mapping[str, AnnotationSettings] = field(default_factory=dict)
    default: Default | None = None


def read_config(path: Path, where: str) -> tuple[Config, list[Problem]]:
    """Read dataset.yaml.

    Parameters
    ----------
    path
        The file; a missing or empty file gives an empty configuration.
    where
        The name of the file in problems.

    Returns
    -------
    Config, list of Problem
        Everything that could be read, and a problem for everything that could not.
    """
    try:
        if path.is_fifo():  # reading it would never end
            return Config(), [Problem(where, "a file", "a pipe", "replace it with a file")]
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return Config(), []
    except UnicodeDecodeError as error:
        found = f"a byte that is not UTF-8 (at position {error.start:,})"
        return Config(), [Problem(where, "text in UTF-8", found, "save it as UTF-8")]
    except OSError as error:
        found = (error.strerror or str(error)).lower()
        return Config(), [Problem(where, "a file that can be read", found, "make it readable")]
    try:
        content = yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - a SafeLoader subclass
    except yaml.YAMLError as error:
        return Config(), [_yaml_problem(where, error)]
    except (ValueError, RecursionError) as error:  # for example a date like 2024-13-45
        return Config(), [
            Problem(where, "YAML", f"a value that cannot be read ({error})", "put it in quotes")
        ]
    return parse_config(content, where)


def parse_config(content: object, where: str = FILE_NAME) -> tuple[Config, list[Problem]]:
    """Parse and check the loaded content of dataset.yaml; see `read_config`."""
    parser = _Parser(where)
    return parser.config(content), parser.problems


def label_text(value: object) -> str:
    """Return the label of a category value: text unchanged, `true`/`false`, numbers as written."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


class _StrictLoader(yaml.SafeLoader):
    """A SafeLoader that never changes a value silently.

    A duplicate key is an error. Only plain decimal numbers are read as numbers: the other notations
    of YAML 1.1 (1_0, 010, 0x1F and 1:30 are 10, 8, 31 and 90) stay text, which is a valid label but
    not a valid step or threshold.
    """

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML declares it as an instance attribute
        first: [(tag, _NUMBERS.get(tag.rpartition(":")[2], pattern)) for tag, pattern in resolvers]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Hashable] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, Hashable):
                if key in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"the key '{key}' twice", key_node.start_mark
                    )
                seen.add(key)
        return super().construct_mapping(node, deep)


def _yaml_problem(where: str, error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or str(error).splitlines()[0]
    if mark is not None:
        where = f"{where}, line {mark.line + 1}, column {mark.column + 1}"
    return Problem(where, "YAML", str(what), "fix that line")


class _Parser:
    """Collects problems while parsing; one instance per file."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.problems: list[Problem] = []

    def fault(self, key: str, expected: str, found: object, remedy: str) -> None:
        where = f"{self.where}, {key}" if key else self.where
        self.problems.append(Problem(where, expected, str(found), remedy))

    def mapping(self, key: str, value: object) -> dict[str, object]:
        """A mapping with text keys; None (a key without a value) is an empty mapping."""
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            self.fault(key, "keys with values", _shown(value), "write it as `key: value` lines")
            return {}
        return {label_text(name): item for name, item in value.items()}

    def known(self, key: str, values: dict[str, object], known: tuple[str, ...]) -> None:
        for name in values:
            if name not in known:
                self.fault(
                    f"{key}.{name}" if key else name,
                    f"one of the known keys ({', '.join(known)})",
                    f"the unknown key '{name}'",
                    suggestion(name, known),
                )

    def text(self, key: str, value: object) -> str | None:
        if isinstance(value, str):
            if any("\ud800" <= letter <= "\udfff" for letter in value):
                self.fault(
                    key,
                    "text",
                    f"an incomplete character in {_shown(value)}",
                    "write the whole character",
                )
                return None
            return value
        if value is not None:
            self.fault(key, "text", _shown(value), "put it in quotes")
        return None

    def config(self, content: object) -> Config:
        top = self.mapping("", content)
        self.known("", top, TOP_KEYS)
        sources = {
            name: self.source(f"sources.{name}", value)
            for name, value in self.mapping("sources", top.get("sources")).items()
        }
        annotations = {
            name: self.annotation(f"annotations.{name}", value)
            for name, value in self.mapping("annotations", top.get("annotations")).items()
        }
        default = top.get("default")
        direction = top.get("direction")
        if direction is not None and direction not in DIRECTIONS:
            known = " or ".join(DIRECTIONS)
            self.fault("direction", known, _shown(direction), "use one of them, or leave it out")
            direction = None
        return Config(
            direction=direction,
            name=self.text("name", top.get("name")) or None,
            description=(self.text("description", top.get("description")) or "").strip(),
            sources=sources,
            annotations=annotations,
            default=None if default is None else self.default(default),
        )

    def source(self, key: str, value: object) -> SourceSettings:
        values = self.mapping(key, value)
        self.known(key, values, SOURCE_KEYS)
        transform = values.get("transform")
        if transform is not None and transform not in TRANSFORMS:
            known = ", ".join(TRANSFORMS)
            self.fault(f"{key}.transform", known, _shown(transform), "use it, or leave it out")
            transform = None
        return SourceSettings(
            self.text(f"{key}.title", values.get("title")), None if transform is None else "tanh"
        )

    def annotation(self, key: str, value: object) -> AnnotationSettings:
        values = self.mapping(key, value)
        if "colours" in values and "colors" not in values:  # accept both spellings
            values["colors"] = values.pop("colours")
        self.known(key, values, ANNOTATION_KEYS)
        kind = values.get("kind")
        if kind is not None and kind not in KINDS:
            remedy = suggestion(kind, KINDS)
            self.fault(f"{key}.kind", f"one of {', '.join(KINDS)}", _shown(kind), remedy)
            kind = None
        return AnnotationSettings(
            kind=None if kind is None else str(kind),
            order=self.order(f"{key}.order", values.get("order")),
            colors=self.colors(f"{key}.colors", values.get("colors")),
            unit=self.text(f"{key}.unit", values.get("unit")),
        )

    def order(self, key: str, value: object) -> tuple[str, ...] | None:
        if value is None:
            return None
        if not isinstance(value, list) or any(isinstance(item, list | dict) for item in value):
            self.fault(key, "a list of labels", _shown(value), "write it as [first, second]")
            return None
        labels = [label_text(item) for item in value]
        for label in dict.fromkeys(label for label in labels if labels.count(label) > 1):
            self.fault(key, "every label once", f"'{label}' more than once", "remove the repeats")
        return tuple(dict.fromkeys(labels))

    def colors(self, key: str, value: object) -> Mapping[str, str]:
        colors: dict[str, str] = {}
        for label, color in self.mapping(key, value).items():
            if isinstance(color, str) and _COLOR.fullmatch(color):
                colors[label] = color.lower()
            else:
                self.fault(
                    f"{key}.{label}",
                    "a colour like '#0072b2'",
                    _shown(color),
                    "write # and six hexadecimal digits, in quotes",
                )
        return MappingProxyType(colors)

    def default(self, value: object) -> Default:
        values = self.mapping("default", value)
        self.known("default", values, DEFAULT_KEYS)
        start = self.step("default.start", values.get("start"))
        stop = self.step("default.stop", values.get("stop"))
        given = [name for name in ("start", "stop") if values.get(name) is not None]
        if len(given) == 1:
            self.fault(
                "default", "start and stop together", f"only {given[0]}", "give both or neither"
            )
        tracks = values.get("tracks")
        if tracks is not None and not isinstance(tracks, list):
            self.fault("default.tracks", "a list", _shown(tracks), "write it as [name, name]")
            tracks = None
        return Default(
            source=self.text("default.source", values.get("source")),
            start=start,
            stop=stop,
            threshold=self.number("default.threshold", values.get("threshold")),
            tracks=None if tracks is None else tuple(dict.fromkeys(map(label_text, tracks))),
            off_before=self.limit("default.off_before", values.get("off_before")),
            off_after=self.limit("default.off_after", values.get("off_after")),
        )

    def limit(self, key: str, value: object) -> int:
        steps = self.step(key, value)
        if steps is not None and steps < 0:
            self.fault(key, "a number of steps, 0 or more", _shown(value), "write 0 for no limit")
            return 0
        return steps or 0

    def step(self, key: str, value: object) -> int | None:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            self.fault(key, "a step (a whole number)", _shown(value), "write the step's number")
            return None
        return value

    def number(self, key: str, value: object) -> float | None:
        if value is None:
            return None
        number: float | None = None
        # YAML 1.1 reads 1e-3 (without a point) as text.
        if isinstance(value, str):
            number = float(value) if _DECIMAL.fullmatch(value) else None
        elif isinstance(value, int | float) and not isinstance(value, bool):
            try:
                number = float(value)
            except OverflowError:
                number = None
        if number is None or not math.isfinite(number):
            self.fault(key, "a finite number", _shown(value), "write a number such as 0.3")
            return None
        return number


def _shown(value: object) -> str:
    """A value as a person would recognise it, in a few words."""
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return f"a mapping ({listed(value, 3)})"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    return f"'{text if len(text) <= 40 else text[:37] + '...'}'"
