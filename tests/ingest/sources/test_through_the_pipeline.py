"""Sources as they are run: found, fetched with all manners, read, compared and loaded."""

import datetime
import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from services.core.store.archive import Archive
from services.ingest.fetching.fetcher import Fetcher
from services.ingest.pipeline import compare
from services.ingest.pipeline.pauses import rest_until
from services.ingest.pipeline.records import Options
from services.ingest.pipeline.run import Ended, run_source
from services.ingest.pipeline.task import Desk
from services.ingest.run_data_sets import load_data_set
from services.ingest.settings import IngestSettings
from services.ingest.sources import Source, source_of
from services.ingest.sources.base import Adapter
from services.ingest.sources.description import Hold, Least, Rate
from services.ingest.sources.folder.adapter import Folder
from services.ingest.sources.ohchr_country_pages.adapter import OhchrCountryPages
from services.ingest.sources.uhri.adapter import UhriExport
from services.ingest.sources.un_documents.adapter import UnDocuments
from services.ingest.sources.upr_info.adapter import UprInfo
from tests.ingest.pipeline.world import ReadHere
from tests.ingest.sources.sites import HTML_SHELL, Answer, Asked, Site, page, serving
from tests.ingest.sources.upr_info.uwazi_site import UwaziSite, row

SAMPLES = Path(__file__).parents[3] / "samples" / "documents"
UHRI = Path(__file__).parents[1] / "datasets" / "samples" / "uhri.json"
TODAY = datetime.date(2026, 11, 22)

Run = Callable[..., Ended]


@pytest.fixture
def run(engine: Engine, tmp_path: Path) -> Run:
    """Runs an adapter on `sites`, quickly, with what `upr ingest run` works with; keywords of `Options`."""
    archive = Archive(tmp_path / "documents")
    settings = IngestSettings(fetch_allow_loopback=True)

    @contextmanager
    def fetching(source: Source, run: str) -> Iterator[Fetcher]:
        sites = tuple(source.description.sites.values())
        yield Fetcher.from_settings(settings, engine, archive, run=run, rate=source.description.rate, folders=sites)

    desk = Desk(engine, archive, ReadHere(), fetching, tmp_path / "runs", datetime.timedelta(days=180))

    def run_it(adapter: Adapter, sites: dict[str, str], **asked: Any) -> Ended:
        told = source_of(adapter, {adapter.name: sites})
        # Of a handful of records one is a large share.
        own = {"rate": Rate(requests_per_second=50), "hold": Hold(gone=1, changed=1)}
        own["least"] = Least(found=min(told.description.least.found, 1))
        return run_source(desk, Source(adapter, told.description.model_copy(update=own)), Options(**asked))

    return run_it


def conditional(answer: Callable[[Asked], Answer]) -> Callable[[Asked], Answer]:
    """A server that tells ETags, and 304 where they are known."""

    def answered(asked: Asked) -> Answer:
        told = answer(asked)
        etag = f'"{hashlib.sha256(told.body).hexdigest()[:16]}"'
        if told.status == 200 and asked.headers.get("if-none-match") == etag:
            return Answer(status=304, headers={"ETag": etag})
        return Answer(told.body, told.status, {**told.headers, "ETag": etag})

    return answered


def count(engine: Engine, table: str) -> int:
    with engine.connect() as connection:
        number: int = connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
    return number


def documents(asked: Asked) -> Answer:
    """As docs.un.org, with a sample report at an address where one of the first reviews' documents would be."""
    if re.fullmatch(r"/en/A/HRC/WG\.6/54/HTI/1", asked.path) and asked.query == {"direct": "true"}:
        return Answer((SAMPLES / "costamar-report.pdf").read_bytes(), 200, {"Content-Type": "application/pdf"})
    return Answer(HTML_SHELL, 200, {"Content-Type": "text/html"})


@pytest.fixture
def document_site() -> Iterator[Site]:
    with serving(conditional(documents)) as site:
        yield site


