"""The indexer with a real store and the embedded engine: whatever happens to either, they end up the same."""

import hashlib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete, select, text, update

from services.core.domain.changes import Cause
from services.core.query.parser import parse_query
from services.core.schemas.events import draft_change
from services.core.schemas.names import Names
from services.core.schemas.shapes import shape_of
from services.core.schemas.texts import SEARCHED_NOUNS
from services.core.store.changes import append_changes, change_head_table, changes_table, head
from services.core.store.labels import LABELS
from services.core.store.recommendations import RECOMMENDATIONS, recommendations_table
from services.core.store.reference import read_reference
from services.core.store.states import states_table
from services.ingest.load import Loader
from services.ingest.reading import ReadCitation, ReadDocument, Reading, ReadLabel, ReadParagraph
from services.search import indexer as module
from services.search.dependencies import Desk, following, open_desk
from services.search.documents import Projection, all_documents
from services.search.engines.base import DocumentKey, IndexDocument, SearchRequest
from services.search.engines.meilisearch import MeilisearchEngine
from services.search.indexer import Indexer, Reconciled
from services.search.settings import SearchSettings
from tests.readings import TEXTS, matrix, recommendation, report
from tests.search.conftest import LONG_AGO, eventually, forget, load, on_meilisearch

REPORT = report([recommendation("116.1", TEXTS[0]), recommendation("116.2", TEXTS[1])])
MATRIX = matrix(
    [
        recommendation("116.1", TEXTS[0], position="supported", position_symbol="A/HRC/22/15/Add.1"),
        recommendation("116.2", TEXTS[1], position="noted", position_symbol="A/HRC/22/15/Add.1"),
    ],
    labels=[ReadLabel("116.1", "sdg", "PEACE, JUSTICE AND STRONG INSTITUTIONS", code="16")],
)


@pytest.fixture(params=["embedded", "meilisearch"])
def settings(request: pytest.FixtureRequest, tmp_path: Path, database_url: str) -> Iterator[SearchSettings]:
    """Every engine at hand, with an index of its own."""
    settings = SearchSettings(data_dir=tmp_path / "data", database_url=database_url, search_poll_seconds=0.1)
    if request.param == "meilisearch":
        settings = on_meilisearch(settings)
    yield settings
    forget(settings)


def found(desk: Desk, q: str = "", type_: str = "recommendations") -> list[str]:
    result = desk.engine.search(SearchRequest(parse_query(q), type=type_, per_page=200))
    return sorted(hit.id for hit in result.hits)


def catch_up(desk: Desk) -> int:
    """Step until there is nothing to do; the number of steps that worked."""
    steps = 0
    while desk.indexer.step():
        steps += 1
    return steps


