"""Dossiers: all that lists tell of a State on a topic, as JSON, as a page and as a Word document."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date
from typing import Any

import docx
import pypdfium2
import pytest
from selectolax.lexbor import LexborHTMLParser
from sqlalchemy import Engine

from services.api.dossier import pdf_document
from services.api.dossier.dates import dates_ahead, planned_reviews, reviews_not_read
from services.api.dossier.models import Dossier
from services.api.dossier.pdf_document import write_pdf
from services.api.dossier.said_again import said_again
from services.api.dossier.telling import Entry, Items, Paragraph, Run, Section, Table, Telling
from services.api.dossier.word_document import write_word_document
from services.api.printable import printable
from services.core.domain.errors import UnavailableError
from services.core.pages.words import Words
from services.core.store.hearings import HEARINGS, HearingRecord, Requester
from services.core.store.reviews import ReviewRecord
from services.core.store.states import STATES, Fact, FactSource
from tests.api.site import PUBLIC, Site, open_site, problem
from tests.records import RecordMaker, fill

BROWSER = {"Accept": "text/html"}


@pytest.fixture
def maker(engine: Engine) -> RecordMaker:
    with engine.begin() as connection:
        return fill(connection, seed=5, each=12, recommendations=150)


@pytest.fixture
def site(database_url: str, maker: RecordMaker) -> Iterator[Site]:
    with open_site(database_url) as site:
        yield site


def subjects(site: Site) -> list[tuple[str, str]]:
    """The States and topics of which most is held."""
    told = site.json("/v1/statistics/recommendations", group_by="state_under_review,topic", limit=40)
    pairs = [(group["values"]["state_under_review"], group["values"]["topic"]) for group in told["groups"]]
    return [(state["value"], topic["value"]) for state, topic in pairs if state and topic][:6]


def test_a_dossier_holds_what_the_lists_hold(site: Site) -> None:
    asked = subjects(site)
    assert asked
    for state, topic in asked:
        told = site.json(f"/v1/dossiers/{state}/{topic}", lang="es")
        Dossier.model_validate(told)
        filters = {"state_under_review": state, "topic": topic, "lang": "es", "limit": 200}
        listed = site.json("/v1/recommendations", **filters)
        shown = [row for cycle in told["cycles"] for row in cycle["recommendations"]]
        assert sorted(shown, key=lambda row: row["id"]) == sorted(listed["data"], key=lambda row: row["id"])
        assert told["answers"]["total"] == listed["total"]
        assert (
            told["answers"]["supported"] == site.json("/v1/recommendations", **filters, position="supported")["total"]
        )
        assert told["statements"]["total"] == site.json("/v1/statements", **filters)["total"]
        assert {row["id"] for row in told["pledges"]} == {
            row["id"] for row in site.json("/v1/pledges", **filters)["data"]
        }
        assert [cycle["cycle"] for cycle in told["cycles"]] == sorted(cycle["cycle"] for cycle in told["cycles"])
        coverage = site.json(f"/v1/states/{state}", include="coverage")["coverage"]
        assert told["cycles_not_read"] == coverage["cycles_not_read"]
        assert {cycle["review"]: cycle["missing"] for cycle in told["cycles"]} == {
            each["review"]: each["documents"]["missing"] for each in coverage["reviews"]
        }


def test_every_form_says_the_same(site: Site) -> None:
    for state, topic in subjects(site)[:2]:
        told = site.json(f"/v1/dossiers/{state}/{topic}", lang="es")
        rows = [row for cycle in told["cycles"] for row in cycle["recommendations"]]
        page = site.client.get(f"/dossier/{state}/{topic}?lang=es", headers=BROWSER)
        html = LexborHTMLParser(page.text)
        assert [link.attributes["href"] for link in html.css("section h3 a[href*='/recommendations/']")] == [
            f"{row['url']}?lang=es" for row in rows
        ]
        assert not html.css("script, style, [style]")
        forms = {"page": html.body.text() if html.body else ""}
        for suffix, read in (("docx", words_of_docx), ("pdf", words_of_pdf)):
            (address,) = [each for each in uses(html) if f".{suffix}?" in each]
            file = site.get(address)
            assert file.headers["content-disposition"].startswith(f'attachment; filename="openupr-{state}-{topic}-es-')
            assert site.get(f"/v1/dossiers/{state}/{topic}/document.{suffix}?lang=es").content == file.content
            forms[suffix] = read(file.content)
        for form, text in forms.items():
            said = squeezed(text)
            for row in rows:
                assert squeezed(row["text"]) in said, form
            for number in range(1, len(html.css(".references li")) + 1):
                assert f"[{number}]" in said, form
            assert numbers_in(text) == numbers_of(told), form


def numbers_of(told: Any) -> list[int]:
    """What the head and each cycle say: how many, and how many were supported, noted and left open."""
    cycles = [cycle["answers"] for cycle in told["cycles"] if cycle["answers"] and cycle["answers"]["total"]]
    return [count for each in cycles for count in map(each.get, ("total", "supported", "noted", "pending"))]


def numbers_in(text: str) -> list[int]:
    counts = r"(\d+)\s+recomendaci(?:ón|ones):\s+(\d+)\s+apoyada\s+·\s+(\d+)\s+anotada\s+·\s+(\d+)\s+pendiente"
    return [int(number) for found in re.findall(counts, text) for number in found]


def squeezed(text: str) -> str:
    """Without spaces and places for breaks: where lines end is each form's own. Nor hyphens, on which lines end."""
    return re.sub(r"[\s\u200b\u00ad\u2010\ufffe-]", "", unicodedata.normalize("NFKC", text))


