"""Whether all ways to the same records agree, on real data: lists, exports, statistics and search.

    python -m benchmarks.totals [--combinations 200] [--seed 1] [--data FOLDER]

Random combinations of one to four filters, of values that occur, are asked of the services, each in a process of its
own, over HTTP. For each: `total` is the number of rows that the pages make up, whatever their sizes and their order,
with no record twice; CSV, NDJSON and workbook hold the same records in the same order, NDJSON the same rows; the
statistics and the citation have the same total, groups add up to it where records have one value each, and a group's
count is the total of its list; search counts the same at the same version of the dataset.

`--data`: a data folder with UPR Info's rows and reports, instead of loading ../shared/data. No service may be writing
to it. The exit status is 1 if anything disagrees.
"""

import argparse
import csv
import hashlib
import io
import itertools
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import openpyxl
import orjson
from sqlalchemy import Engine, text

from benchmarks.datasets import UPR_INFO, generated
from benchmarks.loading import REPORTS
from services.api.parameters import MOST_GROUPS
from services.api.routes.statistics import COUNTED_NOUNS
from services.api.statistics import dimensions_of
from services.core.domain.reviews import MidTermStatus
from services.core.query.filters import FILTERS, filters_of
from services.core.runtime.exports import FORMATS, NDJSON, XLSX, Format
from services.core.runtime.postgres import embedded_postgres
from services.core.schemas.names import Names
from services.core.schemas.shapes import shape_of
from services.core.schemas.terms import filter_values, record_date
from services.core.store import migrate
from services.core.store.archive import Archive
from services.core.store.engine import make_engine
from services.core.store.paging import MAX_LIMIT, sorts_of
from services.core.store.reference import Reference, read_reference
from services.core.store.tables import AGGREGATES
from services.ingest.runs import run_files
from services.ingest.sandbox import Sandbox

SHARED = REPORTS.parent
FOLDERS = (
    "wg_reports",
    "matrices",
    "slovenia",
    "council_reports",
    "stakeholder_summaries",
    "advance_questions",
    "wg_drafts_session52",
    "uhri",
)
SHARES = {
    "recommendations": 110,
    "statements": 20,
    "documents": 15,
    "hearings": 15,
    "pledges": 15,
    "reviews": 15,
    "observations": 5,
    "organisations": 5,
}
"""How many combinations of each noun are tried, of so many together; nouns without records are left out."""
UHRI_ROWS = 900
"""Rows in the shape of UHRI's export, of made-up words: without them no recommendation has an id of another system, and
none a target of a Sustainable Development Goal."""
MANY = 5000
"""Rows above which a combination is dear."""
SHARE_OF_MANY = 0.04
MOST_PAGES = 40
WITH_ONE_VALUE = {
    "recommendations": (
        "state_under_review",
        "region",
        "review",
        "cycle",
        "session",
        "position",
        "position_detail",
        "year",
    ),
    "pledges": ("state_under_review", "region", "review", "cycle", "session", "document", "language", "year"),
    "statements": ("state_under_review", "review", "cycle", "session", "hearing", "speaker", "kind", "year"),
    "observations": ("kind", "language", "year"),
}
"""Dimensions of which no record has two values, so that the counts of the groups add up."""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--combinations", type=int, default=sum(SHARES.values()))
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--data", type=Path, help="a data folder that holds the rows already")
    given = arguments.parse_args()
    files = real_files()
    if given.data is None and not files:
        print(f"not run: there are neither rows in {UPR_INFO} nor documents in {SHARED}")
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        with embedded_postgres((given.data or folder) / "postgres") as url:
            if given.data is None:
                load(url, [*files, generated(folder / "uhri.json", UHRI_ROWS)], folder)
            report = asked_and_compared(url, folder, given.combinations, given.seed)
    report.print()
    sys.exit(1 if report.disagreements or not report.asked else 0)


def real_files() -> list[Path]:
    """UPR Info's rows, and documents and samples of other data sets of all kinds, so that every filter has values."""
    of_folders = (sorted(path for path in (SHARED / name).rglob("*") if path.is_file()) for name in FOLDERS)
    return [*sorted(UPR_INFO.glob("*.csv")), *itertools.chain.from_iterable(of_folders)]


def load(url: str, files: Sequence[Path], folder: Path) -> None:
    """Load real files as `upr ingest load` does."""
    started = time.perf_counter()
    migrate.upgrade(url)
    engine = make_engine(url, pool_size=4)
    archive = Archive(folder / "documents")
    with Sandbox() as sandbox:
        *_, last = run_files(engine, files, sandbox, archive, source="bench", backfill_after=timedelta(days=180))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    engine.dispose()
    read = f"{last.summary.loaded} of {len(files)} files"
    print(
        f"loaded {read} in {time.perf_counter() - started:.0f} s, {sum(last.summary.changes.values()):,} changes",
        flush=True,
    )


