"""What is wrong around the command is said in one line that says what to do, never in a traceback."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from cli.local.embedded import EmbeddedPostgres
from cli.main import main

POSYNC = Path(sys.executable).parent / "posync"
NOBODY = "postgresql://posync:hunter2@127.0.0.1:1/posync"
KEY = Fernet.generate_key().decode()
FOR_ADMINISTRATORS = [
    "worker",
    "worker --check",
    "migrate",
    "organization list",
    "organization create Acme",
    "key list --organization org_1",
    "credentials rotate",
]


OWN_PROCESS = ("worker", "api", "up", "demo")
"""Commands that become a server, or start some: each runs as users run it. The others run here, which saves seconds."""


@dataclass
class CommandLine:
    """Runs commands that must fail, in a directory of their own and with no other variables than the given ones."""

    directory: Path
    patch: pytest.MonkeyPatch
    capture: pytest.CaptureFixture[str]

    def says(self, command: str, **variables: str) -> str:
        """Return the one line that the command says."""
        run = self._as_process if command.split()[0] in OWN_PROCESS else self._here
        code, said = run(command.split(), variables)
        assert code == 1, said
        lines = [line for line in said.splitlines() if line.strip()]
        assert len(lines) == 1, said
        assert "hunter2" not in lines[0], "a password is shown"
        return lines[0]

    def _as_process(self, words: list[str], variables: dict[str, str]) -> tuple[int, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("POSYNC_", "TEMPORAL_"))}
        ended = subprocess.run(
            [POSYNC, *words],
            cwd=self.directory,
            env={**kept, **variables},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return ended.returncode, ended.stderr

    def _here(self, words: list[str], variables: dict[str, str]) -> tuple[int, str]:
        with self.patch.context() as patch:
            for name in list(os.environ):
                if name.startswith(("POSYNC_", "TEMPORAL_")):
                    patch.delenv(name)
            for name, value in variables.items():
                patch.setenv(name, value)
            patch.chdir(self.directory)
            patch.setattr(sys, "argv", ["posync", *words])
            with pytest.raises(SystemExit) as ended:
                main()
        return int(ended.value.code or 0), self.capture.readouterr().err


@pytest.fixture
def command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(tmp_path, monkeypatch, capsys)


@pytest.mark.parametrize("command", [*FOR_ADMINISTRATORS, "api"])
def test_without_settings_every_command_names_those_it_needs(command: str, command_line: CommandLine) -> None:
    line = command_line.says(command)
    assert "POSYNC_DATABASE_URL is not set" in line
    assert "POSYNC_CREDENTIAL_KEYS is not set" in line


@pytest.mark.parametrize("command", [*FOR_ADMINISTRATORS, "up"])
def test_a_database_that_does_not_answer(command: str, command_line: CommandLine) -> None:
    line = command_line.says(command, POSYNC_DATABASE_URL=NOBODY, POSYNC_CREDENTIAL_KEYS=KEY)
    assert "PostgreSQL at 127.0.0.1:1, database posync, does not answer (Connection refused): start it" in line


@pytest.mark.parametrize("command", ["worker", "worker --check", "migrate", "up"])
def test_a_temporal_that_does_not_answer(command: str, command_line: CommandLine, empty_database_url: str) -> None:
    variables = {"POSYNC_DATABASE_URL": empty_database_url, "POSYNC_CREDENTIAL_KEYS": KEY}
    line = command_line.says(command, TEMPORAL_ADDRESS="127.0.0.1:1", **variables)
    assert "Temporal at 127.0.0.1:1 does not answer: start it, or correct TEMPORAL_ADDRESS" in line


def test_a_database_without_our_schema(command_line: CommandLine, postgres: EmbeddedPostgres) -> None:
    url = postgres.create_database("posync_without_schema")
    for command in ("organization list", "worker"):
        assert "run `posync migrate`" in command_line.says(command, POSYNC_DATABASE_URL=url, POSYNC_CREDENTIAL_KEYS=KEY)


def test_a_database_that_is_not_there(command_line: CommandLine, empty_database_url: str) -> None:
    url = empty_database_url.replace("/posync_", "/no_posync_")
    line = command_line.says("organization list", POSYNC_DATABASE_URL=url, POSYNC_CREDENTIAL_KEYS=KEY)
    assert "does not exist: create it, or correct POSYNC_DATABASE_URL" in line


@pytest.mark.parametrize("command", ["organization list", "po list", "up", "demo", "sandbox reset"])
def test_a_misspelt_variable_is_named_by_every_command(command: str, command_line: CommandLine) -> None:
    line = command_line.says(command, POSYNC_STATEDIR="x")
    assert "POSYNC_STATEDIR is not a setting of posync: did you mean POSYNC_STATE_DIR?" in line


def test_no_api_and_no_stack(command_line: CommandLine) -> None:
    assert "start it with `posync up`" in command_line.says("po list")
    there = {"POSYNC_API_URL": "http://127.0.0.1:1", "POSYNC_API_KEY": "psk_1"}
    assert "the API at http://127.0.0.1:1 does not answer" in command_line.says("po list", **there)
    assert "no sandbox runs from .posync" in command_line.says("sandbox reset")
