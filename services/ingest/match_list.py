"""Somebody's own list of recommendations: its rows as they stand, and what its columns mean.

Columns are known by their headers in four languages (`match_words.toml`), else by what they hold. A cell of text may
also hold the number before it and the recommending States after it, as reports print them.
"""

import csv
import datetime
import io
import re
import tomllib
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from services.core.domain.errors import InvalidParameterError, UnreadableDocumentError
from services.core.domain.identifiers import normalised_text
from services.core.domain.reviews import CYCLE_LAST_SESSIONS, LAST_KNOWN_SESSION, cycle_of_session
from services.core.query.analysis import LANGUAGES, languages_of
from services.ingest.datasets.base import delimiter_of
from services.ingest.datasets.tables import encoding_of, workbook_cells
from services.ingest.datasets.upr_info import state_named
from services.ingest.normalise.attributions import find_attributions, read_state_list
from services.ingest.normalise.states import folded_name

MOST_BYTES = 100 * 2**20
ROLES = ("number", "text", "state", "states", "cycle", "session", "position")
OUR_COLUMNS = "upr_"
"""Columns whose names begin so are ours, of an earlier run: they are written anew."""

_HEADER_WITHIN = 20
"""A header stands among the first rows, below titles and notes."""

_LONGEST_NAME = 30
_JUDGED_ROWS = 200
"""So many rows decide what a column without a header holds."""

_FEWEST_LETTERS = 25
"""A column of recommendations has cells at least this long on average."""

_MOST = 0.6
"""The share of a column's filled cells that must look alike for it to be taken for something."""

_FEWEST_COUNTED = 5
_MOST_COUNTED = 0.9
_OTHER_SEPARATORS = re.compile(r"\s+(?:y|e|et|und)\s+|\s*[|\n•]\s*|\s+-\s+", re.IGNORECASE)
_WITHIN_WORDS = re.compile(r"[()\[\].]")
"""Signs that headers have inside words: "Estado(s)", "N.º"."""

_ID = re.compile(r"[A-Z]{3}-\d(?:-\S+|~[0-9a-f]{10})")
_NUMBER = re.compile(
    r"(?<![\d.,])(\d{1,3})(?:\s?[.,-]\s?(\d{1,3}|[a-z](?![a-z])))?(?:\s?[.-]?\s?\(?([a-z])\)?(?![a-z]))?"
)
_LEADING_NUMBER = re.compile(r"^\W{0,2}(\d{1,3}\.\d{1,3})\.?[\s):-]+(?=\D)")
_TWO_PLACES = re.compile(r"\d{1,3}\.\d{1,2}")
_LOOKS_LIKE_NUMBER = re.compile(r"(?:[A-Za-z.º°]{0,6}\s?)\d{1,3}[.,-]\d{1,3}\W?(?:[a-z]\W?)?")
_FEWEST_WORDS_OF_LANGUAGE = 4


@dataclass(frozen=True)
class ListRow:
    """What one row of the list says. `numbers` are those it can mean, `as_printed` the first of them.

    `problem` says why nothing can be made of it; a row without anything in it has none, and `is_blank`.
    """

    numbers: tuple[str, ...] = ()
    record_id: str | None = None
    text: str = ""
    folded: str = ""
    languages: tuple[str, ...] = LANGUAGES
    states: tuple[str, ...] = ()
    state: str | None = None
    cycle: int | None = None
    session: int | None = None
    position: str | None = None
    number_is_rounded: bool = False
    is_blank: bool = False
    problem: str | None = None


@dataclass
class TrackerList:
    """A list as it was read. `preamble` are the rows above the header; every row has a cell for each column."""

    preamble: list[list[Any]]
    columns: list[str]
    rows: list[list[Any]]
    roles: dict[str, int] = field(default_factory=dict)
    """Which column has which role, by its place."""

    has_header: bool = True


