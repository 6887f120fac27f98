"""Quarantine: files that are not read again, since they harmed who read them."""

import datetime

from fastapi import APIRouter, Request, Response
from pydantic import Field

from services.core.runtime.parameters import described, described_number, matching, whole_number
from services.core.runtime.web import JsonAnswer
from services.core.schemas.models import Public
from services.ingest.quarantine import Quarantine
from services.ingest.routes.requests import LIMIT, asked, engine_of

_SHA256 = "[0-9a-f]{64}"

routes = APIRouter(prefix="/v1/ingest", tags=["ingest"])


class QuarantinedFile(Public):
    """A file that is not read again until something that reads its kind has a newer version, or a person says so."""

    sha256: str = Field(pattern=f"^{_SHA256}$")
    name: str = Field(description="What the file was called when it was read last.", examples=["A_HRC_22_15_E.pdf"])
    code: str = Field(description="What it did.", examples=["parse_timeout"])
    detail: str = Field(examples=["not read within 60 seconds"])
    readers: dict[str, str] = Field(
        description="The versions of all that could have read it at the last try, by name.",
        examples=[{"pypdfium2": "5.15.2", "working_group_report": "4"}],
    )
    tries: int = Field(ge=1)
    since: datetime.datetime
    last_tried_at: datetime.datetime


class QuarantinedFiles(Public):
    """Files in quarantine, by their hash."""

    data: list[QuarantinedFile]


@routes.get(
    "/quarantine",
    operation_id="list_quarantined_files",
    summary="List files that are not read again",
    responses={200: {"model": QuarantinedFiles}},
    openapi_extra={
        "parameters": [
            described("after", "SHA-256 of the last one you have.", {"type": "string", "pattern": f"^{_SHA256}$"}),
            described_number("limit", "Files to list.", least=1, most=LIMIT, otherwise=100),
        ]
    },
)
def list_quarantined_files(request: Request) -> Response:
    """By their SHA-256; go on with `after` = the last one. `upr ingest quarantine --retry` lets one be read again."""
    parameters = asked(request)
    found = Quarantine(engine_of(request)).listed(
        after=matching(parameters, "after", _SHA256, "a SHA-256 in lower-case hexadecimal") or "",
        limit=whole_number(parameters, "limit", least=1, most=LIMIT, otherwise=100),
    )
    return JsonAnswer({"data": found})
