"""Whether a change concerns somebody: by words, type and filters, before it and after it."""

import random
from collections.abc import Sequence
from typing import Any

import pytest

from services.api import matching
from services.api.matching import ChangedRecord, Criterion, Interest
from services.core.domain.changes import Cause, Match
from services.core.domain.errors import InvalidQueryError
from services.core.query.filters import FilterSet
from services.core.query.parser import parse_query
from services.core.query.tree import Query
from services.core.schemas.events import draft_change, shapes_of
from services.core.schemas.examples import record_example
from services.core.schemas.names import Names
from services.core.schemas.shapes import content, shape_of
from services.core.schemas.texts import SEARCHED_NOUNS, SearchedTexts
from services.core.store.changes import ChangeDraft
from services.core.store.paragraphs import ParagraphRecord
from services.core.store.reference import reference_of
from services.core.store.seed import state_records
from services.core.store.tables import AGGREGATES
from tests.records import RecordMaker

REFERENCE = reference_of({record.id: record for record in state_records()}, {}, {})
NOTHING = FilterSet(None)


def words(q: str, noun: str | None = None) -> Criterion:
    return Criterion.of(noun, q, NOTHING, REFERENCE.vocabulary)


TORTURE = words("torture")


def change(noun: str, before: Any, after: Any, **more: Any) -> ChangeDraft:
    drafted = draft_change(noun, before, after, cause=Cause.PUBLICATION, effective_on=None, reference=REFERENCE, **more)
    assert drafted is not None
    return drafted


def changed(drafted: ChangeDraft, paragraphs: Sequence[ParagraphRecord] = ()) -> ChangedRecord:
    return ChangedRecord(vars(drafted), SearchedTexts(REFERENCE), lambda _: paragraphs)


def recommendation(text: str, **members: Any) -> dict[str, Any]:
    return {**record_example("recommendations"), "text": text, "translations": {}, "labels": [], **members}


@pytest.mark.parametrize(
    ("before", "after", "match"),
    [
        (None, "Prevent torture", Match.ENTERED),
        ("Prevent torture", None, Match.LEFT),
        ("Prevent torture", "Preventing tortures", Match.STAYED),
        ("Train the police", "Prevent torture", Match.ENTERED),
        ("Prevent torture", "Train the police", Match.LEFT),
        ("Train the police", "Train all police", None),
        (None, "Prevent tortrue", None),
    ],
)
def test_words_match_by_the_record_before_or_after(before: str | None, after: str | None, match: Match | None) -> None:
    sides = [None if text is None else recommendation(text) for text in (before, after)]
    assert Interest((TORTURE,)).match(changed(change("recommendations", *sides))) is match


def test_all_that_is_asked_for_is_asked_of_one_side() -> None:
    """A record that met the words before and the filter after met both at no time."""
    pending = Criterion(filters=FilterSet(None, {"position": ("pending",)}))
    before = recommendation("Prevent torture", position="supported")
    after = recommendation("Train the police", position="pending")
    told = changed(change("recommendations", before, after))
    assert [Interest((each,)).match(told) for each in (TORTURE, pending)] == [Match.LEFT, Match.ENTERED]
    assert Interest((TORTURE, pending)).match(told) is None


def test_words_are_those_of_the_search_and_of_what_is_searched() -> None:
    example = changed(change("recommendations", None, recommendation("Prevent torture")))
    state = {**record_example("states"), "names": {"en": "Torture"}, "name": "Torture"}
    assert Interest((TORTURE,)).match(changed(change("states", None, state))) is None
    assert Interest().match(changed(change("states", None, state))) is Match.ENTERED
    queries = ('"prevent torture"', "torture -prevent", "tortura OR tortures", "(", "-police", "XCM-4-22.1")
    found = [Interest((words(q),)).match(example) is not None for q in queries]
    assert found == [True, False, True, True, True, True]
    nouns = {noun: Interest((words("torture", noun),)).match(example) for noun in ("recommendations", "statements")}
    assert nouns == {"recommendations": Match.ENTERED, "statements": None}


