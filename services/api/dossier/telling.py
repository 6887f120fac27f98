"""A dossier in words of one language, before it is a page, a Word document or a PDF: all three say what stands here."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from services.api.pages.state_facts import told_facts
from services.api.printable import printable
from services.core.pages.words import Words
from services.core.schemas.names import Names
from services.core.schemas.shapes import Shape

_WEB = re.compile(r"https?://[!-~]{1,2000}")
"""Addresses elsewhere that are made links: what is longer or has other letters is told and leads nowhere."""

Style = Literal["", "strong", "emphasis", "supported", "noted", "pending"]


@dataclass(frozen=True)
class Run:
    """Some words of one look. `address` is where they lead, `reference` the number of the reference that they are."""

    text: str
    style: Style = ""
    address: str | None = None
    language: str | None = None
    reference: int | None = None


Line = tuple[Run, ...]


@dataclass(frozen=True)
class Paragraph:
    """A line of its own. A `notice` says that something is missing."""

    line: Line
    kind: Literal["paragraph", "notice"] = "paragraph"


@dataclass(frozen=True)
class Items:
    """A list."""

    lines: tuple[Line, ...]
    kind: Literal["items"] = "items"


@dataclass(frozen=True)
class Entry:
    """A recommendation, a statement or the like: what it is called, what is known of it, its words."""

    title: Line
    facts: Line
    text: Line
    kind: Literal["entry"] = "entry"


@dataclass(frozen=True)
class Table:
    """A table with a heading for each column; the first cell of a row is its heading. `numbers`: of figures."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Line, ...], ...]
    numbers: bool = False
    kind: Literal["table"] = "table"


Block = Paragraph | Items | Entry | Table


@dataclass(frozen=True)
class Section:
    """A part with a heading. `name` is its anchor."""

    name: str
    title: str
    blocks: tuple[Block, ...]
    address: str | None = None


@dataclass(frozen=True)
class Telling:
    """A whole dossier. `references[0]` is the one numbered 1."""

    language: str
    title: str
    address: str
    about: tuple[Paragraph, ...]
    counts: Table | None
    sections: tuple[Section, ...]
    references: tuple[Line, ...]
    references_title: str
    citation: str


def telling_of(dossier: Shape, names: Names) -> Telling:
    """What a dossier says, in the language of `names`."""
    teller = _Teller(dossier, Words(names.language), names)
    sections = tuple(teller.sections())
    return Telling(
        language=teller.words.language,
        title=printable(f"{dossier['state']['name']}: {dossier['topic']['name']}"),
        address=dossier["url"],
        about=tuple(teller.about()),
        counts=teller.counts(),
        sections=sections,
        references=tuple(teller.references),
        references_title=teller.words("dossier.references"),
        citation=teller.citation(),
    )


def plain(line: Line) -> str:
    """The words of a line alone."""
    return "".join(run.text for run in line)


