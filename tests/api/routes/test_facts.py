"""Facts about States, hearings elsewhere and organisations over HTTP: shapes, filters, former ids, the feed."""

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from importlib.resources import files
from pathlib import Path

import pytest
from sqlalchemy import Engine

from services.core.schemas.models import RECORD_MODELS
from services.ingest.load import Loader
from services.ingest.parsers import read_document
from services.ingest.parsers.base import Content
from tests.api.site import Site, open_site
from tests.ingest.parsers.pages import oas, status

ORGANISATIONS = files("services.ingest.sources.organisations") / "organisations.toml"


@pytest.fixture
def site(database_url: str, engine: Engine, tmp_path: Path) -> Iterator[Site]:
    loader = Loader(engine, timedelta(days=180))
    told = (oas.ANNEX, oas.FOLLOW_UP, oas.FOLLOW_UP_EN, status.treaty_page(), ORGANISATIONS.read_bytes())
    for number, data in enumerate(told):
        file = tmp_path / str(number)
        file.write_bytes(data)
        loader.load(file, hashlib.sha256(data).hexdigest(), read_document(Content(file.name, data)))
    with open_site(database_url) as site:
        yield site


def ids(site: Site, path: str, **filters: object) -> set[str]:
    return {row["id"] for row in site.rows(path, **filters)}


def test_organisations_are_found_by_role_and_membership(site: Site) -> None:
    members = ids(site, "/v1/organisations", member_of="upr-latin-america-coalition")
    assert {"colectivo-epu-peru", "upr-brazil-coalition", "anong"} <= members
    assert "ury-institucion-nacional-de-derechos-humanos-y-defensoria-del-pueblo" in ids(
        site, "/v1/organisations", role="npm"
    )
    assert ids(site, "/v1/organisations", role="requester", member_of="mercociudades") == set()
    for row in site.rows("/v1/organisations", limit=200):
        RECORD_MODELS["organisations"].model_validate(row)


def test_hearings_are_found_by_period_and_by_who_asked(site: Site) -> None:
    assert len(ids(site, "/v1/hearings", iachr_period=191, kind="thematic_hearing")) == 3
    assert ids(site, "/v1/hearings", iachr_period=192) == set()
    assert ids(site, "/v1/hearings", organisation="coalicion-epu-de-prueba") == {"iachr-191-3774"}
    hearing = site.json("/v1/hearings/iachr-191-3774", lang="es")
    assert hearing["title"] == "Mecanismos nacionales de implementación y seguimiento"
    RECORD_MODELS["hearings"].model_validate(hearing)
    (former,) = hearing["aliases"]
    moved = site.get(f"/v1/hearings/{former}")
    assert (moved.status_code, moved.headers["location"].rpartition("/")[2]) == (308, "iachr-191-3774")


def test_facts_of_a_state_have_their_sources(site: Site) -> None:
    state = site.json("/v1/states/XCM")
    RECORD_MODELS["states"].model_validate(state)
    assert [(fact["value"], fact["date"]) for fact in state["facts"]] == [
        ("signature", "2003-09-23"), ("party", "2006-09-14"),
    ]  # fmt: skip
    (source,) = state["facts"][0]["sources"]
    assert site.json(f"/v1/documents/{source['document']}")["original"] == source["address"]


def test_the_feed_tells_of_facts_and_knows_the_filters(site: Site) -> None:
    told = site.json("/v1/changes", event_type="state.updated", limit=200)["data"]
    assert {change["subject"]["id"] for change in told} == {"XCM", "XTL", "XBM", "XKV"}
    joined = site.json("/v1/changes", member_of="upr-latin-america-coalition", limit=200)["data"]
    assert {change["type"] for change in joined} == {"organisation.created"}
    replaced = site.json("/v1/changes", event_type="hearing.replaced")["data"]
    assert [change["subject"]["id"] for change in replaced] == ["iachr-191-3774"]
