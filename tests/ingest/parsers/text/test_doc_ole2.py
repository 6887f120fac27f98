"""The text of Word 97-2003 documents."""

import struct
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.core.domain.errors import UnreadableDocumentError
from services.ingest.parsers.text.doc_ole2 import read_doc
from services.ingest.parsers.text.sniff import FileType, open_text, sniff
from tests.ingest.parsers.documents.write import compound_file, doc_ole2


def texts(data: bytes) -> list[str]:
    return [block.text for block in read_doc(data).blocks if block.text]


def test_pieces_of_one_and_of_two_bytes():
    assert texts(doc_ole2(["Émile asks:", "“Why?”", "Łódź"])) == ["Émile asks:", "“Why?”", "Łódź"]


def test_fields_show_what_they_show():
    assert texts(doc_ole2(["see \x13 HYPERLINK x \x13 DATE \x14now\x15 \x14the page\x15."])) == ["see the page."]


def test_marks_of_word():
    assert texts(doc_ole2(["one\x0btwo", "a\x1eb\x1fc", "cell\x07next\x0cpage"])) == [
        "one\ntwo", "a-bc", "cell", "next", "page",
    ]  # fmt: skip


def test_a_real_one(real_documents):
    data = (real_documents / "advance_questions" / "Advance_questions_Slovenia_first_batch.doc").read_bytes()
    text = open_text(data, sniff(data))
    assert text.blocks[0].text == "ADVANCE QUESTIONS TO SLOVENIA (FIRST BATCH)"
    assert text.properties["modified"] == "2019-10-29"
    assert not any("\x13" in block.text or "HYPERLINK" in block.text for block in text.blocks)


def test_a_workbook_is_not_a_document():
    with pytest.raises(UnreadableDocumentError) as refusal:
        open_text(compound_file({"Workbook": b"x"}), FileType.DOC_OLE2)
    assert refusal.value.code == "unsupported_format"


def test_a_locked_one():
    data = bytearray(doc_ole2(["Hello"]))
    at = data.index(struct.pack("<H", 0xA5EC))
    struct.pack_into("<H", data, at + 0x0A, 0x0300)
    with pytest.raises(UnreadableDocumentError) as refusal:
        read_doc(bytes(data))
    assert refusal.value.code == "encrypted_doc"


def test_one_of_word_95():
    data = bytearray(doc_ole2(["Hello"]))
    struct.pack_into("<H", data, data.index(struct.pack("<H", 0xA5EC)), 0xA5DC)
    with pytest.raises(UnreadableDocumentError) as refusal:
        read_doc(bytes(data))
    assert refusal.value.code == "unsupported_format"


def test_an_empty_one():
    with pytest.raises(UnreadableDocumentError) as refusal:
        read_doc(doc_ole2([""]))
    assert refusal.value.code == "no_text"


def test_one_that_is_cut_off():
    with pytest.raises(UnreadableDocumentError) as refusal:
        read_doc(doc_ole2(["Hello"] * 2000)[:6000])
    assert refusal.value.code == "damaged_doc"


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_damage_is_told_and_never_crashes(data):
    document = bytearray(doc_ole2(["ADVANCE QUESTIONS TO COSTAMAR", "“Why?”"]))
    for _ in range(data.draw(st.integers(1, 8))):
        document[data.draw(st.integers(8, len(document) - 1))] = data.draw(st.integers(0, 255))
    with suppress(UnreadableDocumentError):
        read_doc(bytes(document))
