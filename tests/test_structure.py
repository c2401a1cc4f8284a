"""The rules of docs/architecture.md that can be checked in the source files."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests import ROOT

PACKAGES = ("app", "components", "demos", "loaders")
OURS = (*PACKAGES, "tests")

# Room -> modules of the project that it may import. The longest matching name applies. A room of app/ that
# is not listed may import nothing.
ARROWS: dict[str, tuple[str, ...]] = {
    "loaders": ("loaders",),
    "loaders.annotations": (
        "loaders.annotations",
        "loaders.config",
        "loaders.palette",
        "loaders.parquet",
        "loaders.problems",
        "loaders.sequences",
    ),
    "loaders.sources": (
        "loaders.atomic",
        "loaders.config",
        "loaders.locks",
        "loaders.parquet",
        "loaders.problems",
        "loaders.sources",
    ),
    "loaders.importers": (
        "loaders.annotations",
        "loaders.atomic",
        "loaders.importers",
        "loaders.inspection",
        "loaders.parquet",
        "loaders.problems",
        "loaders.sources.store",
        "loaders.writer",
    ),
    "components": ("components",),
    "demos": (
        "demos",
        "loaders.locks",
        "loaders.writer",
    ),
    "app": (),
    "app.matching": ("app.matching",),
    "app.settings": (),
    "app.phrases": ("loaders",),
    "app.startup": ("app.settings", "demos.registry"),
    "app.execution": ("app.matching", "app.settings", "loaders"),
    "app.work": ("app.matching", "app.work", "loaders"),
    "app.corpus": ("app.execution", "app.matching", "app.work.preparation", "loaders"),
    "app.output": ("app.corpus", "app.matching", "app.output", "loaders"),
    "app.output.answers": ("app.matching",),
    "app.web": (),
    "app.web.serving": (),
    "app.web.static": (),
    "app.web.view.wire": ("app.work.jobs",),
    "app.web.view.declarations": ("app.web.view.wire",),
    "app.web.view.url": ("app.matching",),
    "app.web.requests": ("app.web.view.wire",),
    "app.web.slow_clients": ("app.matching", "app.work"),
    "app.web.payloads": (
        "app.corpus",
        "app.matching",
        "app.output.cells",
        "app.output.state",
        "app.phrases",
        "app.web.payloads",
        "app.web.view.wire",
        "loaders",
    ),
    "app.web.view": (
        "app.corpus",
        "app.matching",
        "app.output",
        "app.web.payloads",
        "app.web.view",
        "loaders",
    ),
    "app.web.services": (
        "app.corpus",
        "app.matching",
        "app.phrases",
        "app.web.payloads",
        "app.work",
    ),
    "app.web.api": (
        "app.corpus",
        "app.matching",
        "app.output",
        "app.phrases",
        "app.web.api",
        "app.web.services",
        "app.web.slow_clients",
        "app.work",
        "loaders",
    ),
    "app.web.callbacks": (
        "app.corpus",
        "app.matching",
        "app.output",
        "app.web.callbacks",
        "app.web.payloads",
        "app.web.requests",
        "app.web.services",
        "app.web.slow_clients",
        "app.web.view",
        "app.work",
        "components.ids",
        "loaders",
    ),
    "app.web.factory": (
        "app.corpus",
        "app.execution",
        "app.matching",
        "app.phrases",
        "app.settings",
        "app.web.api",
        "app.web.callbacks",
        "app.web.payloads",
        "app.web.requests",
        "app.web.services",
        "app.web.slow_clients",
        "app.web.static",
        "app.work",
        "components",
        "loaders",
    ),
    "app.wsgi": (
        "app.matching",
        "app.startup",
        "app.web.factory",
        "app.web.serving",
        "loaders",
    ),
    "app.cli": (
        "app.cli",
        "app.corpus",
        "app.execution",
        "app.matching",
        "app.output",
        "app.settings",
        "app.startup",
        "app.web.factory",
        "app.web.serving",
        "demos.registry",
        "loaders",
    ),
    "app.__main__": ("app.cli",),
}
# Package -> libraries that it must not import.
WITHOUT: dict[str, tuple[str, ...]] = {
    "loaders": ("dash", "plotly", "numba"),
    "components": ("pyarrow", "numba"),
    "demos": ("dash", "plotly"),
    "app.matching": ("dash", "plotly", "dash_mantine_components", "pyarrow", "pandas"),
    "app.output.answers": ("dash", "plotly"),
}


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {
    name_of(path): ast.parse(path.read_text(encoding="utf-8"), str(path))
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
}


def imports(tree: ast.Module) -> Iterator[str]:
    """Every module that is imported anywhere in a file, `from a import b` as a.b."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_in(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def rule(rules: dict[str, tuple[str, ...]], module: str) -> tuple[str, ...] | None:
    fitting = [package for package in rules if is_in(module, package)]
    return rules[max(fitting, key=len)] if fitting else None


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_what_its_room_may(module: str) -> None:
    allowed = rule(ARROWS, module)
    assert allowed is not None
    for name in imports(MODULES[module]):
        if name.partition(".")[0] in OURS:
            assert any(is_in(name, package) for package in allowed), f"{module} imports {name}"


