"""Alert rules and dashboard ask for figures that the services tell."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from prometheus_client import CollectorRegistry

from services.api.app import create_app as create_api
from services.api.settings import ApiSettings
from services.ingest.app import create_app as create_ingest
from services.ingest.settings import IngestSettings
from services.search.app import create_app as create_search
from services.search.settings import SearchSettings
from tests.deploy.files import DEPLOY, ROOT

FOLDER = DEPLOY / "observability"
OF_PROMETHEUS = {"up"}
FUNCTIONS = {
    "sum",
    "min",
    "max",
    "by",
    "rate",
    "topk",
    "histogram_quantile",
    "increase",
    "count",
    "avg",
    "time",
    "or",
    "on",
    "ignoring",
}


def known_metrics() -> set[str]:
    """Names of all series at /metrics: from the code, since some come with what is measured alone."""
    registries: list[CollectorRegistry] = [
        create_api(ApiSettings(), "postgresql://nowhere").metrics_registry,
        create_ingest(IngestSettings(), "postgresql://nowhere").metrics_registry,
        create_search(SearchSettings(), "postgresql://nowhere").metrics_registry,
    ]
    names = {name for registry in registries for name in registry._names_to_collectors}
    names |= {each.name for registry in registries for family in registry.collect() for each in family.samples}
    source = "".join(path.read_text() for path in (ROOT / "services").rglob("*.py"))
    written = set(re.findall(r'(?:Family|Gauge|Counter|Histogram)\(\s*"(upr_\w+)"', source))
    written |= set(re.findall(r'"(upr_\w+)": "[0-9A-Z]', source))
    return names | written | {f"{name}_{end}" for name in written for end in ("total", "bucket", "sum", "count")}


def expressions() -> Iterator[str]:
    for group in yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"]:
        yield from (rule["expr"] for rule in group["rules"])
    for panel in json.loads((FOLDER / "dashboard.json").read_text())["panels"]:
        yield from (target["expr"] for target in panel["targets"])


def metrics_in(expression: str) -> set[str]:
    bare = re.sub(r'"[^"]*"|\{[^}]*\}|\[[^\]]*\]|\bby \([^)]*\)', " ", expression)
    return set(re.findall(r"\b[a-z][a-z_]+\b", bare)) - FUNCTIONS


def test_every_figure_named_is_told_by_a_service() -> None:
    named = {name for expression in expressions() for name in metrics_in(expression)}
    assert "upr_http_requests_total" in named
    assert named - known_metrics() - OF_PROMETHEUS == set()


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed (Debian: prometheus)")
@pytest.mark.parametrize(
    "check", [("check", "config", "prometheus.yml"), ("test", "rules", "alerts_test.yml")], ids=str
)
def test_prometheus_understands_them(check: tuple[str, ...]) -> None:
    done = subprocess.run(["promtool", *check], check=False, capture_output=True, text=True, cwd=FOLDER)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_dashboard_can_be_imported() -> None:
    dashboard = json.loads((FOLDER / "dashboard.json").read_text())
    assert [variable["type"] for variable in dashboard["templating"]["list"]] == ["datasource"]
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert all(panel["datasource"]["uid"] == "${source}" for panel in panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells


def test_every_alert_has_a_word_in_the_handbook() -> None:
    text = Path(ROOT / "docs/operations.md").read_text()
    for group in yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"]:
        for rule in group["rules"]:
            assert f"`{rule['alert']}`" in text, rule["alert"]
            assert rule["labels"]["severity"] in ("page", "look")
