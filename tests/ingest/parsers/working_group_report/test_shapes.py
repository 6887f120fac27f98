"""Shapes in which reports print lists, attributions, lead-ins and statements: each in a report of some lines."""

import pytest

from services.ingest.normalise.positions import read_position
from services.ingest.normalise.states import known_state
from services.ingest.parsers.text.blocks import Block
from services.ingest.parsers.working_group_report import read_report
from services.ingest.parsers.working_group_report.groups import read_groups
from services.ingest.parsers.working_group_report.introduction import read_announced, read_introduction
from services.ingest.parsers.working_group_report.line_ends import joined
from services.ingest.parsers.working_group_report.parts import split_entry
from services.ingest.parsers.working_group_report.skeleton import Paragraph
from services.ingest.parsers.working_group_report.statements import read_statements
from tests.ingest.parsers.test_working_group_report import FRONT, INTRODUCTION, text_of, told

SUPPORTED = "116. The recommendations listed below enjoy the support of Peru:"
CLOSING = "119. All conclusions and/or recommendations contained in the present report reflect the position of others."


def read(*pages: str, heading: str = "II. Conclusions and/or recommendations**"):
    first, *others = pages
    return told(read_report(text_of(FRONT, INTRODUCTION, f"A/HRC/22/15\n3\n{heading}\n{first}", *others)))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("116.1. Ratify CAT (Spain);", "116.2. Build 3 schools (Chile) (Cuba)."),
        ("116.1 Ratify CAT (Spain);", "116.2 Build 3 schools (Chile) (Cuba)."),
        ("116. 1 Ratify CAT (Spain);", "116. 2 Build 3 schools (Chile, Cuba)."),
        ("116 .1 Ratify CAT (Spain);", "116 .2 Build 3 schools (Chile); (Cuba)."),
        ("116.1Ratify CAT (Spain);", "116.2Build 3 schools (Chile; Cuba)."),
        ("116.1.\tRatify CAT (Spain);", "116.2.\tBuild 3 schools (Chile and Cuba)."),
        ("116.1.\nRatify CAT (Spain);", "116.2.\nBuild 3 schools (Chile/Cuba)."),
        ("116.1. Ratify CAT (Spain); and", "116.2. Build 3 schools (Chile & Cuba)."),
        ("116.1. Ratify CAT (Spain);1", "116.2. Build 3 schools (Chile2, Cuba)."),
        ("116.1. Ratify CAT (Spain).", "116.2. Build 3 schools (Chile, Cuba, etc.)."),
        ("116.1. Ratify CAT (Spain)", "116.2. Build 3 schools (Chile, Cuba"),
        ("116.1. • Ratify CAT. (Spain);*", "116.2. — Build 3 schools (Chile) Cuba)."),
        ("1. Ratify CAT (Spain);", "2. Build 3 schools (Chile) (Cuba)."),
        ("1.Ratify CAT (Spain);", "2.Build 3 schools (Chile) (Cuba)."),
        ("(1) Ratify CAT (Spain);", "(2) Build 3 schools (Chile) (Cuba)."),
        ("1) Ratify CAT (Spain);", "2) Build 3 schools (Chile) (Cuba)."),
        ("1.\nRatify CAT (Spain);", "2.\nBuild 3 schools (Chile) (Cuba)."),
        ("1 Ratify CAT (Spain);", "2 Build 3 schools (Chile) (Cuba)."),
    ],
)
def test_numbers_and_ends_of_items(first, second):
    assert read("\n".join((SUPPORTED, first, second, "117. All conclusions and/or recommendations are theirs."))) == [
        ("116.1", None, "Ratify CAT", ("ESP",), "supported"),
        ("116.2", None, "Build 3 schools", ("CHL", "CUB"), "supported"),
    ]


def test_a_line_of_a_plain_list_may_begin_with_a_dotted_number():
    lines = f"{SUPPORTED}\n1. Raise the share of women to\n19.5 per cent (Spain);\n2. Ratify CAT (Chile).\n{CLOSING}"
    assert [(number, text) for number, _, text, _, _ in read(lines)] == [
        ("116.1", "Raise the share of women to 19.5 per cent"),
        ("116.2", "Ratify CAT"),
    ]


