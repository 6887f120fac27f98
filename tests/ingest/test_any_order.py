"""Whatever is loaded, read anew, replaced and withdrawn, in whatever order: the store says what the sources say."""

import hashlib
import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select, text

from services.core.schemas.names import Names
from services.core.schemas.shapes import shape_of
from services.core.store.changes import changes_after
from services.core.store.engine import make_engine
from services.core.store.former_ids import former_ids_table
from services.core.store.labels import LABELS
from services.core.store.paragraphs import paragraphs_table
from services.core.store.reference import reference_of
from services.core.store.states import PLACE_GROUPS, STATES
from services.core.store.tables import AGGREGATES
from services.ingest.load import Loader
from services.ingest.merge import merge_review
from services.ingest.withdraw import find, withdraw
from tests.effort import examples
from tests.ingest.world import SOURCES, Version
from tests.readings import source

pytestmark = pytest.mark.soak

NOUNS = sorted(AGGREGATES.keys() - {"states", "labels"})
NO_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)
"""A smaller example takes hundreds of loads to find."""

LONG_AGO = timedelta(days=36_500)

Step = tuple[str, int | None]
"""A source and the version of it that is loaded; None: it is withdrawn."""


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = make_engine(database_url, pool_size=2)
    yield engine
    engine.dispose()


def load(engine: Engine, folder: Path, version: Version) -> str:
    """Load it; the id of its document."""
    loader = Loader(engine, LONG_AGO)
    if version.file is None:
        return loader.load_share(version.reading).document
    (folder / version.file).write_text(version.file)
    digest = hashlib.sha256(version.file.encode()).hexdigest()
    return loader.load(folder / version.file, digest, version.reading).document


def told_by(engine: Engine) -> dict[str, Any]:
    """All records of all nouns but labels, by noun and id, without their histories; and all paragraphs."""
    with engine.connect() as connection:
        records = {noun: AGGREGATES[noun].where(connection) for noun in (*NOUNS, "states")}
        columns = [column for column in paragraphs_table.columns if column.name != "id"]
        paragraphs = connection.execute(select(*columns)).all()
    return {**records, "paragraphs": sorted(map(repr, paragraphs))}


def copy_of(engine: Engine) -> dict[tuple[str, str], Any]:
    """A copy of the store that somebody keeps who has read nothing but the feed."""
    copy: dict[tuple[str, str], Any] = {}
    with engine.connect() as connection:
        changes = changes_after(connection, 0, 1_000_000)
    assert [change.seq for change in changes] == list(range(1, len(changes) + 1))
    for change in changes:
        key = (change.noun, change.subject)
        verb = change.type.partition(".")[2]
        if change.noun == "states":  # they are there from the beginning
            copy[key] = change.data
            continue
        if verb == "deleted":
            del copy[key]
            continue
        if verb == "replaced":
            del copy[change.noun, change.changed["id"][0]]
        assert (key in copy) is (verb not in ("created", "replaced")), change
        copy[key] = change.data
    return copy


def shapes_in(engine: Engine) -> dict[tuple[str, str], Any]:
    """What the store answers, in public shapes."""
    with engine.connect() as connection:
        labels = {record.id: record for record in LABELS.where(connection)}
        states = {record.id: record for record in STATES.where(connection)}
        groups = {record.id: record for record in PLACE_GROUPS.where(connection)}
        names = Names(reference_of(states, groups, labels))
        return {
            (noun, record.id): orjson.loads(orjson.dumps(shape_of(noun, record, names)))
            for noun in (*NOUNS, "labels")
            for record in AGGREGATES[noun].where(connection)
        }  # type: ignore[attr-defined]


def without_names_of_labels(shape: Any) -> Any:
    """A label's names may become known later; that is a change of the label, and not of what carries it."""
    return {
        **shape, "labels": [{**label, "name": None} for label in shape["labels"]]
    } if isinstance(shape.get("labels"), list) else shape  # fmt: skip


def empty(engine: Engine) -> None:
    tables = "reviews, documents, hearings, statements, recommendations, pledges, organisations, labels, readings"
    with engine.begin() as connection:
        connection.execute(text(f"TRUNCATE {tables}, paragraphs, changes, former_ids CASCADE"))
        connection.execute(text("UPDATE change_head SET seq = 0"))
        connection.execute(text("UPDATE states SET facts = '[]' WHERE facts <> '[]'"))


