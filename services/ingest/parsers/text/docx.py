"""The text of Word documents (OOXML), which may be damaged or traps.

The archive is checked before anything is built from it: members are inflated in small steps and counted as
they come out, because the sizes that an archive declares can be lies. The body is then walked element by
element; the ready-made cell grid of python-docx is not used, for it allocates as many cells as a document
claims.
"""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from typing import Any

from services.core.domain.errors import UnreadableDocumentError
from services.core.runtime.zip_damage import ZIP_DAMAGE
from services.ingest.archives import ENTITY_MARKS, ArchiveLimits, is_xml, refuse_traps
from services.ingest.parsers.text.blocks import Block, DocumentText, Table
from services.ingest.parsers.text.docx_names import qn
from services.ingest.parsers.text.docx_numbering import Numbering

DOCX_LIMITS = ArchiveLimits()
"""A thematic list of 300 recommendations is 1.7 MB of XML, compressed 29 times at most, in 35 members. XML takes about
ten times its size in memory once it is a tree.
"""

_WORD_COLUMNS = 63  # Word's own maximum; a larger gridSpan is a mistake or a trap
_DAMAGE = (*ZIP_DAMAGE, SyntaxError, AttributeError)
"""What zipfile, lxml (a `SyntaxError`) and python-docx raise on archives and parts that are not as they should be."""

_CHUNK = 64 * 1024

_P, _TBL, _TR, _TC, _R, _T = (qn(f"w:{name}") for name in ("p", "tbl", "tr", "tc", "r", "t"))
_VAL = qn("w:val")
_TEXT_BOX = qn("w:txbxContent")
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_WRITTEN_AS = {
    qn("w:tab"): "\t", qn("w:ptab"): "\t", qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "-",
}  # fmt: skip
_NOT_TEXT = {
    # Properties, deleted and moved-away text, phonetic guides, text boxes (read apart), copies for old
    # readers.
    qn("w:pPr"), qn("w:rPr"), qn("w:del"), qn("w:moveFrom"), qn("w:rt"), _TEXT_BOX, _FALLBACK,
}  # fmt: skip


def read_docx(data: bytes, limits: ArchiveLimits | None = None) -> DocumentText:
    """The paragraphs and tables of a Word document, in its order.

    Raises `UnreadableDocumentError`: `zip_bomb`, `damaged_docx`, `encrypted_docx`, and `forbidden_markup`
    where a part declares a document type, which OOXML does not allow (ECMA-376 part 2, 9.1.4).
    """
    import docx  # noqa: PLC0415 - what reads no Word document does without

    try:
        members = check_archive(data, limits)
        document = docx.Document(io.BytesIO(data))
    except _DAMAGE as error:
        if _is_out_of_memory(error):
            raise MemoryError from error
        raise _damaged(_one_line(error)) from error
    body = document.element.body
    if body is None:
        raise _damaged("it has no body")
    walk = _Walk(_style_names(document), _bold_styles(document), _numbering(document))
    walk.container(body)
    return DocumentText(
        blocks=tuple(walk.blocks),
        tables=tuple(walk.tables),
        properties=_properties(document) if "docProps/core.xml" in members else {},
        running_heads=_running_heads(document),
    )


def check_archive(data: bytes, limits: ArchiveLimits | None = None) -> set[str]:
    """Refuse traps by what the archive declares, then inflate everything once, within `limits`; the members' names.

    Raises `UnreadableDocumentError` (`zip_bomb`, `unsafe_archive`, `encrypted_docx`, `forbidden_markup`) and what
    zipfile raises.
    """
    limits = limits or DOCX_LIMITS
    members = refuse_traps(io.BytesIO(data), limits)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        total = 0
        for member in members:
            total += _check_member(archive, member, limits, total)
        return {member.filename for member in members}


def _check_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, limits: ArchiveLimits, total_before: int) -> int:
    """Inflate one member; its size. XML must come without a document type declaration."""
    size, tail = 0, b""
    with archive.open(member) as stream:
        while chunk := stream.read(_CHUNK):
            size += len(chunk)
            if size > limits.member_bytes or total_before + size > limits.total_bytes:
                raise UnreadableDocumentError("zip_bomb", f"{member.filename} inflates to more than is allowed")
            if size > limits.ratio_counts_from and size > limits.ratio * max(member.compress_size, 1):
                raise UnreadableDocumentError(
                    "zip_bomb", f"{member.filename} inflates to more than {limits.ratio} times its size"
                )
            if is_xml(member.filename) and any(mark in tail + chunk for mark in ENTITY_MARKS):
                raise UnreadableDocumentError("forbidden_markup", f"{member.filename} declares a document type")
            tail = chunk[-20:]
    return size