def assert_same(desk: Desk, store: Engine) -> None:
    """The index holds exactly the store's documents, as they would be made now, and stands at the newest change."""
    with store.connect() as connection:
        wanted = {each.key: each for each in all_documents(connection, Projection(read_reference(store)))}
        assert desk.engine.cursor() == head(connection)
    held = {(noun, id_): mark for noun in SEARCHED_NOUNS for id_, mark in desk.engine.ids(noun).items()}
    assert held == {key: each.revision for key, each in wanted.items()}
    for each in wanted.values():
        for passage in each.passages:
            assert each.id in found(desk, f'"{passage.texts["text"]}"', each.type)
    requests = (SearchRequest(parse_query(""), per_page=200, page=page) for page in range(1, len(wanted) // 200 + 2))
    hits = [hit for request in requests for hit in desk.engine.search(request).hits]
    assert len(hits) == len(wanted)
    assert all(hit.record == wanted[hit.type, hit.id].record for hit in hits)  # type: ignore[index]


@contextmanager
def nobody_rebuilds(monkeypatch: pytest.MonkeyPatch, desk: Desk) -> Iterator[None]:
    def refuse(*_: object) -> int:
        raise AssertionError("rebuilt")

    with monkeypatch.context() as patch:
        patch.setattr(desk.engine, "rebuild", refuse)
        yield


def many(store: Engine, count: int, first: int = 1) -> None:
    """Records and their changes without a document: `count` recommendations like PER-2-116.1."""
    with store.begin() as connection:
        like = RECOMMENDATIONS.read(connection, ["PER-2-116.1"])["PER-2-116.1"]
        reference = read_reference(store)
        made = [
            replace(like, id=f"PER-2-117.{at}", number=f"117.{at}", sort_key=f"PER-2-117.{at:09}", text=f"Do {at}")
            for at in range(first, first + count)
        ]
        RECOMMENDATIONS.insert(connection, made)
        drafts = [
            draft_change(
                "recommendations",
                None,
                shape_of("recommendations", record, Names(reference)),
                cause=Cause.BACKFILL,
                effective_on=None,
                reference=reference,
            )
            for record in made
        ]
        append_changes(connection, [draft for draft in drafts if draft])


def wrong(outcome: Reconciled) -> tuple[int, int, int]:
    """How many are missing, out of date, too many."""
    return len(outcome.missing), len(outcome.stale), len(outcome.surplus)


def test_it_builds_where_there_is_no_index(desk: Desk, store: Engine, tmp_path: Path) -> None:
    load(store, tmp_path, REPORT, "report.pdf")
    assert desk.engine.cursor() is None
    assert desk.indexer.step()
    assert found(desk) == ["PER-2-116.1", "PER-2-116.2"]
    assert_same(desk, store)
    assert not desk.indexer.step()


def test_it_builds_on_an_empty_store(desk: Desk, store: Engine) -> None:
    assert catch_up(desk) == 1
    assert desk.engine.cursor() == 0
    assert_same(desk, store)


def test_it_follows_creates_updates_and_deletes(
    desk: Desk, store: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catch_up(desk)
    with nobody_rebuilds(monkeypatch, desk):
        load(store, tmp_path, REPORT, "report.pdf")
        assert catch_up(desk) == 1
        assert_same(desk, store)
        load(store, tmp_path, MATRIX, "matrix.docx")
        catch_up(desk)
        assert_same(desk, store)
        moved = SearchRequest(parse_query(""), filters={"position": ("noted",)})
        assert [hit.id for hit in desk.engine.search(moved).hits] == ["PER-2-116.2"]
        load(store, tmp_path, report([recommendation("116.2", TEXTS[2])], version="2"), "report.pdf")
        catch_up(desk)
        assert found(desk, "death penalty") == ["PER-2-116.2"]
        assert_same(desk, store)


def test_a_replaced_id_leaves_nothing_behind(desk: Desk, store: Engine, tmp_path: Path) -> None:
    load(store, tmp_path, matrix([recommendation(None, TEXTS[0])]), "matrix.docx")
    catch_up(desk)
    (provisional,) = found(desk)
    assert provisional.startswith("PER-2~")
    load(store, tmp_path, REPORT, "report.pdf")
    assert catch_up(desk) == 1
    assert found(desk) == ["PER-2-116.1", "PER-2-116.2"]
    assert found(desk, provisional) == ["PER-2-116.1"], "it is found by the id that it bore before"
    assert_same(desk, store)


def call(store: Engine, *external_ids: str) -> None:
    """Give PER-2-116.1 other external ids, as a source would."""
    with store.begin() as connection:
        before = RECOMMENDATIONS.read(connection, ["PER-2-116.1"])["PER-2-116.1"]
        after = replace(before, external_ids=external_ids, revision=before.revision + 1)
        columns = recommendations_table.c
        connection.execute(
            update(recommendations_table)
            .where(columns.id == after.id)
            .values(external_ids=list(external_ids), revision=after.revision)
        )
        reference = read_reference(store)
        was, is_now = (shape_of("recommendations", record, Names(reference)) for record in (before, after))
        draft = draft_change(
            "recommendations", was, is_now, cause=Cause.BACKFILL, effective_on=None, reference=reference
        )
        append_changes(connection, [draft] if draft else [])


TOO_LONG = "x" * 500


def test_a_document_that_the_engine_refuses_is_left_out_and_the_others_are_found(
    desk: Desk, store: Engine, tmp_path: Path
) -> None:
    load(store, tmp_path, REPORT, "report.pdf")
    call(store, TOO_LONG)
    assert catch_up(desk) == 1
    assert found(desk) == ["PER-2-116.2"]
    assert desk.indexer.lag().changes == 0
    call(store, "short")
    assert catch_up(desk) == 1
    assert_same(desk, store)
    call(store, TOO_LONG, "short")
    assert catch_up(desk) == 1
    assert found(desk) == ["PER-2-116.2"], "what it was before is not what it is"
    assert desk.indexer.lag().changes == 0


def test_reconciling_names_what_the_engine_refuses(desk: Desk, store: Engine, tmp_path: Path) -> None:
    load(store, tmp_path, REPORT, "report.pdf")
    catch_up(desk)
    call(store, TOO_LONG)
    catch_up(desk)
    another = Indexer(store, desk.engine, "another process")
    told = another.reconcile()
    key = DocumentKey("recommendations", "PER-2-116.1")
    assert (told.missing, told.repaired) == ((key,), 0)
    assert dict(told.refused) == {key: "a value of external_id has over 468 bytes"}
    assert wrong(another.reconcile()) == (0, 0, 0), "it is not tried again and again"


@pytest.mark.parametrize("building", [True, False])
def test_meilisearch_refuses_a_whole_batch_for_one_document(
    desk: Desk, store: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, building: bool
) -> None:
    if not isinstance(desk.engine, MeilisearchEngine):
        pytest.skip("of Meilisearch alone")
    load(store, tmp_path, REPORT, "report.pdf")
    if not building:
        catch_up(desk)
    many(store, 40)
    make = MeilisearchEngine._document

    def poisoned(self: MeilisearchEngine, document: IndexDocument) -> dict[str, object]:
        made = make(self, document)
        return made | {"key": "no key!"} if document.id in {"PER-2-117.7", "PER-2-117.30"} else made

    monkeypatch.setattr(MeilisearchEngine, "_document", poisoned)
    assert catch_up(desk) == 1
    numbers = [f"PER-2-117.{at}" for at in range(1, 41) if at not in {7, 30}]
    assert found(desk) == sorted(["PER-2-116.1", "PER-2-116.2", *numbers])
    assert desk.indexer.lag().changes == 0


def national_report(*texts: str, version: str = "1") -> Reading:
    return Reading(
        parser="plain_document",
        parser_version=version,
        document=ReadDocument("national_report", "A/HRC/WG.6/28/PER/1", state_under_review="PER", cycle=3, session=28),
        paragraphs=tuple(
            ReadParagraph(str(at), each, page=2, recommendations=(ReadCitation("116.1"), ReadCitation("116.2")))
            for at, each in enumerate(texts, start=1)
        ),
    )


def test_paragraphs_follow_their_document(
    desk: Desk, store: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(store, tmp_path, national_report("A moratorium stands.", "Prisons were closed."), "national.pdf")
    catch_up(desk)
    assert found(desk, "peru moratorium", "documents") == ["A-HRC-WG.6-28-PER-1"]
    assert found(desk, "116.2", "documents") == ["A-HRC-WG.6-28-PER-1"], "numbers are found as they are printed"
    assert_same(desk, store)
    with nobody_rebuilds(monkeypatch, desk):
        load(store, tmp_path, REPORT, "report.pdf")  # sets links, which changes no document
        catch_up(desk)
        assert_same(desk, store)
        load(store, tmp_path, national_report("Prisons were opened.", version="2"), "national.pdf")
        assert catch_up(desk) == 1
        assert found(desk, "moratorium", "documents") == found(desk, '"were closed"', "documents") == []
        assert found(desk, '"were opened"', "documents") == ["A-HRC-WG.6-28-PER-1"]
        assert_same(desk, store)
        sha256 = hashlib.sha256(b"national.pdf").hexdigest()
        Loader(store, LONG_AGO).withdraw("PER-3", [sha256])
        catch_up(desk)
        assert found(desk, "prison", "documents") == []
        assert_same(desk, store)


def test_reconcile_repairs_documents_whose_paragraphs_are_not_all_there(
    desk: Desk, store: Engine, tmp_path: Path
) -> None:
    load(store, tmp_path, REPORT, "report.pdf")
    load(store, tmp_path, national_report("A moratorium stands.", "Prisons were closed."), "national.pdf")
    catch_up(desk)
    assert desk.indexer.reconcile().repaired == 0
    with store.begin() as connection:  # behind the feed's back
        connection.execute(text("DELETE FROM paragraphs WHERE number = '1'"))
    outcome = desk.indexer.reconcile()
    assert wrong(outcome) == (0, 1, 0)
    assert found(desk, "moratorium", "documents") == []
    assert_same(desk, store)


def test_a_renamed_label_is_seen_on_every_record_that_bears_it(desk: Desk, store: Engine, tmp_path: Path) -> None:
    load(store, tmp_path, REPORT, "report.pdf")
    load(store, tmp_path, MATRIX, "matrix.docx")
    catch_up(desk)
    assert found(desk, '"solid institutions"') == []
    with store.begin() as connection:
        old = LABELS.read(connection, ["sdg:16"])["sdg:16"]
        new = replace(old, names={**old.names, "en": "Peace and solid institutions"})
        LABELS.update(connection, [new])
        names = Names(read_reference(store))
        draft = draft_change(
            "labels",
            shape_of("labels", old, names),
            shape_of("labels", new, names),
            cause=Cause.CORRECTION,
            effective_on=None,
            reference=names.reference,
        )
        assert draft is not None
        append_changes(connection, [draft])
    assert catch_up(desk) == 1
    assert found(desk, '"solid institutions"') == ["PER-2-116.1"]
    assert_same(desk, store)


def test_it_catches_up_after_being_down(
    desk: Desk, store: Engine, settings: SearchSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(store, tmp_path, REPORT, "report.pdf")
    catch_up(desk)
    load(store, tmp_path, MATRIX, "matrix.docx")
    with open_desk(settings, settings.database_url or "") as restarted, nobody_rebuilds(monkeypatch, restarted):
        assert restarted.indexer.lag().changes > 0
        assert restarted.indexer.lag().seconds > 0
        assert catch_up(restarted) == 1
        assert restarted.indexer.lag().changes == restarted.indexer.lag().seconds == 0
        assert_same(restarted, store)


def test_a_lost_index_folder_is_built_again_while_running(
    desk: Desk, store: Engine, settings: SearchSettings, tmp_path: Path
) -> None:
    load(store, tmp_path, REPORT, "report.pdf")
    with following(desk, settings.database_url or ""):
        eventually(desk.engine.cursor)
        forget(settings)
        eventually(desk.engine.cursor)
        assert_same(desk, store)
        load(store, tmp_path, MATRIX, "matrix.docx")
        eventually(lambda: desk.indexer.lag().changes == 0)
    assert_same(desk, store)


def restored_to(store: Engine, seq: int) -> None:
    """What a restored backup looks like: the later changes and what they did never were."""
    with store.begin() as connection:
        later = list(connection.scalars(select(changes_table.c.subject).where(changes_table.c.seq > seq)))
        connection.execute(delete(recommendations_table).where(recommendations_table.c.id.in_(later)))
        connection.execute(delete(changes_table).where(changes_table.c.seq > seq))
        connection.execute(update(change_head_table).values(seq=seq))


def test_a_database_restored_to_an_earlier_state(desk: Desk, store: Engine, tmp_path: Path) -> None:
    load(store, tmp_path, REPORT, "report.pdf")
    many(store, 3)
    catch_up(desk)
    restored_to(store, 5)
    catch_up(desk)
    assert_same(desk, store)


@pytest.mark.parametrize("extra", [0, 2])
def test_a_restored_database_that_was_written_to_since(desk: Desk, store: Engine, tmp_path: Path, extra: int) -> None:
    """Its newest number is as high as before, or higher, and means other changes."""
    load(store, tmp_path, REPORT, "report.pdf")
    many(store, 3)
    catch_up(desk)
    restored_to(store, 5)
    many(store, 3 + extra, first=100)
    catch_up(desk)
    assert_same(desk, store)


@pytest.mark.parametrize("extra", [0, 2])
def test_a_restored_database_is_noticed_after_a_restart_too(
    desk: Desk, store: Engine, settings: SearchSettings, tmp_path: Path, extra: int
) -> None:
    load(store, tmp_path, REPORT, "report.pdf")
    many(store, 3)
    catch_up(desk)
    restored_to(store, 5)
    many(store, 3 + extra, first=2)  # two of the ids are the same, at the same revision
    with open_desk(settings, settings.database_url or "") as restarted:
        catch_up(restarted)
        assert_same(restarted, store)


def test_the_store_knows_how_far_the_index_has_read(desk: Desk, store: Engine, tmp_path: Path) -> None:
    load(store, tmp_path, report([recommendation("116.1", TEXTS[0])]), "draft.docx")
    while desk.indexer.step():
        pass
    load(store, tmp_path, report([recommendation("116.1", TEXTS[0]), recommendation("116.2", TEXTS[1])]), "report.docx")
    desk.indexer.step()
    with store.connect() as connection:
        assert connection.scalars(text("SELECT seq FROM feed_readers")).all() == [head(connection)]


def test_changes_that_are_no_longer_kept_lead_to_a_rebuild(desk: Desk, store: Engine, tmp_path: Path) -> None:
    catch_up(desk)
    load(store, tmp_path, REPORT, "report.pdf")
    with store.begin() as connection:
        connection.execute(delete(changes_table).where(changes_table.c.seq < 4))
    catch_up(desk)
    assert_same(desk, store)


def test_new_facts_about_states_reach_all_records(desk: Desk, store: Engine, tmp_path: Path) -> None:
    """They come with a version of OpenUPR and make no change; the next one that follows anything sees them."""
    load(store, tmp_path, REPORT, "report.pdf")
    catch_up(desk)
    with store.begin() as connection:
        moved = update(states_table).where(states_table.c.id == "PER").values(region="weog")
        connection.execute(moved)
    load(store, tmp_path, MATRIX, "matrix.docx")
    catch_up(desk)
    assert_same(desk, store)
    assert desk.engine.search(SearchRequest(parse_query(""), filters={"region": ("weog",)})).total == 5


def test_two_processes_with_an_index_of_their_own(
    desk: Desk, store: Engine, settings: SearchSettings, tmp_path: Path
) -> None:
    other_settings = settings.model_copy(
        update={"data_dir": tmp_path / "other", "meili_index": f"{settings.meili_index}o"}
    )
    load(store, tmp_path, REPORT, "report.pdf")
    with open_desk(other_settings, settings.database_url or "") as other:
        catch_up(desk)
        catch_up(other)
        load(store, tmp_path, MATRIX, "matrix.docx")
        catch_up(other)
        assert_same(other, store)
        catch_up(desk)
        assert_same(desk, store)


def test_two_followers_of_one_index_take_turns(
    desk: Desk, store: Engine, settings: SearchSettings, tmp_path: Path
) -> None:
    with open_desk(settings, settings.database_url or "") as other:
        catch_up(desk)
        load(store, tmp_path, REPORT, "report.pdf")
        with desk.indexer._own_turn():
            assert not other.indexer.step(), "somebody else writes this index"
        catch_up(other)
        assert_same(desk, store)


def test_changes_during_a_rebuild_by_another_process_are_not_lost(
    desk: Desk, store: Engine, settings: SearchSettings, tmp_path: Path
) -> None:
    load(store, tmp_path, REPORT, "report.pdf")
    catch_up(desk)
    program = (
        "import sys\n"
        "from services.search.dependencies import open_desk\n"
        "from services.search.settings import SearchSettings\n"
        "settings = SearchSettings.model_validate_json(sys.argv[1])\n"
        "with open_desk(settings, settings.database_url) as desk:\n"
        "    for _ in range(3): desk.indexer.rebuild()\n"
    )
    arguments = [sys.executable, "-c", program, settings.model_dump_json()]
    with following(desk, settings.database_url or ""), subprocess.Popen(arguments) as rebuilding:
        at = 1
        while rebuilding.poll() is None:
            many(store, 2, first=at)
            at += 2
            time.sleep(0.05)
        assert rebuilding.returncode == 0
        eventually(lambda: desk.indexer.lag().changes == 0)
        assert_same(desk, store)


def test_searches_go_on_during_a_rebuild(desk: Desk, store: Engine, tmp_path: Path) -> None:
    load(store, tmp_path, REPORT, "report.pdf")
    many(store, 3000)
    catch_up(desk)
    rebuilding = threading.Thread(target=desk.indexer.rebuild)
    rebuilding.start()
    searches = 0
    while rebuilding.is_alive():
        assert found(desk, "PER-2-116.1") == ["PER-2-116.1"]
        searches += 1
    rebuilding.join()
    assert searches > 10


def test_a_long_backlog_is_built_and_a_short_one_followed(
    desk: Desk, store: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FEW", 5)
    load(store, tmp_path, REPORT, "report.pdf")
    many(store, 30)
    catch_up(desk)
    with nobody_rebuilds(monkeypatch, desk):
        many(store, 15, first=100)
        assert catch_up(desk) == 1
    many(store, 60, first=200)
    with nobody_rebuilds(monkeypatch, desk), pytest.raises(AssertionError, match="rebuilt"):
        catch_up(desk)
    catch_up(desk)
    assert_same(desk, store)


def test_reconcile_finds_and_repairs_what_differs(desk: Desk, store: Engine, tmp_path: Path) -> None:
    load(store, tmp_path, REPORT, "report.pdf")
    many(store, 10)
    catch_up(desk)
    with store.begin() as connection:  # behind the feed's back
        connection.execute(text("DELETE FROM recommendations WHERE id IN ('PER-2-117.1', 'PER-2-117.2')"))
        connection.execute(text("UPDATE recommendations SET text = 'Else', revision = 2 WHERE id = 'PER-2-117.3'"))
        connection.execute(text("UPDATE recommendations SET id = 'PER-2-117.99' WHERE id = 'PER-2-117.4'"))
    outcome = desk.indexer.reconcile()
    assert (*wrong(outcome), outcome.rebuilt) == (1, 1, 3, False)
    assert_same(desk, store)
    assert desk.indexer.reconcile().repaired == 0


def test_reconcile_builds_anew_where_most_differs(
    desk: Desk, store: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FEW", 5)
    load(store, tmp_path, REPORT, "report.pdf")
    many(store, 20)
    catch_up(desk)
    with store.begin() as connection:
        connection.execute(update(recommendations_table).values(revision=7))
    outcome = desk.indexer.reconcile()
    assert (len(outcome.stale), outcome.rebuilt) == (22, True)
    assert_same(desk, store)


def test_an_engine_that_fails_half_way_is_tried_again(
    desk: Desk, store: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catch_up(desk)
    load(store, tmp_path, REPORT, "report.pdf")
    with monkeypatch.context() as patch:
        patch.setattr(module, "documents_of", lambda *_: iter([None]))
        with pytest.raises(AttributeError):
            desk.indexer.step()
    assert desk.engine.cursor() == 0
    catch_up(desk)
    assert_same(desk, store)
