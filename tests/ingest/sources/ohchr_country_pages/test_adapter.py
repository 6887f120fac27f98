import datetime
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import Engine

from services.ingest.fetching.outcomes import NotFetchedError
from services.ingest.sources.base import Found
from services.ingest.sources.ohchr_country_pages.adapter import OhchrCountryPages
from tests.ingest.sources.sites import Answer, Asked, Site, page, pdf, serving
from tests.ingest.sources.visits import Visiting, visiting

TODAY = datetime.date(2026, 11, 22)

INDEX = """<html><body><nav><a href="/en/about">About</a></nav><article><ul>
<li><a href="/en/hr-bodies/upr/pe-index">Peru</a></li>
<li><a href="{site}/en/hr-bodies/upr/sl-index">Sierra Leone</a> <a href="/en/hr-bodies/upr/sl-index"></a></li>
<li><a href="/en/hr-bodies/upr/sl-index#fourth">Sierra Leone again</a></li>
<li><a href="/en/hr-bodies/upr/basic-facts">Basic facts</a> <a href="javascript:void(0)">Print</a></li>
</ul></article></body></html>"""

PERU = """<html><body><header><a href="/sites/default/files/logo.pdf">Logo</a></header><article>
<p>Sample page, not OHCHR's. <a href="mailto:upr@example.org">Write</a> <a href="#c4">Fourth cycle</a></p>
<h2>Fourth cycle</h2>
<ul><li>National report: <a href="/sites/default/files/2022-11/Perú informe nacional_E.docx">E</a> |
<a href="/sites/default/files/2022-11/peru_F.docx">F</a> | <a href="/sites/default/files/2022-11/peru_S.docx">S</a> |
<a href="/sites/default/files/2022-11/peru_R.docx">R</a></li>
<li><a href="/en/hr-bodies/upr/upr-peru-stakeholder-info-s42">Stakeholders’ information</a></li>
<li><a href="/sites/default/files/2023-05/matrix.docx">Matrix of recommendations</a>
<a href="/sites/default/files/2023-05/matrix.docx">(again)</a></li>
<li><a href="/sites/default/files/infographic-peru.pdf">Infographic</a></li>
<li><a href="https://undocs.org/en/A/HRC/53/8">Report of the Working Group</a></li>
<li><a href="https://elsewhere.example.org/report.pdf">Somebody's report</a></li></ul>
<h3>Third cycle</h3><p><a href="../../../sites/default/files/letter peru.pdf">Letter by the High Commissioner</a>
<a href="/en/hr-bodies/upr/upr-peru-stakeholder-info-s28">Stakeholders’ information</a></p>
</article></body></html>"""

LISTING = '<article><iframe width=9 src="{submissions}/uprweb/docsview.aspx?s=42&amp;c=Perú"></iframe></article>'

FRAME = """<table><caption>Civil Society Organisations</caption>
<tr><td>CEPU – Colectivo (sample)</td><td><a href="downloadfile.aspx?filename=1&amp;file=EnglishTranslation">E</a></td>
<td><a href="downloadfile.aspx?filename=1&amp;file=Original">S</a></td>
<td><a href="downloadfile.aspx?filename=1&amp;file=Russian">R</a></td></tr>
<tr><td>JS1</td><td><a href="downloadfile.aspx?filename=2&amp;file=Annexe 1">Annexe</a></td>
<td><a href="https://elsewhere.example.org/downloadfile.aspx">E</a></td></tr></table>"""


class Ohchr:
    """Three local servers in the places of OHCHR's, and what they answer."""

    def __init__(self) -> None:
        self.pages: Site
        self.submissions: Site
        self.changed: dict[str, Callable[[], Answer]] = {}

    def answer(self, asked: Asked) -> Answer:
        if asked.path in self.changed:
            return self.changed[asked.path]()
        return {
            "/en/hr-bodies/upr/documentation": page(INDEX.format(site=self.pages.address)),
            "/en/hr-bodies/upr/pe-index": page(PERU),
            "/en/hr-bodies/upr/sl-index": page(PERU.replace("peru", "sierra").replace("takeholder", "")),
            "/en/hr-bodies/upr/upr-peru-stakeholder-info-s42": page(
                LISTING.format(submissions=self.submissions.address)
            ),
        }.get(asked.path, Answer(status=404))

    def frames(self, asked: Asked) -> Answer:
        return page(FRAME) if asked.path == "/uprweb/docsview.aspx" else pdf("a submission")