def read_list(path: Path, *, sheet: str | None = None, named: Mapping[str, str] | None = None) -> TrackerList:
    """Read a CSV of any encoding, or one sheet of a workbook. `named` says by name or place which column has a role.

    Raises `UnreadableDocumentError` (`file_not_found`, `not_a_file`, `file_not_readable`, `file_too_large`,
    `empty_file`, `unsupported_format`, `damaged_table`, `zip_bomb`, `unknown_sheet`, `unknown_columns`) and
    `InvalidParameterError` for a named column that is not there.
    """
    cells = [list(row) for row in _cells_of(path, sheet)]
    while cells and not any(map(_text, cells[-1])):
        cells.pop()
    if not cells:
        raise UnreadableDocumentError("empty_file", "the list has no rows")
    tracker = _framed(cells, named or {})
    tracker.roles = _roles(tracker, named or {})
    if not tracker.roles.keys() & {"number", "text"}:
        raise UnreadableDocumentError(
            "unknown_columns",
            "no column holds texts or numbers of recommendations; name one with --text-column or --number-column "
            f"(the list has: {', '.join(tracker.columns)})",
        )
    return tracker


def _cells_of(path: Path, sheet: str | None) -> Iterator[Sequence[Any]]:
    start = _start_of(path)
    if start.startswith(b"PK"):
        if not _is_workbook(path):
            raise UnreadableDocumentError("unsupported_format", "this is neither an XLSX workbook nor a CSV")
        yield from workbook_cells(path, sheet)
    elif start.startswith((b"\xd0\xcf\x11\xe0", b"%PDF", b"{\\rtf")) or (
        b"\0" in start and start[:2] not in (b"\xff\xfe", b"\xfe\xff")
    ):
        raise UnreadableDocumentError("unsupported_format", "neither XLSX nor CSV: save the list as one of them")
    elif sheet is not None:
        raise UnreadableDocumentError("unknown_sheet", "only a workbook has sheets")
    else:
        yield from _text_cells(path)


def _start_of(path: Path) -> bytes:
    try:
        if not path.exists():
            raise UnreadableDocumentError("file_not_found", f"there is no file {path}")
        if not path.is_file():
            raise UnreadableDocumentError("not_a_file", f"{path} is not a regular file")
        if path.stat().st_size > MOST_BYTES:
            raise UnreadableDocumentError("file_too_large", f"the list has more than {MOST_BYTES:,} bytes")
        with path.open("rb") as stream:
            start = stream.read(4096)
    except OSError as error:
        raise UnreadableDocumentError("file_not_readable", f"{path}: {error.strerror or error}") from error
    if not start:
        raise UnreadableDocumentError("empty_file", f"{path} is empty")
    return start


def _is_workbook(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.startswith("xl/") for name in archive.namelist())
    except (zipfile.BadZipFile, OSError) as error:
        raise UnreadableDocumentError("damaged_table", f"the workbook cannot be opened: {error}") from error


def _text_cells(path: Path) -> Iterator[list[str]]:
    csv.field_size_limit(2**20)
    # newline=None: a classic Mac ends lines with CR. Inside quotes they are all "\n".
    with path.open(encoding=encoding_of(path), errors="replace", newline=None) as stream:
        text = stream.read()
    reader = csv.reader(io.StringIO(text), delimiter=_delimiter(text))
    try:
        yield from reader
    except csv.Error as error:
        raise UnreadableDocumentError("damaged_table", f"line {reader.line_num}: {error}") from error


def _delimiter(text: str) -> str:
    """The separator that most of the first lines have most of: the first may be a title."""
    lines = [line for line in text[: 2**16].splitlines()[:_HEADER_WITHIN] if line.strip()]
    votes = Counter(delimiter_of(line) for line in lines if any(map(line.count, ",;\t")))
    first = delimiter_of(lines[0]) if lines else ","
    return max(votes, key=lambda each: (votes[each], each == first), default=first)


def _framed(cells: list[list[Any]], named: Mapping[str, str]) -> TrackerList:
    """The rows below the header, all of one width; our own columns of an earlier run are left out."""
    width = max(map(len, cells))
    cells = [row + [None] * (width - len(row)) for row in cells]
    at = _header_at(cells, named)
    header = cells[at] if at is not None else [None] * width
    kept = [place for place in range(width) if not _text(header[place]).casefold().startswith(OUR_COLUMNS)]
    while kept and not any(_text(row[kept[-1]]) for row in cells):
        kept.pop()
    below = cells[at + 1 :] if at is not None else cells
    return TrackerList(
        preamble=cells[:at] if at else [],
        columns=_distinct([_text(header[place]) or f"column {place + 1}" for place in kept]),
        rows=[[row[place] for place in kept] for row in below],
        has_header=at is not None,
    )


