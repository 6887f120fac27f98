"""The public shapes as models, for the OpenAPI document. A test holds `shapes.py` to them."""

import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from services.core.domain.changes import EVENT_TYPES
from services.core.domain.documents import DocumentKind
from services.core.domain.kinds import HearingKind, ObservationKind, StatementKind
from services.core.domain.positions import Position, PositionDetail
from services.core.schemas.names import CodeName, LabelName, SpeakerName, StateName

Language = Literal["en", "es", "fr", "pt"]
TextLanguage = Literal["ar", "en", "es", "fr", "pt", "ru", "zh"]


class Public(BaseModel):
    """A shape with exactly these members."""

    model_config = ConfigDict(extra="forbid")


class Record(Public):
    """What every record has."""

    id: str = Field(description="Public id; never reused.")
    url: str = Field(description="Permalink.")
    revision: int = Field(description="How often the record was written; grows by one with every change.")
    created_at: datetime.datetime
    updated_at: datetime.datetime


class FactSource(Public):
    """Where a fact about a State stands."""

    document: str = Field(description="Id of the document that tells it.")
    name: str | None = Field(description="What the source is called.")
    address: str | None
    printed: str | None = Field(description="The words it is told in.", examples=["14 Sep 2006 a"])
    detail: str | None
    details: dict[str, str] = Field(description="Figures of the same row, by their column.")
    page: int | None
    row: int | None = Field(description="Row of the table; its header is row 1.")


class Fact(Public):
    """A dated statement about a State."""

    subject: str = Field(
        description="`treaty:` and a treaty's abbreviation; `npm`: its national preventive mechanism; `nhri_status`: "
        "the accreditation of its national human rights institution; `nmirf`: how it reports and follows up.",
        examples=["treaty:OPCAT"],
    )
    value: str = Field(
        description="What holds: `party`, `signature`, an accreditation (A, B, none), an institution's name.",
        examples=["party"],
    )
    detail: str | None = Field(description="A finer word, where a source has one.", examples=["ratification"])
    date: datetime.date | None = Field(description="From which day on.")
    year: int | None = Field(description="In which year, where no day is told.")
    sources: list[FactSource] = Field(
        description="All that tell it. Sources that contradict each other are facts beside each other."
    )


class State(Record):
    """A UN member or observer State, or an invented one of the samples."""

    name: str = Field(examples=["Peru"])
    names: dict[str, str] = Field(description="Names by language: en, es, fr, pt.")
    un_status: Literal["member", "observer", "sample"]
    region: CodeName | None = Field(description="UN regional group.")
    blocs: list[CodeName]
    facts: list[Fact] = Field(description="Dated facts with their sources, by subject and date.")
    sample: bool = Field(description="True for the invented States of the sample documents.")


class Review(Record):
    """One State's review in one cycle."""

    state_under_review: StateName
    cycle: int = Field(examples=[2])
    session: int | None = Field(description="Session of the UPR Working Group.", examples=[14])
    date: datetime.date | None = Field(description="Day of the review.", examples=["2012-11-01"])
    adopted_on: datetime.date | None = Field(description="Day on which the Working Group adopted its report.")
    troika: list[StateName]
    documents: list[str] = Field(description="Ids of the documents that were read.")
    sample: bool


class Recognised(Public):
    """Who recognised the letters of pages that are pictures, and how sure of them."""

    engine: str = Field(examples=["tesseract"])
    version: str = Field(examples=["5.3.0"])
    confidence: float = Field(ge=0, le=1, description="The mean of all words, weighed by their letters.")


class File(Public):
    """One file of a document."""

    sha256: str
    name: str
    media_type: str
    language: TextLanguage
    bytes: int
    pages: int | None
    current: bool = Field(description="False where a later file replaced it.")
    parser: str
    parser_version: str
    ocr: Recognised | None = Field(
        default=None, description="Where the pages are pictures: how their letters were recognised, with mistakes."
    )
    url: str = Field(description="Permalink of the bytes; they may not be kept (404).")


class Document(Record):
    """One source document with its files."""

    symbol: str | None = Field(examples=["A/HRC/22/15"])
    original: str | None = Field(
        description="Where the United Nations has it, or the page that its site keeps up to date; null where neither "
        "is known.",
        examples=["https://docs.un.org/en/A/HRC/22/15"],
    )
    kind: DocumentKind
    title: str | None
    published_on: datetime.date | None
    state_under_review: StateName | None
    review: str | None
    session: int | None
    cycle: int | None
    council_session: int | None
    author: str | None = Field(description="Who wrote a mid-term report or an implementation plan, where it is told.")
    author_kind: Literal["state", "nhri", "organisation", "intergovernmental"] | None
    languages: list[TextLanguage]
    files: list[File]
    cites: list[str] = Field(
        description="Of a decision: symbols of the documents it rests on.", examples=[["A/HRC/22/15"]]
    )
    sample: bool