def test_event_types_and_causes_choose_as_well() -> None:
    told = changed(change("recommendations", None, recommendation("Prevent torture")))
    assert Interest(event_types=frozenset({"recommendation.created"})).match(told) is Match.ENTERED
    assert Interest(event_types=frozenset({"recommendation.updated"})).match(told) is None
    assert Interest(causes=frozenset({"backfill"})).match(told) is None


def test_the_shapes_before_and_after_come_out_of_the_change() -> None:
    """For random records of every noun, and any two of them as before and after."""
    maker = RecordMaker(8)
    names = Names(REFERENCE)
    made = maker.records(dict.fromkeys(AGGREGATES, 6))
    for noun, records in made.items():
        shapes = [shape_of(noun, record, names) for record in records]
        for before, after in zip([None, *shapes, shapes[0]], [*shapes, None, shapes[1]], strict=False):
            drafted = change(noun, before, after, **({"reason": "why"} if after is None else {}))
            told = shapes_of(drafted.type, drafted.data, drafted.changed)
            assert [each and content(each) for each in told] == [each and content(each) for each in (before, after)]
    replaced = change("recommendations", recommendation("a", id="PER-2~0"), recommendation("a"), replaced="PER-2~0")
    before, after = shapes_of(replaced.type, replaced.data, replaced.changed)
    assert before is not None
    assert after is not None
    assert (before["id"], after["id"]) == ("PER-2~0", record_example("recommendations")["id"])


def test_the_same_interest_has_the_same_key() -> None:
    chance = random.Random(2)
    values = {"state_under_review": ("PER", "CHL"), "cycle": ("2",)}
    one = Interest(
        (Criterion.of(None, "torture", FilterSet(None, values), REFERENCE.vocabulary),), frozenset({"state.created"})
    )
    turned = dict(reversed([(name, tuple(chance.sample(each, len(each)))) for name, each in values.items()]))
    other = Interest(
        (Criterion.of(None, "torture", FilterSet(None, turned), REFERENCE.vocabulary),), frozenset({"state.created"})
    )
    assert (one.key, hash(one.key)) == (other.key, hash(other.key))
    assert one.key != Interest().key


def test_queries_are_understood_once_a_vocabulary(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []

    def parse(q: str, *given: Any, **options: Any) -> Query:
        parsed.append(q)
        return parse_query(q, *given, **options)

    monkeypatch.setattr(matching, "parse_query", parse)
    same = reference_of({record.id: record for record in state_records()}, {}, {})
    assert same.vocabulary == REFERENCE.vocabulary
    for reference in (REFERENCE, same, REFERENCE):
        assert Criterion.of(None, "to:Spain once", NOTHING, reference.vocabulary).conditions == [
            ("state_under_review", ("ESP",))
        ]
    assert parsed == ["to:Spain once"]
    without = reference_of({"PER": REFERENCE.states["PER"]}, {}, {})
    with pytest.raises(InvalidQueryError):
        Criterion.of(None, "to:Spain once", NOTHING, without.vocabulary)


def test_shapes_of_earlier_versions_break_nothing() -> None:
    """The feed keeps shapes for years: any member may be missing in one."""
    for noun in SEARCHED_NOUNS:
        whole = record_example(noun)
        without = [{key: whole[key] for key in whole if key != name} for name in whole if name != "id"]
        for shape in ({"id": whole["id"]}, *without):
            told = ChangedRecord(
                {"type": "x.created", "cause": "merge", "noun": noun, "subject": shape["id"], "data": shape}
                | {"changed": {}, "terms_before": (), "terms_after": ("id:x",)},
                SearchedTexts(REFERENCE),
                lambda _: (),
            )
            assert Interest((words("-nothinglikeit"),)).match(told) is Match.ENTERED
