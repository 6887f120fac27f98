"""Documents that processes of their own make for a build."""

import os
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine

from services.core.domain.errors import UnavailableError
from services.core.store.engine import snapshot
from services.core.store.reference import read_reference
from services.search import preparing
from services.search.documents import LAYOUT, Projection
from services.search.engines.base import IndexDocument, Prepared
from services.search.engines.embedded_documents import Preparation
from services.search.preparing import prepared_documents
from tests.search.conftest import load
from tests.search.test_indexer import REPORT, many


@pytest.fixture
def filled(store: Engine, tmp_path: Path) -> Engine:
    load(store, tmp_path, REPORT, "report.pdf")
    many(store, 30, first=1)
    return store


def test_workers_make_what_one_process_makes_in_the_same_order(filled: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparing, "PORTION", 4)
    alone, together = (_prepared(filled, workers=workers) for workers in (0, 2))
    assert len(together) > 30
    assert [each.key for each in together] == [each.key for each in alone]
    assert list(map(_fields, together)) == list(map(_fields, alone))
    assert [each.key for each in together if each.key.type == "recommendations"] == sorted(
        each.key for each in together if each.key.type == "recommendations"
    )


def test_workers_see_what_the_building_process_sees(filled: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparing, "PORTION", 4)
    with snapshot(filled) as connection:
        projection = Projection(read_reference(filled))
        documents = prepared_documents(connection, projection, Preparation(LAYOUT), workers=2)
        first = next(documents)
        many(filled, 5, first=100)
        held = {first.key, *(each.key for each in documents)}
    later = {each.key for each in _prepared(filled, workers=0)}
    assert held < later
    assert len(later - held) == 5


def test_a_worker_that_dies_is_told(filled: Engine) -> None:
    with snapshot(filled) as connection, pytest.raises(UnavailableError, match="a process that reads documents"):
        list(prepared_documents(connection, Projection(read_reference(filled)), _deadly, workers=2))


def _deadly(document: IndexDocument) -> Prepared:
    os._exit(1)


def _fields(document: Prepared) -> list[dict[str, Any]]:
    """What is written. Stems have no order."""
    parts = list(map(orjson.loads, document.parts))
    return [{**part, "stems": sorted(part["stems"].split())} for part in parts]


def _prepared(store: Engine, *, workers: int) -> list[Prepared]:
    with snapshot(store) as connection:
        projection = Projection(read_reference(store))
        return list(prepared_documents(connection, projection, Preparation(LAYOUT), workers=workers))