def test_one_dotted_item_under_plain_paragraphs():
    groups = read_groups([Block(line) for line in (SUPPORTED, "116.1 Ratify CAT (Spain).", CLOSING)])
    assert [[item.number for item in group.items] for group in groups] == [["116.1"], []]


@pytest.mark.parametrize(
    "furniture",
    [
        ("GE.08-12345", "A/HRC/22/15\npage 13"),
        ("GE.12-12345 (E)\n12", "A/HRC/22/15"),
        ("12 GE.12-12345", "A/HRC/ 22/15\nPage 13"),
        ("12", "A/HRC/22/15\n13"),
        ("1 Original recommendation as read out during the interactive dialogue: “Do it” (Cuba).", "A/HRC/22/15"),
        ("** The conclusions have not been edited.", "A/HRC/22/15"),
        ("¹ The text of the recommendation as read out: “Do it” (Cuba).", "A/HRC/22/15"),
    ],
)
def test_a_name_broken_over_pages(furniture):
    foot, head = furniture
    first = f"{SUPPORTED}\n116.1 Protect the gender-\nbased rights of all (Bosnia and\n{foot}"
    second = f"{head}\nHerzegovina, Bolivia (Plurinational State\nof), Timor-\nLeste);\n116.2 Go on (Chile).\n{CLOSING}"
    assert read(first, second) == [
        ("116.1", None, "Protect the gender-based rights of all", ("BIH", "BOL", "TLS"), "supported"),
        ("116.2", None, "Go on", ("CHL",), "supported"),
    ]


@pytest.mark.parametrize(
    "heading",
    [
        "II. Conclusions and/or recommendations",
        "II. CONCLUSIONS AND/OR RECOMMENDATIONS∗∗",
        "II.Conclusions and / or recommendations*",
        "Conclusions and recommendations",
        "II. Conclusions and/or Recommendations1",
        "II. Recommendations",
        "II. Something that nobody has printed yet",
    ],
)
def test_headings(heading):
    entries = f"{SUPPORTED}\n116.1 Ratify CAT (Spain).\n{CLOSING}"
    assert read(entries, heading=heading) == [("116.1", None, "Ratify CAT", ("ESP",), "supported")]


@pytest.mark.parametrize(
    ("printed", "states"),
    [
        ("(Iran (Islamic Republic of)) (Venezuela (Bolivarian Republic of))", "IRN VEN"),
        ("(Bolivarian Republic of Venezuela)", "VEN"),
        ("(Netherlands (Kingdom of the)) (Kingdom of the Netherlands)", "NLD"),
        ("(Venezuela, Bolivarian Republic of, and Cuba)", "VEN CUB"),
        ("(Congo (Democratic Republic of the), Congo)", "COD COG"),
        ("(Republic of Moldova, Holy See, State of Palestine)", "MDA VAT PSE"),
        ("(Côte d’Ivoire, Cote d'Ivoire)", "CIV"),
        ("(Türkiye) (Turkey)", "TUR"),
        ("(North Macedonia, the former Yugoslav Republic of Macedonia)", "MKD"),
        ("(Eswatini, Kingdom of Swaziland)", "SWZ"),
        ("(United Kingdom, Lao PDR)", "GBR LAO"),
        ("(Bosnia and Herzegovina and Trinidad and Tobago)", "BIH TTO"),
        ("(UnitedKingdom, BosniaandHerzegovina)", "GBR BIH"),
        ("(Philip pines, Aus- tralia, Nether-lands)", "PHL AUS NLD"),
        ("(Spain1, France 2)", "ESP FRA"),
        ("[Spain]", "ESP"),
        ("(Spain, on behalf of the European Union)", "ESP"),
        ("(Spain and others)", "ESP"),
        ("(Spain", "ESP"),
        ("Republic of Korea)", "KOR"),
    ],
)
def test_attributions(printed, states):
    [part] = split_entry(f"Ratify the Convention against Torture {printed};").parts
    assert (part.text, " ".join(part.states)) == ("Ratify the Convention against Torture", states)


def test_the_state_under_review_recommends_nothing():
    words = "Accede to CAT, because this country [Peru] already applies it (Chile)"
    [part] = split_entry(words, "PER").parts
    assert (part.text, part.states) == ("Accede to CAT, because this country [Peru] already applies it", ("CHL",))


