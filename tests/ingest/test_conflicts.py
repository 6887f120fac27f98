"""`upr ingest conflicts`: what sources disagree on."""

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import orjson
import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from services.core.domain.errors import NotFoundError
from services.core.store.engine import make_engine
from services.ingest.commands import app
from services.ingest.conflicts import Conflict, Field, conflicts_in, conflicts_of
from services.ingest.load import Loader
from services.ingest.merge import merge_review
from services.ingest.reading import ReadDocument, Reading, ReadRecommendation
from tests.readings import TEXTS, addendum, matrix, recommendation, report, source


def rows(*told: ReadRecommendation) -> Reading:
    return Reading(
        parser="upr_info",
        parser_version="1",
        document=ReadDocument(
            kind="upr_info",
            title="A database",
            published_on="2026-01-01",
            state_under_review="PER",
            session=14,
            cycle=2,
        ),
        recommendations=told,
    )


def row(text: str, state: str, position: str | None = None) -> ReadRecommendation:
    return ReadRecommendation(None, text, (state,), position=position)


def conflicts(*readings: Reading, trifles: bool = False) -> list[Conflict]:
    merged = merge_review("PER", 2, [source(each, str(place)) for place, each in enumerate(readings)])
    return [
        conflict
        for _, record in sorted(merged.recommendations.items())
        for conflict in conflicts_of(record, trifles=trifles)
    ]


def told(conflict: Conflict) -> list[tuple[object, str, bool]]:
    return [(word.value, word.kind, word.holds) for word in conflict.words]


REPORT = report([recommendation("116.1", TEXTS[0], ["CHL", "ESP"]), recommendation("116.2", TEXTS[1], ["MEX"])])


def test_sources_that_agree_have_no_conflicts() -> None:
    database = rows(row(TEXTS[0], "CHL"), row(TEXTS[0], "ESP"), row(TEXTS[1], "MEX"))
    assert conflicts(REPORT, matrix(REPORT.recommendations), database) == []


def test_another_text_is_one_and_another_comma_only_if_asked_for() -> None:
    database = rows(
        row(f"{TEXTS[0].upper()}!", "CHL"), row(f"{TEXTS[0].upper()}!", "ESP"), row(f"{TEXTS[1]} now", "MEX")
    )
    (found,) = conflicts(REPORT, database)
    assert (found.recommendation, found.field) == ("PER-2-116.2", Field.TEXT)
    assert told(found) == [(TEXTS[1], "working_group_report", True), (f"{TEXTS[1]} now", "upr_info", False)]
    assert (found.words[0].symbol, found.words[0].page, found.words[0].paragraph) == ("A/HRC/22/15", 3, "116")
    everything = conflicts(REPORT, database, trifles=True)
    assert [each.recommendation for each in everything] == ["PER-2-116.1", "PER-2-116.2"]


def test_typographic_apostrophes_are_trifles() -> None:
    printed = report([recommendation("116.1", "Protect women’s rights", ["CHL"])])
    assert conflicts(printed, rows(row("Protect women's rights", "CHL"))) == []


def test_a_translation_is_no_conflict() -> None:
    spanish = report([recommendation("116.2", "Establecer un mecanismo nacional", ["MEX"])], language="es")
    assert conflicts(REPORT, spanish) == []


def test_rows_of_a_database_name_their_states_together() -> None:
    listed = matrix([recommendation("116.1", TEXTS[0], ["CHL"]), recommendation("116.2", TEXTS[1], ["MEX"])])
    (found,) = conflicts(REPORT, listed, rows(row(TEXTS[0], "CHL"), row(TEXTS[0], "ESP")))
    assert found.field is Field.RECOMMENDING_STATES
    assert told(found) == [
        (["CHL", "ESP"], "working_group_report", True),
        (["CHL", "ESP"], "upr_info", True),
        (["CHL"], "matrix", False),
    ]


def test_a_later_answer_is_no_conflict_and_another_word_on_it_is() -> None:
    answers = addendum([("116.1", "supported"), ("116.2", "noted")])
    assert conflicts(REPORT, answers) == []
    (found,) = conflicts(REPORT, answers, rows(row(TEXTS[1], "MEX", "supported")))
    assert (found.recommendation, found.field) == ("PER-2-116.2", Field.POSITION)
    assert told(found) == [("noted", "addendum", True), ("supported", "upr_info", False)]
    assert found.words[0].page == 2


def test_a_change_of_mind_is_history() -> None:
    accepted = report([recommendation("116.1", TEXTS[0], ["CHL"], position="supported")])
    assert conflicts(accepted, addendum([("116.1", "noted")])) == []


def test_another_number_is_one_but_not_a_shorter_form_of_it() -> None:
    assert conflicts(REPORT, addendum([("1", "supported")])) == []
    (found,) = conflicts(REPORT, matrix([recommendation("116.7", TEXTS[1], ["MEX"])]))
    assert told(found) == [("116.2", "working_group_report", True), ("116.7", "matrix", False)]


def test_a_conflict_reads_well() -> None:
    (found,) = conflicts(REPORT, matrix([recommendation("116.7", TEXTS[1], ["MEX"])]))
    first, second, third = found.as_text().splitlines()
    assert first == "PER-2-116.2 number"
    assert second == "  holds  A/HRC/22/15, working_group_report, page 3, para. 116: 116.2"
    assert third.endswith(": 116.7")


def test_texts_are_told_apart_word_by_word() -> None:
    (found,) = conflicts(REPORT, rows(row(f"{TEXTS[1]} now", "MEX")))
    told_apart = found.as_text().splitlines()
    assert told_apart[2].startswith("         upr_info (doc-")
    assert told_apart[3] == "           (nothing) → now"


@pytest.fixture
def engine(database_url: str, tmp_path: Path) -> Iterator[Engine]:
    engine = make_engine(database_url, pool_size=2)
    readings = {"report": REPORT, "rows": rows(row(f"{TEXTS[1]} now", "MEX"), row(TEXTS[0], "CHL", "noted"))}
    for name, reading in readings.items():
        (tmp_path / name).write_text(name)
        digest = hashlib.sha256(name.encode()).hexdigest()
        Loader(engine, timedelta(days=36_500)).load(tmp_path / name, digest, reading)
    yield engine
    engine.dispose()


def test_conflicts_of_the_store_by_review_and_field(engine: Engine) -> None:
    with engine.connect() as connection:
        found = list(conflicts_in(connection))
        assert [(each.recommendation, each.field) for each in found] == [
            ("PER-2-116.1", Field.RECOMMENDING_STATES),
            ("PER-2-116.2", Field.TEXT),
        ]
        assert list(conflicts_in(connection, ["PER-2"], [Field.TEXT])) == found[1:]
        with pytest.raises(NotFoundError, match="no review 'PER-9'"):
            list(conflicts_in(connection, ["PER-2", "PER-9"]))


def test_the_command(engine: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPR_DATABASE_URL", database_url)
    shown = CliRunner().invoke(app, ["conflicts", "--review", "PER-2"])
    assert shown.exit_code == 0, shown.output
    assert shown.stdout.startswith("PER-2-116.1 recommending_states\n")
    assert shown.stdout.endswith("2 conflicts: 1 text, 1 recommending_states, 0 position, 0 number\n")
    lines = CliRunner().invoke(app, ["conflicts", "--format", "ndjson", "--field", "text"])
    (line,) = map(orjson.loads, lines.stdout.splitlines())
    assert line["words"][1]["value"] == f"{TEXTS[1]} now"
    assert lines.stderr == "1 conflicts: 1 text\n"