@pytest.fixture
def ohchr() -> Iterator[Ohchr]:
    ohchr = Ohchr()
    with serving(ohchr.answer) as ohchr.pages, serving(ohchr.frames) as ohchr.submissions:
        yield ohchr


def visited(ohchr: Ohchr, engine: Engine, tmp_path: Path, since: datetime.date | None = None) -> Visiting:
    sites = {
        "pages": ohchr.pages.address,
        "submissions": ohchr.submissions.address,
        "drafts": "https://drafts.example.org",
        "documents": "https://docs.un.org",
    }
    return visiting(tmp_path, sites, engine, since)


def found(visit: Visiting) -> list[Found]:
    return list(OhchrCountryPages(lambda: TODAY).find(visit.visit))


def test_documents_come_with_cycle_and_language(ohchr: Ohchr, engine: Engine, tmp_path: Path) -> None:
    files = {file.name: file for file in found(visited(ohchr, engine, tmp_path)) if file.name.startswith("Peru")}
    listed = [file for file in files.values() if file.address.startswith(ohchr.pages.address)]
    assert [(file.name, file.language) for file in listed] == [
        ("Peru, cycle 4: National report", "es"),
        ("Peru, cycle 4: Matrix of recommendations", None),
        ("Peru, cycle 3: Letter by the High Commissioner", None),
    ]
    assert listed[2].address == f"{ohchr.pages.address}/sites/default/files/letter%20peru.pdf"


def test_each_language_of_a_document_is_found_once(ohchr: Ohchr, engine: Engine, tmp_path: Path) -> None:
    files = found(visited(ohchr, engine, tmp_path))
    reports = [file for file in files if file.name == "Peru, cycle 4: National report"]
    assert [file.language for file in reports] == ["en", "fr", "es"]
    assert reports[0].address.endswith("/2022-11/Per%C3%BA%20informe%20nacional_E.docx")
    assert reports[0].kinds == {"pdf", "docx", "doc_ole2", "xlsx"}
    addresses = [file.address for file in files]
    assert len(addresses) == len(set(addresses))
    assert not any("elsewhere" in address or "infographic" in address or "logo" in address for address in addresses)
    assert files == found(visited(ohchr, engine, tmp_path))


def test_links_by_symbol_lead_to_the_document_server(ohchr: Ohchr, engine: Engine, tmp_path: Path) -> None:
    by_symbol = [file for file in found(visited(ohchr, engine, tmp_path)) if file.symbol]
    assert [(file.symbol, file.language) for file in by_symbol] == [
        ("A/HRC/53/8", "en"),
        ("A/HRC/53/8", "es"),
        ("A/HRC/53/8", "fr"),
    ]
    assert by_symbol[0].address == "https://docs.un.org/en/A/HRC/53/8?direct=true"


def test_submissions_of_the_running_cycle_are_found(ohchr: Ohchr, engine: Engine, tmp_path: Path) -> None:
    visit = visited(ohchr, engine, tmp_path)
    files = [file for file in found(visit) if file.address.startswith(ohchr.submissions.address)]
    assert [(file.name, file.language) for file in files] == [
        ("Peru, cycle 4: CEPU – Colectivo (sample)", "en"),
        ("Peru, cycle 4: CEPU – Colectivo (sample)", "es"),
        ("Peru, cycle 4: Annexe", None),
    ]
    assert visit.visit.fetch(files[0].address, kinds=files[0].kinds).kind == "pdf"
    assert ohchr.submissions.log[0].query == {"s": "42", "c": "Perú"}
    assert not any("s28" in path for path in ohchr.pages.paths)


