"""The dataset version says which changes are in and which vocabularies they were read with."""

from dataclasses import replace
from datetime import UTC, datetime

from services.core.schemas.dataset import dataset
from services.core.schemas.models import Dataset
from services.core.store.labels import LabelRecord
from services.core.store.reference import Reference, reference_of
from services.core.store.seed import state_records

MOMENT = datetime(2026, 11, 21, 9, 0, 0, 123456, tzinfo=UTC)


def reference(**labels: LabelRecord) -> Reference:
    return reference_of({record.id: record for record in state_records()}, {}, labels)


def test_version_and_cursor() -> None:
    told = dataset(4711, MOMENT, reference())
    assert told == {
        "version": f"4711-{reference().vocabulary_hash}",
        "as_of": "2026-11-21T09:00:00.123456Z",
        "cursor": 4711,
    }
    Dataset.model_validate(told)


def test_the_hash_goes_by_groups_and_labels_and_not_by_their_order() -> None:
    plain = reference()
    turned = Reference(dict(reversed(plain.states.items())), {}, {}, plain.vocabulary)
    assert turned.vocabulary_hash == plain.vocabulary_hash
    moved = {**plain.states, "PER": replace(plain.states["PER"], region="weog")}
    assert reference_of(moved, {}, {}).vocabulary_hash != plain.vocabulary_hash
    label = LabelRecord(id="topic:new", scheme="topic", code="new", names={"en": "New"})
    assert reference(**{"topic:new": label}).vocabulary_hash != plain.vocabulary_hash
