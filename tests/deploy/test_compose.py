"""The compose files say what can be started, reached and written; nothing here needs Docker."""

import json
import os
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from services import __version__
from tests.deploy.files import DEPLOY, SETTINGS_OF, compose, variables

BASE = ("compose.yml",)
OURS = "${UPR_REGISTRY:-openupr}/"
PRODUCTION = ("compose.yml", "compose.production.yml")


@pytest.fixture(params=[BASE, PRODUCTION], ids=["base", "production"])
def project(request: pytest.FixtureRequest) -> dict[str, Any]:
    return compose(*request.param)


def ours(project: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The containers of our images, each with the service whose image it is."""
    return {name: each for name, each in project["services"].items() if each["image"].startswith(OURS)}


def service_of(container: dict[str, Any]) -> str:
    found = re.fullmatch(re.escape(OURS) + r"(\w+):\$\{UPR_VERSION:-(.*)\}", container["image"])
    assert found
    assert found[2] == __version__
    return found[1]


def test_it_is_a_compose_file(project: dict[str, Any]) -> None:
    """By the schema of the Compose specification (`schema/compose-spec.json` of compose-spec/compose-spec), if
    UPR_TEST_COMPOSE_SCHEMA names it."""
    schema = Path(os.environ.get("UPR_TEST_COMPOSE_SCHEMA", ""))
    if not schema.is_file():
        pytest.skip("not run: UPR_TEST_COMPOSE_SCHEMA names no file with the schema of the Compose specification")
    errors = [str(error) for error in jsonschema_rs.validator_for(json.loads(schema.read_text())).iter_errors(project)]
    assert errors == []


def test_what_is_referred_to_is_there(project: dict[str, Any]) -> None:
    for name, each in project["services"].items():
        for kind in ("secrets", "configs"):
            for used in each.get(kind, ()):
                assert (used["source"] if isinstance(used, dict) else used) in project[kind], (name, used)
        for volume in each.get("volumes", ()):
            source = volume.split(":")[0]
            assert volume.startswith("${UPR_BACKUPS:-./backups}:") or source in project["volumes"], (name, volume)
        assert set(each.get("networks", ())) <= set(project["networks"]), name
        assert set(each.get("depends_on", ())) <= set(project["services"]), name
    for config in project["configs"].values():
        assert (DEPLOY / config["file"]).is_file()


def test_the_script_makes_every_secret(project: dict[str, Any]) -> None:
    script = (DEPLOY / "secrets.sh").read_text()
    for name, secret in project["secrets"].items():
        assert secret["file"] == f"secrets/{name}"
        base, _, rest = name.partition("_database_url")
        made = f"keep {name} " in script or (not rest and re.search(rf"for service in [\w ]*\b{base}\b", script))
        assert made, name


def test_what_waits_for_health_waits_for_what_has_a_health_check(project: dict[str, Any]) -> None:
    for each in project["services"].values():
        for name, condition in each.get("depends_on", {}).items():
            other = project["services"][name]
            if condition["condition"] == "service_healthy":
                in_image = other["image"].startswith(OURS) and "command" not in other
                assert in_image or "test" in other["healthcheck"], name
            if condition["condition"] == "service_completed_successfully":
                assert other["restart"] == "no", name


def test_images_are_pinned(project: dict[str, Any]) -> None:
    for name, each in project["services"].items():
        assert re.search(r":v?\d+\.\d+|:\$\{UPR_VERSION:-\d+\.\d+\.\d+\}$", each["image"]), name


def test_every_setting_is_one_of_its_service(project: dict[str, Any]) -> None:
    for name, each in ours(project).items():
        named = {variable for variable in each.get("environment", {}) if variable.startswith("UPR_")}
        named |= {secret["target"].upper() for secret in each["secrets"] if isinstance(secret, dict)}
        assert named <= variables(SETTINGS_OF[service_of(each)]), name


def test_every_container_is_confined(project: dict[str, Any]) -> None:
    for name, each in project["services"].items():
        assert each["read_only"] is True, name
        assert each["cap_drop"] == ["ALL"], name
        assert each["security_opt"] == ["no-new-privileges:true"], name
        assert each["logging"]["options"]["max-size"], name
        assert not each.get("privileged"), name
        if each["restart"] != "no":
            assert each["restart"] == "unless-stopped", name
            assert each["deploy"]["resources"]["limits"].keys() >= {"cpus", "memory"}, name
    for each in ours(project).values():
        assert "cap_add" not in each
        assert "user" not in each  # the image's own


def test_only_the_proxy_is_reachable_and_only_few_reach_out(project: dict[str, Any]) -> None:
    services = project["services"]
    assert [name for name, each in services.items() if each.get("ports")] == ["proxy"]
    outward = {name for name, network in project["networks"].items() if not (network or {}).get("internal")}
    assert {name for name, each in services.items() if outward & set(each["networks"])} == {
        "proxy",
        "ingest",
        "deliver",
    }
    assert "data" not in services["proxy"]["networks"]
    assert services["postgres"]["networks"] == ["data"]
    assert services["meilisearch"]["networks"] == ["engine"]


def test_nobody_is_given_the_secret_of_another() -> None:
    services = compose(*BASE)["services"]
    given = {
        name: {secret["source"] if isinstance(secret, dict) else secret for secret in each.get("secrets", ())}
        for name, each in services.items()
    }
    for name in ("api", "deliver", "ingest"):
        assert given[name] == {f"{name}_database_url"}
    assert given["search"] == {"search_database_url", "meili_search_key"}
    assert given["index"] == {"search_database_url", "meili_index_key"}
    assert given["proxy"] == set()


def test_each_kind_of_process_is_there_once() -> None:
    """One follows the index and one runs the schedule; the others may be several in production."""
    project = compose(*PRODUCTION)["services"]
    replicas = {name: each.get("deploy", {}).get("replicas", 1) for name, each in project.items()}
    assert {name for name, number in replicas.items() if number > 1} == {"api", "deliver", "search"}
    assert project["search"]["environment"]["UPR_SEARCH_FOLLOW"] == "false"
    assert "UPR_SEARCH_FOLLOW" not in project["index"]["environment"]


def test_production_opens_the_ports_of_the_web() -> None:
    assert compose(*PRODUCTION)["services"]["proxy"]["ports"] == ["80:80", "443:443", "443:443/udp"]
