"""The house keeps its own rules: imports, lock, Makefile, README, containers."""

import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from typer.testing import CliRunner

from cli.main import app

ROOT = Path(__file__).resolve().parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LOCKS = ("requirements.lock", "requirements-production.lock", "requirements-build.lock")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return parsed


def test_imports_point_one_way() -> None:
    linter = Path(sys.executable).parent / "lint-imports"
    checked = subprocess.run([linter, "--no-logo", "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_address_and_pins_by_hash(name: str) -> None:
    lock = (ROOT / name).read_text()
    assert "://" not in lock
    assert not re.search(r"^\s*--(index-url|extra-index-url|find-links)", lock, re.MULTILINE)
    packages = re.split(r"\n(?=\S)", lock.strip())
    unpinned = [
        package.splitlines()[0] for package in packages if "==" not in package or "--hash=sha256:" not in package
    ]
    assert [line for line in unpinned if not line.startswith("#")] == []


def locked(name: str) -> dict[str, set[str]]:
    """The versions that a lock pins, by package; some differ by platform."""
    found: dict[str, set[str]] = {}
    for line in (ROOT / name).read_text().splitlines():
        if "==" in line and not line.startswith((" ", "#")):
            package, rest = line.split("==", 1)
            found.setdefault(canonicalize_name(package), set()).add(rest.split()[0])
    return found


def named(requirements: list[str]) -> set[str]:
    return {str(canonicalize_name(Requirement(requirement).name)) for requirement in requirements}


def test_every_dependency_is_in_the_lock_of_its_use() -> None:
    product, extras = PROJECT["project"]["dependencies"], PROJECT["project"]["optional-dependencies"]
    everything = [*product, *PROJECT["dependency-groups"]["dev"], *(one for extra in extras.values() for one in extra)]
    assert named(everything) - locked("requirements.lock").keys() == set()
    assert named([*product, *extras["suggest"]]) - locked("requirements-production.lock").keys() == set()
    assert named(PROJECT["build-system"]["requires"]) - locked("requirements-build.lock").keys() == set()


def test_production_installs_what_was_tested() -> None:
    tested = locked("requirements.lock")
    for name in ("requirements-production.lock", "requirements-build.lock"):
        assert {package for package, versions in locked(name).items() if versions != tested.get(package)} == set()


def needed(requirements: list[str]) -> set[str]:
    """The packages that an installer brings for these requirements, with all that those need in turn."""
    found: set[tuple[str, str]] = set()
    waiting = [Requirement(requirement) for requirement in requirements]
    while waiting:
        requirement = waiting.pop()
        for extra in {"", *requirement.extras}:
            name = str(canonicalize_name(requirement.name))
            if (name, extra) in found:
                continue
            found.add((name, extra))
            wanted = map(Requirement, metadata.requires(name) or [])
            waiting += [one for one in wanted if one.marker is None or one.marker.evaluate({"extra": extra})]
    return {name for name, _ in found}


def test_the_image_installs_no_embedded_server_no_test_tool_and_nothing_the_product_does_not_need() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    image = locked("requirements-production.lock").keys()
    # uvicorn reads its log settings with PyYAML.
    tools = named(PROJECT["dependency-groups"]["dev"]) - {"pyyaml"}
    assert image & (named(extras["local"]) | tools) == set()
    assert image & {"pytest", "mypy", "ruff", "coverage", "pip", "uv"} == set()
    wanted = needed([*PROJECT["project"]["dependencies"], *extras["suggest"]])
    assert wanted - image == set()
    for_other_platforms = image - wanted
    lock = (ROOT / "requirements-production.lock").read_text()
    assert [name for name in for_other_platforms if not re.search(rf"^{name}==\S+ ; ", lock, re.MULTILINE)] == []


def test_the_image_is_built_from_the_locks_of_production_alone() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    installed = re.findall(r"--require-hashes -r (\S+)", dockerfile)
    assert installed == ["requirements-build.lock", "requirements-production.lock"]
    assert len(re.findall(r"pip install", dockerfile)) - len(installed) == 1, "and the product's own wheel"
    left_out = (ROOT / ".dockerignore").read_text().splitlines()
    assert {"bench", "docs", "sandbox", "tests", "requirements.lock"} <= set(left_out)


def test_health_checks_ask_with_programs_that_the_image_has(compose: dict[str, Any]) -> None:
    assert compose["services"]["worker"]["healthcheck"]["test"] == ["CMD", "posync", "worker", "--check"]
    ours = [compose["services"][name]["healthcheck"]["test"] for name in ("api", "worker")]
    assert [check for check in ours if "temporal" in " ".join(check)] == []


def test_the_makefile_offers_every_command() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    assert {"install", "demo", "up", "test", "coverage", "lint", "lock", "bench", "labelled"} <= targets
    phony = re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert phony is not None
    assert targets <= set(phony.group(1).split())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_names_only_commands_that_exist(page: Path) -> None:
    code = _code(page.read_text())
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z]+)", code)) <= targets
    used = set(re.findall(r"\bposync ((?:[a-z][a-z-]* ?){1,2})", code))
    assert used or page.name != "README.md" or page.parent != ROOT, "the README shows how to use the command"
    for words in used:
        shown = CliRunner().invoke(app, [*_command(words.split()), "--help"])
        assert shown.exit_code == 0, f"{words}: {shown.output}"


def _code(markdown: str) -> str:
    fenced = re.findall(r"^```\w*\n(.*?)^```", markdown, re.DOTALL | re.MULTILINE)
    indented = re.findall(r"^ {4}(.+)$", markdown, re.MULTILINE)
    return "\n".join([*fenced, *indented, *re.findall(r"`([^`\n]+)`", markdown)])


def _command(words: list[str]) -> list[str]:
    groups = {group.name for group in app.registered_groups}
    return words[:2] if words[0] in groups else words[:1]


def test_compose_has_every_process_with_a_health_check(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert {"postgres", "temporal", "temporal-ui", "migrate", "api", "worker"} <= set(services)
    lasting = {name: service for name, service in services.items() if name != "migrate"}
    assert [name for name, service in lasting.items() if "healthcheck" not in service] == []


def test_compose_can_scale_workers_and_keeps_its_data(compose: dict[str, Any]) -> None:
    worker = compose["services"]["worker"]
    assert "container_name" not in worker
    assert "ports" not in worker
    mounted = {
        volume.split(":")[0] for service in compose["services"].values() for volume in service.get("volumes", [])
    }
    assert mounted == set(compose["volumes"])


def test_compose_starts_no_process_before_the_schema_is_there(compose: dict[str, Any]) -> None:
    for name in ("api", "worker"):
        needs = compose["services"][name]["depends_on"]
        assert needs["migrate"]["condition"] == "service_completed_successfully"


def test_compose_holds_no_secret() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    for line in text.splitlines():
        if re.search(r"(PASSWORD|PWD|KEYS|SECRET)\w*:\s", line) and not line.lstrip().startswith("#"):
            assert re.search(r"\$\{\w+:\?[^}]+\}", line), line
    assert "${" in text
    assert ":-" not in text, "a default in the file would be a secret in the file"


def test_the_image_runs_a_command_that_exists_and_not_as_root() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert 'ENTRYPOINT ["posync"]' in dockerfile
    assert re.search(r"^USER (?!root)\w+$", dockerfile, re.MULTILINE)
    assert PROJECT["project"]["scripts"]["posync"] == "cli.main:main"


def test_the_package_holds_every_module_the_processes_need() -> None:
    included = set(
        tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"][
            "only-include"
        ]
    )
    ours = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"bench", "tests"}
    assert ours | {"settings.py", "worker.py"} == included
