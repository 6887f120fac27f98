"""Counts of records by up to three dimensions."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from pydantic import Field

from services.api.dependencies import desk_of
from services.api.documented import statistics_responses
from services.api.opening import opening
from services.api.parameters import read_statistics_query, statistics_parameters
from services.api.routes.records import citation_address
from services.api.statistics import YEAR, Group, count_by
from services.core.query.filters import parse_filters
from services.core.runtime.parameters import parameters_of
from services.core.runtime.web import JsonAnswer, links
from services.core.schemas.models import Dataset, Public
from services.core.schemas.names import Names

COUNTED_NOUNS = ("recommendations", "pledges", "observations", "statements")


class GroupValue(Public):
    """A value of a dimension, and what to call it."""

    value: str = Field(examples=["torture-prevention"])
    label: str = Field(examples=["Prevention of torture"])


class StatisticsGroup(Public):
    """How many records have these values."""

    values: dict[str, GroupValue | None] = Field(description="By dimension; null: the records have no value of it.")
    count: int
    url: str | None = Field(description="The list of these records; null where no filter finds what has no value.")


class Statistics(Public):
    """Counts by some dimensions."""

    group_by: list[str]
    groups: list[StatisticsGroup] = Field(description="The largest first.")
    groups_total: int = Field(description="How many groups there are; more than are shown where `limit` is smaller.")
    total: int = Field(description="Records that meet the filters, each counted once: the total of the list.")
    unlabelled: dict[str, int] = Field(description="How many of them have no value, by dimension.")
    dataset: Dataset


def statistics_routes() -> APIRouter:
    """`GET /v1/statistics/{noun}` for what can be counted."""
    router = APIRouter()
    for noun in COUNTED_NOUNS:
        _add_statistics(router, noun)
    return router


def _add_statistics(router: APIRouter, noun: str) -> None:
    @router.get(
        f"/v1/statistics/{noun}",
        operation_id=f"count_{noun}",
        summary=f"Count {noun} by up to three dimensions",
        tags=["statistics"],
        responses=statistics_responses(Statistics),
        openapi_extra={"parameters": statistics_parameters(noun)},
    )
    def count_records(request: Request) -> Response:
        """Each group's count is the total of the list at its `url`.

        A record with several values of a dimension is counted under each of them, so groups may add up to more than
        `total`; one with none stands in a group whose value is null, so that nothing is lost. Where a dimension is
        filtered, there are groups of the values asked for alone.
        """
        desk = desk_of(request)
        parameters = parameters_of(request)
        with opening(request) as opened:
            connection, reference = opened.connection, opened.reference
            query = read_statistics_query(noun, parameters, reference.vocabulary)
            if (held := opened.held()) is not None:
                return held
            # As asked for, without the values that mean the same in other generations.
            asked = parse_filters(noun, query.filter_parameters, replace(reference.vocabulary, families={})).values
            counts = count_by(connection, query.filters, query.group_by, reference, only=asked, limit=query.limit)
        names = Names(reference, query.language)
        address = f"{desk.settings.public_url.rstrip('/')}/v1/{noun}"
        return JsonAnswer(
            {
                "group_by": query.group_by,
                "groups": [_group(group, query.group_by, names, address, asked) for group in counts.groups],
                "groups_total": counts.found,
                "total": counts.total,
                "unlabelled": counts.unlabelled,
                "dataset": opened.dataset,
            },
            headers=opened.version.headers() | links(describedby=citation_address(desk, request)),
        )


def _group(
    group: Group, dimensions: Sequence[str], names: Names, address: str, asked: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    return {
        "values": {
            name: None if value is None else {"value": value, "label": names.of_filter_value(name, value)}
            for name, value in zip(dimensions, group.values, strict=True)
        },
        "count": group.count,
        "url": _list_of(group, dimensions, address, asked),
    }


def _list_of(group: Group, dimensions: Sequence[str], address: str, asked: Mapping[str, Sequence[str]]) -> str | None:
    filters = {name: list(values) for name, values in asked.items()}
    for name, value in zip(dimensions, group.values, strict=True):
        if value is None:
            return None
        if name == YEAR:
            filters["date_from"] = [max([f"{value}-01-01", *filters.get("date_from", ())])]
            filters["date_to"] = [min([f"{value}-12-31", *filters.get("date_to", ())])]
        else:
            filters[name] = [value]
    return f"{address}?{urlencode([(name, value) for name, values in filters.items() for value in values])}"