def _header_at(cells: list[list[Any]], named: Mapping[str, str]) -> int | None:
    """The row that names the most columns; a single name counts only if the row has no long text."""
    wanted = {name.casefold() for name in named.values() if not name.isdecimal()}

    def names_in(row: list[Any]) -> int:
        known = sum(1 for cell in row if _text(cell).casefold() in wanted)
        return known + len({role for cell in row if (role := _role_of(_text(cell))[0])})

    best = max(range(min(_HEADER_WITHIN, len(cells))), key=lambda at: (names_in(cells[at]), -at))
    return best if names_in(cells[best]) else (0 if _looks_like_header(cells) else None)


def _looks_like_header(cells: list[list[Any]]) -> bool:
    """Whether the first row, of unknown names, names the columns: all short and different, without any digit."""
    names = [_text(cell) for cell in cells[0]]
    longest = max((len(_text(cell)) for row in cells[1:_JUDGED_ROWS] for cell in row), default=0)
    return (
        all(names)
        and len(set(names)) == len(names)
        and not any(any(map(str.isdigit, name)) or named_state(name) for name in names)
        and max(map(len, names)) <= _LONGEST_NAME
        and longest >= _FEWEST_LETTERS
    )


def _distinct(names: list[str]) -> list[str]:
    seen: Counter[str] = Counter()
    distinct = []
    for name in names:
        seen[name] += 1
        distinct.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return distinct


def _roles(tracker: TrackerList, named: Mapping[str, str]) -> dict[str, int]:
    """Which column is what: as named, then as its header says, then as it looks."""
    roles = {role: _place_of(tracker, name, role) for role, name in named.items()}
    headed: dict[str, list[tuple[float, int, int]]] = {}
    for place, name in enumerate(tracker.columns):
        role, sureness = _role_of(name) if tracker.has_header else (None, 0)
        if role and place not in roles.values() and not (role == "number" and _is_running(tracker, place)):
            headed.setdefault(role, []).append((_fitness(tracker, place, role), sureness, -place))
    for role, places in headed.items():
        roles.setdefault(role, -max(places)[2])
    some_state = roles.pop("some_state", None)
    if some_state is not None:
        roles.setdefault(_whose_states(tracker, some_state, roles), some_state)
    _by_content(tracker, roles)
    return roles


def _fitness(tracker: TrackerList, place: int, role: str) -> float:
    """What decides between two columns with the header of one role: the longer texts, the cells more like numbers."""
    if role == "text":
        return _average_length(tracker, place)
    return float(role == "number" and _holds(tracker, place, _looks_like_number))


def _looks_like_number(text: str) -> bool:
    return bool(_LOOKS_LIKE_NUMBER.fullmatch(text) or _ID.fullmatch(text))


def _is_running(tracker: TrackerList, place: int) -> bool:
    """Whether a column counts the rows of the list: 1, 2, 3 … are seldom numbers of recommendations."""
    if len(tracker.rows) < _FEWEST_COUNTED:
        return False
    counted = [_text(row[place]) == str(at) for at, row in enumerate(tracker.rows, 1)]
    return sum(counted) >= _MOST_COUNTED * len(counted)


def _place_of(tracker: TrackerList, name: str, role: str) -> int:
    lowered = [column.casefold() for column in tracker.columns]
    if name.casefold() in lowered:
        return lowered.index(name.casefold())
    if name.isdecimal() and 1 <= int(name) <= len(lowered):
        return int(name) - 1
    raise InvalidParameterError(
        f"There is no column {name!r} for the {role}; the list has: {', '.join(tracker.columns)}."
    )


@lru_cache(maxsize=4096)
def _role_of(header: str) -> tuple[str | None, int]:
    """The role that a header names, and how sure that is; no role for a cell that is rather a text."""
    folded = folded_name(_WITHIN_WORDS.sub("", header))
    if not folded or len(folded) > 80:
        return None, 0
    found: tuple[int, str | None] = (0, None)
    for role, words in _words()["columns"].items():
        if folded in words["exact"] or folded in words["names"]:
            return role, 1000
        for name in words["names"]:
            if f" {name} " in f" {folded} " and len(name) > found[0] and len(folded) <= len(name) + 30:
                found = (len(name), role)
    return found[1], found[0]