def words_of_docx(content: bytes) -> str:
    body = docx.Document(io.BytesIO(content)).element.body
    return "\n".join("".join(each.itertext()) for each in body)


def words_of_pdf(content: bytes) -> str:
    with closing(pypdfium2.PdfDocument(content)) as pdf:
        # Below the text there is the page's number, between a recommendation's halves where one goes over a page.
        return "\n".join(_above_the_foot(page) for page in pdf)


def _above_the_foot(page: Any) -> str:
    text: str = page.get_textpage().get_text_bounded(bottom=55)
    return text


def uses(html: LexborHTMLParser) -> list[str]:
    return [each.attributes["href"] or "" for each in html.css(".use a")]


def test_the_page_leads_to_all_that_can_be_done_with_it(site: Site) -> None:
    state, topic = subjects(site)[0]
    page = site.client.get(f"/dossier/{state}/{topic}?lang=fr", headers=BROWSER)
    for address in uses(LexborHTMLParser(page.text)):
        if address.startswith(f"{PUBLIC}/v1/") or "/dossier/" in address:
            assert site.get(address).status_code == 200, address
    listed = site.json("/v1/recommendations", state_under_review=state, topic=topic)["total"]
    (table,) = [each for each in uses(LexborHTMLParser(page.text)) if "recommendations.csv" in each]
    assert len(list(csv.reader(io.StringIO(site.get(table).text)))) == listed + 1


def test_a_pdf_is_made_for_everybody(site: Site) -> None:
    state, topic = subjects(site)[0]
    content = site.get(f"/v1/dossiers/{state}/{topic}/document.pdf", lang="pt").content
    with closing(pypdfium2.PdfDocument(content)) as pdf:
        assert pdf.get_metadata_dict()["Title"].startswith(site.json(f"/v1/states/{state}", lang="pt")["name"])
        assert pdf.is_tagged()
        assert next(iter(pdf.get_toc())).get_title() == pdf.get_metadata_dict()["Title"]
    assert re.search(rb"/Lang ?\(pt\)", content)
    assert b"pdfuaid" in content


