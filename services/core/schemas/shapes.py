"""From records to the public JSON shapes.

A shape holds JSON values only (dates are ISO 8601 text), so that it compares equal to itself read back from the feed.
It carries no address: the edge adds `url`, since the public address is a setting of the process that answers.
"""

from collections.abc import Callable
from datetime import date, datetime
from functools import lru_cache
from typing import Any, cast

from services.core.domain.documents import address_of_symbol
from services.core.schemas.names import Names, in_language
from services.core.store.documents import DocumentRecord
from services.core.store.hearings import HearingRecord
from services.core.store.labels import LabelRecord
from services.core.store.observations import ObservationRecord
from services.core.store.organisations import OrganisationRecord
from services.core.store.pledges import PledgeRecord
from services.core.store.recommendations import RecommendationRecord
from services.core.store.records import Stored
from services.core.store.reviews import ReviewRecord
from services.core.store.statements import StatementRecord
from services.core.store.states import StateRecord

Shape = dict[str, Any]
HISTORY = ("revision", "created_at", "updated_at")
"""Members that change with every write and are no news by themselves."""


def shape_of(noun: str, record: Stored, names: Names) -> Shape:
    """The public shape of a record, without its address."""
    shape = _BUILDERS[noun](record, names)
    shape.update(_history(record))
    return shape


def with_address(noun: str, shape: Shape, public_url: str) -> Shape:
    """The shape with its permalink, right after the id; a document's files with theirs."""
    record_id = shape["id"]
    url = permalink(public_url, noun, record_id)
    addressed = {"id": record_id, "url": url, **shape}
    if noun == "documents":
        addressed["files"] = [{**file, "url": f"{url}/files/{file['sha256']}"} for file in shape["files"]]
    return addressed


def permalink(public_url: str, noun: str, record_id: str) -> str:
    """`{public address}/{noun}/{id}`."""
    return f"{public_url.rstrip('/')}/{noun}/{record_id}"


def content(shape: Shape) -> Shape:
    """The shape without its history: what has to differ for a change to be one."""
    return {key: value for key, value in shape.items() if key not in HISTORY}


def _history(record: Stored) -> Shape:
    return {
        "revision": record.revision,
        "created_at": moment_text(record.created_at),
        "updated_at": moment_text(record.updated_at),
    }


@lru_cache(maxsize=10_000)  # what was written together bears the same moment
def moment_text(moment: datetime) -> str:
    """RFC 3339 in UTC, such as `2026-11-21T09:00:00.123456Z`."""
    return moment.isoformat().replace("+00:00", "Z")


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _state_or_none(code: str | None, names: Names) -> dict[str, str] | None:
    return names.state(code) if code else None


def _state(record: StateRecord, names: Names) -> Shape:
    return {
        "id": record.id,
        "name": names.pick(record.names, record.id),
        "names": record.names,
        "un_status": record.un_status,
        "region": names.group(record.region) if record.region else None,
        "blocs": [names.group(code) for code in record.blocs],
        "facts": record.facts,
        "sample": record.sample,
    }


def _review(record: ReviewRecord, names: Names) -> Shape:
    return {
        "id": record.id,
        "state_under_review": names.state(record.state_under_review),
        "cycle": record.cycle,
        "session": record.session,
        "date": _day(record.date),
        "adopted_on": _day(record.adopted_on),
        "troika": [names.state(code) for code in record.troika],
        "documents": list(record.documents),
        "sample": record.sample,
    }


def _document(record: DocumentRecord, names: Names) -> Shape:
    return {
        "id": record.id,
        "symbol": record.symbol,
        "original": address_of_symbol(record.symbol) if record.symbol else record.address,
        "kind": record.kind,
        "title": record.title,
        "published_on": _day(record.published_on),
        "state_under_review": _state_or_none(record.state_under_review, names),
        "review": record.review,
        "session": record.session,
        "cycle": record.cycle,
        "council_session": record.council_session,
        "author": record.author,
        "author_kind": record.author_kind,
        "languages": list(record.languages),
        "files": record.files,
        "cites": list(record.cites),
        "sample": record.sample,
    }