def test_documents_come_and_missing_ones_are_left_alone_for_a_while(
    run: Run, engine: Engine, document_site: Site
) -> None:
    sites = {"documents": document_site.address}
    first = run(UnDocuments(lambda: TODAY), sites, limit=20)
    assert first.status == "finished"
    assert (first.counts["found"], first.counts["fetched"], first.counts["missing"]) == (20, 1, 19)
    assert count(engine, "recommendations") > 0
    with engine.connect() as connection:
        codes = connection.execute(text("SELECT code FROM ingest_issues WHERE severity = 'error'")).scalars().all()
    assert "missing" not in codes
    document_site.log.clear()
    second = run(UnDocuments(lambda: TODAY), sites, limit=20)
    assert (second.counts["unchanged"], second.counts["missing"], second.counts["bytes"]) == (1, 19, 0)
    assert document_site.paths == ["/en/A/HRC/WG.6/54/HTI/1"]


ASKED_BEFORE = {
    ("1 day", "1 day"): True,
    ("12 hours", "12 hours"): False,
    ("10 days", "4 days"): False,
    ("10 days", "7 days"): True,
    ("300 days", "13 days"): False,
    ("300 days", "15 days"): True,
}
"""How long ago an address was asked for the first time and the last, and whether it is to be asked for again."""


KNOWN = (
    "INSERT INTO resources (address, outcome, checked_at, sha256) "
    "VALUES ('https://a', 'missing', now() - CAST(:ago AS interval), :sha256)"
)


@pytest.mark.parametrize("before", ASKED_BEFORE)
def test_pauses_grow(before: tuple[str, str], engine: Engine) -> None:
    first, latest = before
    answered = (
        "INSERT INTO responses (address, asked, reason, asked_at, milliseconds, outcome) "
        "VALUES ('https://a', 'https://a', 'first', now() - CAST(:ago AS interval), 1, 'missing')"
    )
    with engine.begin() as connection:
        connection.execute(text(answered), [{"ago": first}, {"ago": latest}])
        connection.execute(text(KNOWN), {"ago": latest, "sha256": None})
    assert set(rest_until(engine, ["https://a", "https://b"])) == (set() if ASKED_BEFORE[before] else {"https://a"})


def test_an_address_that_had_a_file_is_asked_for_though_it_is_missing_now(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text(KNOWN), {"ago": "0 days", "sha256": "0" * 64})
    assert not rest_until(engine, ["https://a"])


def test_a_folder_is_loaded_and_only_what_is_new_again(run: Run, engine: Engine, tmp_path: Path) -> None:
    incoming = tmp_path / "ins Haus gekommen"
    incoming.mkdir()
    folder, later = Folder(lambda: 4_000_000_000.0), {"folder": f"file://{tmp_path}/ins%20Haus%20gekommen"}
    (incoming / "table.csv").write_text("Sample,of\nno kind,that is read\n")
    none = run(folder, later)
    assert (none.status, none.counts["unreadable"], none.counts["failed"]) == ("finished", 1, 1)
    assert run(folder, later).counts["unchanged"] == 1
    (incoming / "table.csv").unlink()
    shutil.copy(SAMPLES / "costamar-report.pdf", incoming / "Informe de Costamar, año 2025.pdf")
    assert run(folder, later).counts["fetched"] == 1
    shutil.copy(SAMPLES / "costamar-matrix.docx", incoming / "matrix.docx")
    (incoming / "notes.txt").write_text("Sample: nothing that is read.")
    ended = run(folder, later)
    assert (ended.status, ended.counts["unchanged"], ended.counts["fetched"]) == ("finished", 1, 1)
    assert (count(engine, "documents"), ended.counts["refused"]) == (2, 1)
    (incoming / "matrix.docx").unlink()
    assert run(folder, later).status == "finished"
    assert count(engine, "documents") == 2