class PositionHeld(Public):
    """One entry of the history of a State's answers."""

    position: Position
    detail: PositionDetail | None
    phrase: str | None = Field(description="As printed.", examples=["enjoy the support of Peru"])
    effective_on: datetime.date | None = Field(description="Date in the world, where known.")
    symbol: str | None = Field(description="Document in which the answer stands.")
    paragraph: str | None
    document: str = Field(description="Id of the document that told us.")
    source_kind: str


class Source(Public):
    """What one source says of the recommendation, and where in it."""

    document: str
    file: str | None = Field(description="SHA-256 of the file; null for a database, which has no file of one review.")
    symbol: str | None
    kind: str
    number: str | None
    page: int | None
    paragraph: str | None
    parser: str
    parser_version: str
    text: str | None = Field(default=None, description="Only where it differs from the record's text.")
    recommending_states: list[str] | None = Field(default=None, description="Only where they differ.")
    footnotes: list[str] | None = None


class Recommendation(Record):
    """One recommendation as made, and what the State under review answered."""

    review: str = Field(examples=["PER-2"])
    state_under_review: StateName
    cycle: int
    session: int | None
    date: datetime.date | None = Field(description="Day of the review in which it was made.")
    number: str | None = Field(description="As printed in the report.", examples=["116.17"])
    part: str | None = Field(description="a, b, c … where one number holds several.")
    text: str
    text_language: TextLanguage = Field(description="Language of `text`: the one asked for where it is held.")
    translations: dict[str, str] = Field(description="Official texts in languages other than that of `text`.")
    recommending_states: list[StateName]
    position: Position = Field(description="The answer that holds today.")
    position_detail: PositionDetail | None
    positions: list[PositionHeld] = Field(description="History of answers, oldest first.")
    labels: list[LabelName]
    documents: list[str]
    sources: list[Source] = Field(description="Provenance: each source down to the page.")
    aliases: list[str] = Field(description="Ids it bore before; they answer 308.")
    external_ids: list[str]
    sample: bool


class NumberedParts(Public):
    """The recommendations that stand under one number, each with its own States."""

    id: str = Field(description="The id that was asked for.", examples=["ECU-2-134.1"])
    parts: list[Recommendation]


class Pledge(Record):
    """A voluntary pledge or commitment."""

    review: str
    state_under_review: StateName
    cycle: int
    session: int | None
    date: datetime.date | None
    text: str
    text_language: TextLanguage
    paragraph: str | None
    page: int | None
    document: str
    labels: list[LabelName]
    sample: bool


class ObservationSource(Public):
    """The data set that tells of an observation."""

    kind: str = Field(examples=["uhri"])
    title: str = Field(examples=["Universal Human Rights Index"])
    external_id: str = Field(description="Its id there.", examples=["uhri:12345"])
    symbol: str | None = Field(description="Document of the mechanism in which it stands.")
    parser: str
    parser_version: str


class Observation(Record):
    """A recommendation or concern of another human rights mechanism."""

    kind: ObservationKind
    body: str
    symbol: str | None
    states: list[StateName]
    text: str
    text_language: TextLanguage
    date: datetime.date | None
    labels: list[LabelName]
    sources: list[ObservationSource] = Field(description="Provenance.")
    sample: bool


class TotalsSaid(Public):
    """How many recommendations there are, as the President of the Council said."""

    recommendations: int | None = Field(examples=[163])
    supported: int | None = Field(examples=[142])
    noted: int | None = Field(examples=[21])


class Requester(Public):
    """An organisation that asked for a hearing."""

    id: str = Field(description="Id of the organisation.", examples=["coalition-of-costamar"])
    name: str = Field(description="As printed.")


class Hearing(Record):
    """A meeting where records were made."""

    kind: HearingKind
    title: str | None = Field(description="In the language asked for, where it is held.")
    titles: dict[str, str] = Field(description="By language, where several are held.")
    date: datetime.date | None
    states: list[StateName]
    review: str | None
    session: int | None
    council_session: int | None
    meeting: str | None = Field(description="Its number in the session, as printed.", examples=["25th"])
    announced_speakers: int | None = Field(description="How many delegations the report says took the floor.")
    totals_said: TotalsSaid | None = Field(
        description="Of an adoption: the totals that the President said. The records may say others."
    )
    troika: list[StateName]
    iachr_period: int | None = Field(
        description="Period of sessions of the Inter-American Commission on Human Rights.", examples=[191]
    )
    number: int | None = Field(description="The Commission's number of the hearing.", examples=[3774])
    scope: Literal["country", "regional", "thematic"] | None
    type: str | None = Field(
        description="What the Commission held it for: thematic, ex_officio, case, precautionary_measures, follow_up."
    )
    origin: Literal["requested", "ex_officio"] | None
    modality: Literal["in_person", "virtual", "hybrid"] | None
    video: str | None = Field(description="Address of the recording.")
    press_release: str | None = Field(description="Number or address of the press release.")
    requesting_organisations: list[Requester]
    participants: list[str] = Field(description="As printed.")
    languages: list[str] = Field(description="Languages spoken, as far as told.")
    summaries: dict[str, str] = Field(description="What was said, by language, in the Commission's words.")
    documents: list[str]
    aliases: list[str] = Field(description="Ids that it bore before its number was known.")
    sample: bool


