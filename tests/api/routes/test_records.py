"""Lists and details of every noun, over HTTP."""

import hashlib
import random
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from services.core.query.filters import FILTERS, filters_of
from services.core.schemas.models import RECORD_MODELS, Dataset
from services.core.store.former_ids import remember_removed
from services.core.store.paging import sorts_of
from services.core.store.recommendations import RECOMMENDATIONS
from services.core.store.tables import AGGREGATES
from services.ingest.load import Loader
from services.ingest.reading import ReadLabel
from tests.api.site import PUBLIC, Site, open_site, problem
from tests.readings import TEXTS, matrix, recommendation, report
from tests.records import RecordMaker, fill

LONG_AGO = timedelta(days=36_500)


@pytest.fixture
def maker(engine: Engine) -> RecordMaker:
    with engine.begin() as connection:
        return fill(connection, seed=21, each=25, recommendations=120)


@pytest.fixture
def site(database_url: str, maker: RecordMaker) -> Iterator[Site]:
    with open_site(database_url) as site:
        yield site


def test_a_list_pages_to_its_total_in_every_order(site: Site) -> None:
    for noun in AGGREGATES:
        for sort in sorts_of(noun):
            pages = site.pages(f"/v1/{noun}", sort=sort, limit=40)
            rows = [row for page in pages for row in page["data"]]
            assert {page["total"] for page in pages} == {len(rows)} == {len({row["id"] for row in rows})}
            assert all(page.keys() == {"data", "total", "page", "dataset"} for page in pages)
            for row in rows:
                RECORD_MODELS[noun].model_validate(row)
            Dataset.model_validate(pages[0]["dataset"])


def test_a_detail_is_the_row_of_the_list(site: Site) -> None:
    for noun in AGGREGATES:
        for language in ("en", "es"):
            for row in site.json(f"/v1/{noun}", limit=5, lang=language)["data"]:
                assert site.json(f"/v1/{noun}/{row['id']}", lang=language) == row
                assert row["url"] == f"{PUBLIC}/{noun}/{row['id']}"


def test_filters_are_part_of_the_next_address(site: Site) -> None:
    wanted: dict[str, Any] = {"position": ["noted", "pending"], "sort": "-date", "lang": "es", "limit": 7}
    rows = site.rows("/v1/recommendations", **wanted)
    assert {row["position"] for row in rows} == {"noted", "pending"}
    assert site.json("/v1/recommendations", **wanted)["total"] == len(rows) > 14
    next_page = site.json("/v1/recommendations", **wanted)["page"]["next"]
    assert next_page.count("position=") == 2
    assert "lang=es" in next_page


def test_a_limit_of_an_exact_page_ends_the_list(site: Site) -> None:
    total = site.json("/v1/pledges", limit=1)["total"]
    assert site.json("/v1/pledges", limit=total)["page"]["next"] is None
    assert site.json("/v1/pledges?id=none")["data"] == []


def test_the_number_of_queries_does_not_grow(site: Site) -> None:
    for noun in AGGREGATES:
        site.json(f"/v1/{noun}")  # the reference is read
        told = []
        for limit in (1, 200):
            with site.counted() as statements:
                row = site.json(f"/v1/{noun}", limit=limit)["data"][0]
            told.append(len(statements))
        with site.counted() as statements:
            site.json(f"/v1/{noun}/{row['id']}")
        assert (told, len(statements)) == ([1, 1], 1)


def test_queries_of_what_is_not_there(site: Site) -> None:
    site.json("/v1/states")
    with site.counted() as statements:
        problem(site.get("/v1/recommendations/PER-9-1.1"), 404, "not_found")
    assert len(statements) == 4  # the record, its alias, its parts, why it was removed


def test_permalinks_lead_to_the_record(site: Site) -> None:
    for noun in AGGREGATES:
        row = site.json(f"/v1/{noun}", limit=1)["data"][0]
        answer = site.get(row["url"], lang="es")
        assert answer.status_code == 307
        assert answer.headers["location"] == f"/data/v1/{noun}/{row['id']}?lang=es"
        assert site.json(answer.headers["location"].removeprefix("/data"))["id"] == row["id"]