def test_no_entry_allows_everything() -> None:
    for room, allowed in ARROWS.items():
        for name in allowed:
            above = room != name and is_in(room, name)
            assert not above, f"{room} may import all of {name}, which it is in"
            assert name not in ("app", "app.web"), f"{room} may import all of {name}"


def test_arrows_between_rooms_go_one_way() -> None:
    """Followed from any room of app/, they never lead back to it."""
    graph = {
        room: {other for name in allowed for other in ARROWS if is_in(other, name)} - {room}
        for room, allowed in ARROWS.items()
        if is_in(room, "app")
    }
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle


def test_nothing_is_allowed_that_is_not_used() -> None:
    """An entry that is not needed could hide a new dependency."""
    used: dict[str, set[str]] = {room: set() for room in ARROWS}
    for module, tree in MODULES.items():
        room = max((one for one in ARROWS if is_in(module, one)), key=len)
        used[room] |= {
            name for name in ARROWS[room] for found in imports(tree) if is_in(found, name)
        }
    unused = {room: {*ARROWS[room]} - names - {room} for room, names in used.items()}
    assert not {room: names for room, names in unused.items() if names}


def module_of(name: str) -> str:
    """The module of the project that an imported name is or is in; empty for others."""
    while name and name not in MODULES:
        name = name.rpartition(".")[0]
    return name


def test_no_modules_import_each_other() -> None:
    """There are no import cycles, including imports for type hints and inside functions."""
    graph = {
        module: {module_of(name) for name in imports(tree)} - {"", module}
        for module, tree in MODULES.items()
    }
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle


@pytest.mark.parametrize("rules", [ARROWS, WITHOUT], ids=["arrows", "libraries"])
def test_rules_are_about_modules_that_exist(rules: dict[str, tuple[str, ...]]) -> None:
    ours = {name for allowed in ARROWS.values() for name in allowed} | {*rules}
    assert not {name for name in ours if not any(is_in(m, name) for m in MODULES)}


@pytest.mark.parametrize("module", MODULES)
def test_packages_do_not_import_forbidden_libraries(module: str) -> None:
    banned = rule(WITHOUT, module) or ()
    found = [n for n in imports(MODULES[module]) if any(is_in(n, name) for name in banned)]
    assert not found


