"""What is the embedded engine's own: damage, full disks, kills, and how it orders."""

import os
import random
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from services.core.domain.errors import UnavailableError
from services.core.query.parser import parse_query
from services.search.engines.base import IndexDocument, IndexLayout, SearchRequest
from services.search.engines.embedded import EmbeddedEngine
from tests.search.engines.corpus import LAYOUT, generated

ROOT = Path(__file__).resolve().parents[3]


def _engine(folder: Path) -> EmbeddedEngine:
    return EmbeddedEngine(folder, LAYOUT, "1")


def _everything(engine: EmbeddedEngine) -> int:
    return engine.search(SearchRequest(parse_query(""), facets=("issue",))).total


@pytest.mark.parametrize("damage", ["empty files", "no meta.json", "bad meta.json", "bad pointer", "no folder"])
def test_a_damaged_index_is_told_and_can_be_rebuilt(tmp_path: Path, damage: str) -> None:
    _engine(tmp_path).rebuild(iter(generated(50)), 1)
    (index,) = tmp_path.glob("*/index-*")
    if damage == "empty files":
        for file in (*index.glob("*.term"), *index.glob("*.fast"), *index.glob("*.idx")):
            file.write_bytes(b"")
    elif damage == "no meta.json":
        (index / "meta.json").unlink()
    elif damage == "bad meta.json":
        (index / "meta.json").write_text("{")
    elif damage == "bad pointer":
        (index.parent / "current.json").write_text("[1]")
    else:
        index.rename(tmp_path / "elsewhere")
    engine = _engine(tmp_path)
    with pytest.raises(UnavailableError, match="rebuild"):
        _everything(engine)
    with pytest.raises(UnavailableError):
        engine.apply(generated(1), [], 2)
    assert not engine.health().ok
    engine.rebuild(iter(generated(60)), 3)
    assert (_everything(engine), engine.cursor(), engine.health().ok) == (60, 3, True)


def _run(script: str, folder: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), str(folder)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_a_full_disk_is_told_and_harms_nothing(tmp_path: Path) -> None:
    _engine(tmp_path).rebuild(iter(generated(50)), 1)
    script = """
        import resource, sys
        from pathlib import Path
        from services.core.domain.errors import UnavailableError
        from services.search.engines.embedded import EmbeddedEngine
        from tests.search.engines.corpus import LAYOUT, generated
        engine = EmbeddedEngine(Path(sys.argv[1]), LAYOUT, "1")
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        for write in (lambda: engine.apply(generated(5000), [], 2), lambda: engine.rebuild(iter(generated(5000)), 3)):
            try:
                write()
            except UnavailableError as error:
                print("told:", error.detail)
    """
    process = _run(script, tmp_path)
    output, errors = process.communicate(timeout=60)
    assert output.count("told:") == 2, (output, errors)
    engine = _engine(tmp_path)
    assert (_everything(engine), engine.cursor()) == (50, 1)
    assert len(list(tmp_path.glob("*/index-*"))) == 1
    engine.apply(generated(60), [], 4)
    assert (_everything(engine), engine.cursor()) == (60, 4)


def test_after_a_kill_the_cursor_does_not_lead(tmp_path: Path) -> None:
    _engine(tmp_path).rebuild(iter([]), 0)
    script = """
        import sys
        from dataclasses import replace
        from pathlib import Path
        from services.search.engines.embedded import EmbeddedEngine
        from tests.search.engines.corpus import LAYOUT, generated
        engine = EmbeddedEngine(Path(sys.argv[1]), LAYOUT, "1")
        document = generated(1)[0]
        for cursor in range(1, 100_000):
            engine.apply([replace(document, id=str(cursor))], [], cursor)
            print(cursor, flush=True)
    """
    process = _run(script, tmp_path)
    assert process.stdout
    for _ in range(7):
        last = int(process.stdout.readline())
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    engine = _engine(tmp_path)
    cursor = engine.cursor()
    assert cursor is not None
    assert cursor >= last
    assert _everything(engine) == cursor
    engine.apply(generated(1), [], cursor + 1)
    assert engine.cursor() == cursor + 1


def test_old_indexes_are_removed(tmp_path: Path) -> None:
    engine = _engine(tmp_path)
    for cursor in range(3):
        engine.rebuild(iter(generated(3)), cursor)
    assert len(list(tmp_path.glob("*/index-*"))) == 1


def test_a_facet_of_many_values_is_whole(tmp_path: Path) -> None:
    engine = EmbeddedEngine(tmp_path, IndexLayout(texts=("text",), filters=("document",)), "1")
    documents = (
        IndexDocument("r", str(at), {}, {"text": "x"}, filters={"document": (str(at),)}) for at in range(70_000)
    )
    engine.rebuild(documents, 1)
    result = engine.search(SearchRequest(parse_query("x"), facets=("document",)))
    assert (result.total, len(result.facets["document"].values)) == (70_000, 70_000)


