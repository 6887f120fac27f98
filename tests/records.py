"""Random records of every noun, with real States, from small pools of values so that filters meet something.

They hold what the columns allow and the ingest writes, not what a review would really look like.
"""

import datetime
import random
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from services.core.domain import identifiers
from services.core.domain.documents import DocumentKind
from services.core.domain.positions import Position, PositionDetail
from services.core.store.documents import DocumentRecord, FileEntry
from services.core.store.hearings import HearingRecord, Requester, TotalsSaid
from services.core.store.labels import LABELS, LabelRecord
from services.core.store.observations import ObservationRecord, ObservationSource
from services.core.store.organisations import OrganisationRecord
from services.core.store.pledges import PledgeRecord
from services.core.store.recommendations import LabelEntry, PositionEntry, RecommendationRecord, SourceEntry
from services.core.store.records import Stored
from services.core.store.reviews import ReviewRecord
from services.core.store.seed import state_records
from services.core.store.statements import StatementRecord
from services.core.store.tables import AGGREGATES
from services.core.store.vocabularies import vocabulary
from tests.readings import TEXTS

STATES = tuple(record.id for record in state_records())
LANGUAGES = ("en", "es", "fr")
SCHEMES = {
    "topic": ("torture-prevention", "death-penalty"),
    "ohchr-theme": ("right-to-life", "conditions-of-detention", "women-s-rights"),
    "upr-info-issue": ("torture", "detention", "women-s-rights"),
    "sdg-target": ("16.a", "5.2"),
    "group": ("children", "women"),
    "action": ("1", "4"),
    "instrument": ("opcat", "cedaw"),
    "addressee": ("parliament", "police"),
    "not-a-filter": ("a", "b"),
}
"""Codes by scheme; many of them are seeded, as all Sustainable Development Goals are."""

_REQUESTERS = ("coalition-1", "coalition-2")

Records = dict[str, list[Stored]]