def _whose_states(tracker: TrackerList, place: int, roles: Mapping[str, int]) -> str:
    """Whose States a column named "State" holds: one and the same is the one under review, several in a cell never."""
    cells = [_text(row[place]) for row in tracker.rows if _text(row[place])]
    if "states" in roles:
        return "state"
    if "state" in roles:
        return "states"
    return "state" if len(set(map(folded_name, cells))) == 1 and len(cells) > 1 else "states"


def _by_content(tracker: TrackerList, roles: dict[str, int]) -> None:
    """Find what no header names: the longest texts, the cells like numbers, those that name States only."""
    free = [place for place in range(len(tracker.columns)) if place not in roles.values()]
    if tracker.has_header and roles.keys() & {"text"}:
        return
    lengths = {place: _average_length(tracker, place) for place in free}
    if "text" not in roles and free:
        longest = max(free, key=lambda place: lengths[place])
        if lengths[longest] >= _FEWEST_LETTERS:
            roles["text"] = longest
            free.remove(longest)
    looks: tuple[tuple[str, Callable[[str], bool]], ...] = (
        ("number", _looks_like_number),
        ("states", lambda text: bool(states_in(text)[0])),
    )
    for role, look in looks:
        place = next((place for place in free if role not in roles and _holds(tracker, place, look)), None)
        if place is not None:
            is_states = role == "states"
            roles[_whose_states(tracker, place, roles) if is_states else role] = place
            free.remove(place)


def _average_length(tracker: TrackerList, place: int) -> float:
    lengths = [len(text) for row in tracker.rows[:_JUDGED_ROWS] if (text := _text(row[place]))]
    return sum(lengths) / len(lengths) if lengths else 0.0


def _holds(tracker: TrackerList, place: int, look: Callable[[str], bool]) -> bool:
    filled = [text for row in tracker.rows[:_JUDGED_ROWS] if (text := _text(row[place]))]
    return bool(filled) and sum(map(look, filled)) >= _MOST * len(filled)


def _text(cell: object) -> str:
    """A cell as one line of text."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return " ".join(str(cell).split())


def list_rows(tracker: TrackerList, *, state: str | None = None, cycle: int | None = None) -> list[ListRow]:
    """What the rows say, in their order. `state` and `cycle` hold where a row does not tell."""
    return [_row(tracker.roles, cells, state, cycle) for cells in tracker.rows]


def _row(roles: Mapping[str, int], cells: Sequence[Any], state: str | None, cycle: int | None) -> ListRow:
    def cell(role: str) -> Any:
        return cells[roles[role]] if role in roles else None

    if not any(map(_text, cells)):
        return ListRow(is_blank=True, folded="")
    text, leading, attributed = _taken_apart(_text(cell("text")))
    printed = cell("number")
    record_id, numbers = _numbers(printed if _text(printed) else leading)
    states = states_in(str(cell("states") or ""))[0] or attributed
    under_review, problem = _under_review(_text(cell("state")), state)
    session = _session(_text(cell("session")))
    if not text and not numbers and not record_id:
        problem = problem or "neither a text nor a number"
    words = normalised_text(text).split()
    return ListRow(
        numbers=numbers,
        record_id=record_id,
        text=text,
        folded=" ".join(words),
        languages=languages_of(words) if len(words) >= _FEWEST_WORDS_OF_LANGUAGE else LANGUAGES,
        states=states,
        state=under_review,
        cycle=_cycle(_text(cell("cycle"))) or (cycle_of_session(session) if session else cycle),
        session=session,
        position=_position(_text(cell("position"))),
        number_is_rounded=isinstance(printed, float),
        problem=problem,
    )


def _taken_apart(text: str) -> tuple[str, str | None, tuple[str, ...]]:
    """The recommendation alone, the number printed before it, and the States in parentheses after it."""
    leading = _LEADING_NUMBER.match(text)
    if leading:
        text = text[leading.end() :]
    states: list[str] = []
    end = len(text)
    for attribution in reversed(find_attributions(text) if text.rstrip(" .;,").endswith((")", "]")) else []):
        if text[attribution.end : end].strip(" .;,"):
            break
        end = attribution.start
        states = [*attribution.states, *states]
    return text[:end].strip(), leading[1] if leading else None, tuple(dict.fromkeys(states))


def _numbers(cell: object) -> tuple[str | None, tuple[str, ...]]:
    """Our id, if the cell holds one, and the numbers that it can mean.

    A workbook keeps 116.10 as the number 116.1, and a CSV saved from it shows that: both are possible, in that order.
    A cell that became a day (5.10 is the fifth of October somewhere) tells nothing.
    """
    if cell is None or isinstance(cell, datetime.date | datetime.time | bool):
        return None, ()
    text = _text(cell)
    own = _ID.search(text)
    if own:
        return own[0], ()
    numbers: dict[str, None] = {}
    for first, second, part in _NUMBER.findall(text.casefold()):
        number = f"{first}.{second}" if second else first
        if part:
            numbers[f"{number}-{part}"] = None
        numbers[number] = None
    rounded = [number for number in numbers if _TWO_PLACES.fullmatch(number)]
    numbers |= dict.fromkeys(f"{number}0" for number in rounded)
    return None, tuple(numbers)


def states_in(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The States that a cell names, by name or code, and what of it names none that we know."""
    return _states_in(text.strip())


