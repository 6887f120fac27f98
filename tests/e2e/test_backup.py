"""A restored store gives the answers that the first one gave."""

from pathlib import Path
from typing import Any

from services.core.domain.changes import Cause
from services.core.runtime.backup.restoring import restore
from services.core.runtime.backup.writing import back_up
from services.core.schemas.events import draft_change
from services.core.schemas.names import Names
from services.core.schemas.shapes import shape_of
from services.core.store.changes import append_changes
from services.core.store.engine import make_engine
from services.core.store.reference import read_reference
from services.core.store.tables import AGGREGATES
from tests.api.site import Site, open_site
from tests.records import fill


def _fill(url: str) -> None:
    engine = make_engine(url)
    with engine.begin() as connection:
        fill(connection, seed=8, each=12)
    reference = read_reference(engine)
    with engine.begin() as connection:
        for noun, aggregate in AGGREGATES.items():
            shapes = [shape_of(noun, record, Names(reference)) for record in aggregate.where(connection)[:8]]
            made = [
                draft_change(noun, None, shape, cause=Cause.PUBLICATION, effective_on=None, reference=reference)
                for shape in shapes
            ]
            append_changes(connection, [draft for draft in made if draft is not None])
    engine.dispose()


def _asked(site: Site) -> list[str]:
    """A hundred requests and more: lists in several orders, records, the feed."""
    asked = [f"/v1/changes?after={after}&limit=3" for after in range(0, 30, 3)]
    for noun in AGGREGATES:
        asked += [f"/v1/{noun}", f"/v1/{noun}?limit=2&lang=es", f"/v1/{noun}.ndjson"]
        asked += [f"/v1/{noun}/{row['id']}" for row in site.json(f"/v1/{noun}?limit=6")["data"]]
    return asked


def _answers(site: Site, asked: list[str]) -> dict[str, Any]:
    answers = {address: site.get(address) for address in asked}
    return {address: (answer.status_code, answer.content) for address, answer in answers.items()}


def test_the_same_answers(database_url: str, empty_database_url: str, tmp_path: Path) -> None:
    _fill(database_url)
    with open_site(database_url) as site:
        asked = _asked(site)
        answers = _answers(site, asked)
    assert len(asked) >= 100
    manifest = back_up(database_url, tmp_path / "backup", archive=None)
    restore(empty_database_url, tmp_path / "backup", archive=tmp_path / "documents", may_replace=lambda _: False)
    with open_site(empty_database_url) as site:
        assert site.json("/v1/states")["dataset"]["version"] == manifest.dataset
        again = _answers(site, asked)
    assert [address for address in asked if answers[address] != again[address]] == []
