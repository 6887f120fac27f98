"""Word's automatic numbers, computed from lists that are written here."""

import io

import docx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from services.ingest.parsers.text.docx import read_docx

LEVEL = (
    '<w:lvl w:ilvl="{place}"><w:start w:val="{start}"/><w:numFmt w:val="{form}"/><w:lvlText w:val="{text}"/></w:lvl>'
)


def numbered(levels: list[tuple[str, str, int]], paragraphs: list[tuple[int, int]], overrides: str = "") -> list:
    """The labels of paragraphs (list, level). `levels` are (form, text, start); list 91 counts with list 90."""
    document = docx.Document()
    numbering = document.part.numbering_part.element
    shape = "".join(
        LEVEL.format(place=n, form=form, text=text, start=start) for n, (form, text, start) in enumerate(levels)
    )
    numbering.insert(0, parse_xml(f'<w:abstractNum {nsdecls("w")} w:abstractNumId="77">{shape}</w:abstractNum>'))
    for number, changes in ((90, ""), (91, overrides)):
        numbering.append(
            parse_xml(f'<w:num {nsdecls("w")} w:numId="{number}"><w:abstractNumId w:val="77"/>{changes}</w:num>')
        )
    for list_id, level in paragraphs:
        properties = document.add_paragraph("text")._p.get_or_add_pPr()
        properties.append(
            parse_xml(f'<w:numPr {nsdecls("w")}><w:ilvl w:val="{level}"/><w:numId w:val="{list_id}"/></w:numPr>')
        )
    written = io.BytesIO()
    document.save(written)
    blocks = read_docx(written.getvalue()).blocks
    assert all(block.text == "text" for block in blocks)
    return [block.label for block in blocks]


def test_numbers_of_recommendations():
    assert numbered([("decimal", "6.%1", 1)], [(90, 0)] * 3) == ["6.1", "6.2", "6.3"]


def test_levels_count_within_each_other():
    levels = [("decimal", "%1.", 4), ("lowerLetter", "(%2)", 1), ("lowerRoman", "%1.%3", 1)]
    paragraphs = [(90, 0), (90, 1), (90, 1), (90, 0), (90, 1), (90, 2)]
    assert numbered(levels, paragraphs) == ["4.", "(a)", "(b)", "5.", "(a)", "5.i"]


@pytest.mark.parametrize(
    ("form", "count", "last"),
    [
        ("upperRoman", 14, "XIV"), ("lowerRoman", 9, "ix"), ("upperLetter", 27, "AA"), ("decimalZero", 3, "03"),
        ("bullet", 2, None), ("none", 1, None), ("chicago", 2, "2"),
    ],
)  # fmt: skip
def test_forms(form, count, last):
    assert numbered([(form, "%1", 1)], [(90, 0)] * count)[-1] == last


def test_lists_of_one_definition_count_on_unless_they_say_otherwise():
    assert numbered([("decimal", "%1", 1)], [(90, 0), (91, 0)]) == ["1", "2"]
    restart = '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="7"/></w:lvlOverride>'
    assert numbered([("decimal", "%1", 1)], [(90, 0), (91, 0), (91, 0)], restart) == ["1", "7", "8"]


def test_no_list_is_no_label():
    assert numbered([("decimal", "%1", 1)], [(90, 0), (0, 0), (12345, 0), (90, 8)]) == ["1", None, None, None]


def test_a_style_numbers_its_paragraphs():
    document = docx.Document()
    document.add_paragraph("text", style="List Number")
    document.add_paragraph("text", style="List Number")
    written = io.BytesIO()
    document.save(written)
    assert [block.label for block in read_docx(written.getvalue()).blocks] == ["1.", "2."]


@pytest.mark.parametrize("value", ["-3", "99999999999999999999", "x", ""])
def test_numbers_that_are_none(value):
    assert numbered([("decimal", "%1", value)], [(90, 0), (90, 0)])[1] is not None
