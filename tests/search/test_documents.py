"""Records as documents of the index: random records of every noun, in a real store."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection, Engine

from services.core.query.matcher import matches
from services.core.query.parser import parse_query
from services.core.schemas.names import Names
from services.core.schemas.shapes import shape_of
from services.core.schemas.terms import filter_terms
from services.core.schemas.texts import SEARCHED_NOUNS
from services.core.store.bulk import copy_rows
from services.core.store.labels import LABELS
from services.core.store.paragraphs import (
    Citation,
    ParagraphRecord,
    paragraph_id,
    paragraph_sort_key,
    paragraphs_table,
)
from services.core.store.recommendations import RECOMMENDATIONS
from services.core.store.reference import Reference, read_reference
from services.core.store.statements import STATEMENTS
from services.core.store.tables import AGGREGATES
from services.search.documents import (
    FILTER_NAMES,
    LAYOUT,
    Projection,
    all_documents,
    documents_of,
    edition,
    gone,
    marks,
)
from services.search.engines.base import DocumentKey, IndexDocument, SearchRequest
from services.search.parameters import FACETS
from tests.records import fill


@pytest.fixture
def connection(store: Engine) -> Iterator[Connection]:
    with store.begin() as connection:
        fill(connection, each=60)
    with store.connect() as connection:
        yield connection


@pytest.fixture
def reference(connection: Connection, store: Engine) -> Reference:
    return read_reference(store)


@pytest.fixture
def documents(connection: Connection, reference: Reference) -> dict[DocumentKey, IndexDocument]:
    return {document.key: document for document in all_documents(connection, Projection(reference))}


def found(document: IndexDocument, q: str) -> bool:
    return matches(parse_query(q), document.texts, languages=document.languages)


def test_every_searched_record_is_a_document(
    connection: Connection, reference: Reference, documents: dict[DocumentKey, IndexDocument]
) -> None:
    names = Names(reference)
    records = {
        DocumentKey(noun, record.id): shape_of(noun, record, names)  # type: ignore[attr-defined]
        for noun in SEARCHED_NOUNS
        for record in AGGREGATES[noun].where(connection)
    }
    assert len(records) == 60 * len(SEARCHED_NOUNS)
    assert {key: document.record for key, document in documents.items()} == records


def test_a_document_answers_to_the_terms_of_its_change(
    reference: Reference, documents: dict[DocumentKey, IndexDocument]
) -> None:
    """Webhooks match against these terms: search must mean the same."""
    for document in documents.values():
        terms = {f"{name}:{value}" for name, values in document.filters.items() for value in values}
        terms |= {f"date:{day}" for day in document.dates.values()}
        assert terms == set(filter_terms(document.type, dict(document.record), reference))


def test_documents_keep_to_the_layout(documents: dict[DocumentKey, IndexDocument]) -> None:
    for document in documents.values():
        assert set(document.texts) == set(LAYOUT.texts)
        assert set(document.filters) <= set(LAYOUT.filters)
        assert set(document.sorts) == set(LAYOUT.sorts)
        for name in LAYOUT.filters:
            document.values(name)
    SearchRequest(parse_query(""), facets=FACETS, filters=dict.fromkeys(FILTER_NAMES, ("x",))).check(LAYOUT)


def test_records_are_found_by_what_people_cite_and_call_them(documents: dict[DocumentKey, IndexDocument]) -> None:
    for document in documents.values():
        record = document.record
        cited = [record["id"], record.get("number"), record.get("symbol"), *record.get("aliases", ())]
        for text in filter(None, cited):
            assert found(document, text), text
        if state := record.get("state_under_review"):
            assert found(document, state["name"])
    states = {document.record["state_under_review"]["code"]: document for document in documents.values()
              if document.record.get("state_under_review")}  # fmt: skip
    code, document = next((code, each) for code, each in states.items() if code in {"ESP", "DEU", "CHE", "NLD", "SWE"})
    spanish = {"ESP": "España", "DEU": "Alemania", "CHE": "Suiza", "NLD": "Países Bajos", "SWE": "Suecia"}[code]
    assert found(document, spanish)
    assert found(document, f'"{spanish}"')


def test_a_record_with_translations_speaks_several_languages(connection: Connection, reference: Reference) -> None:
    record = replace(
        RECOMMENDATIONS.where(connection)[0],
        text="Consult women and girls about the policies",
        text_language="en",
        translations={"es": "Consultar a las mujeres y las niñas sobre las políticas"},
    )
    document = Projection(reference).document("recommendations", record)
    for q in ("policy", "política", "niña", "mujer", "consulted"):
        assert found(document, q), q
    alone = Projection(reference).document("recommendations", replace(record, translations={}))
    assert alone.languages == {"text": "en"}


def test_a_statement_is_found_by_its_original_and_by_who_spoke(connection: Connection, reference: Reference) -> None:
    record = replace(
        STATEMENTS.where(connection)[0],
        speaker="a-watch",
        speaker_name="Watch for Andean Rivers",
        speaker_kind="organisation",
        on_behalf_of=("Coalition of Fishers",),
        text="When will the convention be ratified?",
        original_text="¿Cuándo se ratificará la convención?",
    )
    document = Projection(reference).document("statements", record)
    assert document.record["speaker"] == {"code": "a-watch", "name": "Watch for Andean Rivers"}
    for q in ("ratified", "cuándo", '"Andean rivers"', "fisher"):
        assert found(document, q), q


def test_paragraphs_are_passages_of_their_document(connection: Connection, reference: Reference) -> None:
    (first, second, *_) = AGGREGATES["documents"].where(connection)
    paragraphs = [_paragraph(first.id, number) for number in range(1, 4)]  # type: ignore[attr-defined]
    copy_rows(connection, paragraphs_table, [{**asdict(each), "recommendations": []} for each in paragraphs])
    projection = Projection(reference)
    documents = {document.key: document for document in all_documents(connection, projection)}
    keys = [DocumentKey("documents", each.id) for each in (first, second)]  # type: ignore[attr-defined]
    assert {each.key: each for each in documents_of(connection, keys, projection)} == {k: documents[k] for k in keys}
    document, other = documents[keys[0]], documents[keys[1]]
    assert other.passages == ()
    assert [passage.content["number"] for passage in document.passages] == ["1", "2", "3"]
    passage = document.passages[1]
    assert passage.content["cited"] == ["116.2"], "as printed: which recommendation it means is no matter of the index"
    assert passage.languages["text"] == "es"
    for q in ("prisión 2", "116.2", '"cárceles y prisiones"'):
        assert matches(parse_query(q), passage.texts, languages=passage.languages), q
    assert marks(connection, "documents", projection)[document.id] == document.revision
    assert document.revision.endswith(".3")


def _paragraph(document: str, number: int) -> ParagraphRecord:
    return ParagraphRecord(
        id=paragraph_id(document, "es", str(number)),
        document=document,
        sort_key=paragraph_sort_key(document, "es", number),
        review="PER-3",
        state_under_review="PER",
        cycle=3,
        document_kind="national_report",
        language="es",
        number=str(number),
        heading="Cárceles y prisiones",
        text=f"La prisión {number} fue cerrada.",
        page=2,
        citations=[Citation(printed=f"116.{number}", cycle=None, recommendations=[f"PER-2-116.{number}"])],
        recommendations=(),
        file="0" * 64,
        parser="plain_document",
        parser_version="1",
    )


def test_marks_are_what_documents_bear(
    connection: Connection, reference: Reference, documents: dict[DocumentKey, IndexDocument]
) -> None:
    for noun in SEARCHED_NOUNS:
        wanted = {key.id: document.revision for key, document in documents.items() if key.type == noun}
        assert marks(connection, noun, Projection(reference)) == wanted


def test_a_mark_tells_revisions_moments_and_editions_apart(connection: Connection, reference: Reference) -> None:
    record = RECOMMENDATIONS.where(connection)[0]
    peru = reference.states["PER"]
    moved = replace(reference, states={**reference.states, "PER": replace(peru, region="weog")})
    told = {
        Projection(reference).document("recommendations", record).revision,
        Projection(reference).document("recommendations", replace(record, revision=2)).revision,
        Projection(reference)
        .document("recommendations", replace(record, updated_at=record.updated_at + timedelta(microseconds=1)))
        .revision,
        Projection(moved).document("recommendations", record).revision,
    }
    assert len(told) == 4


def test_an_edition_is_of_states_groups_and_vocabularies_but_not_of_samples_and_loaded_labels(
    reference: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    peru = reference.states["PER"]
    sample = replace(peru, id="XQA", un_status="sample", sample=True)
    assert edition(replace(reference, states={**reference.states, "XQA": sample})) == edition(reference)
    assert edition(replace(reference, labels={})) == edition(reference)
    for other in (replace(peru, names={**peru.names, "en": "X"}), replace(peru, blocs=())):
        assert edition(replace(reference, states={**reference.states, "PER": other})) != edition(reference)
    before = edition(reference)
    monkeypatch.setattr("services.search.documents.vocabulary", dict)
    assert edition(reference) != before


def test_documents_of_some_records_and_those_that_are_gone(
    connection: Connection, reference: Reference, documents: dict[DocumentKey, IndexDocument]
) -> None:
    chosen = list(documents)[::7]
    lost = [DocumentKey("recommendations", "PER-2-999.9"), DocumentKey("hearings", "upr-99-PER")]
    read = documents_of(connection, [*chosen, *lost, *chosen], Projection(reference))
    assert {document.key: document for document in read} == {key: documents[key] for key in chosen}
    assert gone(connection, [*chosen, *lost]) == lost


def test_labels_are_searched_by_their_names_in_every_language(connection: Connection, store: Engine) -> None:
    labels = LABELS.read(connection, ["sdg:16"])
    record = replace(
        RECOMMENDATIONS.where(connection)[0],
        labels=[{"label": "sdg:16", "assigned_by": "rule"}],
        label_ids=("sdg:16",),
    )
    document = Projection(read_reference(store)).document("recommendations", record)
    for name in labels["sdg:16"].names.values():
        assert found(document, f'"{name}"')
