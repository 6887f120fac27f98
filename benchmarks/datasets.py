"""How databases are read and stored: time, memory, and how many rows find their recommendation.

    python -m benchmarks.datasets [upr-info] [attach] [uhri] [--rows N]

`upr-info`: UPR Info's export (`../shared/data/upr_info`) into an empty store. `attach`: its rows of the shared reports,
by how they found the recommendation they tell of. `uhri`: a generated export in the shape of UHRI's, of a tenth of
`--rows` (270,000) and of all of them, into an empty store. Without a word: all three. The data of others are read where
they are and nothing of them is kept.
"""

import os
import random
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson

from benchmarks.loading import REPORTS, Memory, guardian
from services.core.runtime.postgres import embedded_postgres
from services.core.store import migrate
from services.core.store.archive import Archive
from services.core.store.documents import FileEntry
from services.core.store.engine import make_engine
from services.core.store.seed import state_records
from services.ingest.datasets import data_set_for
from services.ingest.datasets.contents import Contents
from services.ingest.merge import SourceReading, databases
from services.ingest.merge.recommendations import gather
from services.ingest.reading import Reading
from services.ingest.runs import run_files
from services.ingest.sandbox import Sandbox

UPR_INFO = REPORTS.parent / "upr_info"
ROWS = 270_000
WAYS = {
    "_same": "the same words",
    "_nearly_same": "nearly the same words",
    "_part": "a part of the words, or words around them",
    "_cut": "words left out between",
    "_paraphrase": "a paraphrase",
    "_misnamed": "the same words from another State",
}


