import datetime
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from services.core.store.recommendations import RECOMMENDATIONS, PositionEntry, RecommendationRecord
from services.core.store.reviews import REVIEWS, ReviewRecord
from services.ingest.fetching.outcomes import NotFetchedError
from services.ingest.sources import source_of
from services.ingest.sources.base import Found
from services.ingest.sources.un_documents.adapter import UnDocuments
from tests.ingest.sources.held import hold
from tests.ingest.sources.sites import HTML_SHELL, Answer, Asked, Site, pdf, serving
from tests.ingest.sources.visits import visiting

TODAY = datetime.date(2026, 11, 22)
_PATH = re.compile(r"/(?P<language>ar|zh|en|fr|ru|es)/(?P<symbol>A/[\w./-]+)")
THERE = {("en", "A/HRC/WG.6/14/PER/1"), ("es", "A/HRC/WG.6/14/PER/1"), ("en", "A/HRC/22/15")}


def document_server(asked: Asked) -> Answer:
    """As docs.un.org: a page around the document without `direct`, 200 and a page for what is not there."""
    if asked.path.startswith("/undocs/"):
        return Answer(status=302, headers={"Location": f"/en/{asked.path.removeprefix('/undocs/')}?direct=true"})
    named = _PATH.fullmatch(asked.path)
    if named and asked.query.get("direct") == "true" and (named["language"], named["symbol"]) in THERE:
        return pdf(f"{named['symbol']} in {named['language']}")
    return Answer(HTML_SHELL, 200, {"Content-Type": "text/html"})


@pytest.fixture
def site() -> Iterator[Site]:
    with serving(document_server) as served:
        yield served


def found(
    engine: Engine, tmp_path: Path, site: str = "https://docs.un.org", since: datetime.date | None = None
) -> list[Found]:
    visit = visiting(tmp_path, {"documents": site}, engine, since).visit
    return list(UnDocuments(lambda: TODAY).find(visit))


def symbols(files: list[Found]) -> list[str]:
    return [file.symbol or "" for file in files if file.language == "en"]


def test_every_review_of_the_calendar_has_three_documents_in_three_languages(engine: Engine, tmp_path: Path) -> None:
    files = found(engine, tmp_path)
    of_peru = [file for file in files if file.symbol == "A/HRC/WG.6/14/PER/2"]
    assert [file.language for file in of_peru] == ["en", "es", "fr"]
    assert of_peru[1].address == "https://docs.un.org/es/A/HRC/WG.6/14/PER/2?direct=true"
    assert of_peru[1].name == "A/HRC/WG.6/14/PER/2 (es)"
    assert all(file.kinds == {"pdf"} and file.may_be_missing for file in files)
    before = [symbol for symbol in symbols(files) if re.fullmatch(r"A/HRC/WG\.6/\d+/[A-Z]{3}/[123]", symbol)]
    assert len(before) == 3 * (192 + 193 + 193 + 192)
    assert len({file.address for file in files}) == len(files)
    assert len(files) >= source_of(UnDocuments()).description.least.found


def test_the_newest_session_comes_first_and_always_in_the_same_order(engine: Engine, tmp_path: Path) -> None:
    files = found(engine, tmp_path)
    sessions = [int(match[1]) for file in files if (match := re.match(r"A/HRC/WG\.6/(\d+)/", file.symbol or ""))]
    assert sessions == sorted(sessions, reverse=True)
    assert files == found(engine, tmp_path)


def test_reports_are_made_by_rule_until_all_are_held(engine: Engine, tmp_path: Path) -> None:
    hold(engine, None, "uhri", cites=tuple(f"A/HRC/22/{number}" for number in range(50, 70)))  # heard of, not held
    by_rule = set(symbols(found(engine, tmp_path)))
    assert {"A/HRC/22/3", "A/HRC/22/20", "A/HRC/22/20/Add.1"} <= by_rule
    assert not {"A/HRC/22/2", "A/HRC/22/21", "A/HRC/14/37", "A/HRC/8/3"} & by_rule
    for number in range(3, 17):
        hold(engine, f"A/HRC/22/{number}", "working_group_report", council_session=22, session=14)
    all_held = set(symbols(found(engine, tmp_path)))
    assert {"A/HRC/22/16", "A/HRC/22/16/Add.1", "A/HRC/22/16/Add.2", "A/HRC/22/16/Corr.1"} <= all_held
    assert not {"A/HRC/22/17", "A/HRC/22/20/Add.1"} & all_held
    assert "A/HRC/21/20" in all_held


def test_drafts_are_asked_for_while_they_are_young(engine: Engine, tmp_path: Path) -> None:
    drafts = {symbol.split("/")[3] for symbol in symbols(found(engine, tmp_path)) if "/L." in symbol}
    assert drafts == {"50", "51", "52", "53", "54"}  # of these the days are not known yet


