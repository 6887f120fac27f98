"""From records, lists and counts to their citations.

A record that stands in a document is cited as that document, at its paragraph; one that only a data set tells of as an
entry of the data set; what we made ourselves (a State, a label) as an entry of OpenUPR.
"""

import datetime
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast
from urllib.parse import urlencode

from services.api.citations.citation import SOURCE, UNITED_NATIONS, Citation
from services.api.phrases import a_few, filter_in_words, filters_in_words, listed, phrases
from services.core.domain.documents import DATA_SETS, DocumentKind
from services.core.schemas.names import Names, in_language
from services.core.schemas.shapes import permalink
from services.core.store.documents import DocumentRecord
from services.core.store.hearings import HearingRecord
from services.core.store.labels import LabelRecord
from services.core.store.observations import ObservationRecord
from services.core.store.organisations import OrganisationRecord
from services.core.store.pledges import PledgeRecord
from services.core.store.recommendations import RecommendationRecord, SourceEntry
from services.core.store.records import Stored
from services.core.store.reviews import ReviewRecord
from services.core.store.statements import StatementRecord
from services.core.store.states import StateRecord

Documents = Mapping[str, DocumentRecord]

_CITED_FIRST = (
    DocumentKind.WORKING_GROUP_REPORT,
    DocumentKind.COUNCIL_REPORT,
    DocumentKind.COUNCIL_DECISION,
    DocumentKind.WORKING_GROUP_DRAFT,
    DocumentKind.ADDENDUM,
    DocumentKind.MATRIX,
    DocumentKind.ADVANCE_QUESTIONS,
    DocumentKind.LETTER,
    DocumentKind.NATIONAL_REPORT,
    DocumentKind.UHRI,
    DocumentKind.UPR_INFO,
)
"""Of several documents in which something stands: the one that made it, before those that repeat it."""

_NOT_OF_THE_UNITED_NATIONS = frozenset(
    {DocumentKind.UPR_INFO, DocumentKind.MID_TERM_REPORT, DocumentKind.IMPLEMENTATION_PLAN, DocumentKind.OTHER}
)
_LETTERED = re.compile(r"(?P<number>.*\d)\.?\(?(?P<letter>[a-z])\)?")


@dataclass(frozen=True)
class Reader:
    """Who cites: in which language, on which day, from which state of the data."""

    names: Names
    public_url: str
    version: str
    accessed: datetime.date

    @property
    def language(self) -> str:
        """Of the fixed words and of names."""
        return self.names.language

    def say(self, name: str, **values: object) -> str:
        """A phrase of citations in the reader's language."""
        return phrases("citations").say(name, self.language, **values)

    def states(self, codes: Iterable[str]) -> str:
        """Names of States."""
        return a_few([self.names.state(code)["name"] for code in codes], self.language)


@dataclass(frozen=True)
class Query:
    """What a list, or counts by dimensions, were asked for, and how many records there are."""

    noun: str
    filters: Mapping[str, Sequence[str]]
    group_by: Sequence[str]
    total: int
    as_of: datetime.date

    @property
    def path(self) -> str:
        """Path and query, the same for filters that mean the same."""
        by = [("group_by", ",".join(self.group_by))] if self.group_by else []
        filters = [(name, value) for name, values in sorted(self.filters.items()) for value in sorted(values)]
        path = f"/v1/statistics/{self.noun}" if self.group_by else f"/v1/{self.noun}"
        return f"{path}?{urlencode([*by, *filters], safe=',:')}" if by or filters else path


def documents_to_cite(noun: str, record: Stored) -> Sequence[str]:
    """Ids of the documents of which one is cited with this record."""
    match noun:
        case "recommendations":
            return [_source_of(cast(RecommendationRecord, record))["document"]] if _sources(record) else []
        case "pledges" | "statements":
            return [cast(PledgeRecord | StatementRecord, record).document]
        case "reviews" | "hearings":
            return cast(ReviewRecord | HearingRecord, record).documents
        case _:
            return []


def cite_record(noun: str, record: Stored, documents: Documents, reader: Reader) -> Citation:
    """The citation of a record; `documents`: those of `documents_to_cite` that are held."""
    cited = _CITED[noun](record, documents, reader)
    record_id: str = getattr(record, "id")  # noqa: B009 - every record has one; `Stored` alone does not say so
    return replace(cited, name=record_id, address=permalink(reader.public_url, noun, record_id))