class RecordMaker:
    """Makes records with ids that are never given twice. The same seed makes the same records."""

    def __init__(self, seed: int, states: Sequence[str] = STATES) -> None:
        self.chance = random.Random(seed)
        self.states = states
        self.reviews: list[ReviewRecord] = []
        self._used: set[str] = set()

    def labels(self) -> list[LabelRecord]:
        """All labels that the other records carry, but for the seeded ones."""
        return [
            LabelRecord(
                id=f"{scheme}:{code}",
                scheme=scheme,
                code=code,
                names={language: f"{code} ({language})" for language in self._some(("es", "fr", "pt"))} | {"en": code},
                printed_codes=tuple(self._some(("A12", "B3"))),
            )
            for scheme, codes in SCHEMES.items()
            for code in codes
            if f"{scheme}:{code}" not in vocabulary()
        ]

    def review(self) -> ReviewRecord:
        state = self._new(lambda: f"{self._one(self.states)}-{self.chance.randint(1, 4)}")
        record = ReviewRecord(
            id=state,
            state_under_review=state[:3],
            cycle=int(state[4:]),
            session=self._maybe(self.chance.randint(1, 5)),
            date=self._maybe(self._day()),
            adopted_on=self._maybe(self._day()),
            troika=tuple(self._some(self.states[:20], 3)),
            documents=self._documents(),
            sample=self._rarely(),
        )
        self.reviews.append(record)
        return record

    def document(self) -> DocumentRecord:
        review = self._maybe(self._review())
        symbol = self._maybe(self._new(lambda: f"A/HRC/{self.chance.randint(8, 60)}/{self.chance.randint(1, 99)}"))
        return DocumentRecord(
            id=identifiers.document_id(symbol, f"{self.chance.getrandbits(256):064x}"),
            symbol=symbol,
            kind=str(self._one(list(DocumentKind))),
            title=self._maybe(self._text()),
            published_on=self._maybe(self._day()),
            state_under_review=review.state_under_review if review else None,
            review=review.id if review else None,
            session=review.session if review else None,
            cycle=review.cycle if review else None,
            council_session=self._maybe(self.chance.randint(8, 12)),
            languages=tuple(self._some(LANGUAGES)),
            files=[self._file() for _ in range(self.chance.randint(1, 2))],
            cites=tuple(self._some(("A/HRC/22/15", "A/HRC/22/15/Add.1"))),
            sample=self._rarely(),
        )

    def recommendation(self) -> RecommendationRecord:
        review = self._review()
        number, part = self._number(), self._maybe(self._one("ab"), 0.2)
        text, language = self._text(), self._one(LANGUAGES)
        if number is None:
            record_id = self._new(lambda: identifiers.unnumbered_recommendation_id(review.id, f"{self._text()}"))
        else:
            duplicate = 1
            record_id = identifiers.recommendation_id(review.id, number, part)
            while record_id in self._used:
                duplicate += 1
                record_id = identifiers.recommendation_id(review.id, number, part, duplicate)
            self._used.add(record_id)
        positions = [self._position() for _ in range(self.chance.randint(0, 3))]
        labels = self._labels()
        return RecommendationRecord(
            id=record_id,
            review=review.id,
            state_under_review=review.state_under_review,
            cycle=review.cycle,
            session=review.session,
            number=number,
            part=part if number else None,
            sort_key=identifiers.sort_key(record_id),
            text=text,
            text_language=language,
            translations={other: self._text() for other in self._some(LANGUAGES) if other != language},
            recommending_states=tuple(self._some(self.states[:40], 3)),
            position=positions[-1]["position"] if positions else "pending",
            position_detail=positions[-1]["detail"] if positions else None,
            positions=positions,
            labels=labels,
            label_ids=_label_ids(labels),
            sources=[self._source() for _ in range(self.chance.randint(1, 2))],
            documents=self._documents(),
            date=review.date,
            aliases=(),
            external_ids=tuple(self._some(("uhri:1", "uhri:2", "upr-info:3"))),
            sample=self._rarely(),
        )

    def pledge(self) -> PledgeRecord:
        review, labels = self._review(), self._labels()
        record_id = self._new(lambda: identifiers.pledge_id(review.id, self.chance.randint(1, 10_000)))
        return PledgeRecord(
            id=record_id,
            review=review.id,
            state_under_review=review.state_under_review,
            cycle=review.cycle,
            session=review.session,
            sort_key=identifiers.sort_key(record_id),
            text=self._text(),
            text_language=self._one(LANGUAGES),
            paragraph=self._maybe("12"),
            page=self._maybe(4),
            document=self._document_id(),
            labels=labels,
            label_ids=_label_ids(labels),
            date=review.date,
            sample=self._rarely(),
        )

    def observation(self) -> ObservationRecord:
        labels = self._labels()
        return ObservationRecord(
            id=self._new(lambda: f"uhri-{self.chance.getrandbits(40):010x}"),
            kind=self._one(("recommendation", "concern")),
            body=self._one(("CAT", "CRC")),
            symbol=self._maybe("CAT/C/PER/CO/4"),
            states=tuple(self._some(self.states, 2)),
            text=self._text(),
            text_language=self._one(LANGUAGES),
            date=self._maybe(self._day()),
            labels=labels,
            label_ids=_label_ids(labels),
            sources=[
                ObservationSource(
                    kind="uhri",
                    title="Universal Human Rights Index",
                    external_id="uhri:1",
                    symbol=self._maybe("CAT/C/PER/CO/4"),
                    parser="uhri",
                    parser_version="1",
                )
            ],
            sample=self._rarely(),
        )

    def hearing(self) -> HearingRecord:
        review = self._maybe(self._review())
        requesters = self._some(_REQUESTERS)
        return HearingRecord(
            id=self._new(lambda: f"upr-{self.chance.randint(1, 54)}-{self._one(self.states)}"),
            kind=self._one(("working_group_review", "thematic_hearing")),
            title=self._maybe(self._text()),
            date=self._maybe(self._day()),
            states=(review.state_under_review,) if review else tuple(self._some(self.states, 3)),
            review=review.id if review else None,
            session=review.session if review else None,
            council_session=self._maybe(self.chance.randint(8, 12)),
            meeting=self._maybe("25th"),
            announced_speakers=self._maybe(52),
            totals_said=self._maybe(TotalsSaid(recommendations=163, supported=142, noted=self._maybe(21))),
            troika=tuple(self._some(self.states[:20], 3)),
            iachr_period=self._maybe(self.chance.randint(188, 192)),
            requesting_organisations=[Requester(id=slug, name=slug.title()) for slug in requesters],
            organisation_ids=tuple(requesters),
            titles={"es": self._text()} if self._rarely() else {},
            summaries={"es": self._text()} if self._rarely() else {},
            aliases=tuple(self._some(("iachr-191~0123456789",))),
            documents=self._documents(),
            sample=self._rarely(),
        )

    def statement(self) -> StatementRecord:
        review = self._maybe(self._review())
        speaker = self._maybe(self._one(self.states[:30])) or "coalition-of-peru"
        hearing = f"upr-{self.chance.randint(1, 5)}-{review.state_under_review}" if review else None
        kind = self._one(("dialogue", "question", "letter"))
        stem = hearing or "PER-4.ohchr"
        record_id = self._new(lambda: identifiers.statement_id(stem, speaker, kind, self.chance.randint(1, 10_000)))
        labels = self._labels()
        return StatementRecord(
            id=record_id,
            hearing=hearing,
            review=review.id if review else None,
            state_under_review=review.state_under_review if review else None,
            cycle=review.cycle if review else None,
            session=review.session if review else None,
            speaker=speaker,
            speaker_name=None if speaker in self.states else self._maybe("Coalition of Peru"),
            speaker_kind="state" if speaker in self.states else "organisation",
            kind=kind,
            sort_key=identifiers.sort_key(record_id),
            on_behalf_of=tuple(self._some(("Group of African States", "European Union"))),
            text=self._maybe(self._text()),
            text_language=self._one(LANGUAGES),
            original_text=self._maybe(self._text()),
            paragraph=self._maybe("63"),
            page=self._maybe(10),
            document=self._document_id(),
            labels=labels,
            label_ids=_label_ids(labels),
            suggested_mid_term_year=self._maybe(2027, 0.1),
            date=review.date if review else None,
            sample=self._rarely(),
        )

    def organisation(self) -> OrganisationRecord:
        slug = self._new(lambda: f"coalition-{self.chance.randint(1, 10_000)}")
        return OrganisationRecord(
            id=slug,
            names=[{"name": self._text(), "acronym": "CPD"}],
            roles=[{"role": "nhri", "name": self._text(), "document": "A-HRC-WG.6-14-PER-3", "review": "PER-2"}],
            memberships=[{"organisation": "coalition-1", "document": "doc-0123456789ab", "since": "2021-11"}],
            role_ids=("nhri",),
            member_of=("coalition-1",),
            states=tuple(self._some(self.states, 2)),
            territory=self._maybe("Lima"),
            sample=self._rarely(),
        )

    def records(self, counts: Mapping[str, int], default: int = 0) -> Records:
        """So many new records of each noun (reviews first: others belong to them), labels aside."""
        made: Records = {}
        for noun, make in _MAKERS.items():
            made[noun] = [make(self) for _ in range(counts.get(noun, default))]
        return made

    def _number(self) -> str | None:
        return self._maybe(f"{self.chance.randint(1, 140)}.{self.chance.randint(1, 300)}", 0.95)

    def _position(self) -> PositionEntry:
        day = self._maybe(self._day())
        return PositionEntry(
            position=str(self._one(list(Position))),
            detail=self._maybe(str(self._one(list(PositionDetail)))),
            phrase=self._maybe("enjoy the support of Peru"),
            effective_on=day.isoformat() if day else None,
            symbol=self._maybe("A/HRC/22/15"),
            paragraph=self._maybe("116"),
            document=self._document_id(),
            source_kind=str(self._one(list(DocumentKind))),
        )

    def _source(self) -> SourceEntry:
        source = SourceEntry(
            document=self._document_id(),
            file=f"{self.chance.getrandbits(256):064x}",
            symbol=self._maybe("A/HRC/22/15"),
            kind=str(self._one(list(DocumentKind))),
            number=self._maybe("116.17"),
            page=self._maybe(16),
            paragraph=self._maybe("116"),
            parser="working_group_report",
            parser_version="1",
        )
        if self._rarely():
            source["text"] = self._text()
            source["recommending_states"] = ["ESP"]
            source["footnotes"] = ["As read out."]
        return source

    def _file(self) -> FileEntry:
        return FileEntry(
            sha256=f"{self.chance.getrandbits(256):064x}",
            name="report.pdf",
            media_type="application/pdf",
            language=self._one(LANGUAGES),
            bytes=self.chance.randint(1, 10**9),
            pages=self._maybe(24),
            current=not self._rarely(),
            parser="working_group_report",
            parser_version="1",
        )

    def _labels(self) -> list[LabelEntry]:
        codes = [f"{scheme}:{code}" for scheme, several in SCHEMES.items() for code in several]
        chosen = self._some((*codes, "sdg:16", "sdg:5", "unknown:label"), 4)
        return [LabelEntry(label=label, assigned_by=self._one(("ohchr-matrix", "uhri"))) for label in chosen]

    def _documents(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self._document_id() for _ in range(self.chance.randint(0, 3))))

    def _document_id(self) -> str:
        return self._one(("A-HRC-22-15", "A-HRC-22-15-Add.1", "doc-0123456789ab"))

    def _review(self) -> ReviewRecord:
        return self._one(self.reviews)

    def _day(self) -> datetime.date:
        return datetime.date(2012, 1, 1) + datetime.timedelta(days=self.chance.randint(0, 40) * 30)

    def _text(self) -> str:
        return f"{self._one(TEXTS)} {self.chance.randint(1, 10**9)} “ñ”"

    def _new(self, make: Any) -> str:
        while (made := make()) in self._used:
            pass
        self._used.add(made)
        return str(made)

    def _rarely(self) -> bool:
        return self.chance.random() < 0.1

    def _maybe(self, value: Any, likelihood: float = 0.7) -> Any:
        return value if self.chance.random() < likelihood else None

    def _one(self, values: Any) -> Any:
        return self.chance.choice(values)

    def _some(self, values: Sequence[str], most: int | None = None) -> list[str]:
        return self.chance.sample(values, self.chance.randint(0, min(most or len(values), len(values))))


_MAKERS = {
    "reviews": RecordMaker.review,
    "documents": RecordMaker.document,
    "recommendations": RecordMaker.recommendation,
    "pledges": RecordMaker.pledge,
    "observations": RecordMaker.observation,
    "hearings": RecordMaker.hearing,
    "statements": RecordMaker.statement,
    "organisations": RecordMaker.organisation,
}


def write_records(connection: Connection, records: Records) -> None:
    """Insert records of any nouns, without changes."""
    for noun in ("labels", *_MAKERS):
        AGGREGATES[noun].insert(connection, records.get(noun, []))


def fill(connection: Connection, seed: int = 1, each: int = 40, **counts: int) -> RecordMaker:
    """A store full of random records of every noun; answers the maker, for more."""
    maker = RecordMaker(seed)
    labels = {label.id: label for label in maker.labels()}
    seeded = LABELS.read(connection, labels)
    write_records(connection, {"labels": [label for label_id, label in labels.items() if label_id not in seeded]})
    write_records(connection, maker.records(counts, default=each))
    return maker


def _label_ids(labels: Sequence[LabelEntry]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(entry["label"] for entry in labels))
