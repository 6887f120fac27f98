import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from services.core.domain.errors import NotFoundError
from services.core.store.changes import ChangeRecord, changes_after
from services.core.store.engine import make_engine
from services.core.store.former_ids import removal_reason
from services.core.store.hearings import HEARINGS
from services.core.store.organisations import ORGANISATIONS
from services.core.store.recommendations import RECOMMENDATIONS
from services.core.store.reviews import REVIEWS
from services.ingest.commands import app
from services.ingest.load import Loader
from services.ingest.reading import Reading, ReadOrganisation
from services.ingest.runs import issues_of
from services.ingest.withdraw import find, run_withdrawal, withdraw
from tests.readings import TEXTS, addendum, council_report, recommendation, report, summary

REPORT = report([recommendation("116.1", TEXTS[0]), recommendation("116.2", TEXTS[1])])
ADDENDUM = addendum([("116.1", "supported"), ("116.2", "noted")])


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = make_engine(database_url, pool_size=2)
    yield engine
    engine.dispose()


def load(engine: Engine, tmp_path: Path, **readings: Reading) -> None:
    for name, reading in readings.items():
        (tmp_path / name).write_text(name)
        digest = hashlib.sha256(name.encode()).hexdigest()
        Loader(engine, timedelta(days=36_500)).load(tmp_path / name, digest, reading)


def positions(engine: Engine) -> dict[str, str]:
    with engine.connect() as connection:
        return {record.id: record.position for record in RECOMMENDATIONS.where(connection)}


def changes(engine: Engine, after: int) -> list[ChangeRecord]:
    with engine.connect() as connection:
        return changes_after(connection, after, 1000)


def test_what_others_tell_stays_and_goes_back_to_what_they_tell(engine: Engine, tmp_path: Path) -> None:
    load(engine, tmp_path, report=REPORT, addendum=ADDENDUM)
    before = changes(engine, 0)
    told = find(engine, "A/HRC/22/15/Add.1")
    assert str(told) == "A/HRC/22/15/Add.1 (addendum; 1 file) of PER-2"
    (tried,) = withdraw(engine, told, only_try=True)
    assert changes(engine, 0) == before
    summary = run_withdrawal(engine, [told], "another State's")
    assert summary.changes == tried
    assert positions(engine) == {"PER-2-116.1": "pending", "PER-2-116.2": "pending"}
    made = changes(engine, len(before))
    assert {change.cause for change in made} == {"correction"}
    assert "recommendation.position_changed" not in {change.type for change in made}
    (issue,) = issues_of(engine, code="withdrawn")
    assert issue["detail"] == "A/HRC/22/15/Add.1 (addendum; 1 file) of PER-2: another State's"


def test_what_nothing_else_tells_is_deleted_and_comes_back_under_its_id(engine: Engine, tmp_path: Path) -> None:
    load(engine, tmp_path, report=REPORT, addendum=ADDENDUM)
    run_withdrawal(engine, [find(engine, "A-HRC-22-15")], "misread")
    assert positions(engine) == {}
    with engine.connect() as connection:
        assert removal_reason(connection, "recommendations", "PER-2-116.1") == "no_source_holds_it"
        assert REVIEWS.one(connection, "PER-2") is not None
    run_withdrawal(engine, [find(engine, "A-HRC-22-15-Add.1")], "so that nothing is left")
    with engine.connect() as connection:
        assert REVIEWS.one(connection, "PER-2") is None
    load(engine, tmp_path, addendum=ADDENDUM, report=REPORT)
    assert positions(engine) == {"PER-2-116.1": "supported", "PER-2-116.2": "noted"}
    with engine.connect() as connection:
        assert removal_reason(connection, "recommendations", "PER-2-116.1") is None


def test_one_file_of_a_document(engine: Engine, tmp_path: Path) -> None:
    spanish = report([recommendation("116.1", "Ratificar el Protocolo Facultativo")], language="es")
    load(engine, tmp_path, report=REPORT, spanish=spanish)
    digest = hashlib.sha256(b"spanish").hexdigest()
    run_withdrawal(engine, [find(engine, "A-HRC-22-15", digest[:12])], "a bad scan")
    with engine.connect() as connection:
        record = RECOMMENDATIONS.one(connection, "PER-2-116.1")
    assert record is not None
    assert record.translations == {}


def test_a_report_of_many_reviews_goes_from_all(engine: Engine, tmp_path: Path) -> None:
    load(engine, tmp_path, report=REPORT, council=council_report(["PER", "CHL"]))
    run_withdrawal(engine, [find(engine, "A/HRC/22/2")], "a draft")
    with engine.connect() as connection:
        assert [record.id for record in HEARINGS.where(connection)] == ["upr-14-PER"]
        assert [record.id for record in REVIEWS.where(connection)] == ["PER-2"]


def test_organisations_that_nobody_names_go(engine: Engine, tmp_path: Path) -> None:
    named = ReadOrganisation("Amnesty International", "organisation", "AI", "London", "GBR")
    load(engine, tmp_path, first=summary([named]), again=summary([named], session=28))
    run_withdrawal(engine, [find(engine, "A-HRC-WG.6-14-PER-3")], "misread")
    with engine.connect() as connection:
        (amnesty,) = ORGANISATIONS.where(connection)
    assert [role["review"] for role in amnesty.roles] == ["PER-3"]
    run_withdrawal(engine, [find(engine, "A-HRC-WG.6-28-PER-3")], "misread")
    with engine.connect() as connection:
        assert ORGANISATIONS.where(connection) == []


def test_a_file_that_is_read_to_be_of_another_review_leaves_the_first(engine: Engine, tmp_path: Path) -> None:
    load(engine, tmp_path, report=REPORT)
    other = replace(
        REPORT, parser_version="2", hearings=(), document=replace(REPORT.document, state_under_review="CHL")
    )
    load(engine, tmp_path, report=other)
    assert sorted(positions(engine)) == ["CHL-2-116.1", "CHL-2-116.2"]
    load(engine, tmp_path, report=REPORT)  # read by an older version again: it knows less
    assert sorted(positions(engine)) == ["CHL-2-116.1", "CHL-2-116.2"]


def test_what_is_not_held(engine: Engine) -> None:
    with pytest.raises(NotFoundError, match="No document 'A/HRC/1/1'"):
        find(engine, "A/HRC/1/1")


def test_the_command_asks(engine: Engine, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPR_DATABASE_URL", database_url)
    load(engine, tmp_path, report=REPORT)
    refused = CliRunner().invoke(app, ["withdraw", "A-HRC-22-15", "--why", "misread"], input="n\n")
    assert refused.exit_code == 1
    assert "  2 recommendation.deleted\n" in refused.stdout
    assert len(positions(engine)) == 2
    done = CliRunner().invoke(app, ["withdraw", "A-HRC-22-15", "--why", "misread", "--yes"])
    assert done.exit_code == 0, done.output
    assert positions(engine) == {}
    unknown = CliRunner().invoke(app, ["withdraw", "A-HRC-22-15", "--why", "misread", "--yes"])
    assert unknown.exit_code == 1
    assert "No document 'A-HRC-22-15' is held" in unknown.stderr
