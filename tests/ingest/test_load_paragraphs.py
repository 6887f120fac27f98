"""Paragraphs in the store: written with their document, and linked whatever the order of loading."""

import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, text

from services.core.store.changes import changes_after
from services.core.store.engine import make_engine
from services.core.store.paragraphs import paragraphs_table
from services.ingest.load import Loader
from services.ingest.reading import ReadCitation, ReadDocument, Reading, ReadParagraph
from tests.readings import TEXTS, recommendation, report


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = make_engine(database_url, pool_size=2)
    yield engine
    engine.dispose()


def load(engine: Engine, folder: Path, reading: Reading, name: str) -> dict[str, int]:
    file = folder / name
    file.write_text(name)
    loader = Loader(engine, timedelta(days=36_500))
    return dict(loader.load(file, hashlib.sha256(name.encode()).hexdigest(), reading).counts)


def text_document(kind: str, cycle: int, *cited: str, symbol: str | None = None, version: str = "1") -> Reading:
    return Reading(
        parser="plain_document",
        parser_version=version,
        document=ReadDocument(kind, symbol, title=kind, state_under_review="PER", cycle=cycle, session=28),
        paragraphs=(
            ReadParagraph("1", "An introduction.", page=2),
            *(ReadParagraph(None, f"On {each}.", recommendations=(ReadCitation(each),)) for each in cited),
        ),
    )


def links(engine: Engine) -> dict[str, list[str]]:
    columns = paragraphs_table.c
    with engine.connect() as connection:
        rows = connection.execute(select(columns.document_kind, columns.text, columns.recommendations))
        return {f"{row.document_kind}: {row.text}": list(row.recommendations) for row in rows}


REPORT = report([recommendation("116.1", TEXTS[0]), recommendation("116.2", TEXTS[1])])
NATIONAL = text_document("national_report", 3, "116.1", "116.9", symbol="A/HRC/WG.6/28/PER/1")
MID_TERM = text_document("mid_term_report", 2, "116.2")
LINKS = {
    "national_report: An introduction.": [],
    "national_report: On 116.1.": ["PER-2-116.1"],
    "national_report: On 116.9.": [],
    "mid_term_report: An introduction.": [],
    "mid_term_report: On 116.2.": ["PER-2-116.2"],
}


@pytest.mark.parametrize("order", list(itertools.permutations(("report", "national", "mid-term"))))
def test_links_are_right_whatever_is_loaded_first(engine: Engine, tmp_path: Path, order: tuple[str, ...]) -> None:
    readings = {"report": REPORT, "national": NATIONAL, "mid-term": MID_TERM}
    for name in order:
        load(engine, tmp_path, readings[name], name)
    assert links(engine) == LINKS


def test_a_link_goes_with_its_recommendation(engine: Engine, tmp_path: Path) -> None:
    for reading, name in ((REPORT, "report"), (NATIONAL, "national")):
        load(engine, tmp_path, reading, name)
    load(engine, tmp_path, report([recommendation("116.2", TEXTS[1])], version="2"), "report")
    assert links(engine)["national_report: On 116.1."] == []


def test_what_is_withdrawn_takes_its_paragraphs_and_links_along(engine: Engine, tmp_path: Path) -> None:
    for reading, name in ((REPORT, "report"), (NATIONAL, "national"), (MID_TERM, "mid-term")):
        load(engine, tmp_path, reading, name)
    loader = Loader(engine, timedelta(days=36_500))
    loader.withdraw("PER-3", [hashlib.sha256(b"national").hexdigest()])
    assert {name.partition(":")[0] for name in links(engine)} == {"mid_term_report"}
    load(engine, tmp_path, NATIONAL, "national")
    loader.withdraw("PER-2", [hashlib.sha256(name.encode()).hexdigest() for name in ("report", "mid-term")])
    assert links(engine) == {name: [] for name in LINKS if name.startswith("national")}


def test_a_document_read_anew_has_other_paragraphs_and_one_change(engine: Engine, tmp_path: Path) -> None:
    load(engine, tmp_path, REPORT, "report")
    load(engine, tmp_path, NATIONAL, "national")
    better = text_document("national_report", 3, "116.2", symbol="A/HRC/WG.6/28/PER/1", version="2")
    assert load(engine, tmp_path, better, "national") == {"document.updated": 1}
    assert links(engine) == {
        "national_report: An introduction.": [],
        "national_report: On 116.2.": ["PER-2-116.2"],
    }
    with engine.connect() as connection:
        assert {change.noun for change in changes_after(connection, 0, 1000)} == {
            "reviews", "documents", "hearings", "recommendations",
        }  # fmt: skip


def test_paragraphs_that_are_held_are_not_written_again(engine: Engine, tmp_path: Path) -> None:
    load(engine, tmp_path, NATIONAL, "national")
    rows = text("SELECT id, ctid::text FROM paragraphs ORDER BY id")
    with engine.connect() as connection:
        before = connection.execute(rows).all()
    load(engine, tmp_path, text_document("compilation", 3, symbol="A/HRC/WG.6/28/PER/2"), "compilation")
    with engine.connect() as connection:
        after = [row for row in connection.execute(rows).all() if ".6-28-PER-1." in row.id]
    assert after == before


def test_documents_without_symbols_stand_side_by_side_if_others_wrote_them(engine: Engine, tmp_path: Path) -> None:
    for author in ("A coalition", "Another coalition"):
        reading = replace(MID_TERM, document=replace(MID_TERM.document, author=author, author_kind="organisation"))
        load(engine, tmp_path, reading, author)
    with engine.connect() as connection:
        documents = connection.execute(text("SELECT author, author_kind FROM documents ORDER BY author")).all()
        counted = connection.execute(text("SELECT count(*) FROM paragraphs")).scalar_one()
    assert [tuple(row) for row in documents] == [
        ("A coalition", "organisation"),
        ("Another coalition", "organisation"),
    ]
    assert counted == 4