@dataclass
class _Teller:
    dossier: Shape
    words: Words
    names: Names
    references: list[Line] = field(default_factory=list)
    _numbers: dict[str, int] = field(default_factory=dict)

    # The head

    def about(self) -> Iterator[Paragraph]:
        told, words = self.dossier["dataset"], self.words
        dataset = words("site.dataset", date=words.date(told["as_of"]), version=told["version"])
        yield Paragraph((Run(dataset),))
        yield Paragraph((Run(self.dossier["url"], address=self.dossier["url"]),))
        if self.dossier["answers"] is None:
            yield Paragraph((Run(words("record.not_read")),), "notice")
        else:
            yield Paragraph((Run(words("dossier.recommendations", n=self.dossier["answers"]["total"]), "strong"),))

    def citation(self) -> str:
        """How to cite the dossier, so that who follows it up knows which state of the data was read."""
        told, words = self.dossier["dataset"], self.words
        return words(
            "search.citation",
            title=printable(f"{self.dossier['state']['name']}: {self.dossier['topic']['name']}"),
            records=words("dossier.recommendations", n=(self.dossier["answers"] or {"total": 0})["total"]),
            date=words.date(told["as_of"]),
            version=told["version"],
            address=self.dossier["url"],
        )

    def counts(self) -> Table | None:
        if self.dossier["answers"] is None:
            return None
        words = self.words
        of = [(words("record.cycle", cycle=each["cycle"]), each["answers"]) for each in self.dossier["cycles"]]
        rows = [(name, answers) for name, answers in of if answers]
        columns = ("supported", "noted", "pending")
        total = words("record.total")
        headings = (words("filter.cycle"), total, *map(self._position, columns), self._detail("implemented"))
        return Table(
            headings,
            tuple(
                (
                    (Run(name, "strong"),),
                    *((Run(words.number(answers[each])),) for each in ("total", *columns)),
                    (Run(words.number(answers["by_detail"]["implemented"])),),
                )
                for name, answers in [*rows, (total, self.dossier["answers"])]
            ),
            numbers=True,
        )

    def sections(self) -> Iterator[Section]:
        """Those that have something to say, in the order in which a statement is written."""
        parts: Sequence[tuple[str, str, Callable[[], Iterable[Block]]]] = (
            ("ahead", "dossier.ahead", self._ahead),
            ("facts", "dossier.facts", lambda: self._facts("on_topic")),
        )
        yield from self._told(parts)
        yield from map(self._cycle, self.dossier["cycles"])
        yield from self._told(
            (
                ("done", "dossier.done", self._done),
                ("again", "dossier.said_again", self._said_again),
                ("pledges", "dossier.pledges", self._pledges),
                ("statements", "dossier.statements", self._statements),
                ("hearings", "record.hearings", self._hearings),
                ("other-facts", "dossier.other_facts", lambda: self._facts("others")),
                ("missing", "record.coverage", self._missing),
            )
        )

    def _told(self, parts: Iterable[tuple[str, str, Callable[[], Iterable[Block]]]]) -> Iterator[Section]:
        for name, title, tell in parts:
            if blocks := tuple(tell()):
                yield Section(name, self.words(title), blocks)

    # What lies ahead, and facts

    def _ahead(self) -> Iterator[Block]:
        yield from _listed(map(self._one_ahead, self.dossier["dates_ahead"]))

    def _one_ahead(self, told: Shape) -> Line:
        known = {"n": told["count"], "cycle": str(told["cycle"]), "year": str(told["year"])}
        what, when = self.words(f"dossier.ahead_{told['kind']}", **known), self._when(told)
        return (Run(f"{what}: {when}" if when else what),)

    def _when(self, told: Shape) -> str:
        words = self.words
        if told["date"]:
            return words.date(told["date"])
        if told["session"] is None:
            return words("dossier.day_not_known") if told.get("kind") == "next_review" else ""
        session = words("dossier.session", session=str(told["session"]))
        if told["starts_on"] and told["ends_on"]:
            return f"{session}, {words.date(told['starts_on'])} – {words.date(told['ends_on'])}"
        return f"{session} ({words('dossier.days_not_known')})"

    def _facts(self, which: str) -> Iterator[Block]:
        rows = told_facts(self.dossier["facts"][which], self.words, self.names)
        if rows:
            yield Table(
                tuple(self.words(f"dossier.fact_{each}") for each in ("subject", "value", "when")),
                tuple(self._fact(row) for row in reversed(rows)),
            )

    def _fact(self, row: Shape) -> tuple[Line, ...]:
        detail = f" ({row['detail']})" if row["detail"] else ""
        when = self.words.date(row["date"]) if row["date"] else _years(row["years"])
        references = [self._refer(self._of_fact(source)) for source in row["sources"]]
        return (
            (Run(printable(row["subject"]), "strong"),),
            (Run(printable(f"{row['value']}{detail}")),),
            (Run(f"{when} "), *references),
        )

    def _of_fact(self, source: Shape) -> Line:
        label = printable(source["name"] or source["document"])
        return (Run(f"{label}{self._place(source)}", address=self._document(source["document"])),)

    def _place(self, source: Shape) -> str:
        row = self.words("dossier.row", row=str(source["row"])) if source["row"] else ""
        page = self.words("record.page", page=str(source["page"])) if source["page"] else ""
        return "".join(f", {each}" for each in (page, row) if each)

    # Cycles

    def _cycle(self, cycle: Shape) -> Section:
        day = f", {self.words.date(cycle['date'])}" if cycle["date"] else ""
        title = f"{self.words('record.cycle', cycle=cycle['cycle'])}{day}"
        return Section(f"cycle-{cycle['cycle']}", title, tuple(self._of_cycle(cycle)), cycle["url"])

    def _of_cycle(self, cycle: Shape) -> Iterator[Block]:
        if cycle["answers"] is None:
            yield Paragraph((Run(self.words("record.not_read")),), "notice")
            return
        yield Paragraph(tuple(self._in_numbers(cycle["answers"])))
        for told in cycle["recommendations"]:
            yield self._recommendation(told)

    def _in_numbers(self, counts: Shape) -> Iterator[Run]:
        words = self.words
        yield Run(words("dossier.recommendations", n=counts["total"]))
        if not counts["total"]:
            return
        for place, name in enumerate(("supported", "noted", "pending")):
            yield Run(": " if place == 0 else " · ")
            yield Run(words.number(counts[name]), name)  # type: ignore[arg-type]
            yield Run(f" {self._position(name)}")
        if done := counts["by_detail"]["implemented"]:
            yield Run(f" · {words.number(done)} {self._detail('implemented')}")

    def _recommendation(self, told: Shape) -> Entry:
        number = self.words("record.number", number=told["number"]) if told["number"] else told["id"]
        states = ", ".join(state["name"] for state in told["recommending_states"])
        facts = [
            Run(self._position(told["position"]), told["position"]),
            Run(f" ({self._detail(told['position_detail'])})" if told["position_detail"] else ""),
            Run(printable(f" · {self.words('record.recommended_by', states=states)} ")),
            self._refer(tuple(self._sources(told))),
        ]
        self._numbers[told["id"]] = len(self.references)
        return Entry((Run(printable(number), "strong", told["url"]),), _with_text(*facts), self._text(told))

    def _text(self, told: Shape) -> Line:
        return (Run(printable(told["text"]), language=told["text_language"]),)

    def _sources(self, told: Shape) -> Iterator[Run]:
        """Where it stands, at its page, where the answer stands, and the record itself."""
        source = next((each for each in told["sources"] if each["symbol"]), None) or next(iter(told["sources"]), None)
        if source is not None:
            yield from self._in_document(source["symbol"] or self._kind(source["kind"]), source)
            yield Run("; ")
        entry = told["positions"][-1] if told["positions"] else None
        if entry and entry["symbol"] and (source is None or entry["symbol"] != source["symbol"]):
            place = f", {self._paragraph(entry)}" if entry["paragraph"] else ""
            yield Run(printable(f"{entry['symbol']}{place}"), address=self._document(entry["document"]))
            yield Run("; ")
        yield Run(told["url"], address=told["url"])

    def _in_document(self, called: str, source: Shape) -> Iterator[Run]:
        place = f", {self._paragraph(source)}" if source["paragraph"] else ""
        yield Run(printable(f"{called}{place}"), address=self._document(source["document"]))
        if source["page"]:
            page = self.words("record.page", page=str(source["page"]))
            file = source.get("file")
            at = f"{self._document(source['document'])}/files/{file}#page={source['page']}" if file else None
            yield Run(", ")
            yield Run(page, address=at)

    def _paragraph(self, source: Shape) -> str:
        return self.words("dossier.paragraph", paragraph=source["paragraph"])

    # What is done, and what was repeated

    def _done(self) -> Iterator[Block]:
        yield from _listed(map(self._one_done, self.dossier["said_to_be_done"]))

    def _one_done(self, told: Shape) -> Line:
        day = f", {self.words.date(told['effective_on'])}" if told["effective_on"] else ""
        phrase = f" “{printable(told['phrase'])}”" if told["phrase"] else ""
        detail = Run(f": {self._detail(told['detail'])}{day}")
        return _with_text(*self._named(told["id"]), detail, Run(phrase, "emphasis", language="en"))

    def _said_again(self) -> Iterator[Block]:
        yield from _listed(map(self._one_said_again, self.dossier["said_again"]))

    def _one_said_again(self, group: Shape) -> Line:
        cycles = self.words("record.cycle", cycle=", ".join(map(str, group["cycles"])))
        since = f"; {self.words('dossier.since', date=self.words.date(group['since']))}" if group["since"] else ""
        states = ", ".join(state["name"] for state in group["recommending_states"])
        told = [Run(f"{cycles}{since}: ", "strong"), Run(printable(f"{states}: "))]
        for place, record_id in enumerate(group["ids"]):
            told += [Run(", " if place else ""), *self._named(record_id)]
        return _with_text(*told)

    def _named(self, record_id: str) -> Line:
        """A recommendation of this dossier by its id, with the number of its reference."""
        told = Run(printable(record_id), address=self._permalink("recommendations", record_id))
        number = self._numbers.get(record_id)
        return (told, Run(" "), Run(f"[{number}]", reference=number)) if number else (told,)

    # What was said

    def _pledges(self) -> Iterator[Block]:
        for each in self.dossier["pledges"]:
            day = Run(f"{self.words.date(each['date'])} " if each["date"] else "")
            reference = self._refer((*self._in_document_named(each), Run(each["url"], address=each["url"])))
            yield Entry((Run(each["id"], "strong", each["url"]),), _with_text(day, reference), self._text(each))

    def _statements(self) -> Iterator[Block]:
        told = self.dossier["statements"]
        if told["total"] > len(told["data"]):
            shown = {"shown": len(told["data"]), "total": told["total"]}
            yield Paragraph((Run(self.words("dossier.statements_shown", **shown)),), "notice")
        for each in told["data"]:
            day = f" · {self.words.date(each['date'])}" if each["date"] else ""
            facts = Run(f"{self._kind(each['kind'])}{day} ")
            reference = self._refer((*self._in_document_named(each), Run(each["url"], address=each["url"])))
            text = self._text(each) if each["text"] else (Run(self.words("dossier.words_not_held"), "emphasis"),)
            yield Entry((Run(printable(each["speaker"]["name"]), "strong", each["url"]),), (facts, reference), text)

    def _in_document_named(self, told: Shape) -> Iterator[Run]:
        yield from self._in_document(self._called(told["document"]), {**told, "file": None})
        yield Run("; ")

    # Hearings

    def _hearings(self) -> Iterator[Block]:
        hearings = self.dossier["hearings"]
        for each in hearings["on_topic"]:
            yield self._thematic(each)
        yield from _listed(map(self._of_review, hearings["of_reviews"]))
        if hearings["others"]:
            yield Paragraph((Run(self.words("dossier.other_hearings", n=hearings["others"])),))

    def _of_review(self, told: Shape) -> Line:
        day = f", {self.words.date(told['date'])}" if told["date"] else ""
        return (Run(printable(told["title"] or self._kind(told["kind"])), address=told["url"]), Run(day))

    def _thematic(self, told: Shape) -> Entry:
        words = self.words
        known = [
            words("dossier.iachr_period", period=str(told["iachr_period"])) if told["iachr_period"] else "",
            words("record.number", number=str(told["number"])) if told["number"] else "",
            words.date(told["date"]),
        ]
        asked = ", ".join(each["name"] for each in told["requesting_organisations"])
        facts = [Run(" · ".join(filter(None, known)))]
        if asked:
            facts.append(Run(printable(f" · {words('dossier.requested_by', names=asked)}")))
        facts += self._elsewhere("dossier.video", told["video"])
        facts += self._elsewhere("dossier.press_release", told["press_release"])
        facts += [Run(" "), self._refer((Run(told["url"], address=told["url"]),))]
        summary = self.names.pick(told["summaries"], "")
        language = next((code for code, text in told["summaries"].items() if text == summary), None)
        title = printable(told["title"] or self._kind(told["kind"]))
        words_said = _with_text(Run(printable(summary), language=language))
        return Entry((Run(title, "strong", told["url"]),), tuple(facts), words_said)

    def _elsewhere(self, name: str, address: str | None) -> Iterator[Run]:
        if address:
            yield Run(f" · {self.words(name)}: ")
            yield Run(printable(address), address=address if _WEB.fullmatch(address) else None)

    # What is missing

    def _missing(self) -> Iterator[Block]:
        words, dossier = self.words, self.dossier
        named = {each["cycle"] for each in dossier["reviews_not_read"]}
        for each in dossier["reviews_not_read"]:
            told = f"{words('record.cycle', cycle=each['cycle'])} ({self._when(each)})"
            yield Paragraph((Run(words("dossier.review_not_read", review=told)),), "notice")
        if others := [str(cycle) for cycle in dossier["cycles_not_read"] if cycle not in named]:
            yield Paragraph((Run(f"{words('record.cycles_not_read')}: {', '.join(others)}."),), "notice")
        for cycle in dossier["cycles"]:
            if cycle["missing"]:
                kinds = ", ".join(map(self._kind, cycle["missing"]))
                told = f"{words('record.cycle', cycle=cycle['cycle'])}: {words('record.missing')}: {kinds}."
                yield Paragraph((Run(told),), "notice")
        if dossier["facts_not_held"]:
            nothing: Shape = {"value": "", "detail": None, "date": None, "year": None, "sources": []}
            subjects = [{**nothing, "subject": subject} for subject in dossier["facts_not_held"]]
            told = ", ".join(row["subject"] for row in told_facts(subjects, words, self.names))
            yield Paragraph((Run(printable(f"{words('dossier.facts_not_held')}: {told}.")),), "notice")
        hearings = dossier["hearings"]
        if hearings["in_region"] and not hearings["on_topic"] and not hearings["others"]:
            yield Paragraph((Run(words("dossier.no_thematic_hearing")),), "notice")

    # References, names and addresses

    def _refer(self, line: Line) -> Run:
        self.references.append(line)
        number = len(self.references)
        return Run(f"[{number}]", reference=number)

    def _position(self, value: str) -> str:
        return self.names.of_filter_value("position", value)

    def _detail(self, value: str) -> str:
        return self.names.of_filter_value("position_detail", value)

    def _kind(self, value: str) -> str:
        return self.names.of_filter_value("kind", value)

    def _called(self, document: str) -> str:
        """The symbol of a document, else its title, its kind, its id."""
        brief = next((each for each in self.dossier["documents"] if each["id"] == document), None)
        if brief is None:
            return document
        called: str = brief["symbol"] or brief["title"] or self._kind(brief["kind"])
        return called

    def _document(self, document: str) -> str:
        return self._permalink("documents", document)

    def _permalink(self, noun: str, record_id: str) -> str:
        return f"{self.dossier['url'].partition('/dossier/')[0]}/{noun}/{record_id}"


def _listed(lines: Iterable[Line]) -> Iterator[Items]:
    """A list, unless it is empty."""
    if held := tuple(lines):
        yield Items(held)


def _with_text(*runs: Run) -> Line:
    return tuple(run for run in runs if run.text)


def _years(years: Sequence[int]) -> str:
    """`2000–2010, 2015`: what is told of single years is not told of those between."""
    held: list[list[int]] = []
    for year in sorted(set(years)):
        if held and held[-1][-1] == year - 1:
            held[-1].append(year)
        else:
            held.append([year])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in held)
