import subprocess
import sys
from pathlib import Path

import pytest

from services.core.domain.errors import SettingsError
from services.core.runtime.settings import CoreSettings

URL = "postgresql://openupr_api:a-password@postgres/openupr"


@pytest.fixture(autouse=True)
def secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "secrets"
    folder.mkdir()
    monkeypatch.setenv("UPR_SECRETS_DIR", str(folder))
    monkeypatch.delenv("UPR_DATABASE_URL", raising=False)
    return folder


def test_settings_are_read_from_files(secrets: Path) -> None:
    (secrets / "upr_database_url").write_text(f"{URL}\n")
    (secrets / "upr_rate_limit").write_text("30")
    (secrets / "something_else").write_text("no setting")
    assert CoreSettings().database_url == URL
    assert CoreSettings().rate_limit == 30
    assert CoreSettings().secrets_dir == secrets


def test_the_environment_goes_before_files(secrets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (secrets / "upr_database_url").write_text(URL)
    monkeypatch.setenv("UPR_DATABASE_URL", "postgresql:///mine")
    assert CoreSettings().database_url == "postgresql:///mine"
    assert CoreSettings(database_url="postgresql:///given").database_url == "postgresql:///given"


def test_links_as_kubernetes_makes_them_are_followed(secrets: Path) -> None:
    (secrets / "..2026").mkdir()
    (secrets / "..2026" / "upr_database_url").write_text(URL)
    (secrets / "..data").symlink_to("..2026")
    (secrets / "upr_database_url").symlink_to("..data/upr_database_url")
    assert CoreSettings().database_url == URL


def test_a_folder_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("UPR_SECRETS_DIR", str(tmp_path / "elsewhere"))
    with pytest.raises(SettingsError, match="elsewhere of UPR_SECRETS_DIR cannot be read: No such file or directory"):
        CoreSettings()


def test_a_file_that_cannot_be_read_is_told_and_not_passed_over(secrets: Path) -> None:
    (secrets / "upr_database_url").mkdir()
    with pytest.raises(SettingsError, match="upr_database_url of UPR_SECRETS_DIR cannot be read: Is a directory"):
        CoreSettings()


def test_a_file_that_is_no_text_is_told_without_its_content(secrets: Path) -> None:
    (secrets / "upr_database_url").write_bytes(b"postgresql://\xff")
    with pytest.raises(SettingsError, match="is not UTF-8"):
        CoreSettings()


def test_no_folder_is_asked_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UPR_SECRETS_DIR")
    assert CoreSettings().database_url is None


def test_commands_tell_it_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPR_SECRETS_DIR", str(tmp_path / "elsewhere"))
    command = [sys.executable, "-m", "services.cli", "db", "status"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == (
        f"upr: {tmp_path}/elsewhere of UPR_SECRETS_DIR cannot be read: No such file or directory. [invalid_settings]\n"
    )
