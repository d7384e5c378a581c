"""The house keeps its own rules: imports, lock, Makefile, README, containers."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from cli.main import app

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return parsed


def test_imports_point_one_way() -> None:
    linter = Path(sys.executable).parent / "lint-imports"
    checked = subprocess.run([linter, "--no-logo", "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


def test_the_lock_names_no_address_and_pins_by_hash() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert "://" not in lock
    assert not re.search(r"^\s*--(index-url|extra-index-url|find-links)", lock, re.MULTILINE)
    packages = re.split(r"\n(?=\S)", lock.strip())
    unpinned = [
        package.splitlines()[0] for package in packages if "==" not in package or "--hash=sha256:" not in package
    ]
    assert [line for line in unpinned if not line.startswith("#")] == []


def test_every_dependency_is_in_the_lock() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    names = {re.split(r"[\[<>=!~]", requirement)[0].lower() for requirement in wanted}
    locked = {
        line.split("==")[0].lower() for line in (ROOT / "requirements.lock").read_text().splitlines() if "==" in line
    }
    assert names - locked == set()


def test_the_makefile_offers_every_command() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    assert {"install", "demo", "up", "test", "lint", "bench", "labelled"} <= targets
    phony = re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert phony is not None
    assert targets <= set(phony.group(1).split())


def test_the_readme_names_only_commands_that_exist() -> None:
    readme = (ROOT / "README.md").read_text()
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z]+)", readme)) <= targets
    used = set(re.findall(r"\bposync ((?:[a-z]+ ?){1,2})", _code(readme)))
    assert used, "the README shows how to use the command"
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


def test_the_readme_links_only_to_files_that_exist() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", (ROOT / "README.md").read_text())
    assert [link for link in links if "://" not in link and not (ROOT / link).exists()] == []


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
    assert "--require-hashes -r requirements.lock" in dockerfile
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["scripts"]["posync"] == "cli.main:main"


def test_the_package_holds_every_module_the_processes_need() -> None:
    included = set(
        tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"][
            "only-include"
        ]
    )
    ours = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"bench", "tests"}
    assert ours | {"settings.py", "worker.py"} == included
