"""What a parser reads out of one document: plain values as printed, nothing looked up in a database.

A `Reading` is the only thing that leaves the sandbox in which documents are parsed. `as_line` gives the JSON object
that `upr ingest parse --format ndjson` prints; its keys are a public contract (docs/ingest.md).
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

Severity = Literal["info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class ReadIssue:
    """Something in a document that was not understood, or that contradicts itself. `code` is stable."""

    severity: Severity
    code: str
    detail: str
    page: int | None = None


@dataclass(frozen=True, slots=True)
class ReadDocument:
    """What a document says of itself. Dates are ISO 8601; `language` is the language of this file."""

    kind: str
    symbol: str | None = None
    language: str = "en"
    title: str | None = None
    published_on: str | None = None
    state_under_review: str | None = None
    session: int | None = None
    cycle: int | None = None
    pages: int | None = None
    cites: tuple[str, ...] = ()
    """Symbols of other documents, where citing them is what this document does (a decision)."""
    author: str | None = None
    """Who wrote it, as printed, where that is not plain from its kind (a mid-term report); `author_kind` is `state`,
    `nhri`, `organisation` or `intergovernmental`."""
    author_kind: str | None = None
    ocr: Mapping[str, Any] | None = None
    """Where the pages are pictures, who recognised the letters: `engine`, `version`, `confidence` (0 to 1)."""
    series: str | None = None
    """Of a page or table that its site keeps up to date: what all its editions and languages have in common, by a name
    of ours (`untc IV-9`). They are files of one document, and a later edition replaces an earlier one."""
    as_of: str | None = None
    """Of an edition: the day (or moment) of which it says that it tells, ISO 8601."""
    address: str | None = None
    """Where the world finds it, where no symbol tells that."""


@dataclass(frozen=True, slots=True)
class ReadHearing:
    """A meeting, as the document reports it. `announced_speakers`: how many delegations it says took the floor.

    `states`: whose matter it was, where that is not the document's State under review. `meeting`: its number in the
    session ("25th"). `…_said`: how many recommendations the President of the Council said were received, supported
    and noted. Of hearings of the Inter-American Commission: `iachr_period` is the period of sessions, `number` the
    hearing's own, `scope` country, regional or thematic, `type` what it was held for (`hearing_types.toml`), `origin`
    requested or ex_officio, `modality` in_person, virtual or hybrid, `video` and `press_release` addresses,
    `requesting_organisations` and `participants` printed names, `languages` those spoken, `summary` what was said, in
    the document's language. `id` is empty where the document does not tell the number: merging finds it.
    """

    id: str
    kind: str
    date: str | None = None
    announced_speakers: int | None = None
    troika: tuple[str, ...] = ()
    adopted_on: str | None = None
    title: str | None = None
    council_session: int | None = None
    meeting: str | None = None
    states: tuple[str, ...] = ()
    recommendations_said: int | None = None
    supported_said: int | None = None
    noted_said: int | None = None
    iachr_period: int | None = None
    number: int | None = None
    scope: str | None = None
    type: str | None = None
    origin: str | None = None
    modality: str | None = None
    video: str | None = None
    press_release: str | None = None
    requesting_organisations: tuple[str, ...] = ()
    participants: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    summary: str | None = None


@dataclass(frozen=True, slots=True)
class ReadFact:
    """A dated statement about a State, as a table of treaties or institutions tells it.

    `subject`: `treaty:OPCAT`, `npm`, `nhri_status`, `nmirf` …; `value` what holds (`party`, `A`, an institution's
    name), `detail` a finer word for it (`accession`), `details` figures of the same row by their column. `date` is the
    day in the world from which it holds, ISO 8601; `year` where only that is told. `printed` are the cell's own words,
    `row` the row of the table, from 1, where its header is.
    """

    state: str
    subject: str
    value: str
    date: str | None = None
    year: int | None = None
    detail: str | None = None
    details: Mapping[str, str] = field(default_factory=dict)
    printed: str | None = None
    page: int | None = None
    row: int | None = None


@dataclass(frozen=True, slots=True)
class ReadRecommendation:
    """One recommendation as printed.

    `text` is the recommendation alone: no number, attribution, footnote or page furniture. `part` is a, b, c … where
    one printed number holds several with their own States. `position_symbol` and `position_paragraph` say where the
    position stands when that is another document (a matrix cites the addendum), else the paragraph of the lead-in.
    `external_ids` are ids that a database gives it (`uhri:…`, `upr-info:…`).
    """

    number: str | None
    text: str
    recommending_states: tuple[str, ...]
    part: str | None = None
    position: str | None = None
    position_detail: str | None = None
    position_phrase: str | None = None
    position_symbol: str | None = None
    position_paragraph: str | None = None
    page: int | None = None
    paragraph: str | None = None
    footnotes: tuple[str, ...] = ()
    external_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadPosition:
    """An answer of the State under review to a recommendation that a document names by its number, or by its words.

    It holds for all parts of the number. `number` is as the report prints it (`140.7`, `24.b`), or plain (`7`) where
    the document does not tell the paragraph. `text` is the recommendation where the document prints it beside its
    answer, and `recommending_states` who made it. Without a number and a text it is the answer to "all other
    recommendations": of the report, or of its paragraph `of_paragraph`, but for those numbered in `except_numbers`.
    """

    number: str | None
    position: str
    position_detail: str | None = None
    position_phrase: str | None = None
    position_paragraph: str | None = None
    page: int | None = None
    text: str | None = None
    recommending_states: tuple[str, ...] = ()
    of_paragraph: str | None = None
    except_numbers: tuple[str, ...] = ()

    @property
    def answers_the_rest(self) -> bool:
        """Whether it is the answer to all other recommendations."""
        return self.number is None and self.text is None

    def as_entry(self) -> dict[str, Any]:
        """The answer in the public shape of a recommendation; of what its document does not print, None."""
        answered = ReadRecommendation(
            number=self.number,
            text=self.text or "",
            recommending_states=self.recommending_states,
            position=self.position,
            position_detail=self.position_detail,
            position_phrase=self.position_phrase,
            position_paragraph=self.position_paragraph,
            page=self.page,
            paragraph=self.position_paragraph,
        )
        return {**asdict(answered), "text": self.text}


@dataclass(frozen=True, slots=True)
class ReadStatement:
    """One speaker's words on one occasion.

    `speaker` is a State's alpha-3 code, or an organisation's slug, whose printed name is `speaker_name` and whose kind
    `speaker_kind` (`organisation`, `nhri`, `intergovernmental`). `on_behalf_of` holds codes of States, and the printed
    names of groups. `paragraph` is the printed number. `hearing` is the id of the hearing, where it is not the State's
    review in the Working Group; a letter hangs on the review. `original_text`: the words in another language, where
    `text` is the document's own translation of them. `suggested_mid_term_year`: by when a letter hopes for a mid-term
    report.
    """

    speaker: str
    kind: str
    text: str | None
    paragraph: str | None = None
    page: int | None = None
    on_behalf_of: tuple[str, ...] = ()
    hearing: str | None = None
    speaker_kind: str | None = None
    speaker_name: str | None = None
    date: str | None = None
    original_text: str | None = None
    suggested_mid_term_year: int | None = None


@dataclass(frozen=True, slots=True)
class ReadPledge:
    """One voluntary pledge or commitment."""

    text: str
    paragraph: str | None = None
    page: int | None = None


@dataclass(frozen=True, slots=True)
class ReadLabel:
    """A label that the document puts on a recommendation. `code` is printed beside `label`, if any.

    `recommendation` is the printed number. Databases label rows that have none: there `row` is the recommendation's
    place in the reading, from 1, or `pledge` the pledge's.
    """

    recommendation: str | None
    scheme: str
    label: str
    part: str | None = None
    code: str | None = None
    row: int | None = None
    pledge: int | None = None


@dataclass(frozen=True, slots=True)
class ReadOrganisation:
    """An organisation that took part in a review or a hearing, or that a file of facts tells of.

    `kind`: `organisation`, `nhri` or `intergovernmental`, of a hearing `requester`, of facts any role it has. `acronym`
    is what the document calls it, `submission` names the joint submission it took part in (`JS1`), `status` an
    accreditation ("A"). `state` is where its seat is. Of facts: `id` is its public id; `since` and `until` say when it
    had the role, as exactly as that is known (`2021-11`); `territory` is the place that the role is for; `source` names
    where that is told; `names` and `memberships` are further ones, with the same members.
    """

    name: str
    kind: str
    acronym: str | None = None
    city: str | None = None
    state: str | None = None
    submission: str | None = None
    status: str | None = None
    page: int | None = None
    id: str | None = None
    since: str | None = None
    until: str | None = None
    territory: str | None = None
    source: str | None = None
    names: tuple[Mapping[str, str], ...] = ()
    memberships: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ReadCitation:
    """A recommendation that a document cites: the number as printed, and its cycle where the document says it."""

    number: str
    cycle: int | None = None


@dataclass(frozen=True, slots=True)
class ReadParagraph:
    """A paragraph of a document that is read as text, or a row of a table, and the recommendations it cites."""

    number: str | None
    text: str
    page: int | None = None
    heading: str | None = None
    recommendations: tuple[ReadCitation, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadTotals:
    """How many recommendations a document says there are, are supported and are noted; None where it does not say."""

    recommendations: int | None = None
    supported: int | None = None
    noted: int | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything one document says. `parser_version` changes whenever the parser would read some document otherwise."""

    parser: str
    parser_version: str
    document: ReadDocument
    hearings: tuple[ReadHearing, ...] = ()
    recommendations: tuple[ReadRecommendation, ...] = ()
    statements: tuple[ReadStatement, ...] = ()
    pledges: tuple[ReadPledge, ...] = ()
    labels: tuple[ReadLabel, ...] = ()
    issues: tuple[ReadIssue, ...] = field(default=())
    positions: tuple[ReadPosition, ...] = ()
    organisations: tuple[ReadOrganisation, ...] = ()
    paragraphs: tuple[ReadParagraph, ...] = ()
    facts: tuple[ReadFact, ...] = ()
    totals: ReadTotals | None = None
    """What an addendum says that it answers."""

    @property
    def told(self) -> int:
        """How much it tells: its records of all kinds, without their labels."""
        return sum(len(getattr(self, name)) for name in _LISTS.keys() - {"issues", "labels"})

    def as_line(self, file: str) -> dict[str, Any]:
        """The public JSON object for `file` (a path as the user gave it).

        Lists and fields that only some kinds of documents fill (`WHERE_TOLD`) are left out where they are empty. The
        answers of an addendum stand among the recommendations, in their shape.
        """
        line = {"file": file, **asdict(self)}
        del line["positions"]
        line["recommendations"] = [*line["recommendations"], *(answer.as_entry() for answer in self.positions)]
        for name, fields in WHERE_TOLD.items():
            for entry in [line[name]] if name == "document" else line[name]:
                for told in fields:
                    if entry[told] is None or entry[told] in ((), {}):
                        del entry[told]
        for name in ONLY_SOME_HOLD:
            if not line[name]:
                del line[name]
        return line


