"""How recommendations are spread: over topics and cycles, over years, over those who made them and those who got them.

Each count is the total of a list: of that at the row's `url`, narrowed down by what the column says (`cycle=2`,
`position=noted`). What carries no topic is counted beside, and a State of which nothing was read has no row.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from pydantic import Field
from sqlalchemy import ColumnElement, Connection, Integer, Select, cast, column, func, select, true

from services.api.details.parts import Setting
from services.core.domain.identifiers import label_id
from services.core.domain.positions import Position
from services.core.query.filters import parse_filters
from services.core.schemas.models import Public
from services.core.schemas.names import CodeName, Names
from services.core.schemas.shapes import Shape
from services.core.store.filtering import conditions
from services.core.store.metadata import plain_text
from services.core.store.recommendations import recommendations_table

NOUN = "recommendations"
TOPIC = "topic"
MOST_STATES = 20
"""Recommending States that are named one by one, those with most first."""

Filters = Sequence[tuple[str, str]]
Conditions = Sequence[ColumnElement[bool]]
_columns = recommendations_table.c


class Answers(Public):
    """How many recommendations there are, and how many of them have each answer."""

    total: int = Field(examples=[129])
    supported: int = Field(examples=[120])
    noted: int = Field(examples=[9])
    pending: int = Field(examples=[0])


class AnswersOfCycle(Answers):
    """Of one cycle. Cycles without any are left out."""

    cycle: int


class AnswersOfYear(Answers):
    """Of the reviews of one year."""

    year: int
    url: str = Field(description="The list of them.")


class AnswersOf(Answers):
    """Of one State, regional group or bloc."""

    code: str
    name: str
    url: str = Field(description="The list of them.")


class AnswersOnTopic(AnswersOf):
    """On one topic, and cycle by cycle. A recommendation on several topics is counted under each."""

    by_cycle: list[AnswersOfCycle]


class Topics(Public):
    """Recommendations by topic and cycle."""

    data: list[AnswersOnTopic] = Field(description="Those with most first; topics without any are left out.")
    unlabelled: int = Field(description="How many carry no topic.")


class Makers(Public):
    """Who made the recommendations. One made by several together is counted once under each of them.

    Under a group are counted those that any of its members made, each once.
    """

    regions: list[AnswersOf] = Field(description="Regional groups, those with most first.")
    blocs: list[AnswersOf] = Field(description="Groups of States, those with most first. A State can be in several.")
    states: list[AnswersOf] = Field(description="The States with most.")
    states_total: int = Field(description="How many States there are among those who made them.")


class AnswersOfState(AnswersOf):
    """Of a State that has been told some recommendations, on whatever topic."""

    region: CodeName | None = Field(description="UN regional group.")
    all: int = Field(description="All recommendations to it that are held.")


@dataclass(frozen=True)
class Asked:
    """Some recommendations, by filters, and how their answers are named."""

    setting: Setting
    filters: Filters

    @property
    def where(self) -> Conditions:
        """The filters as SQL."""
        vocabulary = self.setting.names.reference.vocabulary
        return conditions(parse_filters(NOUN, list(self.filters), vocabulary))

    def url(self, *more: tuple[str, str]) -> str:
        """The list of these and, with `more`, of fewer."""
        narrowed = urlencode([*self.filters, *more])
        return self.setting.address(f"{NOUN}?{narrowed}" if narrowed else NOUN)

    def rows(self, query: Select[Any]) -> Sequence[Any]:
        """The rows of a query of them."""
        return self.setting.connection.execute(query.where(*self.where)).all()


def answers_by(rows: Iterable[tuple[Any, str, int]]) -> dict[Any, Shape]:
    """Answers by key, of rows with a key, a position and a count."""
    found: dict[Any, Shape] = {}
    for key, position, count in rows:
        add(found.setdefault(key, no_answers()), position, count)
    return found


def no_answers() -> Shape:
    """The members of `Answers`, all zero."""
    return {"total": 0, **{str(position): 0 for position in Position}}


def add(answers: Shape, position: str, count: int) -> None:
    """Count some more."""
    answers["total"] += count
    answers[position] += count


def most_first(code: Any, answers: Mapping[str, Any]) -> tuple[int, Any]:
    """The order of rows: those with most first, then by their code."""
    return (-int(answers["total"]), code)


# Topics and cycles


def topics_of(asked: Asked) -> Shape:
    """The members of `Topics`. Two queries."""
    names = asked.setting.names
    by_topic: dict[str, dict[int, Shape]] = defaultdict(dict)
    for code, cycle, position, count in asked.rows(_topic_cycles()):
        add(by_topic[code].setdefault(cycle, no_answers()), position, count)
    rows = [
        {
            "code": code,
            "name": names.of_filter_value(TOPIC, code),
            **sum_of(cycles.values()),
            "by_cycle": [{"cycle": cycle, **cycles[cycle]} for cycle in sorted(cycles)],
            "url": asked.url((TOPIC, code)),
        }
        for code, cycles in by_topic.items()
    ]
    return {"data": sorted(rows, key=lambda row: most_first(row["code"], row)), "unlabelled": _without_topic(asked)}


def _topic_cycles() -> Select[Any]:
    """Topics have no other generations (`label_families`): a label is found by itself alone."""
    label = func.unnest(_columns.label_ids).table_valued(column("id", plain_text()), name="label").render_derived()
    prefix = label_id(TOPIC, "")
    code = func.substr(label.c.id, len(prefix) + 1)
    grouped = (code, _columns.cycle, _columns.position)
    of_topics = label.c.id.startswith(prefix, autoescape=True)
    query = select(*grouped, func.count()).select_from(recommendations_table.join(label, true()))
    return query.where(of_topics).group_by(*grouped)


def _without_topic(asked: Asked) -> int:
    label = func.unnest(_columns.label_ids).table_valued(column("id", plain_text()), name="label").render_derived()
    of_topics = select(label.c.id).where(label.c.id.startswith(label_id(TOPIC, ""), autoescape=True))
    without = ~of_topics.correlate(recommendations_table).exists()
    count = select(func.count()).select_from(recommendations_table).where(*asked.where, without)
    return asked.setting.connection.scalar(count) or 0


def sum_of(several: Iterable[Shape]) -> Shape:
    """Answers of several together."""
    together = no_answers()
    for each in several:
        for name in together:
            together[name] += each[name]
    return together


# Cycles and years


def over_time(asked: Asked) -> tuple[dict[int, Shape], list[Shape]]:
    """Answers by cycle, and by year in order. One query."""
    year = cast(func.extract("year", _columns.date), Integer)
    by_cycle: dict[int, Shape] = {}
    by_year: dict[int, Shape] = {}
    grouped = (_columns.cycle, year, _columns.position)
    for cycle, of_year, position, count in asked.rows(select(*grouped, func.count()).group_by(*grouped)):
        add(by_cycle.setdefault(cycle, no_answers()), position, count)
        if of_year is not None:
            add(by_year.setdefault(of_year, no_answers()), position, count)
    years = [
        {"year": of, **by_year[of], "url": asked.url(("date_from", f"{of}-01-01"), ("date_to", f"{of}-12-31"))}
        for of in sorted(by_year)
    ]
    return dict(sorted(by_cycle.items())), years


# Who made them


def makers_of(asked: Asked) -> Shape:
    """The members of `Makers`. One query."""
    grouped = (_columns.recommending_states, _columns.position)
    rows = asked.rows(select(*grouped, func.count()).group_by(*grouped))
    names = asked.setting.names
    blocs = {code: state.blocs for code, state in names.reference.states.items()}

    def blocs_of(codes: Iterable[str]) -> Collection[str]:
        return {bloc for code in codes for bloc in blocs.get(code, ())}

    def counted(groups: Callable[[Iterable[str]], Collection[str]], name: str) -> list[Shape]:
        answers = answers_by((code, position, count) for codes, position, count in rows for code in groups(codes))
        return [
            {"code": code, "name": names.of_filter_value(name, code), **answers[code], "url": asked.url((name, code))}
            for code in sorted(answers, key=lambda code: most_first(code, answers[code]))
        ]

    states = counted(frozenset, "recommending_state")
    return {
        "regions": counted(regions_among(names), "recommending_region"),
        "blocs": counted(blocs_of, "recommending_bloc"),
        "states": states[:MOST_STATES],
        "states_total": len(states),
    }


def regions_among(names: Names) -> Callable[[Iterable[str]], Collection[str]]:
    """Of the States that made a recommendation together, their regional groups, each once."""
    known = {code: state.region for code, state in names.reference.states.items() if state.region}
    return lambda makers: {known[code] for code in makers if code in known}


# Who got them


@dataclass(frozen=True)
class Held:
    """How many recommendations are held at all, by State and by cycle: what a part of them is a share of."""

    by_state: Mapping[str, int]
    by_cycle: Mapping[int, int]


def everything_held(connection: Connection) -> Held:
    """All recommendations. One query."""
    by_state: dict[str, int] = defaultdict(int)
    by_cycle: dict[int, int] = defaultdict(int)
    grouped = (_columns.state_under_review, _columns.cycle)
    for state, cycle, count in connection.execute(select(*grouped, func.count()).group_by(*grouped)):
        by_state[state] += count
        by_cycle[cycle] += count
    return Held(by_state, by_cycle)


def told_states(asked: Asked, held: Held) -> list[Shape]:
    """The members of `AnswersOfState` of all States of which any recommendation is held, by their codes. One query."""
    names = asked.setting.names
    grouped = (_columns.state_under_review, _columns.position)
    answers = answers_by(asked.rows(select(*grouped, func.count()).group_by(*grouped)))
    return [
        {
            **names.state(code),
            "region": names.group(region) if (region := _region(names, code)) else None,
            **answers.get(code, no_answers()),
            "all": held.by_state[code],
            "url": asked.url(("state_under_review", code)),
        }
        for code in sorted(held.by_state)
    ]


def _region(names: Names, code: str) -> str | None:
    state = names.reference.states.get(code)
    return state.region if state else None