def test_drafts_are_where_one_was_seen(ohchr: Ohchr, engine: Engine, tmp_path: Path) -> None:
    (draft,) = [file for file in found(visited(ohchr, engine, tmp_path)) if "drafts.example.org" in file.address]
    folder, _, name = draft.address.rpartition("/")
    assert folder == "https://drafts.example.org/Sessions/52/SierraLeone/Documents"
    assert name == "Sierra%20Leone%20-%20full%20draft%20report%20for%20circulation%20-%20ad%20referendum.docx"
    assert draft.may_be_missing


def test_since_asks_for_the_pages_of_sessions_with_news(ohchr: Ohchr, engine: Engine, tmp_path: Path) -> None:
    visit = visited(ohchr, engine, tmp_path, datetime.date(2026, 6, 1))
    assert {file.name.split(",")[0] for file in found(visit) if file.symbol is None} == {"Sierra Leone"}
    assert "/en/hr-bodies/upr/pe-index" not in ohchr.pages.paths


WALL = page("<title>Just a moment...</title>", 403, cf_mitigated="challenge")


def test_a_wall_before_the_index_ends_the_search(ohchr: Ohchr, engine: Engine, tmp_path: Path) -> None:
    ohchr.changed["/en/hr-bodies/upr/documentation"] = lambda: WALL
    with pytest.raises(NotFetchedError) as raised:
        found(visited(ohchr, engine, tmp_path))
    assert (raised.value.code, raised.value.host_refuses) == ("challenged", True)


def test_behind_a_wall_no_page_is_asked_for_and_each_state_is_told(
    ohchr: Ohchr, engine: Engine, tmp_path: Path
) -> None:
    ohchr.changed["/en/hr-bodies/upr/pe-index"] = lambda: WALL
    visit = visited(ohchr, engine, tmp_path)
    assert {urlsplit(file.address).netloc for file in found(visit)} == {"drafts.example.org"}
    assert ohchr.pages.paths == ["/en/hr-bodies/upr/documentation", "/en/hr-bodies/upr/pe-index"]
    assert [issue.detail for issue in visit.issues] == [
        f"Peru ({ohchr.pages.address}/en/hr-bodies/upr/pe-index): challenged",
        f"Sierra Leone ({ohchr.pages.address}/en/hr-bodies/upr/sl-index): challenged",
    ]


@pytest.mark.parametrize("path", ["/en/hr-bodies/upr/pe-index", "/en/hr-bodies/upr/upr-peru-stakeholder-info-s42"])
def test_a_page_that_is_not_to_be_had_is_told(path: str, ohchr: Ohchr, engine: Engine, tmp_path: Path) -> None:
    ohchr.changed[path] = lambda: Answer(status=500)
    visit = visited(ohchr, engine, tmp_path)
    assert any(file.name.startswith("Sierra Leone") for file in found(visit))
    assert visit.codes == ["not_searched"]


def test_a_page_that_is_no_longer_there_is_noted(ohchr: Ohchr, engine: Engine, tmp_path: Path) -> None:
    ohchr.changed["/en/hr-bodies/upr/pe-index"] = lambda: Answer(status=404)
    visit = visited(ohchr, engine, tmp_path)
    assert any(file.name.startswith("Sierra Leone") for file in found(visit))
    assert visit.codes == ["http_status"]


def test_a_page_that_was_laid_out_anew_is_noted(ohchr: Ohchr, engine: Engine, tmp_path: Path) -> None:
    ohchr.changed["/en/hr-bodies/upr/pe-index"] = lambda: page("<div id=app></div><script src=app.js></script>")
    visit = visited(ohchr, engine, tmp_path)
    assert not any(file.name.startswith("Peru") for file in found(visit))
    assert visit.codes == ["layout_changed"]


def test_an_index_without_countries_finds_nothing(ohchr: Ohchr, engine: Engine, tmp_path: Path) -> None:
    ohchr.changed["/en/hr-bodies/upr/documentation"] = lambda: page("<div id=app></div>")
    visit = visited(ohchr, engine, tmp_path)
    assert found(visit) == []
    assert visit.codes == ["layout_changed"]
