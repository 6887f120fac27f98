"""A citation and its three forms: plain text, BibTeX and CSL-JSON."""

import datetime
import re
from dataclasses import dataclass
from typing import Any, Literal

from services.api.citations.latex import in_latex
from services.api.phrases import day_in_words, phrases

SOURCE = "OpenUPR"
UNITED_NATIONS = "United Nations"

Kind = Literal["report", "entry", "dataset"]
"""Types of CSL: a document, an entry of a data set, a data set (here: a list or a count)."""

_UNFIT_FOR_KEYS = re.compile(r"[^A-Za-z0-9.+-]+")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


@dataclass(frozen=True, kw_only=True)
class Citation:
    """What is cited, where it stands, and through whom it was read.

    `symbol` and `pinpoint` ("para. 116.17") say where in the world's documents, `container` in which data set where no
    document is known. `address` is the permalink, or the query that gives the list again. `language`: of the fixed
    words and names; `item_language`: of what is cited.
    """

    name: str
    kind: Kind
    title: str
    author: str | None = None
    publisher: str | None = None
    symbol: str | None = None
    pinpoint: str | None = None
    page: int | None = None
    issued: datetime.date | None = None
    container: str | None = None
    remark: str | None = None
    abstract: str | None = None
    address: str
    version: str
    accessed: datetime.date
    language: str
    item_language: str

    @property
    def key(self) -> str:
        """The key of the entry: the same whenever the same thing is cited. It holds nothing that LaTeX stumbles at."""
        return f"openupr-{_UNFIT_FOR_KEYS.sub('-', self.name)}"

    @property
    def place(self) -> str | None:
        """`A/HRC/22/15, para. 116.17`, as the United Nations cite."""
        return ", ".join(filter(None, (self.symbol, self.pinpoint))) or None

    @property
    def note(self) -> str:
        """What it is, and through whom it was read."""
        return f"{capitalised(self.remark)}. {self.source}" if self.remark else self.source

    @property
    def source(self) -> str:
        """Which state of the data it is, and whose."""
        form = "form.own" if self.author == SOURCE else "form.via"
        return phrases("citations").say(form, self.language, version=self.version)


def as_text(citation: Citation) -> str:
    """In the manner of the United Nations' footnotes."""
    words, language = phrases("citations"), citation.language
    page = words.say("pinpoint.page", language, number=citation.page) if citation.page else None
    inside = words.say("form.within", language, container=citation.container) if citation.container else None
    day = day_in_words(citation.issued, language) if citation.issued else None
    parts = (
        citation.author,
        words.say("form.quoted", language, title=citation.title),
        inside,
        day,
        citation.place,
        page,
    )
    told = ", ".join(filter(None, parts)) + (f" ({citation.remark})" if citation.remark else "")
    accessed = day_in_words(citation.accessed, language)
    return f"{told}. {citation.source}, {words.say('form.accessed', language, day=accessed, address=citation.address)}"


def as_bibtex(citation: Citation) -> str:
    """One entry, in ASCII as far as the text is in Latin letters."""
    fields = {
        "author": _kept(citation.author),
        "title": _kept(citation.title),
        "institution": _braced(citation.publisher) if citation.kind == "report" else None,
        "type": "{UN document}" if citation.kind == "report" and citation.publisher == UNITED_NATIONS else None,
        "howpublished": _braced(citation.container),
        "publisher": _braced(citation.publisher) if citation.kind != "report" else None,
        "number": _braced(citation.place),
        "pages": _braced(str(citation.page)) if citation.page else None,
        **_date_fields(citation.issued),
        "url": f"{{{citation.address}}}",
        "urldate": f"{{{citation.accessed.isoformat()}}}",
        "note": _braced(citation.note),
        "abstract": _braced(citation.abstract),
    }
    written = ",\n".join(f"  {name} = {value}" for name, value in fields.items() if value)
    return f"@{'techreport' if citation.kind == 'report' else 'misc'}{{{citation.key},\n{written}\n}}\n"


def as_csl(citation: Citation) -> dict[str, Any]:
    """One item of CSL-JSON (the data schema of the Citation Style Language, 1.0.2)."""
    item = {
        "id": citation.key,
        "citation-key": citation.key,
        "type": citation.kind,
        "title": citation.title,
        "author": [{"literal": citation.author}] if citation.author else None,
        "publisher": citation.publisher,
        "container-title": citation.container,
        "number": citation.place,
        "page": str(citation.page) if citation.page else None,
        "issued": _date_parts(citation.issued) if citation.issued else None,
        "accessed": _date_parts(citation.accessed),
        "URL": citation.address,
        "source": SOURCE,
        "version": citation.version if citation.kind == "dataset" else None,
        "language": citation.item_language,
        "note": citation.note,
        "abstract": citation.abstract,
    }
    return {name: value for name, value in item.items() if value is not None}


def capitalised(text: str) -> str:
    """With a capital letter at its beginning; the others stay."""
    return text[:1].upper() + text[1:]


def _date_fields(day: datetime.date | None) -> dict[str, str]:
    if day is None:
        return {}
    return {"year": f"{{{day.year}}}", "month": _MONTHS[day.month - 1], "day": f"{{{day.day}}}"}


def _date_parts(day: datetime.date) -> dict[str, Any]:
    return {"date-parts": [[day.year, day.month, day.day]]}


def _braced(text: str | None) -> str | None:
    return f"{{{in_latex(text)}}}" if text else None


def _kept(text: str | None) -> str | None:
    """In braces of its own: a body is no person with a surname, and a title keeps its capitals."""
    return f"{{{{{in_latex(text)}}}}}" if text else None