def test_what_never_was_and_what_is_no_more(site: Site, engine: Engine) -> None:
    for noun in AGGREGATES:
        assert "never-was" in problem(site.get(f"/v1/{noun}/never-was"), 404, "not_found")["detail"]
        with engine.begin() as connection:
            remember_removed(connection, noun, {"it-was": "no_source_holds_it"})
        told = problem(site.get(f"/v1/{noun}/it-was"), 410, "gone")
        assert told["reason"] == "no_source_holds_it"
        assert "it-was" in told["detail"]


def test_a_former_id_leads_to_the_new_one(site: Site, engine: Engine) -> None:
    held = site.json("/v1/recommendations", limit=1)["data"][0]["id"]
    with engine.begin() as connection:
        record = RECOMMENDATIONS.one(connection, held)
        assert record is not None
        RECOMMENDATIONS.update(connection, [replace(record, aliases=("PER-2~0123456789",))])
        remember_removed(connection, "recommendations", {"PER-2~0123456789": "merged"})
    answer = site.get("/v1/recommendations/PER-2~0123456789", lang="es")
    assert answer.status_code == 308
    assert answer.headers["location"] == f"/data/v1/recommendations/{held}?lang=es"
    problem(site.get("/v1/pledges/PER-2~0123456789"), 404, "not_found")


def test_a_number_that_holds_several_answers_with_its_parts(site: Site, engine: Engine, maker: RecordMaker) -> None:
    model = maker.recommendation()
    ids = [f"{model.review}-7.7", *(f"{model.review}-7.7-{part}" for part in ("a", "b", "aa"))]
    with engine.begin() as connection:
        for place, record_id in enumerate(ids[1:]):
            part = record_id.rpartition("-")[2]
            made = replace(model, id=record_id, number="7.7", part=part, sort_key=f"{model.review}-7.7-{place}")
            RECOMMENDATIONS.insert(connection, [made])
    answer = site.get(f"/v1/recommendations/{ids[0]}")
    assert answer.status_code == 300
    told = answer.json()
    assert told["id"] == ids[0]
    assert [each["id"] for each in told["parts"]] == ids[1:]
    for each in told["parts"]:
        RECORD_MODELS["recommendations"].model_validate(each)
    problem(site.get(f"/v1/recommendations/{model.review}"), 404, "not_found")
    problem(site.get(f"/v1/recommendations/{model.review[:3]}"), 404, "not_found")


def test_head_is_get_without_the_body(site: Site) -> None:
    for path, status in (("/v1/recommendations?limit=3", 200), ("/v1/states/PER", 200), ("/v1/states/XXX", 404)):
        whole, head = site.get(path), site.client.head(path)
        assert (whole.status_code, head.status_code, head.content) == (status, status, b"")
        assert head.headers["content-length"] == whole.headers["content-length"] or status == 404
        assert head.headers["content-type"] == whole.headers["content-type"]