def asked_and_compared(url: str, folder: Path, combinations: int, seed: int) -> "Report":
    """Ask the running services for random combinations, and compare what they say."""
    report = Report()
    engine = make_engine(url, pool_size=2)
    try:
        with serving("api", url, folder) as api, serving("search", url, folder) as search:
            services = Services(api, search, random.Random(seed))
            for question in questions(engine, services, combinations, random.Random(seed)):
                report.add(question, services.compare(question))
    finally:
        engine.dispose()
    return report


@contextmanager
def serving(service: str, url: str, folder: Path) -> Iterator[httpx.Client]:
    """A service in a process of its own, as its command starts it, once it is ready: search has built its index."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("UPR_")} | {
        "UPR_DATA_DIR": str(folder),
        "UPR_DATABASE_URL": url,
        f"UPR_{service.upper()}_PORT": "0",
        "UPR_LOG_LEVEL": "warning",
    }
    command = [sys.executable, "-m", "services.cli", service, "serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        address = next(line for line in process.stdout if line.startswith("listening on")).split()[-1]
        try:
            with httpx.Client(base_url=address, timeout=300) as client:
                while client.get("/readyz").status_code != 200:
                    time.sleep(0.1)
                yield client
        finally:
            process.send_signal(signal.SIGTERM)


# What is asked


@dataclass(frozen=True)
class Question:
    """Filters of one noun, an order, and what the list says it has."""

    noun: str
    filters: tuple[tuple[str, str], ...]
    sort: str
    total: int

    def __str__(self) -> str:
        return f"/v1/{self.noun}?{urlencode([*self.filters, ('sort', self.sort)])}"

    @property
    def names(self) -> set[str]:
        """The filters that are asked for."""
        return {name for name, _ in self.filters}


def questions(engine: Engine, services: "Services", combinations: int, chance: random.Random) -> Iterator[Question]:
    """So many of them, few of which have many rows."""
    with engine.connect() as connection:
        reference = read_reference(engine)
        decks = {noun: Deck(connection, noun, reference, chance) for noun in SHARES}
    nouns = [noun for noun, deck in decks.items() if deck.records]
    for noun in SHARES.keys() - nouns:
        print(f"{noun}: none are held")
    large = round(combinations * SHARE_OF_MANY)
    for noun in chance.choices(nouns, [SHARES[noun] for noun in nouns], k=combinations):
        while True:
            filters = decks[noun].draw()
            total = services.total(noun, filters)
            if total <= MANY or large:
                break
        large -= total > MANY
        yield Question(noun, filters, chance.choice(sorts_of(noun)), total)


class Deck:
    """What each record of a noun can be found by. Every filter is drawn in its turn."""

    def __init__(self, connection: Any, noun: str, reference: Reference, chance: random.Random) -> None:
        self._chance = chance
        self.records = [_values(noun, record, reference) for record in AGGREGATES[noun].where(connection)]
        occurring = [known.name for known in filters_of(noun) if any(known.name in each for each in self.records)]
        missing = [known.name for known in filters_of(noun) if known.name not in occurring]
        if self.records and missing:
            print(f"{noun}: no record has a value of {', '.join(missing)}")
        self._turns = itertools.cycle(chance.sample(occurring, len(occurring)))

    def draw(self) -> tuple[tuple[str, str], ...]:
        """One to four filters that some record meets, some with further values."""
        first = next(self._turns)
        record = self._chance.choice([each for each in self.records if first in each])
        others = sorted(record.keys() - {first})
        chosen = [first, *self._chance.sample(others, min(len(others), self._chance.randint(0, 3)))]
        pairs = [(name, value) for name in chosen for value in self._some(name, record)]
        self._chance.shuffle(pairs)
        return tuple(pairs)

    def _some(self, name: str, record: dict[str, list[str]]) -> list[str]:
        values = [self._chance.choice(record[name])]
        if not FILTERS[name].single:
            for _ in range(self._chance.choice((0, 0, 0, 1, 2, 6))):
                values += self._chance.choice(self.records).get(name, [])[:1]
        return values


def _values(noun: str, record: Any, reference: Reference) -> dict[str, list[str]]:
    """What a record can be found by, by filter."""
    shape = shape_of(noun, record, Names(reference))
    values = {name: list(several) for name, several in filter_values(noun, shape, reference).items()}
    values["updated_since"] = [record.updated_at.isoformat()]
    if (day := record_date(noun, shape)) is not None:
        values |= {"date_from": [day], "date_to": [day]}
    if noun in FILTERS["mid_term"].nouns:
        values["mid_term"] = [*MidTermStatus]
    return values


# What is compared


@dataclass
class Answers:
    """What was said to one question, and what of it disagrees. `asked` are the ways that were compared."""

    asked: list[str] = field(default_factory=list)
    disagreements: list[str] = field(default_factory=list)

    def same(self, way: str, said: Any, expected: Any) -> None:
        """Note that a way was compared, and if it says otherwise."""
        self.asked.append(way)
        if said != expected:
            self.disagreements.append(f"{way}: {said} instead of {expected}")

    def same_records(self, way: str, said: Sequence[Any], expected: Sequence[Any]) -> None:
        """The same records in the same order."""
        self.asked.append(way)
        if list(said) != list(expected):
            told, known = set(said), set(expected)
            missing = [each for each in expected if each not in told]
            surplus = [each for each in said if each not in known]
            what = f"missing {missing[:3]}, too many {surplus[:3]}" if missing or surplus else "in another order"
            self.disagreements.append(f"{way}: {len(said)} records instead of {len(expected)}: {what}")


class Services:
    """The two services, and what they are asked."""

    def __init__(self, api: httpx.Client, search: httpx.Client, chance: random.Random) -> None:
        self._api = api
        self._search = search
        self._chance = chance
        parameters = search.get("/openapi.json").json()["paths"]["/v1/search"]["get"]["parameters"]
        self._searched = {each["name"]: each["schema"] for each in parameters}

    def total(self, noun: str, filters: Iterable[tuple[str, str]]) -> int:
        """What the list says."""
        return int(_json(self._api, f"/v1/{noun}", [*filters, ("limit", "1")])["total"])

    def compare(self, question: Question) -> Answers:
        """Ask in all ways."""
        answers = Answers()
        ids, version = self._compare_pages(question, answers)
        for form in FORMATS:
            self._compare_export(question, form, ids, version, answers)
        if question.noun in COUNTED_NOUNS:
            self._compare_statistics(question, version, answers)
        if question.noun in self._searched["type"]["enum"] and question.names <= self._searched.keys():
            found = _json(self._search, "/v1/search", [*question.filters, ("type", question.noun), ("per_page", "0")])
            answers.same("search", (found["total"], found["dataset"]["version"]), (question.total, version))
        cited = _json(self._api, f"/v1/{question.noun}/citation", question.filters)
        answers.same("citation", re.findall(r"\((\d+) records?\)", cited["text"]), [str(question.total)])
        return answers

    def _compare_pages(self, question: Question, answers: Answers) -> tuple[list[tuple[str, str]], str]:
        """Walk all pages, each of another size; answers ids with digests of the rows, and the dataset's version."""
        rows: list[tuple[str, str]] = []
        totals, versions, cursor = Counter[int](), Counter[str](), None
        while cursor is not None or not totals:
            asked = [*question.filters, ("sort", question.sort), ("limit", str(self._page_size(question)))]
            page = _json(self._api, f"/v1/{question.noun}", asked + ([("cursor", cursor)] if cursor else []))
            rows += map(_identified, page["data"])
            totals[page["total"]] += 1
            versions[page["dataset"]["version"]] += 1
            cursor = _cursor_of(page["page"]["next"])
            if len(rows) > question.total + MAX_LIMIT:
                break
        ids = [row[0] for row in rows]
        answers.same("rows paged", len(rows), question.total)
        answers.same("totals of all pages", list(totals), [question.total])
        answers.same("records that come twice", [each for each, n in Counter(ids).items() if n > 1][:3], [])
        answers.same("versions of all pages", len(versions), 1)
        return rows, next(iter(versions))

    def _page_size(self, question: Question) -> int:
        least = min(MAX_LIMIT, question.total // MOST_PAGES + 1)
        return self._chance.randint(least, MAX_LIMIT) if self._chance.random() < 0.5 else least

    def _compare_export(
        self, question: Question, form: Format, rows: Sequence[tuple[str, str]], version: str, answers: Answers
    ) -> None:
        """By the suffix or by `Accept`."""
        asked = (*question.filters, ("sort", question.sort))
        suffix, accept = (f".{form.suffix}", "*/*") if self._chance.random() < 0.5 else ("", form.media_type)
        query = httpx.QueryParams(asked)
        answer = self._api.get(f"/v1/{question.noun}{suffix}", params=query, headers={"Accept": accept})
        answer.raise_for_status()
        answers.same(f"version of {form.suffix}", answer.headers["openupr-dataset"], version)
        if form is NDJSON:
            told = [_identified(orjson.loads(line)) for line in answer.content.splitlines()]
            answers.same_records("ndjson", told, rows)
        else:
            read = _ids_of_workbook if form is XLSX else _ids_of_csv
            answers.same_records(form.suffix, read(answer.content), [row[0] for row in rows])

    def _compare_statistics(self, question: Question, version: str, answers: Answers) -> None:
        one = self._chance.choice(WITH_ONE_VALUE[question.noun])
        asked = [*question.filters, ("limit", str(MOST_GROUPS))]
        counts = _json(self._api, f"/v1/statistics/{question.noun}", [*asked, ("group_by", one)])
        said = (counts["total"], counts["dataset"]["version"])
        answers.same("statistics", said, (question.total, version))
        if counts["groups_total"] <= MOST_GROUPS:
            added = sum(group["count"] for group in counts["groups"])
            # Also where it is filtered by: there are groups of what was asked for alone, and all records are of those.
            answers.same(f"groups by {one}", added, question.total)
        several = self._chance.choice(dimensions_of(question.noun))
        counts = _json(self._api, f"/v1/statistics/{question.noun}", [*asked, ("group_by", several)])
        answers.same("statistics", counts["total"], question.total)
        without = sum(group["count"] for group in counts["groups"] if group["values"][several] is None)
        if several not in question.names:
            answers.same(f"records without {several}", without, counts["unlabelled"][several])
        if listed := [group for group in counts["groups"] if group["url"]]:
            group = self._chance.choice(listed)
            filters = parse_qsl(urlsplit(group["url"]).query)
            answers.same(f"a group by {several}", self.total(question.noun, filters), group["count"])


def _json(client: httpx.Client, path: str, parameters: Sequence[tuple[str, str]]) -> Any:
    answer = client.get(path, params=tuple(parameters))
    if answer.status_code != 200:
        raise SystemExit(f"{answer.request.url} answers {answer.status_code}: {answer.text[:500]}")
    return orjson.loads(answer.content)


def _cursor_of(address: str | None) -> str | None:
    return dict(parse_qsl(urlsplit(address).query))["cursor"] if address else None


def _identified(row: dict[str, Any]) -> tuple[str, str]:
    """A row's id, and what stands for all that it says."""
    return row["id"], hashlib.sha256(orjson.dumps(row, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _ids_of_csv(content: bytes) -> list[str]:
    return [row["id"] for row in csv.DictReader(io.StringIO(content.decode(), newline=""))]


def _ids_of_workbook(content: bytes) -> list[str]:
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True)
    try:
        cells = (row[0] for row in book.worksheets[0].iter_rows(max_col=1, values_only=True))
        assert next(cells) == "id"
        return [str(cell) for cell in cells]
    finally:
        book.close()


# What is told


@dataclass
class Report:
    """What was asked and compared."""

    asked: list[Question] = field(default_factory=list)
    compared: Counter[str] = field(default_factory=Counter)
    disagreements: list[str] = field(default_factory=list)
    started: float = field(default_factory=time.perf_counter)

    def add(self, question: Question, answers: Answers) -> None:
        """Count what was compared, and say at once what disagrees."""
        self.asked.append(question)
        self.compared.update({way.partition(" by ")[0].partition(" without ")[0] for way in answers.asked})
        for disagreement in answers.disagreements:
            self.disagreements.append(f"{question}\n  {disagreement}")
            print(self.disagreements[-1], flush=True)

    def print(self) -> None:
        """All of it in a few lines."""
        print(f"{len(self.asked)} combinations of filters in {time.perf_counter() - self.started:.0f} s")
        for noun, count in Counter(question.noun for question in self.asked).most_common():
            totals = sorted(question.total for question in self.asked if question.noun == noun)
            print(f"  {noun}: {count}, with {totals[0]:,} to {totals[-1]:,} rows, {sum(totals):,} together")
        used = Counter(name for question in self.asked for name in question.names)
        print(f"  filters: {', '.join(f'{name} {count}' for name, count in used.most_common())}")
        repeated = sum(len(question.filters) > len(question.names) for question in self.asked)
        print(f"  with repeated values: {repeated}; orders: {len({question.sort for question in self.asked})}")
        print(f"  compared: {', '.join(f'{way} {count}' for way, count in sorted(self.compared.items()))}")
        print(f"disagreements: {len(self.disagreements)}")


if __name__ == "__main__":
    main()
