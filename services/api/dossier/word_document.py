"""A dossier as a Word document: portrait A4, each recommendation with a numbered reference to where it stands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Any

import docx
from docx.document import Document
from docx.shared import Cm, Pt

from services.api.matrix.content import printable
from services.api.word_files import save_document
from services.core.pages.words import Words
from services.core.schemas.names import Names
from services.core.schemas.shapes import Shape

_PAGE = (Cm(21.0), Cm(29.7))
_MARGIN = Cm(2)
_FACE = "Arial"


def write_word_document(file: IO[bytes], dossier: Shape, names: Names) -> None:
    """Write a dossier into a file."""
    document = docx.Document()
    _Writer(document, dossier, Words(names.language), names).write()
    save_document(document, file)


@dataclass
class _Writer:
    document: Document
    dossier: Shape
    words: Words
    names: Names
    references: list[str] = field(default_factory=list)

    def write(self) -> None:
        self._set_up()
        self._head()
        for cycle in self.dossier["cycles"]:
            self._cycle(cycle)
        self._said_again()
        self._gaps()
        self._statements()
        self._list_references()

    def _set_up(self) -> None:
        about, as_of = self.document.core_properties, datetime.fromisoformat(self.dossier["dataset"]["as_of"])
        about.title, about.author = self._title()[:255], "OpenUPR"
        about.last_modified_by, about.comments = "OpenUPR", self.dossier["url"][:255]
        about.created = about.modified = as_of.replace(tzinfo=None)
        about.revision, about.language = 1, self.words.language
        section = self.document.sections[0]
        section.page_width, section.page_height = _PAGE
        section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = _MARGIN
        normal = self.document.styles["Normal"]
        normal.font.name, normal.font.size = _FACE, Pt(10)

    def _title(self) -> str:
        return f"{self.dossier['state']['name']}: {self.dossier['topic']['name']}"

    def _head(self) -> None:
        self.document.add_heading(printable(self._title()), level=1)
        told = self.dossier["dataset"]
        day = self.words.date(told["as_of"])
        self._paragraph(self.words("site.dataset", date=day, version=told["version"]))
        self._paragraph(self.dossier["url"])
        if self.dossier["answers"]:
            self._paragraph(self._counts(self.dossier["answers"]))

    def _counts(self, counts: Mapping[str, Any]) -> str:
        each = [f"{self.words.number(counts[name])} {self._called(name)}" for name in ("supported", "noted", "pending")]
        return f"{self.words('dossier.recommendations', n=counts['total'])}: {', '.join(each)}"

    def _called(self, position: str) -> str:
        return self.names.of_filter_value("position", position)

    def _cycle(self, cycle: Shape) -> None:
        day = f", {self.words.date(cycle['date'])}" if cycle["date"] else ""
        self.document.add_heading(f"{self.words('record.cycle', cycle=cycle['cycle'])}{day}", level=2)
        if cycle["answers"] is None:
            self._paragraph(self.words("record.not_read"))
            return
        self._paragraph(self._counts(cycle["answers"]))
        for recommendation in cycle["recommendations"]:
            self._recommendation(recommendation)

    def _recommendation(self, told: Shape) -> None:
        paragraph = self.document.add_paragraph()
        if told["number"]:
            paragraph.add_run(printable(f"{told['number']} ")).bold = True
        states = ", ".join(state["name"] for state in told["recommending_states"])
        paragraph.add_run(printable(f"{told['text']} ({states}) "))
        detail = told["position_detail"]
        more = f" ({self.names.of_filter_value('position_detail', detail)})" if detail else ""
        paragraph.add_run(f"{self._called(told['position'])}{more}").italic = True
        self.references.append(self._reference(told))
        paragraph.add_run(f" [{len(self.references)}]")

    def _reference(self, told: Shape) -> str:
        source = next((each for each in told["sources"] if each["symbol"]), None)
        parts = [told["url"]]
        if source is not None:
            paragraph = source["paragraph"] and self.words("record.paragraph", paragraph=source["paragraph"])
            page = source["page"] and self.words("record.page", page=source["page"])
            parts = [part for part in (source["symbol"], paragraph, page, told["url"]) if part]
        return ", ".join(parts)

    def _said_again(self) -> None:
        if not self.dossier["said_again"]:
            return
        self.document.add_heading(self.words("dossier.said_again"), level=2)
        for group in self.dossier["said_again"]:
            cycles = ", ".join(map(str, group["cycles"]))
            self._paragraph(f"{self.words('record.cycle', cycle=cycles)}: {', '.join(group['ids'])}")

    def _gaps(self) -> None:
        missing = [(cycle["review"], cycle["missing"]) for cycle in self.dossier["cycles"] if cycle["missing"]]
        if not missing and not self.dossier["cycles_not_read"]:
            return
        self.document.add_heading(self.words("record.coverage"), level=2)
        if self.dossier["cycles_not_read"]:
            cycles = ", ".join(map(str, self.dossier["cycles_not_read"]))
            self._paragraph(f"{self.words('record.cycles_not_read')}: {cycles}")
        for review, kinds in missing:
            told = ", ".join(self.names.of_filter_value("kind", kind) for kind in kinds)
            self._paragraph(f"{review}: {self.words('record.missing')}: {told}")

    def _statements(self) -> None:
        held = [each for each in self.dossier["statements"]["data"] if each["text"]]
        if not held:
            return
        self.document.add_heading(self.words("dossier.statements"), level=2)
        for each in held:
            paragraph = self.document.add_paragraph()
            day = f" ({self.words.date(each['date'])})" if each["date"] else ""
            paragraph.add_run(printable(f"{each['speaker']['name']}{day}: ")).bold = True
            paragraph.add_run(printable(each["text"]))
            self.references.append(each["url"])
            paragraph.add_run(f" [{len(self.references)}]")

    def _list_references(self) -> None:
        self.document.add_heading(self.words("dossier.references"), level=2)
        for number, reference in enumerate(self.references, 1):
            self._paragraph(f"[{number}] {reference}")

    def _paragraph(self, text: str) -> None:
        self.document.add_paragraph(printable(text))