@pytest.mark.parametrize("words", ["(No. 29)", "(UNESCO)", "(CAT)", "(2009)", "(Atlantis, Spain)", "of Spain"])
def test_what_is_no_attribution(words):
    [part] = split_entry(f"Ratify the Convention {words}").parts
    assert part.states == ()


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("Macedonia FYR", "MKD"),
        ("Birmania", "MMR"),
        ("Suazilandia", "SWZ"),
        ("Bahamas (Las)", "BHS"),
        ("du Chili", "CHL"),
    ],
)
def test_names_of_other_times_and_places(name, state):
    assert known_state(name) == state


def test_a_plan_of_the_state_is_no_verb():
    [part] = split_entry("Peru’s plan to build schools should be published (Spain)").parts
    assert part.text == "Peru’s plan to build schools should be published"


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (["gender-", "based"], "gender-based"),
        (["short-", "and medium-term"], "short- and medium-term"),
        (["OP-", "CAT"], "OP-CAT"),
        (["law –", "now"], "law – now"),
        (["", "text"], "text"),
    ],
)
def test_line_ends(lines, text):
    assert joined(lines) == text


@pytest.mark.parametrize(
    ("after", "positions"),
    [
        ("117. All recommendations enjoy the support of Peru.", ["supported"] * 3),
        ("117. They will be examined by Peru, which will respond in due time.", ["pending"] * 3),
        (
            "117. Recommendations Nos. 1 and 3 enjoy its support. Recommendation No. 2 was rejected.",
            ["supported", "noted", "supported"],
        ),
    ],
)
def test_positions_told_after_the_list(after, positions):
    lead_in = "116. In the course of the discussion, the following recommendations were made to Peru:"
    listed = "1. Ratify CAT (Spain);\n2. Go on (Chile);\n3. Build schools (Cuba)."
    assert [position for *_, position in read(f"{lead_in}\n{listed}\n{after}\n{CLOSING}")] == positions


LEAD_INS = {
    "supported": [
        "Peru supports the recommendations below:",
        "The recommendations listed below have been examined by Peru and enjoy its support:",
        "The following recommendations enjoy Peru’s support:",
        "The following recommendations received the support of Peru:",
        "The recommendations below meet with the support of Peru:",
        "The recommendations listed below are acceptable to Peru:",
        "The following recommendations have been endorsed by Peru:",
        "Peru agrees with the following recommendations:",
        "The recommendations listed below enjoy the support of the State under review:",
        "Las recomendaciones siguientes recibieron el apoyo de Chile:",
        "Chile examinó las recomendaciones siguientes y las apoyó:",
        "Le Chili a examiné les recommandations énumérées ci-après et y souscrit :",
        "Les recommandations ci-après ont recueilli l’adhésion du Chili :",
        "Les recommandations ci-après ont l’appui du Chili :",
    ],
    "pending": [
        "The following will be examined by Peru, which will respond in due time, but no later than the ninth session:",
        "The recommendations below are under consideration by Peru:",
        "The following recommendations require further consideration by Peru:",
        "The recommendations listed below are being examined by Peru:",
        "Chile estudiará las recomendaciones siguientes y dará a conocer sus respuestas a su debido tiempo:",
        "La respuesta de Chile a estas recomendaciones se incluirá en el informe final:",
        "Les recommandations ci-après seront étudiées par le Chili, qui donnera ses réponses en temps voulu :",
        "Les réponses du Chili à ces recommandations figureront dans le rapport final :",
    ],
    "noted": [
        "The following recommendations could not be supported by Peru:",
        "Peru cannot accept the following recommendations at this time:",
        "The recommendations below failed to gain the support of Peru:",
        "The following recommendations have not been accepted by Peru:",
        "The following recommendations are not acceptable to Peru:",
        "Peru notes the recommendations listed below:",
        "Peru disagrees with the following recommendations:",
        "Las recomendaciones que figuran a continuación no recibieron el apoyo de Chile:",
        "Chile no puede aceptar las recomendaciones siguientes:",
        "Les recommandations ci-après ont été rejetées par le Chili :",
        "Le Chili n’est pas en mesure d’accepter les recommandations ci-après :",
    ],
}


@pytest.mark.parametrize(("position", "words"), [(name, words) for name, all_ in LEAD_INS.items() for words in all_])
def test_lead_ins(position, words):
    printed = read_position(words)
    assert printed is not None
    assert printed.position is not None
    assert printed.position.value == position