class _Walk:
    """Collects blocks and tables from body elements, in their order."""

    def __init__(self, style_names: dict[str | None, str], bold_styles: set[str | None], numbering: Numbering) -> None:
        self.blocks: list[Block] = []
        self.tables: list[Table] = []
        self._style_names = style_names
        self._bold_styles = bold_styles
        self._numbering = numbering

    def container(self, element: Any) -> None:
        """Read the paragraphs and tables inside `element`, also in content controls and revision marks."""
        for child in element:
            if child.tag == _P:
                self._paragraph(child)
            elif child.tag == _TBL and _is_frame(child):
                for row in _inner(child, _TR):
                    self.container(row)
            elif child.tag == _TBL:
                self.tables.append(_table(child, blocks_before=len(self.blocks)))
            elif child.tag not in _NOT_TEXT and isinstance(child.tag, str):
                self.container(child)

    def _paragraph(self, paragraph: Any) -> None:
        style = _style_id(paragraph)
        self.blocks.append(
            Block(
                text=_text(paragraph),
                style=self._style_names.get(style),
                bold=style in self._bold_styles or _all_runs_bold(paragraph),
                label=self._numbering.label(paragraph, style),
            )
        )
        for box in _text_boxes(paragraph):
            self.container(box)


@dataclass(slots=True)
class _Grid:
    """One table's rows while they are read: what a vertical merge above hands down to each column."""

    rows: list[tuple[str, ...]] = field(default_factory=list)
    starts: list[tuple[int, ...]] = field(default_factory=list)
    above: list[str] = field(default_factory=list)

    def add(self, row: Any) -> None:
        cells: list[str] = [""] * _count(row, "w:trPr/w:gridBefore")
        starts: list[int] = []
        for cell in _inner(row, _TC):
            if len(cells) >= _WORD_COLUMNS:
                break
            span = max(1, _count(cell, "w:tcPr/w:gridSpan"))
            text = self.above[len(cells)] if _continues_merge(cell) and len(cells) < len(self.above) else _cell(cell)
            starts.append(len(cells))
            cells += [text] * span
        cells += [""] * _count(row, "w:trPr/w:gridAfter")
        self.above = cells[:_WORD_COLUMNS]
        self.rows.append(tuple(self.above))
        self.starts.append(tuple(starts))


def _table(table: Any, blocks_before: int) -> Table:
    grid = _Grid()
    for row in _inner(table, _TR):
        if row.find(f"{qn('w:trPr')}/{qn('w:del')}") is None:
            grid.add(row)
    return Table(tuple(grid.rows), blocks_before, tuple(grid.starts))


def _is_frame(table: Any) -> bool:
    """Whether a table only frames others: no row has two cells, and a cell holds a table."""
    rows = [list(islice(_inner(row, _TC), 2)) for row in _inner(table, _TR)]
    return all(len(row) < 2 for row in rows) and any(row[0].find(f".//{_TBL}") is not None for row in rows if row)


def _cell(cell: Any) -> str:
    """A cell's paragraphs, those of tables inside it too, one a line."""
    lines = (_text(paragraph) for paragraph in cell.iter(_P) if not _inside(paragraph, cell, {_TEXT_BOX}))
    return "\n".join(lines)


def _continues_merge(cell: Any) -> bool:
    merge = cell.find(f"{qn('w:tcPr')}/{qn('w:vMerge')}")
    return merge is not None and merge.get(_VAL, "continue") == "continue"


def _count(element: Any, path: str) -> int:
    """The number at `path` (`w:trPr/w:gridBefore`), 0 where there is none, at most what Word allows."""
    found = element.find("/".join(qn(step) for step in path.split("/")))
    value = found.get(_VAL, "") if found is not None else ""
    return min(int(value), _WORD_COLUMNS) if value.isdecimal() and len(value) < 9 else 0


def _inner(element: Any, tag: str) -> Iterator[Any]:
    """Children with `tag`, also inside content controls and other wrappers, but not inside each other."""
    for child in element:
        if child.tag == tag:
            yield child
        elif isinstance(child.tag, str) and child.tag not in _NOT_TEXT:
            yield from _inner(child, tag)


def _text(paragraph: Any) -> str:
    return "".join(_pieces(paragraph)).replace("\xad", "")


def _pieces(element: Any) -> Iterator[str]:
    for child in element:
        tag = child.tag
        if tag == _T:
            yield child.text or ""
        elif tag == _R and _is_on(child.find(f"{qn('w:rPr')}/{qn('w:vanish')}")):
            continue  # hidden text: nobody who prints the document sees it
        elif tag in _WRITTEN_AS:
            yield _WRITTEN_AS[tag]
        elif tag not in _NOT_TEXT and len(child):
            yield from _pieces(child)