def test_what_the_store_has_heard_of_is_found(engine: Engine, tmp_path: Path) -> None:
    hold(engine, "A/HRC/DEC/59/112", "council_decision", cites=("A/HRC/59/15", "A/HRC/59/15/Add.1", "A/HRC/59/2"))
    hold(
        engine,
        None,
        "uhri",
        cites=("A/HRC/8/34", "A/HRC/WG.6/6/ DOM/1", "CAT/C/PER/CO/7", "A/HRC/RES/16/21", f"A/HRC/8/{'9' * 3000}"),
    )
    hold(engine, "A/HRC/99/15", "working_group_report", sample=True)
    told = symbols(found(engine, tmp_path))
    assert {"A/HRC/59/15", "A/HRC/59/15/Add.1", "A/HRC/59/15/Corr.1", "A/HRC/DEC/59/112"} <= set(told)
    assert {"A/HRC/8/34", "A/HRC/8/34/Add.1", "A/HRC/WG.6/6/DOM/1"} <= set(told)
    assert not {"A/HRC/59/2", "CAT/C/PER/CO/7", "A/HRC/RES/16/21", "A/HRC/99/15"} & set(told)
    assert max(map(len, told)) < 40


def answer_in(symbol: str | None) -> PositionEntry:
    return {
        "position": "supported",
        "detail": None,
        "phrase": None,
        "effective_on": None,
        "symbol": symbol,
        "paragraph": None,
        "document": "doc-sample",
        "source_kind": "matrix",
    }


def recommendation(answers: list[PositionEntry]) -> RecommendationRecord:
    return RecommendationRecord(
        id="PER-1-52.3",
        review="PER-1",
        state_under_review="PER",
        cycle=1,
        session=2,
        number="52.3",
        part=None,
        sort_key="",
        text="A sample.",
        text_language="en",
        translations={},
        recommending_states=(),
        position="supported",
        position_detail=None,
        positions=answers,
        labels=[],
        label_ids=(),
        sources=[],
        documents=(),
        date=None,
    )


def test_the_document_in_which_an_answer_stands_is_found(engine: Engine, tmp_path: Path) -> None:
    answers: list[PositionEntry] = [answer_in("A/HRC/8/37/Add.1"), answer_in(None)]
    with engine.begin() as connection:
        REVIEWS.insert(connection, [ReviewRecord(id="PER-1", state_under_review="PER", cycle=1, session=2)])
        RECOMMENDATIONS.insert(connection, [recommendation(answers)])
    told = symbols(found(engine, tmp_path))
    assert {"A/HRC/8/37", "A/HRC/8/37/Add.1"} <= set(told)


def test_since_leaves_out_sessions_whose_documents_are_all_out(engine: Engine, tmp_path: Path) -> None:
    told = found(engine, tmp_path, since=datetime.date(2026, 2, 1))
    sessions = {int(match[1]) for file in told if (match := re.match(r"A/HRC/WG\.6/(\d+)/", file.symbol or ""))}
    assert sessions == {48, 49, 50, 51, 52, 53, 54}


def test_progress_is_told_by_sessions(engine: Engine, tmp_path: Path) -> None:
    visited = visiting(tmp_path, {"documents": "https://docs.un.org"}, engine)
    list(UnDocuments(lambda: TODAY).find(visited.visit))
    assert visited.told[0] == (0, 54)
    assert visited.told[-1] == (54, 54)


def test_a_document_comes_and_a_missing_one_is_told_missing(engine: Engine, tmp_path: Path, site: Site) -> None:
    visit = visiting(tmp_path, {"documents": site.address}, engine).visit
    of_peru = {
        file.name: file
        for file in UnDocuments(lambda: TODAY).find(visit)
        if file.symbol in {"A/HRC/WG.6/14/PER/1", "A/HRC/22/15"}
    }
    got = visit.fetch(of_peru["A/HRC/WG.6/14/PER/1 (es)"].address, kinds=frozenset({"pdf"}))
    assert (got.kind, got.path.read_bytes()[:4]) == ("pdf", b"%PDF")
    with pytest.raises(NotFetchedError) as raised:
        visit.fetch(of_peru["A/HRC/WG.6/14/PER/1 (fr)"].address, kinds=frozenset({"pdf"}), may_be_missing=True)
    assert raised.value.missing
    assert visit.fetch(f"{site.address}/undocs/A/HRC/22/15", kinds=frozenset({"pdf"})).kind == "pdf"
    assert not any(path.startswith(("/api", "/doc/", "/access")) for path in site.paths)
