"""How to cite: each record, each list and each count, as plain text, BibTeX or CSL-JSON."""

import datetime
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response
from pydantic import Field
from sqlalchemy import Connection

from services.api.citations.citation import Citation, as_bibtex, as_csl, as_text
from services.api.citations.records import Query, Reader, cite_query, cite_record, documents_to_cite
from services.api.dependencies import desk_of
from services.api.documented import citation_responses, part_responses
from services.api.parameters import (
    LANGUAGE_PARAMETER,
    filter_parameters,
    group_by_parameter,
    read_dimensions,
    read_language,
)
from services.api.routes.records import RecordId, not_there, redirect
from services.api.routes.statistics import COUNTED_NOUNS
from services.core.domain.changes import SINGULAR
from services.core.query.filters import parse_filters
from services.core.runtime.conditional import unchanged, version_of
from services.core.runtime.negotiation import preferred_media_type
from services.core.runtime.parameters import Parameters, choice, described, parameters_of
from services.core.runtime.problem_examples import Responses
from services.core.runtime.web import JsonAnswer, links
from services.core.schemas.dataset import dataset
from services.core.schemas.models import Dataset, Public
from services.core.schemas.names import Names
from services.core.store.changes import head_and_time
from services.core.store.documents import DOCUMENTS
from services.core.store.engine import snapshot
from services.core.store.former_ids import bearer_of, parts_of
from services.core.store.paging import count_records
from services.core.store.recommendations import RECOMMENDATIONS
from services.core.store.records import Stored
from services.core.store.reference import Reference
from services.core.store.tables import AGGREGATES

JSON = "json"
_JSON = "application/json"


class Pieces(Public):
    """What a citation is made of, for styles of one's own."""

    author: str | None
    title: str
    container: str | None = Field(description="The data set, where the record is known from one alone.")
    issued: datetime.date | None
    symbol: str | None = Field(examples=["A/HRC/22/15"])
    pinpoint: str | None = Field(examples=["para. 116.17"])
    page: int | None
    remark: str | None = Field(examples=["recommendation by Mexico"])


class CitationAnswer(Public):
    """One citation in all its forms."""

    key: str = Field(description="Key of the BibTeX entry and id of the CSL item; the same every time.")
    url: str = Field(description="What leads back: the permalink, or the query of the list or the counts.")
    text: str
    bibtex: str
    csl_json: dict[str, Any] = Field(description="An item of CSL-JSON.")
    pieces: Pieces
    total: int | None = Field(description="Of a list or of counts: how many records there are.")
    accessed: datetime.date
    dataset: Dataset


class CitedParts(Public):
    """The citations of the recommendations that stand under one number."""

    id: str = Field(description="The id that was asked for.", examples=["ECU-2-134.1"])
    parts: list[CitationAnswer]


@dataclass(frozen=True)
class Form:
    """A form of citations, by its name in `format` and by its media type."""

    name: str
    media_type: str
    write: Callable[[Sequence[Citation]], str]


FORMS = (
    Form("text", "text/plain", lambda cited: "".join(f"{as_text(each)}\n" for each in cited)),
    Form("bibtex", "application/x-bibtex", lambda cited: "\n".join(map(as_bibtex, cited))),
    Form(
        "csl-json",
        "application/vnd.citationstyles.csl+json",
        lambda cited: orjson.dumps([as_csl(each) for each in cited]).decode(),
    ),
)
"""The forms of citations beside JSON, which has all of them."""

_NAMES = (JSON, *(form.name for form in FORMS))
_FORMAT = described("format", "Form of the citation; `Accept` chooses it, too.", {"type": "string", "enum": [*_NAMES]})


def citation_routes() -> APIRouter:
    """`GET /v1/{noun}/{id}/citation`, `GET /v1/{noun}/citation` and `GET /v1/statistics/{noun}/citation`."""
    router = APIRouter()
    for noun in AGGREGATES:
        _add_of_list(router, noun)
        _add_of_record(router, noun)
    for noun in COUNTED_NOUNS:
        _add_of_counts(router, noun)
    return router


def _add_of_record(router: APIRouter, noun: str) -> None:
    singular = SINGULAR[noun]
    responses = {**_responses(), **part_responses(singular)}
    if noun == "recommendations":
        responses[300] = {"description": "The number holds several recommendations.", "model": CitedParts}

    @router.get(
        f"/v1/{noun}/{{record_id}}/citation",
        operation_id=f"cite_{singular}",
        summary=f"Cite one {singular}",
        tags=["citations"],
        responses=responses,
        openapi_extra={"parameters": [_FORMAT, LANGUAGE_PARAMETER]},
    )
    def cite_one(request: Request, record_id: RecordId) -> Response:
        """As the document it stands in, at its paragraph and page; what a data set alone tells, as an entry of that."""
        with _asked(request) as asked:
            record = AGGREGATES[noun].one(asked.connection, record_id)
            if record is not None:
                return asked.answer([asked.cite(noun, record)])
            if bearer := bearer_of(asked.connection, noun, record_id):
                return redirect(request, noun, bearer, 308, below="/citation")
            if noun != "recommendations":
                raise not_there(asked.connection, noun, record_id)
            parts = [RECOMMENDATIONS.from_row(row) for row in parts_of(asked.connection, record_id)]
            if not parts:
                raise not_there(asked.connection, noun, record_id)
            return asked.answer([asked.cite(noun, part) for part in parts], parts_of=record_id)


