"""Pieces of Word documents, as elements: python-docx's own ways to write many runs and cells are slow."""

from functools import cache
from typing import Any

from docx.document import Document
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Pt, RGBColor

from services.api.matrix.words import locale_of
from services.api.printable import printable

INK = RGBColor(0x1A, 0x1A, 0x1A)
_SPACE = "{http://www.w3.org/XML/1998/namespace}space"


def set_font(style: Any, size: float) -> None:
    """One face for all: the template's headings take theirs from a theme, whatever the style says. `size` in points."""
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for name in list(fonts.attrib):
        del fonts.attrib[name]
    for name in ("ascii", "hAnsi", "cs", "eastAsia"):
        fonts.set(qn(f"w:{name}"), "Arial")
    style.font.size, style.font.color.rgb = Pt(size), INK


def add_run(
    parent: Any,
    text: str,
    *,
    bold: bool = False,
    italic: bool = False,
    style: str | None = None,
    language: str | None = None,
) -> Any:
    """Some words of one look. `style` is the id of a style of characters, `language` where it is not the document's."""
    run = add(parent, "r")
    if bold or italic or style or language:
        properties = add(run, "rPr")
        if style:
            add(properties, "rStyle", val=style)
        if bold:
            add(properties, "b")
        if italic:
            add(properties, "i")
        if language:
            add(properties, "lang", val=locale_of(language))
    _add_text(run, text)
    return run


def _add_text(run: Any, text: str) -> None:
    """A text; line ends and tabs are elements of their own."""
    for place, line in enumerate(text.splitlines() or [""]):
        if place:
            add(run, "br")
        for at, piece in enumerate(line.split("\t")):
            if at:
                add(run, "tab")
            if piece:
                written = add(run, "t")
                written.text = piece
                written.set(_SPACE, "preserve")


def add_link(document: Document, paragraph: Any, address: str, text: str, *, style: str, bold: bool = False) -> None:
    """Words that lead to an address elsewhere."""
    relation = document.part.relate_to(printable(address), RELATIONSHIP_TYPE.HYPERLINK, is_external=True)
    link = add(paragraph, "hyperlink")
    link.set(qn("r:id"), relation)
    add_run(link, text, style=style, bold=bold)


def add_link_within(paragraph: Any, bookmark: str, text: str, *, style: str) -> None:
    """Words that lead to a bookmark of the document."""
    add_run(add(paragraph, "hyperlink", anchor=bookmark), text, style=style)


def add_bookmark(paragraph: Any, number: int, name: str) -> None:
    """A place that links within the document lead to; `number` is the bookmark's own in it."""
    add(paragraph, "bookmarkStart", id=str(number), name=name)
    add(paragraph, "bookmarkEnd", id=str(number))


def add_field(paragraph: Any, instruction: str) -> None:
    """What the reader's program works out: `PAGE`, `NUMPAGES`."""
    field = add(paragraph, "fldSimple", instr=instruction)
    add_run(field, "1")


def add(parent: Any, element_name: str, /, **attributes: str) -> Any:
    """An element of the format at the end of another."""
    element = OxmlElement(f"w:{element_name}")
    for key, value in attributes.items():
        element.set(tag(key), value)
    parent.append(element)
    return element


@cache
def tag(name: str) -> str:
    """The full name of an element or attribute."""
    return str(qn(f"w:{name}"))


def twips(centimetres: float) -> int:
    """Twentieths of a point, in which the format measures."""
    return round(centimetres * 1440 / 2.54)
