"""All kinds of sources of one review, in several versions each, for tests of what order does to the store.

Each version of a source is a reading and the name of its file. A higher parser version of the same file reads it
otherwise; a later export of a data set is another file of the same document.
"""

from dataclasses import dataclass, replace

from services.ingest.reading import (
    ReadCitation,
    ReadDocument,
    ReadFact,
    ReadHearing,
    Reading,
    ReadLabel,
    ReadOrganisation,
    ReadParagraph,
    ReadPledge,
    ReadPosition,
    ReadRecommendation,
    ReadStatement,
)
from tests.readings import TEXTS, addendum, council_report, matrix, recommendation, report, summary

T = TEXTS
SPANISH = ("Ratificar el Protocolo Facultativo de la Convención", "Establecer un mecanismo nacional de prevención")


@dataclass(frozen=True)
class Version:
    """One reading of a file; `file` stands for its bytes. Data sets' shares have no file of their own."""

    file: str | None
    reading: Reading


def better(reading: Reading, **fields: object) -> Reading:
    """The same file as a higher version of the parser reads it."""
    return replace(reading, parser_version="2", **fields)  # type: ignore[arg-type]


def rows(
    kind: str,
    told: list[ReadRecommendation],
    as_of: str,
    *,
    pledges: tuple[str, ...] = (),
    labels: tuple[ReadLabel, ...] = (),
    language: str = "en",
    parser: str | None = None,
) -> Version:
    """What an export of a data set says of the review."""
    what = "voluntary pledges" if pledges else "recommendations"
    document = ReadDocument(
        kind,
        title=f"{kind}: {what}",
        language=language,
        published_on=as_of,
        state_under_review="PER",
        session=14,
        cycle=2,
    )
    return Version(
        None,
        Reading(
            parser or kind,
            "1",
            document,
            recommendations=tuple(told),
            pledges=tuple(map(ReadPledge, pledges)),
            labels=labels,
        ),
    )


def row(
    text: str, *states: str, number: str | None = None, position: str = "supported", external: str = ""
) -> ReadRecommendation:
    return ReadRecommendation(
        number,
        text,
        states,
        position=position,
        position_phrase="Accepted",
        external_ids=(external,) if external else (),
    )


_DRAFT = report(
    [recommendation(f"6.{n}", text, ["CHL"]) for n, text in enumerate((T[0], T[1], T[6] + " soon"), 1)],
    symbol="A/HRC/WG.6/14/L.5",
    kind="working_group_draft",
)
_REPORT = replace(
    report(
        [
            recommendation("116.1", T[0], ["CHL", "ESP"]),
            recommendation("116.2", T[1], ["MEX"], "supported"),
            recommendation("116.3", f"{T[2]}; {T[3]}", ["CHL", "SVK"]),
            recommendation("117.1", T[4], ["FRA"], "noted"),
        ],
        statements=[ReadStatement("ESP", "dialogue", "Spain welcomed it.", paragraph="40")],
    ),
    pledges=(ReadPledge("Peru will build schools", paragraph="118"),),
)
_SPLIT = better(
    _REPORT,
    recommendations=(
        recommendation("116.1", T[0] + ", without delay", ["CHL", "ESP"]),
        recommendation("116.2", T[1], ["MEX"], "supported"),
        recommendation("116.3", T[2], ["CHL"], part="a"),
        recommendation("116.3", T[3], ["SVK"], part="b"),
        recommendation("117.2", T[4], ["FRA"], "noted"),
    ),
    pledges=(),
    statements=(
        ReadStatement("MEX", "dialogue", "Mexico asked.", paragraph="39"),
        ReadStatement("ESP", "dialogue", "Spain welcomed it.", paragraph="40"),
    ),
)
_IN_SPANISH = report(
    [recommendation("116.1", SPANISH[0], ["CHL"]), recommendation("116.2", SPANISH[1], ["MEX"])], language="es"
)
_REVISED = report(
    [
        recommendation("116.1", T[1], ["MEX"]),
        recommendation("116.2", T[0], ["CHL"]),
        recommendation("116.9", T[7], ["ITA"]),
    ],
    symbol="A/HRC/22/15/Rev.1",
    published_on="2013-01-20",
)
_ADDENDUM = replace(
    addendum([("116.1", "supported"), ("3", "noted"), (None, "noted")]),
    pledges=(ReadPledge("Peru will report at mid-term"),),
)
_ADDENDUM_BETTER = better(
    _ADDENDUM,
    positions=(
        ReadPosition("116.1", "noted", "partial", "Peru: in part", "3"),
        ReadPosition("116.3", "supported", "implemented"),
        ReadPosition(None, "supported", text=T[4] + "."),
    ),
)
_CORRIGENDUM = addendum([("116.2", "noted")], symbol="A/HRC/22/15/Add.1/Corr.1", published_on="2013-03-01")
_MATRIX = matrix(
    [
        recommendation("116.1", T[0], ["CHL", "ESP"], "supported", position_symbol="A/HRC/22/15/Add.1"),
        recommendation("116.3", f"{T[2]}; {T[3]}", ["CHL"], "noted", position_symbol="A/HRC/22/15/Add.1"),
        recommendation("116.7", T[5], ["DEU"], "supported", position_symbol="A/HRC/22/15/Add.1"),
    ],
    labels=[ReadLabel("116.1", "sdg", "PEACE, JUSTICE AND STRONG INSTITUTIONS", code="16")],
)
_MATRIX_LATER = matrix(
    [recommendation("116.1", T[0], ["CHL"], "noted"), recommendation("116.17", T[1], ["MEX"], "noted")],
    published_on="2013-05-01",
    labels=[ReadLabel("116.1", "group", "children")],
)
_COUNCIL = council_report(["PER", "CHL"])
_COUNCIL_BETTER = better(
    council_report(["PER"]),
    statements=(
        ReadStatement("amnesty-international", "comment", "It said.", hearing="hrc-22-PER", speaker_kind="organisation",
                      speaker_name="Amnesty International"),
    ),
)  # fmt: skip
_DECISION = Reading(
    "council_decision",
    "1",
    ReadDocument(
        "council_decision", "A/HRC/DEC/22/101", published_on="2013-03-20", state_under_review="PER", session=14,
        cycle=2, cites=("A/HRC/22/15",),
    ),
    hearings=(ReadHearing("hrc-22-PER", "council_adoption", "2013-03-14", council_session=22, meeting="30th"),),
)  # fmt: skip


