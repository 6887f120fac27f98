import csv
import json
import os
import random
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from services.core.store.archive import Archive
from services.core.store.engine import make_engine
from services.core.store.observations import OBSERVATIONS
from services.core.store.pledges import PLEDGES
from services.core.store.recommendations import RECOMMENDATIONS
from services.core.store.seed import state_records
from services.ingest.runs import Step, issues_of, run_files
from services.ingest.sandbox import Sandbox
from tests.effort import examples
from tests.readings import TEXTS

SAMPLES = Path(__file__).parent / "datasets" / "samples"
UPR_INFO = SAMPLES / "upr-info.csv"
UHRI = SAMPLES / "uhri.json"


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = make_engine(database_url, pool_size=2)
    yield engine
    engine.dispose()


def load(engine: Engine, tmp_path: Path, *files: Path) -> list[Step]:
    archive = Archive(tmp_path / "kept")
    with Sandbox(1, deadline_seconds=20) as sandbox:
        return list(
            run_files(engine, files, sandbox, archive, source="test", backfill_after=timedelta(days=180)),
        )


def held(engine: Engine) -> dict[str, Any]:
    with engine.connect() as connection:
        return {
            record.id: record
            for aggregate in (RECOMMENDATIONS, PLEDGES, OBSERVATIONS)
            for record in aggregate.where(connection)  # type: ignore[attr-defined]
        }


def edited(tmp_path: Path, name: str, change: Any, changed: str = "2025-09-01T00:00:00") -> Path:
    """UHRI's sample, with something changed and a later day."""
    rows = json.loads(UHRI.read_text(encoding="utf-8"))
    for row in rows:
        row["PublicationDateOnUhri"] = changed
    path = tmp_path / name
    path.write_text(json.dumps(change(rows)), encoding="utf-8")
    return path


def test_an_export_is_stored_review_by_review(engine: Engine, tmp_path: Path) -> None:
    steps = load(engine, tmp_path, UPR_INFO)
    done = steps[-1].summary
    assert [step.share for step in steps[:-1]] == [(1, 2), (2, 2), (2, 2)]
    assert (done.files, done.loaded, done.failed, done.samples) == (1, 1, 0, True)
    assert done.changes["recommendation.created"] == 4
    assert done.changes["pledge.created"] == 1
    records = held(engine)
    assert all(record.sample for record in records.values())
    pledge = records["XAL-2-pledge-1"]
    assert {"action:5", "upr-info-issue:right-to-education"} <= set(pledge.label_ids)
    codes = [issue["code"] for issue in issues_of(engine)]
    assert codes.count("unknown_state") == 2
    assert "rows_told" in codes
    kept = [path for path in (tmp_path / "kept").rglob("*") if path.is_file()]
    assert [path.read_bytes() for path in kept] == [UPR_INFO.read_bytes()]


def test_the_same_export_again_changes_nothing(engine: Engine, tmp_path: Path) -> None:
    load(engine, tmp_path, UPR_INFO, UHRI)
    before = held(engine)
    again = tmp_path / "copied later.csv"
    shutil.copyfile(UPR_INFO, again)
    os.utime(again, (4_000_000_000, 4_000_000_000))
    done = load(engine, tmp_path, UPR_INFO, again, UHRI)[-1].summary
    assert (done.unchanged, dict(done.changes)) == (3, {})
    assert {key: record.revision for key, record in held(engine).items()} == dict.fromkeys(before, 1)


