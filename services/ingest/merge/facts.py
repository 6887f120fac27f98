"""Facts about States, each from all documents that tell it. All that a fact says rests on its sources.

Facts are added and taken away by document, so the result depends on what is held and not on what came first.
"""

from collections.abc import Iterable, Sequence

from services.core.store.states import Fact, FactSource
from services.ingest.merge.sources import SourceReading
from services.ingest.reading import ReadFact

_Key = tuple[str, str, str, str, int]


def facts_by_state(sources: Iterable[SourceReading]) -> dict[str, list[Fact]]:
    """What these sources (the weightiest first) tell of each State, by code. The same table in another language tells
    the same: it is read where no weightier one is held."""
    told: dict[str, list[Fact]] = {}
    weightiest: dict[str, SourceReading] = {}
    for source in sources:
        if source.reading.facts and weightiest.setdefault(source.document, source) is not source:
            continue
        for fact in source.reading.facts:
            told.setdefault(fact.state, []).append(_fact(fact, source))
    return {state: joined_facts(several) for state, several in told.items()}


def joined_facts(facts: Iterable[Fact]) -> list[Fact]:
    """Facts that say the same as one, with all their sources, in an order that does not depend on which came first."""
    several: dict[_Key, list[Fact]] = {}
    for fact in facts:
        several.setdefault(_key(fact), []).append(fact)
    return [_joined(several[key]) for key in sorted(several)]


def facts_without(facts: Sequence[Fact], documents: frozenset[str]) -> list[Fact]:
    """The facts without what rests on these documents."""
    kept = [(fact, [each for each in fact["sources"] if each["document"] not in documents]) for fact in facts]
    return joined_facts(_with_sources(fact, sources) for fact, sources in kept if sources)


def new_facts(before: Sequence[Fact], after: Sequence[Fact]) -> list[Fact]:
    """The facts that are told now and were not, or that a further document tells."""
    held = {(_key(fact), source["document"]) for fact in before for source in fact["sources"]}
    return [fact for fact in after if any((_key(fact), each["document"]) not in held for each in fact["sources"])]


def _fact(told: ReadFact, source: SourceReading) -> Fact:
    document = source.reading.document
    place = FactSource(
        document=source.document,
        name=document.title,
        address=document.address,
        printed=told.printed,
        detail=told.detail,
        details=dict(told.details),
        page=told.page,
        row=told.row,
    )
    return Fact(
        subject=told.subject,
        value=told.value,
        detail=told.detail,
        date=told.date,
        year=told.year,
        sources=[place],
    )


def _key(fact: Fact) -> _Key:
    return (
        fact["subject"],
        fact["date"] or str(fact["year"] or ""),
        fact["value"],
        fact["date"] or "",
        fact["year"] or 0,
    )


def _joined(facts: Sequence[Fact]) -> Fact:
    distinct = {repr(source): source for fact in facts for source in fact["sources"]}
    return _with_sources(facts[0], sorted(distinct.values(), key=_place))


def _with_sources(fact: Fact, sources: list[FactSource]) -> Fact:
    detail = next((each["detail"] for each in sources if each["detail"]), None)
    return Fact(
        subject=fact["subject"],
        value=fact["value"],
        detail=detail,
        date=fact["date"],
        year=fact["year"],
        sources=sources,
    )


def _place(source: FactSource) -> tuple[str, int, str]:
    return (source["document"], source["row"] or 0, repr(source))