def test_names_asked_for_as_a_whole_come_first_and_the_shortest_of_equals(tmp_path: Path) -> None:
    layout = IndexLayout(texts=("text", "labels", "numbers"), filters=())
    engine = EmbeddedEngine(tmp_path, layout, "1")
    texts = {
        "long": ("Protect the right to water of all people, who have asked for it again and again", ""),
        "short": ("The right to water", "Right to health"),
        "labelled": ("Give all villages wells", "Rights of the Child\nRight to water"),
        "partly": ("Give all villages wells", "The right to clean water"),
    }
    engine.rebuild(
        (IndexDocument("r", id_, {}, {"text": text, "labels": labels}) for id_, (text, labels) in texts.items()), 1
    )
    hits = engine.search(SearchRequest(parse_query("right to water"))).hits
    assert [hit.id for hit in hits] == ["short", "labelled", "long", "partly"]
    scores = [hit.score or 0.0 for hit in hits]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("query", ["matrimonio infantil", "mariage précoce ", "child marriage "])
def test_what_a_text_says_in_another_language_counts_as_said(tmp_path: Path, query: str) -> None:
    layout = IndexLayout(texts=("text", "labels", "numbers"), filters=())
    engine = EmbeddedEngine(tmp_path, layout, "1")
    label = (
        "Matrimonio infantil y otras prácticas\nChild marriage and other practices\nMariage précoce et autres pratiques"
    )
    texts = {
        "said": "Raise the age at which people may wed, so that no early marriage takes place in any village at all",
        "labelled": "End such practices",
    }
    documents = (IndexDocument("r", id_, {}, {"text": text, "labels": label}) for id_, text in texts.items())
    engine.rebuild(documents, 1)
    hits = engine.search(SearchRequest(parse_query(query))).hits
    assert [hit.id for hit in hits] == ["said", "labelled"]


def test_a_word_that_is_right_gains_nothing_by_what_looks_like_it(tmp_path: Path) -> None:
    engine = EmbeddedEngine(tmp_path, IndexLayout(texts=("text", "labels", "numbers"), filters=()), "1")
    texts = {
        "elsewhere": ("Keep to the Paris Principles", ""),
        "there": ("Keep to the Paris Principles in all things that the council may do", "São Tomé and Príncipe"),
    }
    engine.rebuild(
        (IndexDocument("r", id_, {}, {"text": text, "labels": labels}) for id_, (text, labels) in texts.items()), 1
    )
    hits = engine.search(SearchRequest(parse_query("keep principles "))).hits
    assert [hit.id for hit in hits] == ["elsewhere", "there"]


def test_a_misspelt_word_stands_near_others_as_what_it_is_most_likely_to_mean(tmp_path: Path) -> None:
    engine = EmbeddedEngine(tmp_path, IndexLayout(texts=("text", "labels", "numbers"), filters=()), "1")
    texts = {
        "misprint": "Human righs of all, and whatever else there may be to say of it in many more words",
        "meant": "Human rights of all, and whatever else there may be to say of it in many more words",
        "apart": "Every human being may claim all of those rights",
        "more": "Rights",
    }
    engine.rebuild((IndexDocument("r", id_, {}, {"text": text}) for id_, text in texts.items()), 1)
    hits = engine.search(SearchRequest(parse_query("human rigths "))).hits
    assert [hit.id for hit in hits] == ["meant", "apart", "misprint"]


def test_pages_of_frequent_words_are_those_of_the_whole_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(3)
    words = ["women", "woman", "wommen", "rights", "right", "water", "equality", "of", "the", "and"]
    texts = [" ".join(chance.choices(words, k=chance.choice([3, 6, 9, 14, 30]))) for _ in range(3_000)]
    names = ["Rights of women", "Water", "Women", ""]
    layout = IndexLayout(texts=("text", "labels", "numbers"), filters=("document",))
    engine = EmbeddedEngine(tmp_path, layout, "1")
    engine.rebuild(
        (
            IndexDocument(
                "r", str(at), {}, {"text": text, "labels": chance.choice(names)}, filters={"document": (str(at % 2),)}
            )
            for at, text in enumerate(texts)
        ),
        1,
    )
    requests = [
        SearchRequest(parse_query(q), page=page, filters=filters, strict=strict)
        for q in ("women rights", "rights of women", "women ", "water", "women -equality", 'women "right of"', "wo")
        for page in (1, 2, 6, 30)
        for filters in ({}, {"document": ("1",)})
        for strict in (False, True)
    ]
    short = [engine.search(request) for request in requests]
    ordered_whole: list[bool] = []
    bearing = EmbeddedEngine._bearing_all_marks

    def watched(*given: Any) -> Any:
        found = bearing(*given)
        ordered_whole.append(found is None)
        return found

    monkeypatch.setattr(EmbeddedEngine, "_bearing_all_marks", watched)
    assert [engine.search(request) for request in requests] == short
    assert 0 < sum(ordered_whole) < len(requests)
    monkeypatch.setattr(EmbeddedEngine, "_bearing_all_marks", lambda *_: None)
    assert [engine.search(request) for request in requests] == short