@lru_cache(maxsize=8192)
def _states_in(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if not text:
        return (), ()
    whole = named_state(text)
    if whole:
        return (whole,), ()
    told = read_state_list(text.strip("()[]"))
    if not told.unknown:
        return told.states, ()
    found: dict[str, None] = {}
    unknown = []
    for piece in re.split(r"[,;/|\n]|\)\s*\(", _OTHER_SEPARATORS.sub(";", text)):
        name = piece.strip(" ()[].*")
        code = named_state(name) if name else None
        if code:
            found[code] = None
        elif name:
            unknown.append(name)
    # "Iran, Islamic Republic of" falls apart at its comma: what the list of names reads counts as well.
    return tuple(dict.fromkeys((*told.states, *found))), tuple(unknown)


@lru_cache(maxsize=4096)
def named_state(name: str) -> str | None:
    """The alpha-3 code of a State by its name, or by the code itself. Many lists began as UPR Info's rows."""
    name = name.strip()
    if len(name) == 3 and name.isupper() and name in _codes():
        return name
    return state_named(name)


@cache
def _codes() -> frozenset[str]:
    with (files("services.core.store") / "facts" / "states.csv").open(encoding="utf-8") as table:
        codes = {row["code"] for row in csv.DictReader(table)}
    with (files("services.core.store") / "facts" / "sample_states.csv").open(encoding="utf-8") as table:
        return frozenset(codes | {row["iso3"] for row in csv.DictReader(table)})


def _under_review(text: str, otherwise: str | None) -> tuple[str | None, str | None]:
    """The State under review that a row names, and what is wrong with it."""
    if not text:
        return otherwise, None
    code = named_state(text)
    return (code, None) if code else (None, f"{text!r} is no State that is known")


@lru_cache(maxsize=256)
def _ordinal(text: str, most: int) -> int | None:
    """The number in "2", "Cycle 2", "2nd", "II", "segundo ciclo", "44 - November 2023"; None above `most`."""
    folded = folded_name(text)
    digits = re.search(r"\d+", folded)
    if digits:
        return int(digits[0]) if 1 <= int(digits[0]) <= most else None
    words = folded.split()
    found = (int(n) for n, names in _words()["ordinals"].items() if any(word in names for word in words))
    return next(found, None)


def _cycle(text: str) -> int | None:
    return _ordinal(text, max(CYCLE_LAST_SESSIONS)) if text else None


def _session(text: str) -> int | None:
    return _ordinal(text, LAST_KNOWN_SESSION) if text else None


@lru_cache(maxsize=1024)
def _position(text: str) -> str | None:
    """The position that a cell names as such; None where it says something else."""
    folded = folded_name(text.replace("_", " "))
    return next((position for position, names in _words()["positions"].items() if folded in names), None)


@cache
def _words() -> dict[str, Any]:
    return tomllib.loads((files("services.ingest") / "match_words.toml").read_text(encoding="utf-8"))