def _add_of_list(router: APIRouter, noun: str) -> None:
    @router.get(
        f"/v1/{noun}/citation",
        operation_id=f"cite_{noun}",
        summary=f"Cite a list of {noun}",
        tags=["citations"],
        responses=_responses(),
        openapi_extra={"parameters": [*filter_parameters(noun), _FORMAT, LANGUAGE_PARAMETER]},
    )
    def cite_list(request: Request) -> Response:
        """All records that meet the filters: how many, in which state of the data, and the query that gives them."""
        with _asked(request) as asked:
            return asked.answer_query(noun, asked.parameters, ())


def _add_of_counts(router: APIRouter, noun: str) -> None:
    parameters = [group_by_parameter(noun), *filter_parameters(noun), _FORMAT, LANGUAGE_PARAMETER]

    @router.get(
        f"/v1/statistics/{noun}/citation",
        operation_id=f"cite_counts_of_{noun}",
        summary=f"Cite counts of {noun}",
        tags=["citations"],
        responses=_responses(),
        openapi_extra={"parameters": parameters},
    )
    def cite_counts(request: Request) -> Response:
        """As statistics count them: in which state of the data, and the query that gives them."""
        with _asked(request) as asked:
            filters = [pair for pair in asked.parameters if pair[0] != "group_by"]
            return asked.answer_query(noun, filters, read_dimensions(noun, asked.parameters))


@dataclass(frozen=True)
class _Asked:
    """A request for a citation. `parameters` are those that are neither `format` nor `lang`; `form` None is JSON."""

    request: Request
    connection: Connection
    reference: Reference
    reader: Reader
    seq: int
    as_of: datetime.datetime
    form: Form | None
    parameters: Parameters

    def cite(self, noun: str, record: Stored) -> Citation:
        """One query for the documents."""
        documents = DOCUMENTS.read(self.connection, documents_to_cite(noun, record))
        return cite_record(noun, record, documents, self.reader)

    def answer_query(self, noun: str, parameters: Parameters, group_by: Sequence[str]) -> Response:
        """Of a list, or of counts by dimensions. One query for the total."""
        total = count_records(self.connection, parse_filters(noun, parameters, self.reference.vocabulary))
        # As asked for, without the values that mean the same in other generations.
        asked = parse_filters(noun, parameters, replace(self.reference.vocabulary, families={})).values
        day = self.as_of.astimezone(datetime.UTC).date()
        return self.answer([cite_query(Query(noun, asked, group_by, total, day), self.reader)], total=total)

    def answer(self, cited: Sequence[Citation], *, total: int | None = None, parts_of: str | None = None) -> Response:
        """The citations in the form asked for."""
        version = version_of(self.request, self.seq, self.reference.names_hash, self.reader.accessed)
        if (held := unchanged(self.request, version)) is not None:
            return held
        headers = version.headers() | {"Content-Language": self.reader.language}
        if parts_of is None:
            headers |= links(describes=cited[0].address)
        status = 300 if parts_of else 200
        if self.form is not None:
            text = self.form.write(cited)
            return Response(
                text, status_code=status, headers=headers, media_type=f"{self.form.media_type}; charset=utf-8"
            )
        answers = [self._as_json(each, total) for each in cited]
        body = {"id": parts_of, "parts": answers} if parts_of else answers[0]
        return JsonAnswer(body, status_code=status, headers=headers)

    def _as_json(self, cited: Citation, total: int | None) -> dict[str, Any]:
        return {
            "key": cited.key,
            "url": cited.address,
            "text": as_text(cited),
            "bibtex": as_bibtex(cited),
            "csl_json": as_csl(cited),
            "pieces": {name: getattr(cited, name) for name in Pieces.model_fields},
            "total": total,
            "accessed": cited.accessed,
            "dataset": dataset(self.seq, self.as_of, self.reference),
        }


@contextmanager
def _asked(request: Request) -> Iterator[_Asked]:
    """Raises `InvalidParameterError` for a format or a language that there is none of."""
    desk, parameters = desk_of(request), parameters_of(request)
    language, form = read_language(parameters), _wanted_form(request, parameters)
    with snapshot(desk.engine) as connection:
        seq, as_of = head_and_time(connection)
        reference = desk.reference.as_of(connection, seq)
        version = dataset(seq, as_of, reference)["version"]
        today = datetime.datetime.now(datetime.UTC).date()
        reader = Reader(Names(reference, language), desk.settings.public_url, version, today)
        rest = [pair for pair in parameters if pair[0] not in ("format", "lang")]
        yield _Asked(request, connection, reference, reader, seq, as_of, form, rest)


def _wanted_form(request: Request, parameters: Parameters) -> Form | None:
    """By `format`, else by `Accept`; None: JSON, also for readers that take none of the others."""
    by_name = {form.name: form for form in FORMS}
    if (name := choice(parameters, "format", _NAMES)) is not None:
        return by_name.get(name)
    by_type = {form.media_type: form for form in FORMS}
    return by_type.get(preferred_media_type(request.headers.get("accept"), (_JSON, *by_type)) or _JSON)


def _responses() -> Responses:
    return citation_responses(CitationAnswer, {form.name: form.media_type for form in FORMS})