def take(engine: Engine, folder: Path, steps: list[Step]) -> dict[str, set[int]]:
    """Take these steps; what is held in the end: the versions of each source."""
    held: dict[str, set[int]] = defaultdict(set)
    documents: dict[str, set[str]] = defaultdict(set)
    for name, version in steps:
        if version is None:
            for document in documents.pop(name, ()):
                list(withdraw(engine, find(engine, document)))
            held[name].clear()
        else:
            documents[name].add(load(engine, folder, SOURCES[name][version]))
            held[name].add(version)
    return held


@st.composite
def steps(draw: st.DrawFn) -> list[Step]:
    """Loads of some sources in some versions, some twice, and withdrawals, in any order."""
    names = draw(st.lists(st.sampled_from(sorted(SOURCES)), min_size=2, unique=True))
    loads: list[Step] = [(name, version) for name in names for version in range(len(SOURCES[name]))]
    more = draw(st.lists(st.sampled_from([*loads, *((name, None) for name in names)]), max_size=6))
    return draw(st.permutations([*loads, *more]))


@settings(max_examples=examples(6), deadline=None, suppress_health_check=list(HealthCheck), phases=NO_SHRINKING)
@given(taken=steps())
def test_the_store_says_what_its_sources_say(engine: Engine, tmp_path: Path, taken: list[Step]) -> None:
    empty(engine)
    held = take(engine, tmp_path, taken)
    found = told_by(engine)
    shapes, copy = shapes_in(engine), copy_of(engine)
    with_facts = {key: copy.pop(key) for key in list(copy) if key[0] == "states"}
    told = {record.id: record.facts for record in found["states"]}
    assert {code: shape["facts"] for (_, code), shape in with_facts.items() if shape["facts"]} == {
        code: facts for code, facts in told.items() if facts
    }
    assert copy.keys() == shapes.keys()
    for key, shape in shapes.items():
        assert without_names_of_labels(copy[key]) == without_names_of_labels(shape), key
    _check_former_ids(engine)
    empty(engine)
    take(engine, tmp_path, [(name, version) for name in sorted(held) for version in sorted(held[name])])
    directly = told_by(engine)
    for noun, records in directly.items():
        assert found[noun] == records, noun


def _check_former_ids(engine: Engine) -> None:
    """Every id that was ever told of is borne by a record, leads to one, or is known to be gone."""
    with engine.connect() as connection:
        changes = changes_after(connection, 0, 1_000_000)
        gone = {(row.noun, row.id) for row in connection.execute(select(former_ids_table))}
        live = {(noun, record.id): record for noun in NOUNS for record in AGGREGATES[noun].where(connection)}  # type: ignore[attr-defined]
    aliases = {(noun, alias) for (noun, _), record in live.items() for alias in getattr(record, "aliases", ())}
    told = {(change.noun, each) for change in changes for each in (change.subject, *change.changed.get("id", ()))}
    told = {(noun, each) for noun, each in told if noun in NOUNS}
    assert not gone & (live.keys() | aliases)
    assert told <= live.keys() | aliases | gone


VERSIONS = [(name, version) for name, versions in sorted(SOURCES.items()) for version in range(len(versions))]


def file_of(name: str, version: int) -> str:
    """What stands for the bytes of a version's file."""
    return SOURCES[name][version].file or f"{name} {version}"


@settings(max_examples=examples(60), deadline=None, suppress_health_check=list(HealthCheck))
@given(
    chosen=st.lists(st.sampled_from(VERSIONS), min_size=1, unique_by=lambda each: file_of(*each)), seed=st.integers()
)
def test_merging_knows_no_order(chosen: list[tuple[str, int]], seed: int) -> None:
    sources = [source(SOURCES[name][version].reading, file_of(name, version)) for name, version in chosen]
    shuffled = list(sources)
    random.Random(seed).shuffle(shuffled)
    assert merge_review("PER", 2, shuffled) == merge_review("PER", 2, sources)
