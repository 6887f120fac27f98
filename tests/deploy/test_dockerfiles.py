"""Rules that every Dockerfile holds to, ours and those of hadolint."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.files import DEPLOY, ROOT, SERVICES, SETTINGS_OF, variables

import dockerfiles  # isort: skip - from .ci, which tests.deploy.files makes known


@pytest.fixture(params=SERVICES)
def service(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def stages(service: str) -> list[Any]:
    return dockerfiles.stages(DEPLOY / service / "Dockerfile")


HADOLINT = os.environ.get("UPR_TEST_HADOLINT") or shutil.which("hadolint")


@pytest.mark.skipif(HADOLINT is None, reason="not run: hadolint is not installed (make prove-deploy gets it)")
def test_hadolint_has_nothing_to_say(service: str) -> None:
    assert HADOLINT is not None
    command = [HADOLINT, "--no-color", "--config", str(DEPLOY / "hadolint.yaml"), str(DEPLOY / service / "Dockerfile")]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def test_the_base_is_pinned_and_the_same_everywhere(service: str, stages: list[Any]) -> None:
    text = (DEPLOY / service / "Dockerfile").read_text()
    assert re.search(r"^ARG BASE=debian:13\.\d+-slim$", text, re.MULTILINE)
    assert [stage.base for stage in stages] == ["${BASE}", "${BASE}"]


def test_nothing_is_fetched_by_address_nor_run_as_root_nor_secret(service: str, stages: list[Any]) -> None:
    text = (DEPLOY / service / "Dockerfile").read_text()
    assert "latest" not in text
    for stage in stages:
        assert stage.all("ADD") == []
        assert not any(re.search(r"curl|wget|sudo|chmod 777", step.arguments) for step in stage.all("RUN"))
        assert not any(re.search(r"(?i)password|secret|token|_key", step.arguments) for step in stage.steps)
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", stages[-1].one("USER").arguments)


def test_packages_are_those_that_were_pinned(service: str, stages: list[Any]) -> None:
    installs = [part for step in stages[0].all("RUN") for part in step.arguments.split("&&") if "pip" in part]
    for install in installs:
        if "install" in install.split("uninstall")[0]:
            assert "--require-hashes" in install or "--no-index" in install, install
    pins = {path.name for path in ROOT.glob("requirements/*.txt")} & set(
        re.findall(r"requirements/(\w+\.txt)", " ".join(step.arguments for step in stages[0].steps))
    )
    pinned = {f"{service}.txt", "build.txt"}
    assert {name if name.endswith(".txt") else f"{name}.txt" for name in pins} == pinned


def test_apt_leaves_nothing_behind_and_asks_nothing(stages: list[Any]) -> None:
    for stage in stages:
        for step in stage.all("RUN"):
            if "apt-get install" in step.arguments:
                assert "apt-get install --yes --no-install-recommends" in step.arguments
    assert "rm -rf /var/lib/apt/lists/*" in stages[-1].all("RUN")[0].arguments


def test_commands_are_exec_forms(service: str, stages: list[Any]) -> None:
    final = stages[-1]
    assert final.one("ENTRYPOINT").arguments == '["upr"]'
    assert final.one("CMD").words == [service, "serve"]
    assert 'CMD ["python", ' in final.one("HEALTHCHECK").arguments


def test_every_setting_named_is_one(service: str, stages: list[Any]) -> None:
    named = {name for name in stages[-1].environment if name.startswith("UPR_")}
    assert named <= variables(SETTINGS_OF[service])
    assert {"UPR_DATA_DIR", "UPR_LOG_FORMAT", f"UPR_{service.upper()}_HOST", f"UPR_{service.upper()}_PORT"} == named


def test_labels_tell_where_it_is_from(stages: list[Any]) -> None:
    labels = stages[-1].one("LABEL").arguments
    for name in ("title", "description", "licenses", "version", "revision", "source"):
        assert f"org.opencontainers.image.{name}=" in labels


def test_the_context_has_the_code_and_nothing_else(stages: list[Any]) -> None:
    paths = set(dockerfiles.context(ROOT))
    assert {Path("services/cli.py"), Path("migrations/env.py"), Path("pyproject.toml")} <= paths
    first = {path.parts[0] for path in paths}
    assert first == {"LICENSE", "README.md", "pyproject.toml", "requirements", "migrations", "services"}
    assert not any(path.suffix == ".pyc" for path in paths)
    for step in stages[0].all("COPY"):
        for source in step.words[:-1]:
            assert any(path == Path(source) or Path(source) in path.parents for path in paths), source


def test_every_part_of_the_code_is_in_some_image_or_left_out_knowingly() -> None:
    text = "".join((DEPLOY / service / "Dockerfile").read_text() for service in SERVICES)
    listed = subprocess.run(["git", "ls-files", "services"], cwd=ROOT, check=True, capture_output=True, text=True)
    parts = {line.split("/")[1] for line in listed.stdout.splitlines()}
    copied = {part for part in parts if f"services/{part}" in text}
    assert parts - copied == {"up"}  # `upr up` is for one machine without containers
