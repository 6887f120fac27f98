"""All recommendations at a glance: by cycle, year, topic, those who made them and those who got them.

Made once for each state of the data and each language, and kept until the data changes: it reads all of them.
"""

import threading
from collections import defaultdict
from collections.abc import Mapping

from pydantic import Field
from sqlalchemy import column, func, literal, select, true, union_all

from services.api.details.documents import ListHeld
from services.api.details.parts import Setting
from services.api.details.spread import (
    TOPIC,
    Answers,
    AnswersOf,
    AnswersOfState,
    AnswersOfYear,
    Asked,
    Makers,
    Topics,
    add,
    everything_held,
    makers_of,
    most_first,
    no_answers,
    over_time,
    regions_among,
    sum_of,
    told_states,
    topics_of,
)
from services.core.domain.identifiers import label_id
from services.core.schemas.models import Dataset, Public
from services.core.schemas.names import CodeName
from services.core.schemas.shapes import Shape
from services.core.store.metadata import plain_text
from services.core.store.recommendations import recommendations_table
from services.core.store.states import states_table
from services.core.store.tables import AGGREGATES

COUNTED = ("recommendations", "statements", "hearings", "documents", "pledges", "observations")
"""Nouns that are counted as a whole."""
_columns = recommendations_table.c


class HeldOfNoun(ListHeld):
    """How many records of a noun there are."""

    noun: str = Field(examples=["recommendations"])


class AnswersOfCycleHeld(Answers):
    """Of one cycle."""

    cycle: int
    url: str = Field(description="The list of them.")


class BetweenRegions(Answers):
    """What the States of one regional group recommended to those of another, or of their own."""

    recommending_region: CodeName
    region: CodeName
    url: str = Field(description="The list of them.")


class TopicsOfRegion(CodeName):
    """What the States of a regional group recommend."""

    topics: list[AnswersOf] = Field(description="Those with most first.")


class Overview(Public):
    """All recommendations at a glance. Each count is the total of a list."""

    records: list[HeldOfNoun] = Field(description="How many records of each noun there are.")
    answers: Answers = Field(description="All recommendations.")
    by_cycle: list[AnswersOfCycleHeld]
    by_year: list[AnswersOfYear]
    topics: Topics
    recommenders: Makers
    between_regions: list[BetweenRegions] = Field(
        description="Who recommends to whom. One made by States of several groups is counted under each of them."
    )
    topics_by_region: list[TopicsOfRegion] = Field(description="Who recommends what, by regional group.")
    received: list[AnswersOfState] = Field(description="By State, of all of which any recommendation is held.")
    dataset: Dataset


class OverviewShelf:
    """Keeps what was counted while the data stays as it is. Threads share it; one counts, the others wait for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of: tuple[int, str] | None = None
        self._held: dict[str, Shape] = {}

    def get(self, seq: int, setting: Setting) -> Shape:
        """The members of `Overview` but `dataset`, of the data whose newest change is `seq`."""
        of, language = (seq, setting.names.reference.names_hash), setting.names.language
        with self._lock:
            if self._of != of:
                self._of, self._held = of, {}
            if language not in self._held:
                self._held[language] = overview(setting)
            return self._held[language]


def overview(setting: Setting) -> Shape:
    """Count everything. Eight queries, however much there is."""
    asked = Asked(setting, [])
    by_cycle, by_year = over_time(asked)
    return {
        "records": _records(setting),
        "answers": sum_of(by_cycle.values()),
        "by_cycle": [
            {"cycle": cycle, **answers, "url": asked.url(("cycle", str(cycle)))} for cycle, answers in by_cycle.items()
        ],
        "by_year": by_year,
        "topics": topics_of(asked),
        "recommenders": makers_of(asked),
        "between_regions": _between_regions(asked),
        "topics_by_region": _topics_by_region(asked),
        "received": told_states(asked, everything_held(setting.connection)),
    }


def _records(setting: Setting) -> list[Shape]:
    counts = [
        select(literal(noun).label("noun"), func.count().label("records")).select_from(AGGREGATES[noun].table)
        for noun in COUNTED
    ]
    held = {row.noun: row.records for row in setting.connection.execute(union_all(*counts))}
    return [{"noun": noun, "count": held[noun], "url": setting.address(noun)} for noun in COUNTED]


def _between_regions(asked: Asked) -> list[Shape]:
    names = asked.setting.names
    grouped = (states_table.c.region, _columns.recommending_states, _columns.position)
    joined = recommendations_table.join(states_table, states_table.c.id == _columns.state_under_review)
    query = select(*grouped, func.count()).select_from(joined).where(states_table.c.region.is_not(None))
    answers: dict[tuple[str, str], Shape] = defaultdict(no_answers)
    regions_of = regions_among(names)
    for region, makers, position, count in asked.rows(query.group_by(*grouped)):
        for maker in regions_of(makers):
            add(answers[maker, region], position, count)
    return [
        {
            "recommending_region": names.group(maker),
            "region": names.group(region),
            **answers[maker, region],
            "url": asked.url(("recommending_region", maker), ("region", region)),
        }
        for maker, region in sorted(answers)
    ]


def _topics_by_region(asked: Asked) -> list[Shape]:
    names = asked.setting.names
    label = func.unnest(_columns.label_ids).table_valued(column("id", plain_text()), name="label").render_derived()
    prefix = label_id(TOPIC, "")
    grouped = (func.substr(label.c.id, len(prefix) + 1), _columns.recommending_states, _columns.position)
    query = select(*grouped, func.count()).select_from(recommendations_table.join(label, true()))
    query = query.where(label.c.id.startswith(prefix, autoescape=True)).group_by(*grouped)
    answers: dict[str, dict[str, Shape]] = defaultdict(lambda: defaultdict(no_answers))
    regions_of = regions_among(names)
    for code, makers, position, count in asked.rows(query):
        for maker in regions_of(makers):
            add(answers[maker][code], position, count)
    return [{**names.group(region), "topics": _topics(asked, region, answers[region])} for region in sorted(answers)]


def _topics(asked: Asked, region: str, answers: Mapping[str, Shape]) -> list[Shape]:
    names = asked.setting.names
    return [
        {
            "code": code,
            "name": names.of_filter_value(TOPIC, code),
            **answers[code],
            "url": asked.url(("recommending_region", region), (TOPIC, code)),
        }
        for code in sorted(answers, key=lambda code: most_first(code, answers[code]))
    ]