def test_observations_follow_the_newest_export(engine: Engine, tmp_path: Path) -> None:
    load(engine, tmp_path, UHRI)
    concern = "uhri-00000000-0000-4000-8000-000000000009"
    observation = held(engine)[concern]
    assert (observation.body, observation.states, observation.sample) == ("CAT", ("XAL",), True)
    assert {"sdg-target:16.2", "sdg:16", "group:children"} <= set(observation.label_ids)
    assert {"uhri", "rule"} == {entry["assigned_by"] for entry in observation.labels}
    (source,) = observation.sources
    assert (source["kind"], source["external_id"]) == ("uhri", concern.replace("-", ":", 1))

    def reworded(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        rows[8]["Text"] = "4.The Committee is concerned."
        return rows

    newer = edited(tmp_path, "newer.json", reworded)
    changes = load(engine, tmp_path, newer)[-1].summary.changes
    assert dict(changes) == {"observation.updated": 1}
    assert held(engine)[concern].text == "4.The Committee is concerned."
    assert not load(engine, tmp_path, UHRI)[-1].summary.changes  # an older one tells nothing new

    def other_id(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        rows[8]["AnnotationId"] = "00000000-0000-4000-8000-000000000099"
        return rows

    newest = edited(tmp_path, "newest.json", other_id, "2025-10-01T00:00:00")
    changes = load(engine, tmp_path, newest)[-1].summary.changes
    assert dict(changes) == {"observation.created": 1, "observation.deleted": 1}


def test_a_position_that_a_newer_export_tells_is_news_of_the_same_record(engine: Engine, tmp_path: Path) -> None:
    load(engine, tmp_path, UHRI)
    before = held(engine)["XAL-2-116.1"]

    def noted(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        rows[0]["UprPositions"] = ["- Noted"]
        return rows

    changes = load(engine, tmp_path, edited(tmp_path, "newer.json", noted))[-1].summary.changes
    assert changes["recommendation.position_changed"] == 1
    assert (before.position, held(engine)["XAL-2-116.1"].position) == ("supported", "noted")
    assert set(changes) <= {"recommendation.position_changed", "recommendation.updated", "document.updated"}


def test_a_damaged_export_fails_alone(engine: Engine, tmp_path: Path) -> None:
    cut = tmp_path / "cut.json"
    cut.write_bytes(UHRI.read_bytes()[:3000])
    done = load(engine, tmp_path, cut, UPR_INFO)[-1].summary
    assert (done.files, done.loaded, done.failed) == (2, 1, 1)
    assert "damaged_json" in {issue["code"] for issue in issues_of(engine)}
    assert not any("uhri" in str(record.sources) for record in held(engine).values() if hasattr(record, "sources"))


_EXPORTS = (UPR_INFO, UHRI, SAMPLES / "upr-info-uwazi.json", SAMPLES / "uhri.csv")
_ORDERS = ((0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1))
_seen: dict[str, Any] = {}


@pytest.mark.parametrize("order", _ORDERS)
def test_the_order_of_loading_makes_no_difference(
    order: tuple[int, ...], engine: Engine, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    files = []
    for place in order:
        # The day of an export that names none is the file's.
        path = tmp_path / _EXPORTS[place].name
        shutil.copyfile(_EXPORTS[place], path)
        os.utime(path, (1_700_000_000, 1_700_000_000))
        files.append(path)
    load(engine, tmp_path, *files)
    records = held(engine)
    assert records == _seen.setdefault("records", records)
    with engine.connect() as connection:
        labels = connection.scalar(text("SELECT count(*) FROM labels"))
    assert labels == _seen.setdefault("labels", labels)


@pytest.mark.soak
def test_history_that_is_loaded_late_makes_one_change_a_record(engine: Engine, tmp_path: Path) -> None:
    """Of generated rows (42,000 with UPR_TEST_EFFORT=21), a tenth of which name a second State for the same text."""
    path = _generated_rows(tmp_path, examples(2000))
    load(engine, tmp_path, path)
    twice = "SELECT noun, subject, count(*) FROM changes WHERE noun <> 'labels' GROUP BY 1, 2 HAVING count(*) > 1"
    counts = "SELECT noun, type, cause, count(*) AS made FROM changes GROUP BY 1, 2, 3"
    with engine.connect() as connection:
        assert connection.execute(text(twice)).all() == []
        made = {(row.type, row.cause): row.made for row in connection.execute(text(counts)) if row.noun != "labels"}
        recommendations = connection.scalar(text("SELECT count(*) FROM recommendations"))
        newest, changes = connection.execute(text("SELECT max(seq), count(*) FROM changes")).one()
    assert {cause for _, cause in made} == {"backfill"}
    assert {kind.partition(".")[2] for kind, _ in made} == {"created"}
    assert made["recommendation.created", "backfill"] == recommendations > examples(2000) * 0.85
    assert newest == changes
    again = tmp_path / "again.csv"
    again.write_bytes(path.read_bytes())
    load(engine, tmp_path, again)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT max(seq) FROM changes")) == newest


def _generated_rows(folder: Path, count: int) -> Path:
    """A file as UPR Info's, of real States and invented texts."""
    chance = random.Random(42)
    states = [record.names["en"] for record in state_records() if record.un_status == "member"]
    names = [
        "To",
        "To-Rgrp",
        "To-Org",
        "Text",
        "From",
        "From-Rgrp",
        "From-Org",
        "Response",
        "Action",
        "Issue",
        "Session",
    ]
    path = folder / "generated.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(names)
        for number in range(count):
            if number % 10 != 1:
                to, text_, session = chance.choice(states), f"{chance.choice(TEXTS)} {number}", chance.randint(1, 26)
            answer = chance.choice(("Accepted", "Noted"))
            rows.writerow([to, "", "", text_, chance.choice(states), "", "", answer, 5, "Torture", session])
    return path