@pytest.mark.parametrize(
    ("words", "speaker"),
    [
        ("The representative of Cuba welcomed the report.", "CUB"),
        ("According to Paraguay, the plan was good.", "PRY"),
        ("While recognizing efforts in Peru, the Netherlands asked about schools.", "NLD"),
        ("The Democratic People Republic of Korea welcomed the plan.", "PRK"),
        ("Slovakia’s delegation noted the plan.", "SVK"),
        ("Georgia’s laws were discussed.", None),
        ("In response to questions from Spain, Peru said that schools were open.", None),
        ("UNFPA noted the plan.", None),
        ("La representante de Cuba acogió con beneplácito la ley.", "CUB"),
        ("Le représentant du Chili a salué la loi.", "CHL"),
    ],
)
def test_speakers(words, speaker):
    spoken = [s.speaker for s in read_statements([], [Paragraph(9, (words,), 1)], "PER") if s.kind == "dialogue"]
    assert spoken == ([speaker] if speaker else [])


@pytest.mark.parametrize(
    ("words", "on_behalf_of"),
    [
        ("Spain, on behalf of Chile and Cuba, welcomed the plan.", ("CHL", "CUB")),
        ("Norway, speaking also on behalf of Denmark, Finland and Sweden, asked.", ("DNK", "FIN", "SWE")),
        ("Mali (on behalf of the African Group) noted the plan.", ("African Group",)),
        ("Spain, on behalf of the European Union, welcomed the plan.", ("European Union",)),
        ("España, en nombre de la Unión Europea, acogió la ley.", ("Unión Europea",)),
    ],
)
def test_speaking_for_others(words, on_behalf_of):
    [statement] = read_statements([], [Paragraph(9, (words,), 1)], "PER")
    assert statement.on_behalf_of == on_behalf_of


def test_the_state_under_review():
    dialogue = [
        Paragraph(6, ("Cuba asked about schools.",), 2),
        Paragraph(7, ("The Minister of Justice replied.",), 2),
        Paragraph(8, ("More schools had been built.",), 2),
        Paragraph(9, ("The World Bank noted that it was so.",), 2),
        Paragraph(10, ("Chile asked again.",), 2),
    ]
    told = [(s.speaker, s.kind, s.paragraph) for s in read_statements([Paragraph(4, ("It had.",), 1)], dialogue, "PER")]
    assert told == [
        ("PER", "presentation", "4"), ("CUB", "dialogue", "6"), ("PER", "answer", "7"), ("CHL", "dialogue", "10"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "count"),
    [
        ("In the ensuing interactive dialogue, 36 delegations intervened.", 36),
        ("One hundred and ten delegations made statements during the dialogue.", 110),
        ("Durante el diálogo interactivo formularon declaraciones 94 delegaciones.", 94),
        ("Au cours du dialogue, des déclarations ont été faites par 94 délégations.", 94),
    ],
)
def test_announced_delegations(words, count):
    assert read_announced(words) == count


ENGLISH_OPENING = """held its forty-eight session in January. The review of Peru was held on 28 January 2025. At its
17th meeting, held on 31 January 2025, the Working Group adopted the report."""
WITHOUT_SESSION = "met. The review of Peru was held. 2. On 3 May 2012 a troika was chosen. 3. A/HRC/WG.6/14/PER/1."
SPANISH_OPENING = """celebró su tercer período de sesiones. El examen del Perú tuvo lugar en la segunda sesión, el 16 de
abril de 2008. En la quinta sesión, celebrada el 18 de abril de 2008, el Grupo de Trabajo aprobó el informe."""


@pytest.mark.parametrize(
    ("words", "session", "reviewed", "adopted"),
    [
        (ENGLISH_OPENING, 48, "2025-01-28", "2025-01-31"),
        (WITHOUT_SESSION, 14, None, None),
        (SPANISH_OPENING, 3, "2008-04-16", "2008-04-18"),
    ],
)
def test_introductions(words, session, reviewed, adopted):
    told = read_introduction("A/HRC/22/15", [], [Block(f"1. The Working Group {words}")])
    assert (told.session, told.reviewed_on, told.adopted_on) == (session, reviewed, adopted)
