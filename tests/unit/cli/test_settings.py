"""Settings: one line names every fault and its remedy, and one file alone reads the environment."""

import ast
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

import settings
from settings import (
    ApiAccess,
    InvalidSettings,
    TemporalUnreachable,
    check_variable_names,
    read_api_access,
    read_settings,
    read_stack_settings,
    temporal_client,
)
from worker import served_queues

ROOT = Path(__file__).resolve().parents[3]
URL = "postgresql://posync:secret@db.test:5432/posync"
NO_PRODUCT = {"tests", "bench", ".venv"}


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in settings.known_variables() | {"TEMPORAL_ADDRESS"}:
        monkeypatch.delenv(name, raising=False)


def test_settings_are_read_with_their_types(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    monkeypatch.setenv("POSYNC_DATABASE_URL", URL)
    monkeypatch.setenv("POSYNC_CREDENTIAL_KEYS", f"{first}, {second}")
    monkeypatch.setenv("POSYNC_ALLOW_LOOPBACK", "1")
    monkeypatch.setenv("POSYNC_KEEP_ANSWERS_DAYS", "7")
    monkeypatch.setenv("POSYNC_QUEUES", "posync, posync-intacct")
    monkeypatch.setenv("POSYNC_POOL_SIZE", "")
    monkeypatch.setenv("POSYNC_ERP_ATTEMPTS_PER_SECOND", "2.5")
    read = read_settings()
    assert read.database_url == URL
    assert read.credential_keys == (first, second)
    assert read.allow_loopback is True
    assert read.keep_answers == timedelta(days=7)
    assert served_queues(read) == ("posync", "posync-intacct")
    assert read.erp_attempts_per_second == 2.5
    assert read.pool_size == 10, "an empty variable is one that is not set"
    assert first not in repr(read)
    assert "secret" not in repr(read)


def test_one_line_names_everything_that_is_wrong_and_shows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSYNC_CREDENTIAL_KEYS", "hunter2")
    monkeypatch.setenv("POSYNC_POOL_SIZE", "ten")
    monkeypatch.setenv("POSYNC_ALOW_LOOPBACK", "1")
    monkeypatch.setenv("POSYNC_COLOUR", "red")
    with pytest.raises(InvalidSettings) as refused:
        read_settings()
    line = str(refused.value)
    assert "\n" not in line
    assert "POSYNC_DATABASE_URL is not set: give a URL such as postgresql://" in line
    assert "POSYNC_CREDENTIAL_KEYS is malformed: give one or more Fernet keys" in line
    assert "POSYNC_POOL_SIZE is malformed: give a whole number from 1 to 1000" in line
    assert "POSYNC_ALOW_LOOPBACK is not a setting of posync: did you mean POSYNC_ALLOW_LOOPBACK?" in line
    assert "POSYNC_COLOUR is not a setting of posync: remove it" in line
    assert "hunter2" not in line


@pytest.mark.parametrize("url", ["posync", "mysql://u:p@h/d", "postgresql://u:p@h:5432", "postgresql://u:p@h:x/d"])
def test_a_url_that_names_no_database_is_malformed(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSYNC_DATABASE_URL", url)
    with pytest.raises(InvalidSettings, match="POSYNC_DATABASE_URL is malformed"):
        read_stack_settings()


def test_a_password_may_hold_any_character(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSYNC_DATABASE_URL", "postgresql://posync:a#b?c@localhost/posync")
    assert read_stack_settings().database_url is not None


def test_what_a_cluster_sets_for_a_service_called_posync_is_no_fault_of_the_operator(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("POSYNC_SERVICE_HOST", "POSYNC_PORT", "POSYNC_PORT_8000_TCP_ADDR", "POSYNC_API_SERVICE_PORT_HTTP"):
        monkeypatch.setenv(name, "x")
    check_variable_names()


def test_an_api_is_named_with_its_key_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_api_access() == ApiAccess(api_url=None, api_key=None)
    monkeypatch.setenv("POSYNC_API_KEY", "psk_1")
    with pytest.raises(InvalidSettings, match="set POSYNC_API_URL and POSYNC_API_KEY together"):
        read_api_access()
    monkeypatch.setenv("POSYNC_API_URL", "localhost:8000")
    with pytest.raises(InvalidSettings, match="POSYNC_API_URL is malformed: give a URL such as https://"):
        read_api_access()


def test_a_queue_that_does_not_exist_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSYNC_DATABASE_URL", URL)
    monkeypatch.setenv("POSYNC_CREDENTIAL_KEYS", Fernet.generate_key().decode())
    monkeypatch.setenv("POSYNC_QUEUES", "posync-intact")
    with pytest.raises(InvalidSettings, match="POSYNC_QUEUES names posync-intact, which is no queue: give posync, "):
        served_queues(read_settings())


async def test_temporal_that_does_not_answer_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    with pytest.raises(TemporalUnreachable) as away:
        await temporal_client()
    expected = "Temporal at 127.0.0.1:1 does not answer: start it, or correct TEMPORAL_ADDRESS (Connection refused)"
    assert str(away.value) == expected

    config = tmp_path / "temporal.toml"
    config.write_text("[[[")
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(config))
    with pytest.raises(TemporalUnreachable, match=r"^the TEMPORAL_\* settings cannot be read: [^\n]+$"):
        await temporal_client()


def test_nothing_but_the_settings_reads_the_environment() -> None:
    readers = [
        str(path.relative_to(ROOT))
        for path in ROOT.rglob("*.py")
        if not NO_PRODUCT & set(path.relative_to(ROOT).parts) and _reads_environment(ast.parse(path.read_text()))
    ]
    assert readers == ["settings.py"]


def test_options_take_their_variables_from_the_settings() -> None:
    named = [
        f"{path.relative_to(ROOT)}:{keyword.value.lineno}"
        for path in (ROOT / "cli").rglob("*.py")
        for keyword in ast.walk(ast.parse(path.read_text()))
        if isinstance(keyword, ast.keyword) and keyword.arg == "envvar" and isinstance(keyword.value, ast.Constant)
    ]
    assert named == []


def _reads_environment(tree: ast.Module) -> bool:
    return any(
        (isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv", "environb"))
        or (
            isinstance(node, ast.ImportFrom)
            and node.module == "os"
            and any(n.name in ("environ", "getenv") for n in node.names)
        )
        for node in ast.walk(tree)
    )
