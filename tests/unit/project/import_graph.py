"""The graph of the product's imports, read from the source: between modules, and between the folders they lie in."""

import ast
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Graph = Mapping[str, frozenset[str]]
"""Each node with the nodes that it imports."""

COMPOSITION_ROOTS = frozenset({"erp.registry", "sandbox.control_room", "sandbox.server"})
"""Modules that put their room together: each knows the ERPs' folders below it, and none of these may know it. In the
graph of folders such a module stands for itself."""


@dataclass(frozen=True)
class Layers:
    """One contract of import-linter: rows from the top down; what stands in one row may not import its neighbours."""

    rows: Sequence[Sequence[str]]

    def place(self, module: str) -> tuple[int, str] | None:
        """Return row and name of the most exact layer that holds the module; None: the contract leaves it free."""
        held = [
            (len(layer), row, layer)
            for row, layers in enumerate(self.rows)
            for layer in layers
            if module == layer or module.startswith(f"{layer}.")
        ]
        return max(held)[1:] if held else None

    def forbid(self, importer: str, imported: str) -> bool:
        """Whether this import runs up, or sideways between neighbours of one row."""
        above, below = self.place(importer), self.place(imported)
        if above is None or below is None or above == below:
            return False
        return below[0] <= above[0]


def read_layers(pyproject: Path) -> list[Layers]:
    """Return the layers that import-linter is configured with."""
    contracts = tomllib.loads(pyproject.read_text())["tool"]["importlinter"]["contracts"]
    return [
        Layers([[layer.strip() for layer in row.split("|")] for row in contract["layers"]])
        for contract in contracts
        if contract["type"] == "layers"
    ]


def read_modules(root: Path, rooms: Sequence[str]) -> dict[str, Path]:
    """Return the product's modules by name: the entries at the top, and everything in these rooms."""
    files = [*root.glob("*.py"), *(file for room in rooms for file in (root / room).rglob("*.py"))]
    return {".".join(_parts(file.relative_to(root))): file for file in sorted(files)}


def _parts(file: Path) -> tuple[str, ...]:
    parts = file.with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" else parts


def module_graph(modules: Mapping[str, Path]) -> Graph:
    """Read every import, also those inside functions and those for the type checker alone."""
    return {name: frozenset(_imported(file.read_text(), modules)) - {name} for name, file in modules.items()}


def _imported(source: str, modules: Mapping[str, Path]) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise ValueError(f"a relative import of {node.module}: this graph reads absolute ones only")
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                if name in modules:
                    yield name
                elif node.module in modules:
                    yield node.module


def folder_graph(graph: Graph, modules: Mapping[str, Path], root: Path) -> Graph:
    """Join the modules of each folder to one node; a folder inside another is a node of its own."""

    def folder(module: str) -> str:
        if module in COMPOSITION_ROOTS or modules[module].parent == root:
            return module
        return ".".join(modules[module].relative_to(root).parent.parts)

    joined: dict[str, set[str]] = {}
    for importer, imported in graph.items():
        joined.setdefault(folder(importer), set()).update(folder(module) for module in imported)
    return {node: frozenset(arrows - {node}) for node, arrows in joined.items()}


def circles(graph: Graph) -> list[list[str]]:
    """Return one shortest circle through every node that lies on one, each circle once."""
    core = _without_ends(graph)
    found: dict[frozenset[str], list[str]] = {}
    for node in core:
        way = _way_back(core, node)
        if way is not None:
            found.setdefault(frozenset(way), way)
    return list(found.values())


def _without_ends(graph: Graph) -> Graph:
    """Take away what imports nothing, until nothing more goes: only what reaches a circle is left."""
    left = dict(graph)
    while ends := [node for node, arrows in left.items() if not arrows & left.keys()]:
        for node in ends:
            del left[node]
    return {node: arrows & left.keys() for node, arrows in left.items()}


def _way_back(graph: Graph, start: str) -> list[str] | None:
    """Return the shortest way from a node to itself, breadth first."""
    ways = [[start, following] for following in sorted(graph[start])]
    seen: set[str] = set()
    for way in ways:  # grows while it is read
        node = way[-1]
        if node == start:
            return way
        if node not in seen:
            seen.add(node)
            ways += [[*way, following] for following in sorted(graph[node])]
    return None


def upward_arrows(graph: Graph, contracts: Sequence[Layers]) -> list[tuple[str, str]]:
    """Return the arrows that run up, or between neighbours of one row."""
    return [
        (importer, imported)
        for importer, arrows in graph.items()
        for imported in sorted(arrows)
        if any(layers.forbid(importer, imported) for layers in contracts)
    ]


def draw(graph: Graph) -> str:
    """Return the graph as a Mermaid picture."""
    lines = [
        f"    {importer}[{importer}] --> {imported}[{imported}]"
        for importer, arrows in sorted(graph.items())
        for imported in sorted(arrows)
    ]
    return "\n".join(["flowchart TD", *lines, ""])
