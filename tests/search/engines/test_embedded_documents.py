"""What the embedded engine writes of a document."""

import orjson

from services.search.engines.base import IndexDocument, IndexLayout
from services.search.engines.embedded_documents import LACKS, Lacking, Preparation

LAYOUT = IndexLayout(texts=("text", "names", "numbers"), filters=("review", "topic", "group"))


def test_one_term_tells_which_filters_a_document_lacks() -> None:
    lacking = Lacking(("review", "topic", "group"))
    terms = [lacking.term(held) for held in (("review",), ("topic", "review"), (), ("review",))]
    assert terms[0] == terms[3]
    counted = [(terms[0], 3), (terms[1], 2), (terms[2], 1)]
    assert {name: lacking.count(name, counted) for name in ("review", "topic", "group")} == {
        "review": 1,
        "topic": 4,
        "group": 6,
    }


def test_the_term_is_of_the_filters_that_are_written() -> None:
    document = IndexDocument(
        "recommendations",
        "PER-1~a",
        {},
        {"text": "Ratify"},
        filters={"review": ("PER-1",), "topic": ("", ""), "x": ("y",)},
    )
    written = orjson.loads(Preparation(LAYOUT)(document).parts[0])
    assert {name: value for name, value in written.items() if name.startswith("f_")} == {"f_review": "PER-1"}
    assert written[LACKS] == Lacking(LAYOUT.filters).term(["review"])


def test_an_id_is_found_by_its_parts() -> None:
    document = IndexDocument(
        "recommendations", "PER-1~0a1b", {}, {"text": "Ratify it", "numbers": "PER-1~0a1b\n116.17"}
    )
    written = orjson.loads(Preparation(LAYOUT)(document).parts[0])
    assert written["words"].split(" ¶ ") == ["ratify it", "per-1~0a1b", "per", "1", "0a1b", "116.17"]
    assert {"en:per", "es:per", "fr:per", "per-1~0a1b", "0a1b", "116.17"} <= set(written["stems"].split())