class Statement(Record):
    """One speaker's words on one occasion."""

    hearing: str | None
    review: str | None
    state_under_review: StateName | None
    cycle: int | None
    session: int | None
    date: datetime.date | None
    speaker: SpeakerName
    speaker_kind: Literal["state", "organisation", "nhri", "intergovernmental"]
    kind: StatementKind
    on_behalf_of: list[str] = Field(description="Codes of States, and names of groups and organisations as printed.")
    text: str | None = Field(description="Null where only the speaker's name is known.")
    text_language: TextLanguage
    original_text: str | None = Field(
        description="The speaker's own words, where `text` is the document's translation of them."
    )
    paragraph: str | None
    page: int | None
    document: str
    labels: list[LabelName]
    suggested_mid_term_year: int | None = Field(
        description="Of the High Commissioner's letter: by when a mid-term report is hoped for.", examples=[2027]
    )
    sample: bool


class Organisation(Record):
    """A coalition, institution or body that takes part in reviews."""

    names: list[dict[str, Any]] = Field(
        description="`name`, and `acronym` where a document prints one; with `language`, `since`, `until` and `source` "
        "where they are known."
    )
    roles: list[dict[str, Any]] = Field(
        description="What it is or was (`role`: organisation, nhri, intergovernmental, requester, coalition, npm …), "
        "in which `review` or `hearing`, under which `name`, as which `document` tells; with `acronym`, `submission`, "
        "`status`, `seat`, `city`, `page`, `since`, `until`, `territory` and `source` where that document has them."
    )
    memberships: list[dict[str, Any]] = Field(
        description="The `organisation` that it belongs or belonged to, `since` and `until` when, by which `source`."
    )
    states: list[StateName] = Field(description="Where its seat is.")
    territory: str | None = Field(
        description="Place that it is for: the code of a State for a national institution, the name of a city."
    )
    sample: bool


class Label(Record):
    """One entry of a vocabulary."""

    scheme: str = Field(examples=["topic"])
    code: str
    name: str
    names: dict[str, str]
    printed_codes: list[str]


RECORD_MODELS: dict[str, type[Record]] = {
    "states": State,
    "reviews": Review,
    "documents": Document,
    "recommendations": Recommendation,
    "pledges": Pledge,
    "observations": Observation,
    "hearings": Hearing,
    "statements": Statement,
    "organisations": Organisation,
    "labels": Label,
}
"""The model of each noun's shape."""


class Dataset(Public):
    """Which state of the data an answer shows. Read a list, then the changes after `cursor`: nothing is missed."""

    version: str = Field(examples=["4711-9f86d081"])
    as_of: datetime.datetime
    cursor: int = Field(description="`seq` of the newest change in it.", examples=[4711])


class FeedDataset(Dataset):
    """Up to where a reader of the feed knows everything."""

    epoch: str = Field(
        description=(
            "Name of this unbroken history of changes. Send it beside `after`: where the service was brought back to "
            "an earlier state since, numbers stand for other changes, and only by this do you hear of it."
        ),
        examples=["5d41402abc4b"],
    )


class NextPage(Public):
    """Where the list goes on."""

    next: str | None = Field(description="Absolute address of the next page; null on the last one.")


class Subject(Public):
    """The record a change happened to."""

    id: str
    url: str


class Event(Public):
    """One change to one record."""

    id: str = Field(examples=["evt_3f2a9c1b5d7e8f0a1b2c3d4e"])
    seq: int = Field(description="Dense and in commit order.", examples=[4711])
    type: str = Field(json_schema_extra={"enum": [*EVENT_TYPES]}, examples=["recommendation.position_changed"])
    cause: Literal["publication", "backfill", "correction", "merge"]
    match: Literal["entered", "stayed", "left"] = Field(
        description="Whether the record came to meet what you ask for, met it before and after, or ceased to. Without "
        "filters, a record that is made enters, and one that is deleted leaves."
    )
    occurred_at: datetime.datetime = Field(description="When it was recorded.")
    effective_on: datetime.date | None = Field(description="Date in the world.")
    subject: Subject
    data: dict[str, Any] = Field(description="The record's public shape; for `deleted` its last one.")
    changed: dict[str, list[Any]] = Field(
        description="Field by field: what was, what is.", examples=[{"position": ["pending", "supported"]}]
    )


class EventList(Public):
    """One page of the feed."""

    data: list[Event]
    page: NextPage
    dataset: FeedDataset