def cite_query(asked: Query, reader: Reader) -> Citation:
    """The citation of a list or of counts, with the query that gives them again.

    What is asked alike has the same key, at one state of the data.
    """
    title = reader.say(f"nouns.{asked.noun}")
    if asked.group_by:
        dimensions = listed([filter_in_words(name, reader.language) for name in asked.group_by], reader.language)
        title = reader.say("form.counted_by", nouns=title, dimensions=dimensions)
    if words := filters_in_words(asked.filters, reader.names):
        title = reader.say("form.filtered", title=title, filters=words)
    number = "form.number_of_records_one" if asked.total == 1 else "form.number_of_records"
    digest = hashlib.sha256(asked.path.encode()).hexdigest()[:8]
    cited = _blank(reader, title, kind="dataset", issued=asked.as_of, remark=reader.say(number, number=asked.total))
    name = f"{asked.noun}-{digest}-{reader.version}"
    return replace(cited, name=name, address=f"{reader.public_url.rstrip('/')}{asked.path}")


# Each noun


def _blank(reader: Reader, title: str, **more: Any) -> Citation:
    """An entry of OpenUPR's own, before it is said what else it is."""
    given = {"kind": "entry", "author": SOURCE, "publisher": SOURCE, "item_language": reader.language, **more}
    return Citation(
        name="",
        address="",
        title=title,
        version=reader.version,
        accessed=reader.accessed,
        language=reader.language,
        **given,
    )


def _document(document: DocumentRecord, documents: Documents, reader: Reader) -> Citation:  # noqa: ARG001
    state = reader.names.state(document.state_under_review)["name"] if document.state_under_review else None
    words, kind = phrases("citations"), document.kind
    author = document.author
    if author is None and f"author.{kind}" in words:
        author = reader.say(f"author.{kind}", state=state or "") or None
    title = document.title or reader.say(f"title.{kind}" if f"title.{kind}" in words else "title.other")
    if state and not _names_state(document, reader):
        title = reader.say("form.of_state", title=title, state=state)
    return _blank(
        reader,
        title,
        kind="dataset" if kind in DATA_SETS else "report",
        author=author,
        publisher=UNITED_NATIONS if kind not in _NOT_OF_THE_UNITED_NATIONS else author,
        symbol=document.symbol,
        issued=document.published_on,
        item_language=document.languages[0] if document.languages else reader.language,
    )


def _names_state(document: DocumentRecord, reader: Reader) -> bool:
    """Whether the title says already whose review it is."""
    state = reader.names.reference.states.get(document.state_under_review or "")
    title = (document.title or "").casefold()
    return any(name.casefold() in title for name in (state.names.values() if state else ()))


def _standing_in(
    document: DocumentRecord | None, own_title: str, reader: Reader, *, remark: str | None, **more: Any
) -> Citation:
    """What stands in a document: the document at a place of it. What a data set tells is an entry of the set."""
    if document is None:
        return _blank(reader, own_title, remark=remark, **more)
    cited = _document(document, {}, reader)
    if document.kind in DATA_SETS:
        name = phrases("citations").say(f"title.{document.kind}", reader.language)
        more |= {"pinpoint": None, "page": None}
        return replace(cited, kind="entry", title=own_title, container=name, remark=remark, **more)
    return replace(cited, remark=remark, **{name: value for name, value in more.items() if name != "symbol"})


def _recommendation(record: RecommendationRecord, documents: Documents, reader: Reader) -> Citation:
    text, language, _ = in_language(reader.language, record.text, record.text_language, record.translations)
    by = reader.states(record.recommending_states)
    source = _source_of(record) if record.sources else None
    title = reader.say("record.recommendation", state=reader.names.state(record.state_under_review)["name"])
    return _standing_in(
        documents.get(source["document"]) if source else None,
        title,
        reader,
        remark=reader.say("remark.recommendation", by=by) if by else None,
        symbol=source["symbol"] if source else None,
        pinpoint=_pinpoint((source and source["number"]) or record.number, reader, part=record.part),
        page=source["page"] if source else None,
        abstract=text,
        item_language=language,
    )


def _sources(record: Stored) -> Sequence[SourceEntry]:
    return cast(RecommendationRecord, record).sources


def _source_of(record: RecommendationRecord) -> SourceEntry:
    """The source that is cited: the report of the Working Group before what repeats it, no corrigendum of it."""
    return min(record.sources, key=lambda each: (_rank(each["kind"]), len(each["symbol"] or "")))


