"""The units of one Debian machine, and the scripts."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.deploy.files import DEPLOY, SETTINGS_OF, variables

UNITS = sorted((DEPLOY / "systemd").glob("upr-*.service"))
SERVICE_OF = {
    "upr-api": "api",
    "upr-deliver": "api",
    "upr-search": "search",
    "upr-index": "search",
    "upr-ingest": "ingest",
    "upr-backup": "api",
}
SCRIPTS = sorted(DEPLOY.glob("*.sh"))


def unit(path: Path) -> dict[str, dict[str, list[str]]]:
    """Sections of a unit; each name with all its values."""
    found: dict[str, dict[str, list[str]]] = {}
    for line in path.read_text().splitlines():
        if section := re.fullmatch(r"\[(\w+)\]", line):
            values = found.setdefault(section[1], {})
        elif line and line[0] != "#":
            name, _, value = line.partition("=")
            values.setdefault(name, []).append(value)
    return found


def test_there_is_a_unit_for_each_process() -> None:
    assert {path.stem for path in UNITS} == set(SERVICE_OF)


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_it_is_confined(path: Path) -> None:
    service = unit(path)["Service"]
    assert service["User"] == [f"openupr_{ {'backup': 'owner', 'index': 'search'}.get(path.stem[4:], path.stem[4:]) }"]
    expected = {
        "NoNewPrivileges": "yes",
        "CapabilityBoundingSet": "",
        "ProtectSystem": "strict",
        "ProtectHome": "yes",
        "PrivateTmp": "yes",
        "PrivateDevices": "yes",
        "RestrictSUIDSGID": "yes",
        "SystemCallArchitectures": "native",
    }
    assert {name: service[name][0] for name in expected} == expected
    assert service["MemoryMax"]
    assert service["SystemCallFilter"][0].startswith("@system-service")


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_its_settings_are_settings(path: Path) -> None:
    words = " ".join(unit(path)["Service"]["Environment"]).split()
    named = {word.partition("=")[0] for word in words if word.startswith("UPR_")}
    assert named <= variables(SETTINGS_OF[SERVICE_OF[path.stem]])
    assert {"UPR_DATABASE_URL", "UPR_DATA_DIR"} <= named


def test_only_what_fetches_or_delivers_may_reach_out() -> None:
    inside = {path.stem for path in UNITS if "IPAddressDeny" in unit(path)["Service"]}
    assert inside == {"upr-api", "upr-search", "upr-index"}


def test_ingest_may_still_confine_its_children() -> None:
    service = unit(DEPLOY / "systemd/upr-ingest.service")["Service"]
    assert set(service["RestrictNamespaces"][0].split()) == {"user", "net", "ipc"}
    assert {"landlock_restrict_self", "seccomp", "unshare"} <= set(service["SystemCallFilter"][0].split())


def test_the_script_knows_every_unit_and_role() -> None:
    script = (DEPLOY / "install.sh").read_text()
    (services,) = re.findall(r"^services=\((.*)\)$", script, re.MULTILINE)
    assert set(services.split()) == set(SERVICE_OF) - {"upr-backup"}
    (roles,) = re.findall(r"^roles=\((.*)\)$", script, re.MULTILINE)
    sql = (DEPLOY / "roles.sql").read_text()
    assert set(roles.split()) == set(re.findall(r"\bopenupr_\w+", sql))


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_understands_the_units(tmp_path: Path) -> None:
    for path in (*UNITS, DEPLOY / "systemd/upr-backup.timer"):
        text = path.read_text().replace("/opt/openupr/current/bin/upr", "/bin/true")
        (tmp_path / path.name).write_text(text)
    paths = [str(path) for path in sorted(tmp_path.iterdir())]
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *paths], check=False, capture_output=True, text=True
    )
    ours = [line for line in done.stderr.splitlines() if str(tmp_path) in line or line.startswith("upr-")]
    assert ours == []


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
def test_scripts_have_no_faults_that_shellcheck_knows() -> None:
    done = subprocess.run(["shellcheck", *map(str, SCRIPTS)], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_secrets_are_made_once_and_kept(tmp_path: Path) -> None:
    shutil.copy(DEPLOY / "secrets.sh", tmp_path)
    rounds = []
    for _ in range(2):
        subprocess.run(["sh", str(tmp_path / "secrets.sh")], check=True, capture_output=True)
        rounds.append({path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()})
    made = rounds[0]
    assert rounds[1] == made
    assert len(made) == 9
    assert len(set(made.values())) == 9
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    assert all(len(value) > 40 for value in made.values())


def test_the_engine_knows_the_keys_that_the_script_works_out() -> None:
    ids = set(re.findall(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", (DEPLOY / "secrets.sh").read_text()))
    assert ids == set(
        re.findall(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", (DEPLOY / "meili_keys.py").read_text())
    )