def _paper(kind: str, symbol: str | None = None, **fields: object) -> Reading:
    document = ReadDocument(kind, symbol, state_under_review="PER", session=14, cycle=2)
    return replace(Reading(kind, "1", document), **fields)  # type: ignore[arg-type]


_QUESTIONS = _paper("advance_questions", statements=(ReadStatement("GBR", "question", "What of prisons?"),))
_LETTER = _paper(
    "letter", statements=(ReadStatement("ohchr", "letter", "Excellency, I encourage Peru.", date="2013-10-01"),)
)
_SUMMARY = summary(
    [
        ReadOrganisation("Amnesty International", "organisation", "AI", "London", "GBR"),
        ReadOrganisation("Defensoría del Pueblo", "nhri", "DP", "Lima", "PER", status="A"),
    ]
)
_SUMMARY_BETTER = better(_SUMMARY, organisations=_SUMMARY.organisations[1:])
_NATIONAL = _paper(
    "national_report",
    "A/HRC/WG.6/14/PER/1",
    paragraphs=(
        ReadParagraph("12", "Peru has ratified it.", recommendations=(ReadCitation("116.1", cycle=2),)),
        ReadParagraph("13", "Peru builds schools."),
    ),
)
_NATIONAL_MOVED = better(_NATIONAL, document=replace(_NATIONAL.document, cycle=3))


def _edition(series: str, as_of: str, *facts: ReadFact, language: str = "en", parser: str = "treaty_status") -> Reading:
    """What a table of facts says, seen on a day."""
    document = ReadDocument(
        "status_table", series=series, language=language, title=series, as_of=as_of, address="https://example.org/t"
    )
    return Reading(parser, "1", document, facts=facts)


def _heard(kind: str, series: str, as_of: str, *hearings: ReadHearing, language: str = "es") -> Reading:
    """A page of the Inter-American Commission in one language, seen on a day."""
    document = ReadDocument(kind, series=series, language=language, title=series, as_of=as_of)
    return Reading(kind, "1", document, hearings=hearings)


def _hearing(title: str, number: int | None = None, states: tuple[str, ...] = (), **more: object) -> ReadHearing:
    hearing = ReadHearing(
        id=f"iachr-191-{number}" if number else "", kind="thematic_hearing", title=title, states=states,
        iachr_period=191, number=number,
    )  # fmt: skip
    return replace(hearing, **more)  # type: ignore[arg-type]


_PARTY = ReadFact("PER", "treaty:OPCAT", "party", "2006-09-14", detail="accession", printed="14 Sep 2006 a", row=24)
_AGREEING = replace(_PARTY, detail=None, printed="14.09.2006", row=70)
_SIGNED = ReadFact("CHL", "treaty:OPCAT", "signature", "2005-06-06")
_NO_MECHANISM = ReadFact("PER", "npm", "none", printed="NO NPM")
_MECHANISM = ReadFact("PER", "npm", "Defensoría del Pueblo")