def test_any_page_may_read(site: Site) -> None:
    origin = {"Origin": "https://page.example.net"}
    for path in ("/v1/recommendations", "/v1/states/PER", "/v1/states/XXX", "/v1/changes", "/openapi.json", "/none"):
        answer = site.client.get(path, headers=origin)
        assert answer.headers["access-control-allow-origin"] == "*", path
    asked = {**origin, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
    answer = site.client.options("/v1/recommendations", headers=asked)
    assert answer.status_code == 204
    assert "GET" in answer.headers["access-control-allow-methods"]


def test_other_methods_are_refused(site: Site) -> None:
    answer = site.client.post("/v1/recommendations")
    problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS"


def test_cursors_of_other_lists_are_refused(site: Site) -> None:
    cursor = site.json("/v1/recommendations", limit=2)["page"]["next"].partition("cursor=")[2]
    assert site.json("/v1/recommendations", limit=3, cursor=cursor)["data"]
    problem(site.get("/v1/recommendations", cursor=cursor, sort="-number"), 400, "invalid_cursor")
    problem(site.get("/v1/recommendations", cursor=cursor, position="noted"), 400, "invalid_cursor")
    problem(site.get("/v1/pledges", cursor=cursor), 400, "invalid_cursor")
    problem(site.get("/v1/recommendations", cursor=cursor[:-1]), 400, "invalid_cursor")
    problem(site.get("/v1/recommendations", cursor=""), 400, "invalid_cursor")


def test_a_filter_of_another_noun_is_named(site: Site) -> None:
    for noun in AGGREGATES:
        known = {known.name for known in filters_of(noun)}
        for name in sorted(FILTERS.keys() - known):
            told = problem(site.get(f"/v1/{noun}", **{name: "x"}), 400, "unknown_parameter")
            assert told["errors"] == [{"parameter": name, "detail": "unknown"}]


def test_names_of_new_labels_are_there_at_once(site: Site, engine: Engine, tmp_path: Path) -> None:
    site.json("/v1/recommendations")
    load(engine, tmp_path, 0, {"116.1": TEXTS[0]}, ["Right to something new"])
    row = site.json("/v1/recommendations/PER-2-116.1")
    assert [label["name"] for label in row["labels"] if label["scheme"] == "ohchr-theme"] == ["Right to something new"]
    assert site.json("/v1/recommendations", theme="right-to-something-new")["total"] == 1


def load(engine: Engine, folder: Path, turn: int, texts: dict[str, str], labels: list[str] = []) -> None:  # noqa: B006
    """The report of PER-2 in its `turn`-th reading, and a matrix where there are labels."""
    chance = random.Random(turn)
    read = [
        recommendation(number, text, position=chance.choice(("noted", "pending"))) for number, text in texts.items()
    ]
    told = [ReadLabel(number, "ohchr-theme", label) for number in texts for label in labels]
    for name, reading in (
        ("report.pdf", report(read, version=str(turn))),
        ("matrix.docx", replace(matrix(read, labels=told), parser_version=str(turn)) if labels else None),
    ):
        if reading is not None:
            file = folder / name
            file.write_text(name)
            Loader(engine, LONG_AGO).load(file, hashlib.sha256(name.encode()).hexdigest(), reading)


def test_a_list_and_the_changes_after_it_make_an_equal_copy(database_url: str, engine: Engine, tmp_path: Path) -> None:
    """A reader pages slowly while reports are read again and again; then it follows the feed."""
    stop, turns = threading.Event(), [0]

    def write_on() -> None:
        while not stop.is_set() and turns[0] < 60:
            turns[0] += 1
            chance = random.Random(turns[0])
            numbers = chance.sample([f"116.{n}" for n in range(1, 30)], 20)
            texts = {number: f"{chance.choice(TEXTS)} {chance.randint(1, 6)}" for number in sorted(numbers)}
            load(engine, tmp_path, turns[0], texts, [f"Theme {chance.randint(1, 9)}"])

    with open_site(database_url) as site:
        load(engine, tmp_path, 0, {f"116.{n}": f"{TEXTS[n % 8]} {n}" for n in range(1, 30)})
        writer = threading.Thread(target=write_on)
        writer.start()
        copies = {}
        try:
            while turns[0] < 4:
                stop.wait(0.01)
            for noun in ("recommendations", "documents", "reviews", "hearings", "labels"):
                copies[noun] = Copy.of(site, noun)
            seen_so_far = turns[0]
            while turns[0] < seen_so_far + 2 and writer.is_alive():
                stop.wait(0.01)
        finally:
            stop.set()
            writer.join()
        for noun, copy in copies.items():
            copy.follow(site)
            assert copy.records == {row["id"]: row for row in site.rows(f"/v1/{noun}", limit=200)}, noun
    assert copies["recommendations"].applied > 0


class Copy:
    """A reader's copy of one noun."""

    def __init__(self, noun: str, records: dict[str, Any], seq: int) -> None:
        self.noun, self.records, self.seq = noun, records, seq
        self.applied = 0

    @classmethod
    def of(cls, site: Site, noun: str) -> "Copy":
        """Read all pages; the changes to follow are those after the first page's."""
        pages = site.pages(f"/v1/{noun}", limit=2)
        return cls(noun, {row["id"]: row for page in pages for row in page["data"]}, pages[0]["dataset"]["cursor"])

    def follow(self, site: Site, **filters: Any) -> None:
        """Go on to the newest change. `filters`: those of the list."""
        for page in site.pages("/v1/changes", after=self.seq, limit=50, **filters):
            for event in page["data"]:
                self.seq = event["seq"]
                if event["data"]["url"].startswith(f"{PUBLIC}/{self.noun}/"):
                    self.apply(event)

    def apply(self, event: dict[str, Any]) -> None:
        self.applied += 1
        verb = event["type"].partition(".")[2]
        if verb == "replaced":
            self.records.pop(event["changed"]["id"][0], None)
        if verb == "deleted":
            self.records.pop(event["subject"]["id"], None)
        else:
            self.records[event["subject"]["id"]] = event["data"]
