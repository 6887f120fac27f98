"""Facts about States and hearings elsewhere: from readings of no review to records and changes."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from services.core.domain.changes import Cause
from services.core.store.changes import ChangeRecord, changes_after
from services.core.store.documents import DOCUMENTS
from services.core.store.engine import make_engine
from services.core.store.former_ids import bearer_of
from services.core.store.hearings import HEARINGS
from services.core.store.organisations import ORGANISATIONS
from services.core.store.states import STATES, Fact
from services.ingest.load import Loaded, Loader
from services.ingest.reading import ReadDocument, ReadFact, ReadHearing, Reading
from services.ingest.withdraw import find, withdraw

YEARS_AGO = timedelta(days=365)
PARTY = ReadFact("PER", "treaty:OPCAT", "party", "2006-09-14", detail="accession", printed="14 Sep 2006 a", row=24)
AGREEING = replace(PARTY, detail=None, printed="14.09.2006", row=70)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = make_engine(database_url, pool_size=2)
    yield engine
    engine.dispose()


def table(*facts: ReadFact, series: str = "untc IV-9-b", as_of: str | None = None, version: str = "1") -> Reading:
    document = ReadDocument("status_table", title=series, series=series, as_of=as_of, address="https://example.org/t")
    return Reading("treaty_status", version, document, facts=facts)


def load(engine: Engine, folder: Path, reading: Reading, name: str, seen: str = "2026-01-01") -> Loaded:
    file = folder / name
    file.write_text(name)
    moment = datetime.fromisoformat(seen).replace(tzinfo=UTC).timestamp()
    os.utime(file, (moment, moment))
    return Loader(engine, YEARS_AGO).load(file, hashlib.sha256(name.encode()).hexdigest(), reading)


def facts_of(engine: Engine, state: str) -> list[Fact]:
    with engine.connect() as connection:
        record = STATES.one(connection, state)
    assert record is not None
    return record.facts


def changes(engine: Engine, event_type: str) -> list[ChangeRecord]:
    with engine.connect() as connection:
        return [change for change in changes_after(connection, 0, 10_000) if change.type == event_type]


def test_a_fact_has_its_source_and_makes_a_change(engine: Engine, tmp_path: Path) -> None:
    loaded = load(engine, tmp_path, table(PARTY), "a.html")
    assert loaded.counts == {"document.created": 1, "state.updated": 1}
    (fact,) = facts_of(engine, "PER")
    assert (fact["subject"], fact["value"], fact["detail"], fact["date"]) == (
        "treaty:OPCAT", "party", "accession", "2006-09-14",
    )  # fmt: skip
    assert fact["sources"] == [
        {"document": loaded.document, "name": "untc IV-9-b", "address": "https://example.org/t", "row": 24,
         "printed": "14 Sep 2006 a", "detail": "accession", "details": {}, "page": None},
    ]  # fmt: skip
    (change,) = changes(engine, "state.updated")
    assert change.cause == Cause.BACKFILL  # known for long in the world
    assert str(change.effective_on) == "2006-09-14"
    assert change.changed["facts"] == [[], [fact]]


def test_loading_again_writes_nothing(engine: Engine, tmp_path: Path) -> None:
    load(engine, tmp_path, table(PARTY), "a.html")
    assert load(engine, tmp_path, table(PARTY), "a.html").outcome == "unchanged"
    assert len(changes(engine, "state.updated")) == 1


def test_a_page_that_only_prints_another_moment_writes_no_change(engine: Engine, tmp_path: Path) -> None:
    load(engine, tmp_path, table(PARTY, as_of="2026-01-01T09:00"), "a.html")
    assert not load(engine, tmp_path, table(PARTY, as_of="2026-01-08T09:00"), "b.html").counts
    with engine.connect() as connection:
        (document,) = DOCUMENTS.where(connection)
    assert [file["name"] for file in document.files] == ["a.html"]


def test_news_is_told_from_history(engine: Engine, tmp_path: Path) -> None:
    load(engine, tmp_path, table(PARTY), "a.html")
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    signed = ReadFact("CHL", "treaty:OPCAT", "signature", yesterday)
    load(engine, tmp_path, table(PARTY, signed), "b.html", "2026-02-01")
    change = changes(engine, "state.updated")[-1]
    assert (change.subject, change.cause) == ("CHL", Cause.PUBLICATION)


def test_a_newer_edition_replaces_the_facts_of_an_older_one(engine: Engine, tmp_path: Path) -> None:
    signed = ReadFact("CHL", "treaty:OPCAT", "signature", "2005-06-06")
    load(engine, tmp_path, table(PARTY, signed), "b.html", "2026-02-01")
    load(engine, tmp_path, table(PARTY), "a.html", "2026-01-01")
    assert facts_of(engine, "CHL")  # what comes late and is older changes nothing
    load(engine, tmp_path, table(replace(PARTY, date="2006-09-15")), "c.html", "2026-03-01")
    assert facts_of(engine, "CHL") == []
    assert [fact["date"] for fact in facts_of(engine, "PER")] == ["2006-09-15"]
    assert changes(engine, "state.updated")[-1].cause == Cause.BACKFILL
    assert {change.cause for change in changes(engine, "state.updated") if change.subject == "CHL"} == {
        Cause.BACKFILL, Cause.CORRECTION,
    }  # fmt: skip


def test_a_page_that_goes_back_to_what_it_said_holds_again(engine: Engine, tmp_path: Path) -> None:
    load(engine, tmp_path, table(PARTY), "a.html", "2026-01-01")
    load(engine, tmp_path, table(replace(PARTY, date="2006-09-15")), "b.html", "2026-02-01")
    load(engine, tmp_path, table(PARTY), "a.html", "2026-03-01")
    assert [fact["date"] for fact in facts_of(engine, "PER")] == ["2006-09-14"]


def test_sources_that_agree_are_one_fact_and_others_stand_beside_it(engine: Engine, tmp_path: Path) -> None:
    load(engine, tmp_path, table(AGREEING, ReadFact("PER", "npm", "none"), series="npm"), "npm.html")
    load(engine, tmp_path, table(PARTY), "a.html")
    load(engine, tmp_path, table(replace(PARTY, date="2006-10-14"), series="other"), "c.html")
    of_treaty = [fact for fact in facts_of(engine, "PER") if fact["subject"] == "treaty:OPCAT"]
    assert [(fact["date"], len(fact["sources"]), fact["detail"]) for fact in of_treaty] == [
        ("2006-09-14", 2, "accession"), ("2006-10-14", 1, "accession"),
    ]  # fmt: skip


def test_a_better_parser_corrects(engine: Engine, tmp_path: Path) -> None:
    load(engine, tmp_path, table(PARTY), "a.html")
    load(engine, tmp_path, table(replace(PARTY, value="signature"), version="2"), "a.html")
    assert [fact["value"] for fact in facts_of(engine, "PER")] == ["signature"]
    assert changes(engine, "state.updated")[-1].cause == Cause.CORRECTION


def test_what_is_withdrawn_goes(engine: Engine, tmp_path: Path) -> None:
    loaded = load(engine, tmp_path, table(PARTY), "a.html")
    load(engine, tmp_path, table(AGREEING, series="npm"), "npm.html")
    list(withdraw(engine, find(engine, loaded.document)))
    (fact,) = facts_of(engine, "PER")
    assert [source["name"] for source in fact["sources"]] == ["npm"]


def test_facts_of_invented_states_bring_these(engine: Engine, tmp_path: Path) -> None:
    loaded = load(engine, tmp_path, table(replace(PARTY, state="XCM")), "a.html")
    assert loaded.sample
    assert facts_of(engine, "XCM")


def page(number: int | None, title: str, language: str = "es", **more: object) -> Reading:
    document = ReadDocument("iachr_hearing", series=f"iachr hearing {number}", language=language, title=title)
    hearing = ReadHearing(
        f"iachr-191-{number}", "thematic_hearing", title=title, iachr_period=191, number=number, scope="regional"
    )
    return Reading("iachr_hearing_page", "1", document, hearings=(replace(hearing, **more),))  # type: ignore[arg-type]


def annex(*titles: str, language: str = "es") -> Reading:
    document = ReadDocument("iachr_press_release", series="iachr press 264A", language=language, title="264A")
    hearings = tuple(
        ReadHearing("", "thematic_hearing", title=title, iachr_period=191, summary=f"{title}: {language}")
        for title in titles
    )
    return Reading("iachr_press_release", "1", document, hearings=hearings)


def test_a_hearing_is_one_record_of_its_page_in_all_languages_and_the_annex(engine: Engine, tmp_path: Path) -> None:
    load(engine, tmp_path, annex("Mecanismos", "Cárceles"), "annex.html")
    load(engine, tmp_path, annex("Mechanisms", "Prisons", language="en"), "annex-en.html")
    load(engine, tmp_path, page(3774, "Mecanismos", requesting_organisations=("Coalición de Prueba",)), "3774.html")
    load(engine, tmp_path, page(3774, "Mechanisms for follow-up", "en"), "3774-en.html")
    with engine.connect() as connection:
        hearings = {record.id: record for record in HEARINGS.where(connection)}
        organisation = ORGANISATIONS.one(connection, "coalicion-de-prueba")
    assert len(hearings) == 2
    hearing = hearings["iachr-191-3774"]
    assert hearing.titles == {"en": "Mechanisms for follow-up", "es": "Mecanismos"}
    assert hearing.summaries == {"en": "Mechanisms: en", "es": "Mecanismos: es"}
    assert hearing.organisation_ids == ("coalicion-de-prueba",)
    assert len(hearing.documents) == 2
    assert organisation is not None
    assert organisation.role_ids == ("requester",)
    (replaced,) = changes(engine, "hearing.replaced")
    assert replaced.changed["id"][1] == "iachr-191-3774"
    with engine.connect() as connection:
        assert bearer_of(connection, "hearings", replaced.changed["id"][0]) == "iachr-191-3774"
