"""The shape of a search answer, for the OpenAPI document."""

import datetime
from typing import Any, Literal

from pydantic import Field

from services.core.query.excerpts import ELLIPSIS, SHOWN_WHOLE
from services.core.schemas.interpreted import Interpreted
from services.core.schemas.models import Dataset, Public
from services.search.engines.base import PASSAGES_SHOWN
from services.search.similar import NEARLY_THE_SAME


class SearchPassage(Public):
    """A paragraph of a document in which the query was found."""

    paragraph: str | None = Field(description="Number as printed.", examples=["12"])
    page: int | None = Field(description="Page of the file; null where the format has none (Word).")
    heading: str | None = Field(description="Heading under which it stands.")
    language: str
    text: str = Field(
        description="Escaped HTML, with what matched between <mark> and </mark>. Nothing is marked where the match is "
        "in the heading or in a number that the paragraph cites.",
        examples=["The national <mark>preventive</mark> mechanism began its work in 2015."],
    )
    url: str = Field(description="Permalink of the paragraph.")


class SearchHit(Public):
    """One record found."""

    type: str = Field(examples=["recommendations"])
    record: dict[str, Any] = Field(description="The record's public shape.")
    highlight: dict[str, str] = Field(
        description="Texts as escaped HTML, with what matched between <mark> and </mark>. Of a text of more than "
        f"{SHOWN_WHOLE:,} letters, the sentences that say most of what was asked for, and `{ELLIPSIS}` between them.",
        examples=[{"text": "Set up the national <mark>preventive</mark> mechanism"}],
    )
    score: float | None = Field(description="0 to 1, comparable within one answer; null where hits are sorted.")
    passages: list[SearchPassage] = Field(
        default=[],
        description=f"Of documents alone: the paragraphs that match best, at most {PASSAGES_SHOWN}.",
    )


class FacetValue(Public):
    """One value of a facet."""

    value: str = Field(examples=["PER"])
    label: str = Field(examples=["Peru"])
    count: int


class Facet(Public):
    """The values of a facet, most frequent first if nothing else is asked for; years in their order."""

    values: list[FacetValue]
    values_total: int = Field(description="How many values there are; more than are shown where a limit was asked for.")
    unlabelled: int = Field(description="Records that match and have no value of this facet.")


class SearchAnswer(Public):
    """One page of hits."""

    hits: list[SearchHit]
    total: int = Field(description="Exact.")
    facets: dict[str, Facet]
    page: int
    per_page: int
    took_ms: float
    interpreted: Interpreted = Field(description="What was understood of `q`.")
    dataset: Dataset


class FacetAnswer(Facet):
    """The values of one facet."""

    name: str = Field(examples=["topic"])
    total: int = Field(description="Records that match, the facet's own filter among the others. Exact.")
    took_ms: float
    interpreted: Interpreted = Field(description="What was understood of `search`.")
    dataset: Dataset


class SuggestedSearch(Public):
    """Something to search for: a filter or a query."""

    kind: str = Field(
        description="Name of the filter that it stands for; or `phrase`, words that texts often use; `term`, a word of "
        "the field with all that mean the same; `number`, a symbol, a number or an id.",
        examples=["topic"],
    )
    value: str = Field(examples=["torture-prevention"])
    label: str = Field(examples=["Torture prevention"])
    matched: str | None = Field(
        description="The name that was found, where it is not the label: of another language, an abbreviation.",
        examples=["Prevención de la tortura"],
    )
    detail: str | None = Field(description="Title or text of the record that bears the symbol or id.")
    count: int = Field(description="Records that the search finds. Exact.", examples=[29])
    filter: dict[str, str] | None = Field(
        description="The filter that it stands for.", examples=[{"topic": "torture-prevention"}]
    )
    query: str | None = Field(description="Or the query (`q`).", examples=['"preventive mechanism"'])
    url: str = Field(description="The search for it.")


class SuggestAnswer(Public):
    """What to search for, the likeliest first."""

    q: str = Field(description="What was typed.")
    suggestions: list[SuggestedSearch]
    took_ms: float
    dataset: Dataset


class FirstMade(Public):
    """The recommendation that said it first."""

    id: str = Field(examples=["PER-1-52.3"])
    url: str = Field(description="Permalink.")
    review: str = Field(examples=["PER-1"])
    cycle: int
    date: datetime.date | None


class Repetition(Public):
    """That a State was told the same, or nearly the same, more than once."""

    times: int = Field(description="How often, this one among them.")
    cycles: list[int] = Field(description="In which cycles.", examples=[[1, 2, 4]])
    since: datetime.date | None = Field(description="Day of the review in which it was first made.")
    first_made: FirstMade
    ids: list[str] = Field(description="The other recommendations that say so, in order.")


class SimilarRecommendation(Public):
    """A recommendation that is like the one asked about."""

    record: dict[str, Any] = Field(description="The recommendation's public shape.")
    score: float = Field(
        description="How much of the words both have, rare ones counting more: 0 to 1. 1 is the same text; from "
        f"{NEARLY_THE_SAME} on it is nearly the same.",
        examples=[0.92],
    )
    why: list[Literal["same_text", "nearly_same_text", "shared_words", "same_state"]]
    shared: list[str] = Field(
        description="The rarest words and phrases that both have, as this one prints them, the most telling first."
    )
    highlight: dict[str, str] = Field(description="The text as escaped HTML, with those words marked.")
    same_state: bool = Field(description="Made to the same State.")
    same_review: bool = Field(description="In the same review.")
    cycles_later: int = Field(description="How many cycles after the one asked about; negative: before it.")


class SimilarAnswer(Public):
    """Recommendations like one: what says the same first, to the same State before others."""

    id: str
    url: str = Field(description="Permalink of the recommendation asked about.")
    repetition: Repetition | None = Field(
        description="Since when the State is told so, whatever the filters; null where it was told once."
    )
    similar: list[SimilarRecommendation]
    total: int = Field(description="How many were found; no more are looked at than the likest hundreds.")
    took_ms: float
    dataset: Dataset