@pytest.mark.parametrize("module", MODULES)
def test_no_module_level_mutable_state(module: str) -> None:
    makers = {"list", "dict", "set", "defaultdict", "OrderedDict", "Counter", "deque", "bytearray"}
    for node in MODULES[module].body:
        if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
            continue
        value = node.value
        mutable = isinstance(
            value, ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp | ast.SetComp
        ) or (
            isinstance(value, ast.Call)
            and isinstance(value.func, ast.Name)
            and value.func.id in makers
        )
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            name = target.id if isinstance(target, ast.Name) else ast.unparse(target)
            # A constant that is a list or dict must be named like one.
            constant = re.fullmatch(r"_?[A-Z][A-Z0-9_]*|__all__", name)
            assert not mutable or constant, f"{module}.{name}"
    assert not any(isinstance(node, ast.Global) for node in ast.walk(MODULES[module]))


@pytest.mark.parametrize(
    "module", [m for m in MODULES if is_in(m, "app.web.payloads") or is_in(m, "app.web.callbacks")]
)
def test_requests_and_payloads_are_typed(module: str) -> None:
    """`app.web.view.wire` has a type for each request and payload."""
    for node in ast.walk(MODULES[module]):
        if isinstance(node, ast.FunctionDef):
            hints = [one.annotation for one in ast.walk(node.args) if isinstance(one, ast.arg)]
            for hint in [*hints, node.returns]:
                text = ast.unparse(hint) if hint else ""
                loose = re.search(r"\b(dict|Mapping)\[str, (Any|object)\]", text)
                assert not loose, f"{module}.{node.name}: {text}"


@pytest.mark.parametrize("module", MODULES)
def test_constants_are_never_changed(module: str) -> None:
    changing = {"append", "extend", "insert", "add", "update", "pop", "clear", "setdefault"}
    for node in ast.walk(MODULES[module]):
        target: ast.expr | None = None
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            target = node.func.value if node.func.attr in changing else None
        elif isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
            target = node.value
        if isinstance(target, ast.Name):
            assert not re.fullmatch(r"_?[A-Z][A-Z0-9_]+", target.id), f"{module}: {target.id}"


def public(
    body: list[ast.stmt], prefix: str = ""
) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if node.name.startswith("_"):
                continue
            yield f"{prefix}{node.name}", node
            if isinstance(node, ast.ClassDef):
                yield from public(node.body, f"{prefix}{node.name}.")


@pytest.mark.parametrize("module", MODULES)
def test_everything_public_is_documented(module: str) -> None:
    tree = MODULES[module]
    if tree.body:
        assert ast.get_docstring(tree), f"{module} has no docstring"
    for name, node in public(tree.body):
        assert ast.get_docstring(node), f"{module}.{name} has no docstring"


@pytest.mark.parametrize("package", PACKAGES)
def test_no_catch_all_modules(package: str) -> None:
    names = {path.stem for path in (ROOT / package).rglob("*.py")}
    assert not names & {"utils", "helpers", "common", "misc"}


def own_text_files() -> Iterator[Path]:
    suffixes = {".py", ".md", ".toml", ".txt", ".js", ".mjs", ".css", ".yaml", ".yml", ".json", ""}
    skipped = {".git", ".venv", "node_modules", "build", "dist"}
    for path in sorted(ROOT.rglob("*")):
        parts = path.relative_to(ROOT).parts
        hidden = any(part.startswith(".") and part != ".ci" for part in parts[:-1])
        if hidden or skipped & set(parts) or "__pycache__" in parts:
            continue
        if path.is_file() and path.suffix in suffixes and not path.name.startswith(".installed"):
            yield path


def test_no_file_contains_a_path_of_a_developers_machine() -> None:
    # Assembled here, or this file would fail itself. Only at the start of a path: the project's
    # app/work/ is a different folder.
    machine = re.compile(
        r"(?<![\w.])(?:"
        + "|".join(["/ro" + "ot/", "/ho" + "me/[a-z]", "/Us" + "ers/", "/wo" + "rk/"])
        + ")"
    )
    for path in own_text_files():
        text = path.read_text(encoding="utf-8", errors="replace")
        assert machine.findall(text) == [], str(path.relative_to(ROOT))


def test_every_page_of_the_docs_that_is_linked_exists() -> None:
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]:
        text = page.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.relative_to(ROOT)} -> {target}"
