"""Readings that tests make up: reports and matrices of a review, as parsers would give them."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from services.core.domain.identifiers import document_id, review_hearing_id
from services.core.domain.reviews import cycle_of_session
from services.core.store.documents import FileEntry
from services.ingest.merge import SourceReading
from services.ingest.reading import (
    ReadDocument,
    ReadHearing,
    Reading,
    ReadLabel,
    ReadOrganisation,
    ReadPosition,
    ReadRecommendation,
    ReadStatement,
)

TEXTS = (
    "Ratify the Optional Protocol to the Convention against Torture",
    "Establish a national preventive mechanism against torture",
    "Abolish the death penalty in law and in practice",
    "Take further measures to combat domestic violence against women",
    "Ensure that all children have access to free primary education",
    "Strengthen the independence of the national human rights institution",
    "Consult indigenous peoples on projects that affect their lands",
    "Improve conditions in places of detention",
)


def recommendation(
    number: str | None, text: str, states: Sequence[str] = ("ESP",), position: str | None = "pending", **more: object
) -> ReadRecommendation:
    told = ReadRecommendation(
        number=number,
        text=text,
        recommending_states=tuple(states),
        position=position,
        position_phrase=f"{position} by Peru" if position else None,
        position_paragraph=number.partition(".")[0] if number else None,
        page=3,
        paragraph=number.partition(".")[0] if number else None,
    )
    return replace(told, **more)  # type: ignore[arg-type]


def report(
    recommendations: Sequence[ReadRecommendation],
    *,
    symbol: str | None = "A/HRC/22/15",
    kind: str = "working_group_report",
    language: str = "en",
    published_on: str | None = "2012-12-27",
    version: str = "1",
    statements: Sequence[ReadStatement] = (),
) -> Reading:
    return Reading(
        parser="working_group_report",
        parser_version=version,
        document=ReadDocument(
            kind=kind,
            symbol=symbol,
            language=language,
            published_on=published_on,
            state_under_review="PER",
            session=14,
            cycle=2,
            pages=20,
        ),
        hearings=(
            ReadHearing(
                id=review_hearing_id(14, "PER"),
                kind="working_group_review",
                date="2012-11-01",
                announced_speakers=52,
                troika=("MDA", "MDV", "MEX"),
                adopted_on="2012-11-05",
            ),
        ),
        recommendations=tuple(recommendations),
        statements=tuple(statements),
    )


def matrix(
    recommendations: Sequence[ReadRecommendation],
    *,
    labels: Sequence[ReadLabel] = (),
    published_on: str | None = None,
    language: str = "en",
) -> Reading:
    return Reading(
        parser="ohchr_matrix",
        parser_version="1",
        document=ReadDocument(
            kind="matrix",
            language=language,
            published_on=published_on,
            state_under_review="PER",
            session=14,
            cycle=2,
        ),
        recommendations=tuple(recommendations),
        labels=tuple(labels),
    )


def addendum(
    answers: Sequence[tuple[str | None, str]],
    *,
    published_on: str | None = "2013-02-20",
    symbol: str = "A/HRC/22/15/Add.1",
) -> Reading:
    """Answers by number; a number of None stands for all others."""
    return Reading(
        parser="addendum",
        parser_version="1",
        document=ReadDocument(
            kind="addendum",
            symbol=symbol,
            published_on=published_on,
            state_under_review="PER",
            session=14,
            cycle=2,
            pages=4,
        ),
        positions=tuple(
            ReadPosition(number, position, position_phrase=f"Peru: {position}", position_paragraph="2", page=2)
            for number, position in answers
        ),
    )


def council_report(states: Sequence[str], *, published_on: str | None = "2013-06-01") -> Reading:
    """The adoption of each State's outcome with one speaker, and a debate with one."""
    adoptions = [
        ReadHearing(f"hrc-22-{state}", "council_adoption", "2013-03-14", council_session=22, states=(state,))
        for state in states
    ]
    debate = ReadHearing("hrc-22-item6", "general_debate", "2013-03-15", council_session=22)
    return Reading(
        parser="council_report",
        parser_version="1",
        document=ReadDocument("council_report", "A/HRC/22/2", published_on=published_on, session=14, cycle=2, pages=90),
        hearings=(*adoptions, debate),
        statements=(
            *(ReadStatement("ESP", "comment", "Spain said.", hearing=hearing.id) for hearing in adoptions),
            ReadStatement("ESP", "debate", None, hearing=debate.id),
        ),
    )


def summary(organisations: Sequence[ReadOrganisation], *, session: int = 14) -> Reading:
    """A stakeholder summary of Peru's review in that session."""
    symbol = f"A/HRC/WG.6/{session}/PER/3"
    return Reading(
        parser="stakeholder_summary",
        parser_version="1",
        document=ReadDocument(
            "stakeholder_summary",
            symbol,
            state_under_review="PER",
            session=session,
            cycle=cycle_of_session(session),
        ),
        organisations=tuple(organisations),
    )


def source(reading: Reading, name: str) -> SourceReading:
    """The reading as of a file; `name` stands for its bytes."""
    sha256 = hashlib.sha256(name.encode()).hexdigest()
    return SourceReading(
        document=document_id(reading.document.symbol, sha256),
        file=FileEntry(
            sha256=sha256,
            name=name,
            media_type="application/pdf",
            language=reading.document.language,
            bytes=1,
            pages=reading.document.pages,
            current=True,
            parser=reading.parser,
            parser_version=reading.parser_version,
        ),
        reading=reading,
    )