def test_an_export_is_loaded_and_then_only_what_changed(
    run: Run, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[bool] = []
    monkeypatch.setattr(compare, "load_data_set", lambda *a, **b: compared.append(True) or load_data_set(*a, **b))
    rows = json.loads(UHRI.read_text(encoding="utf-8"))

    def export(_asked: Asked) -> Answer:
        return Answer(json.dumps(rows).encode(), 200, {"Content-Type": "application/json"})

    with serving(conditional(export)) as site:
        sites = {"exports": f"{site.address}/uhri/export-results"}
        assert run(UhriExport(), sites, dry_run=True).counts["inserted"] > 0
        assert run(UhriExport(), sites).status == "finished"
        assert compared == [True], "in the dry run alone: nothing was held"
        changes = count(engine, "changes")
        unchanged = run(UhriExport(), sites)
        assert (unchanged.counts["unchanged"], unchanged.counts["bytes"]) == (1, 0)
        rows[0]["PublicationDateOnUhri"], rows[0]["UprPositions"] = "2026-11-01T00:00:00", ["- Noted"]
        rows[-1]["Text"] = "Changed, though no day tells so."
        some = run(UhriExport(), sites, since=datetime.date(2026, 10, 1))
        none = run(UhriExport(), sites, since=datetime.date(2027, 1, 1))
    assert some.status == "finished"
    assert len(compared) == 3
    assert some.counts["changes"] == {"document.updated": 1, "recommendation.position_changed": 1}, "one row did"
    assert not any("observation" in name for name in some.counts["changes"])
    assert (none.status, none.counts["changes"]) == ("finished", {})
    assert count(engine, "changes") > changes


def test_a_database_behind_an_api_is_loaded_once(run: Run, engine: Engine) -> None:
    uwazi = UwaziSite([row(number, "xal", "s14" if number % 2 else "s28") for number in range(12)])
    with serving(conditional(uwazi.answer)) as site:
        sites = {"database": site.address}
        first = run(UprInfo(), sites)
        changes = count(engine, "changes")
        second = run(UprInfo(), sites)
        uwazi.rows.append(row(12, "xal", edited=10**9))
        uwazi._found.clear()
        third = run(UprInfo(), sites)
    assert (first.status, first.counts["changes"]["recommendation.created"]) == ("finished", 12)
    assert (second.counts["unchanged"], second.counts["changes"]) == (1, {})
    assert third.counts["changes"]["recommendation.created"] == 1
    assert count(engine, "changes") > changes


def test_a_wall_before_robots_fails_the_run_and_says_so(run: Run, engine: Engine) -> None:
    with serving(lambda _asked: page("<title>Just a moment...</title>", 403, cf_mitigated="challenge")) as site:
        sites = dict.fromkeys(("pages", "submissions", "drafts", "documents"), site.address)
        ended = run(OhchrCountryPages(lambda: TODAY), sites)
        assert [reason.code for reason in ended.reasons] == ["challenged"]
        assert (ended.status, len(site.paths)) == ("failed", 1)
        assert run(OhchrCountryPages(lambda: TODAY), sites).status == "failed"
        assert len(site.paths) == 1


def test_behind_a_wall_nothing_is_taken_for_gone(run: Run, engine: Engine) -> None:
    wall = page("<title>Just a moment...</title>", 403, cf_mitigated="challenge")
    states = {"pe": "Peru", "sl": "Sierra Leone"}
    walled: set[str] = set()

    def country(asked: Asked) -> Answer:
        state = asked.path.removeprefix("/en/hr-bodies/upr/").removesuffix("-index")
        links = [f'<a href="/en/hr-bodies/upr/{iso2}-index">{name}</a>' for iso2, name in states.items()]
        if state == "documentation":
            return page(f"<article>{''.join(links)}</article>")
        if state in walled or state not in states:
            return wall if state in walled else Answer(status=404)
        symbol = "A/HRC/WG.6/54/HTI/1" if state == "pe" else "A/HRC/53/8"
        return page(f'<article><h2>Fourth cycle</h2><a href="https://undocs.org/{symbol}">Report</a></article>')

    with serving(country) as pages, serving(documents) as others:
        sites = dict.fromkeys(("submissions", "drafts", "documents"), others.address) | {"pages": pages.address}
        first = run(OhchrCountryPages(lambda: TODAY), sites)
        assert (first.status, first.counts["not_searched"], first.counts["fetched"]) == ("finished", 0, 1)
        walled |= {"sl"}
        states["zz"] = "Behind the wall"
        second = run(OhchrCountryPages(lambda: TODAY), sites)
        assert "/en/hr-bodies/upr/zz-index" not in pages.paths
    assert (second.status, second.reasons) == ("finished", [])
    told = {name: second.counts[name] for name in ("not_searched", "failed", "gone", "unchanged", "deleted")}
    assert told == {"not_searched": 2, "failed": 2, "gone": 0, "unchanged": 1, "deleted": 0}
    query = "SELECT detail FROM ingest_issues WHERE code = 'not_searched' ORDER BY id"
    with engine.connect() as connection:
        details = connection.execute(text(query)).scalars().all()
    assert [detail.partition(" (")[0] for detail in details] == ["Sierra Leone", "Behind the wall"]
    assert all("challenged, " in detail for detail in details)
    assert "Cloudflare keeps machines out" in details[0]