def _rank(kind: str) -> int:
    return _CITED_FIRST.index(DocumentKind(kind)) if kind in _CITED_FIRST else len(_CITED_FIRST)


def _pinpoint(number: str | None, reader: Reader, *, part: str | None = None) -> str | None:
    """`para. 116.17`, `para. 24 (b)`; with a part, which our ids tell and documents do not print, the number alone."""
    if not number:
        return None
    number = number.rstrip(".")
    if part is None and (lettered := _LETTERED.fullmatch(number)):
        return reader.say("pinpoint.subparagraph", **lettered.groupdict())
    return reader.say("pinpoint.paragraph", number=number)


def _pledge(record: PledgeRecord, documents: Documents, reader: Reader) -> Citation:
    return _standing_in(
        documents.get(record.document),
        reader.say("record.pledge", state=reader.names.state(record.state_under_review)["name"]),
        reader,
        remark=reader.say("remark.pledge"),
        pinpoint=_pinpoint(record.paragraph, reader),
        page=record.page,
        abstract=record.text,
        item_language=record.text_language,
    )


def _statement(record: StatementRecord, documents: Documents, reader: Reader) -> Citation:
    by = reader.names.speaker(record.speaker, record.speaker_name)["name"]
    kind = "question" if record.kind == "question" else "statement"
    return _standing_in(
        documents.get(record.document),
        reader.say("record.statement", by=by),
        reader,
        remark=reader.say(f"remark.{kind}", by=by) if record.kind != "letter" else None,  # that is the document itself
        pinpoint=_pinpoint(record.paragraph, reader),
        page=record.page,
        abstract=record.text,
        item_language=record.text_language,
    )


def _observation(record: ObservationRecord, documents: Documents, reader: Reader) -> Citation:  # noqa: ARG001
    """What a mechanism said, as the data set holds it: by the mechanism's own symbol."""
    sets = {each["kind"]: each["title"] for each in record.sources}
    known = next((kind for kind in sets if f"title.{kind}" in phrases("citations")), None)
    return _blank(
        reader,
        reader.say("record.observation", state=reader.states(record.states)),
        author=record.body,
        publisher=reader.say(f"author.{known}") if known else None,
        container=reader.say(f"title.{known}") if known else next(iter(sets.values()), None),
        symbol=record.symbol,
        issued=record.date,
        abstract=record.text,
        item_language=record.text_language,
    )


def _review(record: ReviewRecord, documents: Documents, reader: Reader) -> Citation:
    state = reader.names.state(record.state_under_review)["name"]
    title = reader.say("record.review", state=state, cycle=record.cycle)
    return _event(title, record.date, documents, DocumentKind.WORKING_GROUP_REPORT, reader)


def _hearing(record: HearingRecord, documents: Documents, reader: Reader) -> Citation:
    # A title as printed says what it was, and not whose.
    title = record.title
    if title is None or f"record.{record.kind}" in phrases("citations"):
        known = record.kind if f"record.{record.kind}" in phrases("citations") else "hearing"
        title = reader.say(f"record.{known}", state=reader.states(record.states))
    return _event(title, record.date, documents, None, reader)


def _event(
    title: str, day: datetime.date | None, documents: Documents, kind: DocumentKind | None, reader: Reader
) -> Citation:
    """Something that happened, an entry of ours, with the symbol of the document that records it."""
    recording = [each for each in documents.values() if each.symbol and (kind is None or each.kind == kind)]
    best = min(recording, key=lambda each: (_rank(each.kind), len(each.symbol or ""), each.id), default=None)
    return _blank(reader, title, issued=day, symbol=best.symbol if best else None)


def _named(record: StateRecord | LabelRecord, documents: Documents, reader: Reader) -> Citation:  # noqa: ARG001
    return _blank(reader, f"{reader.names.pick(record.names, record.id)} ({record.id})")


def _organisation(record: OrganisationRecord, documents: Documents, reader: Reader) -> Citation:  # noqa: ARG001
    name = next((each["name"] for each in reversed(record.names) if each.get("name")), record.id)
    return _blank(reader, name)


_CITED = cast(
    dict[str, Callable[[Stored, Documents, Reader], Citation]],
    {
        "states": _named,
        "reviews": _review,
        "documents": _document,
        "recommendations": _recommendation,
        "pledges": _pledge,
        "observations": _observation,
        "hearings": _hearing,
        "statements": _statement,
        "organisations": _organisation,
        "labels": _named,
    },
)
