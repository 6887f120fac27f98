"""A national report in two languages, whose paragraphs cite recommendations of the review before."""

import hashlib
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine

from services.ingest.load import Loader
from services.ingest.reading import ReadCitation, ReadDocument, Reading, ReadParagraph
from tests.readings import TEXTS, recommendation, report

DOCUMENT = "A-HRC-WG.6-28-PER-1"


def load_national_reports(engine: Engine, folder: Path, *, paragraphs: int = 12) -> None:
    """The report with so many paragraphs in English and in Spanish, five a page; the 7th cites 116.1 and what is not
    held. Files are written into the folder.
    """
    parts = [recommendation("117.1", TEXTS[2], part="a"), recommendation("117.1", TEXTS[3], part="b")]
    made = {
        "report": report([recommendation("116.1", TEXTS[0]), *parts]),
        "en": _national_report("en", paragraphs),
        "es": _national_report("es", paragraphs),
    }
    for name, reading in made.items():
        (folder / name).write_text(name)
        sha256 = hashlib.sha256(name.encode()).hexdigest()
        Loader(engine, timedelta(days=36_500)).load(folder / name, sha256, reading)


def _national_report(language: str, paragraphs: int) -> Reading:
    return Reading(
        parser="plain_document",
        parser_version="2",
        document=ReadDocument(
            "national_report", "A/HRC/WG.6/28/PER/1", language, state_under_review="PER", cycle=3, session=28
        ),
        paragraphs=tuple(
            ReadParagraph(
                str(number),
                f"Paragraph {number}",
                page=number // 5 + 1,
                heading="A. Prisons",
                recommendations=(ReadCitation("116.1"), ReadCitation("116.9", 2)) if number == 7 else (),
            )
            for number in range(1, paragraphs + 1)
        ),
    )