def reading_from(stored: Mapping[str, Any]) -> Reading:
    """A reading from the JSON that `dataclasses.asdict` made of it."""
    lists = {name: tuple(_entry(kind, row) for row in stored.get(name, ())) for name, kind in _LISTS.items()}
    lists["paragraphs"] = tuple(map(_with_citations, lists["paragraphs"]))
    return Reading(
        parser=stored["parser"],
        parser_version=stored["parser_version"],
        document=_entry(ReadDocument, stored["document"]),
        totals=ReadTotals(**totals) if (totals := stored.get("totals")) else None,
        **lists,
    )


def _entry(kind: type[Any], row: Mapping[str, Any]) -> Any:
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in row.items()})


def _with_citations(paragraph: ReadParagraph) -> ReadParagraph:
    rows: Iterable[Any] = paragraph.recommendations  # still as they were stored
    return replace(paragraph, recommendations=tuple(_entry(ReadCitation, row) for row in rows))


ONLY_SOME_HOLD = ("organisations", "paragraphs", "facts", "totals")
WHERE_TOLD: dict[str, tuple[str, ...]] = {
    "document": ("cites", "author", "author_kind", "ocr", "series", "as_of", "address"),
    "recommendations": ("external_ids",),
    "labels": ("row", "pledge"),
    "organisations": ("id", "since", "until", "territory", "source", "names", "memberships"),
    "facts": ("detail", "details", "page", "row"),
    "hearings": (
        *("title", "council_session", "meeting", "states"),
        *("recommendations_said", "supported_said", "noted_said"),
        *("iachr_period", "number", "scope", "type", "origin", "modality", "video", "press_release"),
        *("requesting_organisations", "participants", "languages", "summary"),
    ),
    "statements": ("hearing", "speaker_kind", "speaker_name", "date", "original_text", "suggested_mid_term_year"),
}

_LISTS: dict[str, type[Any]] = {
    "hearings": ReadHearing,
    "recommendations": ReadRecommendation,
    "statements": ReadStatement,
    "pledges": ReadPledge,
    "labels": ReadLabel,
    "issues": ReadIssue,
    "positions": ReadPosition,
    "organisations": ReadOrganisation,
    "paragraphs": ReadParagraph,
    "facts": ReadFact,
}