def _text_boxes(paragraph: Any) -> list[Any]:
    """The outermost text boxes anchored in a paragraph, without the copies kept for older readers."""
    return [box for box in paragraph.iter(_TEXT_BOX) if not _inside(box, paragraph, {_TEXT_BOX, _FALLBACK})]


def _inside(element: Any, top: Any, tags: set[str]) -> bool:
    """Whether one of `tags` stands between `element` and `top`."""
    parent = element.getparent()
    while parent is not None and parent is not top:
        if parent.tag in tags:
            return True
        parent = parent.getparent()
    return False


def _style_id(paragraph: Any) -> str | None:
    style = paragraph.find(f"{qn('w:pPr')}/{qn('w:pStyle')}")
    return style.get(_VAL) if style is not None else None


def _all_runs_bold(paragraph: Any) -> bool:
    runs = [run for run in paragraph.iter(_R) if "".join(_pieces(run)).strip()]
    return bool(runs) and all(_is_on(run.find(f"{qn('w:rPr')}/{qn('w:b')}")) for run in runs)


def _is_on(toggle: Any) -> bool:
    """Whether a toggle property such as `w:b` is set (ECMA-376 part 1, 17.17.4: no value means on)."""
    return toggle is not None and toggle.get(_VAL, "1") not in {"0", "false", "off"}


def _numbering(document: Any) -> Numbering:
    parts = [relation.target_part for relation in document.part.rels.values() if not relation.is_external]
    lists = next((part for part in parts if part.content_type.endswith(".numbering+xml")), None)
    return Numbering(getattr(lists, "element", None), document.part.styles.element)


def _styles(document: Any) -> list[Any]:
    return list(document.part.styles.element.iter(qn("w:style")))


def _style_names(document: Any) -> dict[str | None, str]:
    """Style id to style name; the paragraph style in force without an id stands under None."""
    names: dict[str | None, str] = {}
    for style in _styles(document):
        name = style.find(qn("w:name"))
        names[style.get(qn("w:styleId"))] = name.get(_VAL, "") if name is not None else ""
        if style.get(qn("w:type")) == "paragraph" and style.get(qn("w:default")) in {"1", "true", "on"}:
            names[None] = names[style.get(qn("w:styleId"))]
    return names


def _bold_styles(document: Any) -> set[str | None]:
    """Ids of the styles that are bold themselves or by the style they are based on."""
    styles = {style.get(qn("w:styleId")): style for style in _styles(document)}

    @cache
    def bold(style_id: str | None, depth: int = 0) -> bool:
        style = styles.get(style_id)
        if style is None or depth > 20:
            return False
        own = style.find(f"{qn('w:rPr')}/{qn('w:b')}")
        if own is not None:
            return _is_on(own)
        parent = style.find(qn("w:basedOn"))
        return parent is not None and bold(parent.get(_VAL), depth + 1)

    return {style_id for style_id in styles if bold(style_id)}


def _running_heads(document: Any) -> tuple[str, ...]:
    """Lines of page headers, then of page footers, each once."""
    parts = [relation.target_part for relation in document.part.rels.values() if not relation.is_external]
    paragraphs = [
        paragraph
        for kind in ("header", "footer")
        for part in parts
        if part.content_type.endswith(f".{kind}+xml")
        for paragraph in part.element.iter(_P)
    ]
    return tuple(dict.fromkeys(line for paragraph in paragraphs if (line := _text(paragraph).strip())))


def _properties(document: Any) -> dict[str, str]:
    """What the file declares of itself; nothing where that part alone is damaged."""
    core = document.core_properties
    try:
        values = {
            "title": core.title,
            "subject": core.subject,
            "language": core.language,
            "created": core.created.date().isoformat() if core.created else "",
            "modified": core.modified.date().isoformat() if core.modified else "",
        }
    except _DAMAGE:
        return {}
    return {name: value for name, value in values.items() if value}


def _damaged(why: str) -> UnreadableDocumentError:
    return UnreadableDocumentError("damaged_docx", f"the Word document is damaged: {why}")


def _is_out_of_memory(error: Exception) -> bool:
    """libxml2 without memory stops without a message; lxml then says "unknown error"."""
    return isinstance(error, SyntaxError) and str(error).startswith("unknown error")


def _one_line(error: BaseException) -> str:
    return (str(error).splitlines() or [""])[0][:200] or type(error).__name__