_ISSUE = (ReadLabel(None, "upr-info-issue", "Torture and other CID treatment", row=1),)

SOURCES: dict[str, tuple[Version, ...]] = {
    "draft": (Version("draft.docx", _DRAFT),),
    "report": (
        Version("report.pdf", _REPORT), Version("report.pdf", _SPLIT), Version("informe.pdf", _IN_SPANISH),
    ),
    "revision": (Version("rev.pdf", _REVISED),),
    "addendum": (Version("add.pdf", _ADDENDUM), Version("add.pdf", _ADDENDUM_BETTER)),
    "corrigendum": (Version("corr.pdf", _CORRIGENDUM),),
    "matrix": (Version("matrix.docx", _MATRIX), Version("later.docx", _MATRIX_LATER)),
    "council": (Version("council.pdf", _COUNCIL), Version("council.pdf", _COUNCIL_BETTER)),
    "decision": (Version("decision.pdf", _DECISION),),
    "questions": (Version("questions.doc", _QUESTIONS),),
    "letter": (Version("letter.pdf", _LETTER),),
    "summary": (Version("summary.pdf", _SUMMARY), Version("summary.pdf", _SUMMARY_BETTER)),
    "national": (Version("national.pdf", _NATIONAL), Version("national.pdf", _NATIONAL_MOVED)),
    "upr_info": (
        rows("upr_info", [row(T[0], "CHL"), row(T[2], "CHL"), row(T[3], "SVK", position="noted"), row(T[6], "PRT")],
             "2026-01-01", labels=_ISSUE),
        rows("upr_info", [row(T[0], "CHL", position="noted"), row(T[1] + " now", "MEX")], "2026-02-01"),
        rows("upr_info", [row(T[4], "FRA", number="117.1"), row(T[0], "ESP", external="upr-info:7")], "2026-03-01",
             parser="upr_info_uwazi"),
    ),
    "treaty": (
        Version("opcat-jan.html", _edition("untc IV-9-b", "2026-01-01", _PARTY)),
        Version("opcat-feb.html", _edition("untc IV-9-b", "2026-02-01", _PARTY, _SIGNED)),
        Version("opcat-mar.html", _edition("untc IV-9-b", "2026-03-01", _PARTY)),
    ),
    "mechanisms": (
        Version("npm.html", _edition("npm", "2026-01-05", _AGREEING, _NO_MECHANISM, parser="npm_list")),
        Version("npm-es.html", _edition("npm", "2026-01-07", _AGREEING, _MECHANISM, parser="npm_list", language="es")),
        Version("npm-later.html", _edition("npm", "2026-02-05", _AGREEING, _MECHANISM, parser="npm_list")),
    ),
    "hearing_page": (
        Version("3774-es.html", _heard("iachr_hearing", "iachr 3774", "2026-01-01", _hearing(
            "Regional: Mecanismos de seguimiento", 3774, requesting_organisations=("Colectivo de Prueba",)))),
        Version("3774-en.html", _heard("iachr_hearing", "iachr 3774", "2026-01-02", _hearing(
            "Regional: Follow-up mechanisms", 3774, modality="hybrid"), language="en")),
    ),
    "annex": (
        Version("264A.html", _heard("iachr_press_release", "iachr press 264A", "2026-01-03",
            _hearing("Regional: Mecanismos de seguimiento", summary="Las organizaciones señalaron."),
            _hearing("Prisiones", states=("PER",)))),
        Version("264A-en.html", _heard("iachr_press_release", "iachr press 264A", "2026-01-03",
            _hearing("Regional: Follow-up mechanisms", summary="The organisations said."),
            _hearing("Prisons", states=("PER",)), language="en")),
    ),
    "upr_info_pledges": (
        rows("upr_info", [], "2026-01-01", pledges=("Peru will build schools.", "Peru will plant trees")),
    ),
    "uhri": (
        rows("uhri", [row(T[0], "CHL", "ESP", number="116.1", external="uhri:1"), row(T[6], "PRT", number="116.8")],
             "2026-01-01", labels=(ReadLabel(None, "sdg", "16.1 - Reduce violence", code="16.1", row=1),)),
        rows("uhri", [row(T[6], "PRT", number="116.2", external="uhri:2")], "2026-04-01"),
        rows("uhri", [row(SPANISH[0], "CHL", number="116.1")], "2026-01-01", language="es"),
    ),
}  # fmt: skip
"""By document (or what a data set says): its files and their versions, an older one before a newer."""
