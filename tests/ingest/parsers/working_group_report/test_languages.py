"""Reports in Spanish and French: small ones written here, and real Spanish recommendations."""

import csv
import re

import pytest

from services.ingest.normalise.attributions import find_attributions, read_state_list
from services.ingest.normalise.positions import read_position
from services.ingest.normalise.states import leading_state, resolve_state
from services.ingest.parsers import read_document
from services.ingest.parsers.base import Content
from services.ingest.parsers.working_group_report.languages import OTHERS, language_of, patterns
from services.ingest.parsers.working_group_report.number_words import ordinal
from services.ingest.parsers.working_group_report.parts import split_entry
from services.ingest.reading import Reading
from tests.ingest.parsers.working_group_report.translations import FRENCH, SPANISH, Translation, report_pdf


@pytest.fixture(scope="module", params=[SPANISH, FRENCH], ids=OTHERS)
def translated(request) -> tuple[Reading, Translation]:
    return read_document(Content("report.pdf", report_pdf(request.param))), request.param


def test_what_the_report_says_of_itself(translated):
    reading, words = translated
    document, [hearing] = reading.document, reading.hearings
    assert (reading.parser, document.language, document.symbol) == (
        "working_group_report",
        words.language,
        "A/HRC/99/901",
    )
    assert (document.state_under_review, document.session, document.cycle) == ("XCM", 48, 4)
    assert (hearing.date, hearing.adopted_on, hearing.announced_speakers) == ("2025-01-28", "2025-01-31", 3)
    assert hearing.troika == ("XGI", "XNB", "XPG")
    assert [(s.speaker, s.kind) for s in reading.statements if s.kind != "presentation"] == [
        ("XAL", "dialogue"), ("PER", "dialogue"), ("KOR", "dialogue"),
    ]  # fmt: skip
    assert reading.issues == ()


def test_recommendations(translated):
    reading, words = translated
    told = [(r.number, r.part, r.recommending_states, r.position) for r in reading.recommendations]
    assert told == [
        ("9.1", None, ("XAL", "XOR"), "supported"),
        ("9.2", "a", ("PER", "BOL", "TTO"), "supported"),
        ("9.2", "b", ("IRN",), "supported"),
        ("10.1", None, ("XBM", "TUR"), "pending"),
        ("11.1", None, ("SAU", "NLD"), "noted"),
    ]
    printed = " ".join(text for listed in words.listed for text in listed)
    assert all(recommendation.text in printed for recommendation in reading.recommendations)
    assert not any(re.search(r"[;.,]$", recommendation.text) for recommendation in reading.recommendations)


def test_pledges(translated):
    reading, words = translated
    assert [pledge.text + "." for pledge in reading.pledges] == [words.pledges[1]]


@pytest.mark.parametrize(
    ("lead_in", "position"),
    [
        ("Las recomendaciones que se enumeran a continuación gozan del apoyo de Chile:", "supported"),
        ("Las siguientes recomendaciones no cuentan con el apoyo de Chile:", "noted"),
        ("Chile examinará las siguientes recomendaciones y responderá a su debido tiempo:", "pending"),
        ("Chile toma nota de las siguientes recomendaciones:", "noted"),
        ("Les recommandations ci-après recueillent l’adhésion du Chili :", "supported"),
        ("Les recommandations suivantes n’ont pas recueilli l’adhésion du Chili :", "noted"),
        ("Le Chili examinera les recommandations ci-après :", "pending"),
        ("Le Chili prend note des recommandations ci-après :", "noted"),
        ("Les recommandations ci-après ont été examinées par le Chili.", None),
    ],
)
def test_lead_ins(lead_in, position):
    printed = read_position(lead_in)
    assert printed is not None
    assert (printed.position.value if printed.position else None) == position


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("República Bolivariana de Venezuela", "VEN"), ("Estado Plurinacional de Bolivia", "BOL"),
        ("República Islámica del Irán", "IRN"), ("Arabia Saudí", "SAU"), ("República Checa", "CZE"), ("Turquía", "TUR"),
        ("Estado de Palestina", "PSE"), ("Macedonia del Norte", "MKD"), ("Federación de Rusia", "RUS"),
        ("Venezuela (République bolivarienne du)", "VEN"), ("l’Allemagne", "DEU"), ("les États-Unis d’Amérique", "USA"),
        ("le Royaume-Uni de Grande-Bretagne et d’Irlande du Nord", "GBR"), ("Pays-Bas (Royaume des)", "NLD"),
        ("Corée (République de)", "KOR"), ("Côte d’Ivoire", "CIV"), ("Santa Sede", "VAT"), ("Saint-Siège", "VAT"),
        ("República Democrática Popular Lao", "LAO"), ("República Popular Democrática de Corea", "PRK"),
    ],
)  # fmt: skip
def test_names(name, state):
    assert resolve_state(name) == state


def test_lists_of_states():
    listed = read_state_list("Bosnia y Herzegovina, Trinidad y Tabago, el Perú e Irlanda")
    assert (listed.states, listed.unknown) == (("BIH", "TTO", "PER", "IRL"), ())
    listed = read_state_list("l’Allemagne, la Belgique, Saint-Kitts-et-Nevis et le Royaume-Uni")
    assert (listed.states, listed.unknown) == (("DEU", "BEL", "KNA", "GBR"), ())


def test_speakers():
    assert leading_state("La Argentina preguntó") == ("ARG", 12)
    assert leading_state("L’Argentine a demandé") == ("ARG", 11)
    assert leading_state("Los derechos humanos") is None


def test_french_ordinals():
    written = {
        "première": 1, "quatrième": 4, "cinquième": 5, "neuvième": 9, "onzième": 11, "dix-septième": 17,
        "vingtième": 20, "vingt et unième": 21, "trentième": 30, "quarantième": 40,
        "quarante-huitième": 48, "cinquante-deuxième": 52,
        "dernière": None, "ième": None,
    }  # fmt: skip
    assert {words: ordinal(words) for words in written} == written


def test_languages():
    assert language_of(["Report of the Working Group on the Universal Periodic Review"]) == "en"
    assert all(len(patterns(name)) == len(OTHERS) for name in ("title", "session", "troika"))


def test_official_spanish_recommendations(real_documents):
    with (real_documents / "spanish" / "A_HRC_60_8_es_sample.tsv").open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table, delimiter="\t"))
    assert len(rows) == 32
    for row in rows:
        text = row["official_text_es"]
        [part] = split_entry(text).parts
        assert len(part.states) == len(find_attributions(text)) == text.count(" (") - part.text.count(" ("), text
        assert text.startswith(part.text)
        assert not part.text.endswith((")", ";", " "))
