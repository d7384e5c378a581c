"""The product's imports run one way: no circle and no arrow that runs up, between modules and between folders."""

import tomllib
from pathlib import Path

import pytest

from tests.unit.project.import_graph import (
    COMPOSITION_ROOTS,
    Graph,
    Layers,
    circles,
    draw,
    folder_graph,
    module_graph,
    read_layers,
    read_modules,
    upward_arrows,
)

ROOT = Path(__file__).resolve().parents[3]
PYPROJECT = ROOT / "pyproject.toml"
ROOMS = tomllib.loads(PYPROJECT.read_text())["tool"]["importlinter"]["root_packages"]

MODULES = read_modules(ROOT, [*ROOMS, "bench"])
LAYERS = read_layers(PYPROJECT)


@pytest.fixture(scope="module")
def imports() -> Graph:
    return module_graph(MODULES)


@pytest.fixture(scope="module", params=["modules", "folders"])
def graph(imports: Graph, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Graph:
    """One of the two graphs; the captured output of a failed test says where its picture lies."""
    drawn = imports if request.param == "modules" else folder_graph(imports, MODULES, ROOT)
    picture = tmp_path_factory.mktemp("imports") / f"{request.param}.mmd"
    picture.write_text(draw(drawn))
    print(f"the graph of {request.param}: {picture}")
    return drawn


def test_no_imports_go_round_in_a_circle(graph: Graph) -> None:
    found = [" -> ".join(circle) for circle in circles(graph)]
    assert found == []


def test_no_import_runs_up(graph: Graph) -> None:
    """The rows are those of import-linter: a folder stands in the row of its name."""
    found = [f"{importer} -> {imported}" for importer, imported in upward_arrows(graph, LAYERS)]
    assert found == []


def test_the_graphs_are_of_the_whole_product(imports: Graph) -> None:
    """What is empty has no circle either."""
    assert {"worker", "settings", "workflows.purchase_order", "erp.netsuite.connector"} <= set(imports)
    assert "models.messages.bills" in imports["workflows.bill"]
    folders = folder_graph(imports, MODULES, ROOT)
    assert {"workflows", "models.store.orders", "api.http", "worker"} <= set(folders)
    assert set(folders) >= COMPOSITION_ROOTS
    assert any(len(layers.rows) > 5 for layers in LAYERS)


def test_made_up_circles_and_arrows_are_noticed(tmp_path: Path) -> None:
    """A circle through a function, one between folders and not between modules, and an arrow that runs up."""
    sources = {
        "shop/orders/order.py": "import shop.orders.lines\nfrom shop.stock import piece",
        "shop/orders/lines.py": "def late():\n    from shop.orders.order import total",
        "shop/orders/number.py": "",
        "shop/stock/piece.py": "",
        "shop/stock/shelf.py": "from shop.orders import number",
    }
    for name, source in sources.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source)
    modules = read_modules(tmp_path, ["shop"])
    graph = module_graph(modules)
    assert circles(graph) == [["shop.orders.lines", "shop.orders.order", "shop.orders.lines"]]
    folders = folder_graph(graph, modules, tmp_path)
    assert circles(folders) == [["shop.orders", "shop.stock", "shop.orders"]]
    rows = [Layers([["shop.orders"], ["shop.stock"]])]
    assert upward_arrows(graph, rows) == [("shop.stock.shelf", "shop.orders.number")]
    assert upward_arrows(folders, rows) == [("shop.stock", "shop.orders")]
    neighbours = [Layers([["shop.orders", "shop.stock"]])]
    assert ("shop.orders.order", "shop.stock.piece") in upward_arrows(graph, neighbours)
    assert "    shop.stock[shop.stock] --> shop.orders[shop.orders]" in draw(folders).splitlines()