def main() -> None:
    words = [word for word in sys.argv[1:] if not word.startswith("-") and not word.isdecimal()]
    rows = int(sys.argv[sys.argv.index("--rows") + 1]) if "--rows" in sys.argv else ROWS
    exports = sorted(UPR_INFO.glob("*.csv"))
    if not words or "upr-info" in words:
        if exports:
            load("UPR Info, empty store", exports)
        else:
            print(f"upr-info not run: there is no export in {UPR_INFO}")
    if not words or "attach" in words:
        attach(exports)
    if not words or "uhri" in words:
        with tempfile.TemporaryDirectory() as folder:
            seconds = [
                load(f"UHRI, {count:,} generated rows", [generated(Path(folder) / f"{count}.json", count)])
                for count in (rows // 10, rows)
            ]
        print(f"  ten times the rows took {seconds[1] / seconds[0]:.1f} times as long")


def load(what: str, files: list[Path]) -> float:
    """Load files into an empty store, twice; the seconds that the first time took."""
    with tempfile.TemporaryDirectory() as temporary, embedded_postgres(Path(temporary) / "postgres") as url:
        migrate.upgrade(url)
        seconds = _load(what, url, files, Path(temporary))
        _load("  again", url, files, Path(temporary))
    return seconds


def _load(what: str, url: str, files: list[Path], temporary: Path) -> float:
    engine = make_engine(url, pool_size=2)
    watch = Memory([os.getpid(), guardian(engine)])
    started, worked = time.perf_counter(), time.process_time()
    changes: Counter[str] = Counter()
    with watch, Sandbox() as sandbox:
        archive = Archive(temporary / "documents")
        for step in run_files(engine, files, sandbox, archive, source="bench", backfill_after=timedelta(days=180)):
            changes = step.summary.changes
    seconds, worked = time.perf_counter() - started, time.process_time() - worked
    engine.dispose()
    megabytes = sum(file.stat().st_size for file in files) / 1e6
    print(f"{what}: {megabytes:.0f} MB in {seconds:.1f} s ({worked:.1f} s of them this process worked)")
    print(f"  changes: {', '.join(f'{count:,} {name}' for name, count in sorted(changes.items())) or 'none'}")
    ours, database = watch.peak
    print(f"  memory at the peak: {ours + database:.0f} MB: {ours:.0f} for loading, {database:.0f} for PostgreSQL")
    return seconds


# UPR Info's rows and the shared reports


def attach(exports: list[Path]) -> None:
    reports: dict[tuple[str | None, int | None], list[SourceReading]] = defaultdict(list)
    with Sandbox() as sandbox:
        for file in sandbox.read_all(sorted(REPORTS.glob("*.pdf"))):
            if isinstance(file.result, Reading) and file.sha256:
                said = file.result.document
                reports[said.state_under_review, said.cycle].append(_source(file.result, file.sha256))
    if not reports or not exports:
        print("attach not run: there are no reports or no export")
        return
    ways, found, lost = _watched(), Counter[str](), Counter[str]()
    rows_told = 0
    seconds = 0.0
    for reading in _readings(exports):
        held = reports.get((reading.document.state_under_review, reading.document.cycle))
        if not held or not reading.recommendations:
            continue
        rows = _source(reading, str(reading.document))
        rows_told += sum(len(told.recommending_states) or 1 for told in reading.recommendations)
        started = time.perf_counter()
        gathered = gather("review", [*held, rows], [])
        seconds += time.perf_counter() - started
        for each in gathered:
            printed = any(source is not rows for source, _ in each.told)
            for told in (told for source, told in each.told if source is rows):
                count = len(told.recommending_states) or 1
                found["attached" if printed else "not attached"] += count
                lost[str(reading.document.session)] += 0 if printed else count
    share = found["attached"] / rows_told
    print(f"rows of {len(reports)} reviews: {rows_told:,}; attached {found['attached']:,} ({share:.2%})")
    print(f"  in more than one recommendation: {found.total() - rows_told}")
    print("  " + ", ".join(f"{ways[name]:,} by {meaning}" for name, meaning in WAYS.items()))
    print(f"  not attached, by session: {dict(sorted((k, v) for k, v in lost.items() if v))}")
    print(f"  merging took {seconds:.2f} s")


def _watched() -> Counter[str]:
    """Counts, from now on, what each way of looking finds."""
    counts: Counter[str] = Counter()

    def counting(name: str, make: Callable[..., Any]) -> Callable[..., Any]:
        def made(shelf: Any) -> Callable[..., Any]:
            find = make(shelf)

            def look(sought: Any) -> Any:
                known = find(sought)
                counts[name] += known is not None
                return known

            return look

        return made

    for name in WAYS:
        setattr(databases, name, counting(name, getattr(databases, name)))
    return counts


def _readings(exports: Iterable[Path]) -> Iterator[Reading]:
    for path in exports:
        data_set = data_set_for(path)
        if data_set is not None:
            with Contents(data_set, path) as contents:
                yield from contents.readings()


def _source(reading: Reading, sha256: str) -> SourceReading:
    entry = FileEntry(
        sha256=sha256,
        name="",
        media_type="",
        language=reading.document.language,
        bytes=0,
        pages=None,
        current=True,
        parser=reading.parser,
        parser_version=reading.parser_version,
    )
    return SourceReading(document=sha256, file=entry, reading=reading)


# An export in the shape of UHRI's, of made-up words


def generated(path: Path, rows: int) -> Path:
    """Write an export with a third of its rows from the UPR; the rows of a review stand all over the file."""
    dice = random.Random(rows)
    words = ["".join(dice.choices("abcdefghijklmnopqrstuvwxyz", k=dice.randint(2, 11))) for _ in range(8000)]
    states = [(record.id, record.names["en"]) for record in state_records()]
    numbers: Counter[str] = Counter()
    with path.open("wb") as out:
        for n in range(rows):
            out.write(b"[" if n == 0 else b",\n")
            out.write(orjson.dumps(_row(n, dice, words, states, numbers)))
        out.write(b"]")
    return path


def _row(
    n: int, dice: random.Random, words: list[str], states: list[tuple[str, str]], numbers: Counter[str]
) -> dict[str, Any]:
    code, state = dice.choice(states)
    is_review = n % 5 < 2
    text = " ".join(dice.choices(words, k=dice.randint(10, 60) if is_review else dice.randint(30, 160))).capitalize()
    cycle = dice.randint(1, 3)
    who = [name for _, name in dice.sample(states, dice.randint(1, 4))]
    if is_review:
        numbers[f"{code}-{cycle}"] += 1
        text = f"{100 + cycle}.{numbers[f'{code}-{cycle}']} {text} {' '.join(f'({name})' for name in who)};"
    session = {1: 5, 2: 18, 3: 33}[cycle]
    return {
        "AffectedPersons": dice.sample(["Children", "Women & girls", "Migrants", "Older persons"], dice.randint(0, 3)),
        "AnnotationId": f"{n:08x}-0000-4000-8000-{dice.randrange(16**12):012x}",
        "AnnotationType": "- Recommendations",
        "Body": "- UPR" if is_review else f"- {dice.choice(['CRC', 'CAT', 'CEDAW', 'CCPR', 'SR Torture'])}",
        "Countries": [state],
        "DocumentId": f"{dice.randrange(16**8):08x}",
        "PublicationDate": f"20{dice.randint(10, 25)}-02-12T00:00:00",
        "PublicationDateOnUhri": "2025-03-03T10:53:45.827",
        "Regions": ["Africa"],
        "Sdgs": dice.sample(["16.2 - Protect children", "5.2 - End violence", "16 - Peace"], dice.randint(0, 2)),
        "Symbol": f"A/HRC/{code}/{cycle}" if is_review else f"CRC/C/{code}/CO/{dice.randint(1, 25)}",
        "Text": text,
        "Themes": dice.sample(["Right to health", "Death penalty", "Right to food", "Migrants"], dice.randint(1, 4)),
        "UprCycle": None,
        "UprPositions": [dice.choice(["Supported", "Noted"])] if is_review else [],
        "UprRecommendingCountry": who if is_review else [],
        "UprRecommendingRegions": [],
        "UprSession": [f"{session}th Session - Cycle {cycle}"] if is_review else [],
    }


if __name__ == "__main__":
    main()