def _recommendation(record: RecommendationRecord, names: Names) -> Shape:
    text, text_language, translations = in_language(
        names.language, record.text, record.text_language, record.translations
    )
    return {
        "id": record.id,
        "review": record.review,
        "state_under_review": names.state(record.state_under_review),
        "cycle": record.cycle,
        "session": record.session,
        "date": _day(record.date),
        "number": record.number,
        "part": record.part,
        "text": text,
        "text_language": text_language,
        "translations": translations,
        "recommending_states": [names.state(code) for code in record.recommending_states],
        "position": record.position,
        "position_detail": record.position_detail,
        "positions": record.positions,
        "labels": [names.label(entry) for entry in record.labels],
        "documents": list(record.documents),
        "sources": record.sources,
        "aliases": list(record.aliases),
        "external_ids": list(record.external_ids),
        "sample": record.sample,
    }


def _pledge(record: PledgeRecord, names: Names) -> Shape:
    return {
        "id": record.id,
        "review": record.review,
        "state_under_review": names.state(record.state_under_review),
        "cycle": record.cycle,
        "session": record.session,
        "date": _day(record.date),
        "text": record.text,
        "text_language": record.text_language,
        "paragraph": record.paragraph,
        "page": record.page,
        "document": record.document,
        "labels": [names.label(entry) for entry in record.labels],
        "sample": record.sample,
    }


def _observation(record: ObservationRecord, names: Names) -> Shape:
    return {
        "id": record.id,
        "kind": record.kind,
        "body": record.body,
        "symbol": record.symbol,
        "states": [names.state(code) for code in record.states],
        "text": record.text,
        "text_language": record.text_language,
        "date": _day(record.date),
        "labels": [names.label(entry) for entry in record.labels],
        "sources": record.sources,
        "sample": record.sample,
    }


def _hearing(record: HearingRecord, names: Names) -> Shape:
    return {
        "id": record.id,
        "kind": record.kind,
        "title": names.pick(record.titles, record.title or "") if record.titles else record.title,
        "titles": record.titles,
        "date": _day(record.date),
        "states": [names.state(code) for code in record.states],
        "review": record.review,
        "session": record.session,
        "council_session": record.council_session,
        "meeting": record.meeting,
        "announced_speakers": record.announced_speakers,
        "totals_said": record.totals_said,
        "troika": [names.state(code) for code in record.troika],
        "iachr_period": record.iachr_period,
        "number": record.number,
        "scope": record.scope,
        "type": record.type,
        "origin": record.origin,
        "modality": record.modality,
        "video": record.video,
        "press_release": record.press_release,
        "requesting_organisations": record.requesting_organisations,
        "participants": list(record.participants),
        "languages": list(record.languages),
        "summaries": record.summaries,
        "documents": list(record.documents),
        "aliases": list(record.aliases),
        "sample": record.sample,
    }


def _statement(record: StatementRecord, names: Names) -> Shape:
    return {
        "id": record.id,
        "hearing": record.hearing,
        "review": record.review,
        "state_under_review": _state_or_none(record.state_under_review, names),
        "cycle": record.cycle,
        "session": record.session,
        "date": _day(record.date),
        "speaker": names.speaker(record.speaker, record.speaker_name),
        "speaker_kind": record.speaker_kind,
        "kind": record.kind,
        "on_behalf_of": list(record.on_behalf_of),
        "text": record.text,
        "text_language": record.text_language,
        "original_text": record.original_text,
        "paragraph": record.paragraph,
        "page": record.page,
        "document": record.document,
        "labels": [names.label(entry) for entry in record.labels],
        "suggested_mid_term_year": record.suggested_mid_term_year,
        "sample": record.sample,
    }


def _organisation(record: OrganisationRecord, names: Names) -> Shape:
    return {
        "id": record.id,
        "names": record.names,
        "roles": record.roles,
        "memberships": record.memberships,
        "states": [names.state(code) for code in record.states],
        "territory": record.territory,
        "sample": record.sample,
    }


def _label(record: LabelRecord, names: Names) -> Shape:
    return {
        "id": record.id,
        "scheme": record.scheme,
        "code": record.code,
        "name": names.pick(record.names, record.code),
        "names": record.names,
        "printed_codes": list(record.printed_codes),
    }


_BUILDERS = cast(
    dict[str, Callable[[Stored, Names], Shape]],
    {
        "states": _state,
        "reviews": _review,
        "documents": _document,
        "recommendations": _recommendation,
        "pledges": _pledge,
        "observations": _observation,
        "hearings": _hearing,
        "statements": _statement,
        "organisations": _organisation,
        "labels": _label,
    },
)