def test_what_is_not_there(site: Site) -> None:
    state, topic = subjects(site)[0]
    problem(site.get(f"/v1/dossiers/XXX/{topic}"), 404, "not_found")
    problem(site.get(f"/v1/dossiers/{state}/nothing"), 404, "not_found")
    problem(site.get(f"/v1/dossiers/{state}/{topic}", colour="blue"), 400, "unknown_parameter")
    assert site.client.get(f"/dossier/{state}/nothing", headers=BROWSER).status_code == 404
    first = site.get(f"/v1/dossiers/{state}/{topic}")
    again = site.client.get(f"/v1/dossiers/{state}/{topic}", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304


def test_queries_do_not_grow_with_what_is_held(site: Site) -> None:
    counts = set()
    for state, topic in subjects(site):
        site.get(f"/v1/dossiers/{state}/{topic}")
        with site.counted() as statements:
            site.get(f"/v1/dossiers/{state}/{topic}")
        counts.add(len(statements))
    assert max(counts) <= 32


def test_what_is_said_again_in_another_cycle(engine: Engine, maker: RecordMaker) -> None:
    model = maker.recommendation()
    texts = {
        ("PER-1-1.1", 1): "Ratify the Optional Protocol to the Convention against Torture",
        ("PER-2-1.1", 2): "Ratify the Optional Protocol to the Convention against Torture without delay",
        ("PER-2-1.2", 2): "Build schools in remote villages",
        ("PER-3-1.1", 3): "Ratify the Optional Protocol to the Convention Against Torture.",
        ("PER-3-1.2", 3): "Abolish the death penalty",
    }
    made = [
        replace(model, id=record_id, cycle=cycle, text=text, text_language="en", label_ids=(), sort_key=record_id)
        for (record_id, cycle), text in texts.items()
    ]
    assert [[each.id for each in group] for group in said_again(made)] == [["PER-1-1.1", "PER-2-1.1", "PER-3-1.1"]]
    assert said_again(made[2:3]) == []


def test_facts_and_hearings_that_fit_the_topic_come_first(engine: Engine, site: Site) -> None:
    state, topic = "PER", "torture-prevention"
    with engine.begin() as connection:
        held = STATES.one(connection, state)
        assert held is not None
        facts = [fact("nhri_status", "A", 2019), fact("npm", "Defensoría del Pueblo"), fact("treaty:OPCAT", "party")]
        connection.execute(STATES.table.update().where(STATES.table.c.id == state).values(facts=facts))
        HEARINGS.insert(
            connection,
            [
                thematic("iachr-191-1", ("PER",), "Perú: prevención de la tortura"),
                thematic("iachr-191-2", (), "Aplicación del OPCAT en la región"),
                thematic("iachr-191-3", ("PER",), "Derecho a la educación"),
                thematic("iachr-191-4", ("CHL",), "Chile: prevención de la tortura"),
            ],
        )
    told = site.json(f"/v1/dossiers/{state}/{topic}", lang="es")
    Dossier.model_validate(told)
    assert [each["subject"] for each in told["facts"]["on_topic"]] == ["npm", "treaty:OPCAT"]
    assert [each["subject"] for each in told["facts"]["others"]] == ["nhri_status"]
    assert told["facts_not_held"] == ["treaty:CAT"]
    on_topic = {each["id"] for each in told["hearings"]["on_topic"]}
    assert {"iachr-191-1", "iachr-191-2"} <= on_topic
    assert not on_topic & {"iachr-191-3", "iachr-191-4"}
    text = squeezed(words_of_pdf(site.get(f"/dossier/{state}/{topic}.pdf?lang=es").content))
    for said in ("Coalición EPU de Prueba", "período de sesiones 191", "Defensoría del Pueblo", "(OPCAT)"):
        assert squeezed(said) in text
    education = site.json(f"/v1/dossiers/{state}/nhri", lang="es")
    assert [each["subject"] for each in education["facts"]["on_topic"]] == ["nhri_status"]


def fact(subject: str, value: str, year: int | None = None) -> Fact:
    source = FactSource(
        document="doc-1", name="A table", address=None, printed=value, detail=None, details={}, page=None, row=2
    )
    return Fact(subject=subject, value=value, detail=None, date=None, year=year, sources=[source])


def thematic(hearing_id: str, states: tuple[str, ...], title: str) -> HearingRecord:
    return HearingRecord(
        id=hearing_id,
        kind="thematic_hearing",
        title=title,
        titles={"es": title},
        date=date(2024, 11, 8),
        states=states,
        iachr_period=191,
        requesting_organisations=[Requester(id="coalicion-epu", name="Coalición EPU de Prueba")],
    )


def test_what_lies_ahead_is_told_from_the_day_of_the_data_on() -> None:
    second = ReviewRecord(id="PER-2", state_under_review="PER", cycle=2, session=14, date=date(2012, 11, 1))
    planned = planned_reviews("PER", {2: second})
    assert [(each["cycle"], each["review"], each["session"]) for each in planned] == [
        (1, None, 2), (2, "PER-2", 14), (3, None, 28), (4, None, 42),
    ]  # fmt: skip
    assert [each["cycle"] for each in reviews_not_read(planned, date(2018, 1, 1))] == [1, 3]
    follow_up = {"adopted_on": None, "mid_term": {"suggested_by": 2015, "report": None}}
    ahead = dates_ahead(planned, follow_up, {"pending": 3}, date(2014, 1, 1))
    mid_term, review, answers = ahead
    assert (answers["kind"], answers["count"]) == ("answers", 3)
    assert (review["kind"], review["session"], review["starts_on"]) == ("next_review", 28, date(2017, 11, 6))
    assert (mid_term["kind"], mid_term["year"]) == ("mid_term_report", 2015)
    (last,) = dates_ahead(planned, follow_up, None, date(2026, 1, 1))
    assert (last["kind"], last["cycle"], last["session"]) == ("next_review", 5, None)


HOSTILE = (
    '#panic() $x$ *_`@[]{}<script>alert(1)</script> \\ // /* */ = #import "@preview/x:1.0.0"',
    "\u202eturned \u2066 \u0000 \u0007 \ufffe",
    "x" * 100_000,
    "中文 العربية हिन्दी 🙂",
    "ąćęłńóśźż ğışçö Việt Nam ấậ ÇÃÊ œ",
)


@pytest.mark.parametrize("text", HOSTILE, ids=["marks", "invisible", "long", "scripts", "letters"])
def test_a_hostile_text_stays_text(text: str) -> None:
    said = printable(text)
    entry = Entry((Run(said, "strong", "https://x.example/1"),), (Run("[1]", reference=1),), (Run(said),))
    telling = Telling(
        language="es",
        title=said[:200],
        address="https://x.example",
        about=(Paragraph((Run("data"),)),),
        counts=Table((said[:50], "2"), (((Run(said[:50]),), (Run("1"),)),), numbers=True),
        sections=(Section("s", said[:200], (entry, Items(((Run(said),),)), Paragraph((Run(said),), "notice"))),),
        references=((Run(said[:50], address="https://x.example/1"),),),
        references_title="References",
        citation=said[:200],
    )
    made = {"as_of": "2026-01-01T00:00:00Z"}
    pdf, word = io.BytesIO(), io.BytesIO()
    write_pdf(pdf, telling, made)
    write_word_document(word, telling, made)
    assert squeezed(said) in squeezed(words_of_docx(word.getvalue()))
    in_pdf = squeezed(words_of_pdf(pdf.getvalue()))
    if text.startswith("中"):
        assert squeezed(Words("es")("dossier.missing_letters")) in in_pdf
    else:
        assert squeezed(said)[:5_000] in in_pdf
        assert b"pdfuaid" in pdf.getvalue()


def test_a_pdf_of_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_document, "_PATIENCE", 0.001)
    telling = Telling("es", "T", "https://x.example", (Paragraph((Run("data"),)),), None, (), (), "R", "C")
    with pytest.raises(UnavailableError):
        write_pdf(io.BytesIO(), telling, {"as_of": "2026-01-01T00:00:00Z"})
