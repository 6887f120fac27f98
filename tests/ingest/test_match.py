"""`upr match` as a user calls it, and the choice between records."""

import csv
import hashlib
import io
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import openpyxl
import orjson
import pytest
from click.testing import Result
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from services.core.domain.errors import InvalidParameterError, UnreadableDocumentError
from services.core.store.engine import make_engine
from services.ingest.load import Loader
from services.ingest.match import Answer, Held, Reason, held_of, match_rows
from services.ingest.match_commands import app
from services.ingest.match_list import list_rows, read_list
from services.ingest.merge import merge_review
from services.ingest.reading import ReadRecommendation
from services.ingest.sandbox import Sandbox
from tests.readings import TEXTS, addendum, recommendation, report, source

MIGRANTS = "Consider ratifying the International Convention on the Rights of All Migrant Workers"
TOLD = [
    recommendation("116.1", TEXTS[0], ["CHL", "ESP"]),
    recommendation("116.2", TEXTS[1], ["MEX"]),
    recommendation("116.3", TEXTS[2], ["FRA"], part="a"),
    recommendation("116.3", TEXTS[3], ["NOR"], part="b"),
    recommendation("116.9", TEXTS[4], ["DNK"]),
    recommendation("116.10", TEXTS[5], ["CHE"]),
    recommendation("116.11", MIGRANTS, ["URY"]),
    recommendation("116.12", MIGRANTS, ["PHL"]),
]


def held(told: Sequence[ReadRecommendation] = TOLD) -> list[Held]:
    merged = merge_review("PER", 2, [source(report(told), "report.pdf")])
    return [held_of(record) for record in merged.recommendations.values()]


def written(tmp_path: Path, text: str, name: str = "list.csv", encoding: str = "utf-8") -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return path


def answers(
    path: Path, *, state: str | None = "PER", cycle: int | None = 2, known: list[Held] | None = None, **named: str
) -> list[Answer]:
    tracker = read_list(path, named=named)
    return match_rows(list_rows(tracker, state=state, cycle=cycle), known or held())


def ids(found: Sequence[Answer]) -> list[str | None]:
    return [answer.held.id if answer.held else None for answer in found]


def reasons(found: Sequence[Answer]) -> list[str]:
    return [str(answer.reason) for answer in found]


def test_number_and_text_together_are_sure(tmp_path: Path) -> None:
    found = answers(written(tmp_path, f"No,Recommendation\n116.1,{TEXTS[0].upper()}.\n116.2,{TEXTS[1]}\n"))
    assert ids(found) == ["PER-2-116.1", "PER-2-116.2"]
    assert reasons(found) == ["number_and_text"] * 2
    assert [answer.confidence for answer in found] == [1.0, 1.0]
    assert [answer.differs for answer in found] == [{}, {}]


def test_a_text_alone_is_enough(tmp_path: Path) -> None:
    exact, like, part = answers(
        written(
            tmp_path,
            f"Text,Recommended by\n{TEXTS[0]},Chile and Spain\nEstablishing a national preventive mecanism against "
            f"torture,México\n{TEXTS[4]} and that nobody has to pay for their books and transport,Denmark\n",
        )
    )
    assert ids([exact, like, part]) == ["PER-2-116.1", "PER-2-116.2", "PER-2-116.9"]
    assert exact.reason == like.reason == part.reason == Reason.TEXT
    assert exact.confidence > like.confidence > part.confidence > 0.5
    assert like.differs["text"].endswith("% alike")


def test_a_number_alone_is_less_sure_and_other_states_speak_against_it(tmp_path: Path) -> None:
    alone, agreeing, others = answers(written(tmp_path, "Number;From\n116.1;\n116.2;MEX\n116.9;Chile\n"))
    assert ids([alone, agreeing, others]) == ["PER-2-116.1", "PER-2-116.2", "PER-2-116.9"]
    assert agreeing.confidence > alone.confidence > others.confidence
    assert others.differs == {"recommending_states": "DNK"}


def test_the_parts_of_a_number_are_told_apart(tmp_path: Path) -> None:
    found = answers(written(tmp_path, f"number,text\n116.3,{TEXTS[3]}\n116.3(a),\n116.3-b,\n116.3,\n"))
    assert ids(found) == ["PER-2-116.3-b", "PER-2-116.3-a", "PER-2-116.3-b", None]
    assert found[3].reason is Reason.AMBIGUOUS
    assert found[3].candidates == ("PER-2-116.3-a", "PER-2-116.3-b")


def test_a_wrong_number_gives_way_to_the_text(tmp_path: Path) -> None:
    wrong, other = answers(written(tmp_path, f"number,text\n116.9,{TEXTS[0]}\n116.2,Plant trees along all the roads\n"))
    assert (wrong.held and wrong.held.id, wrong.reason) == ("PER-2-116.1", Reason.TEXT)
    assert wrong.confidence <= 0.8
    assert wrong.differs["number"] == "116.1"
    assert (other.held and other.held.id, other.reason, other.confidence) == ("PER-2-116.2", Reason.NUMBER, 0.4)


def test_a_number_of_nowhere_in_a_list_of_nobody_leads_nowhere(tmp_path: Path) -> None:
    found = answers(written(tmp_path, "number\n116.1\n"), state=None, cycle=None)
    assert reasons(found) == ["ambiguous"]
    assert found[0].candidates == ("PER-2-116.1",)


def test_a_text_from_nobody_to_nobody_is_less_sure_and_must_be_the_same(tmp_path: Path) -> None:
    path = written(tmp_path, f"text\n{MIGRANTS} now\n{TEXTS[0]}\n{TEXTS[1]} and elsewhere\n")
    told, nobody = answers(path), answers(path, state=None, cycle=None)
    assert ids(told)[1:] == ["PER-2-116.1", "PER-2-116.2"]
    assert ids(nobody)[1:] == ["PER-2-116.1", None]
    assert nobody[1].confidence < told[1].confidence


def test_the_same_words_of_two_records_are_told_apart_by_their_states_or_not_at_all(tmp_path: Path) -> None:
    found = answers(
        written(tmp_path, f'text,by\n{MIGRANTS},Philippines\n{MIGRANTS},\n{MIGRANTS},"Philippines, Uruguay"\n')
    )
    assert ids(found) == ["PER-2-116.12", None, None]
    assert reasons(found)[1:] == ["ambiguous", "ambiguous"]
    assert found[2].candidates == ("PER-2-116.11", "PER-2-116.12")


def test_short_texts_of_other_states_are_formulas(tmp_path: Path) -> None:
    known = held([recommendation("116.1", "Ratify OPCAT", ["CHL"])])
    found = answers(written(tmp_path, "text,by\nRatify OPCAT,Norway\n"), known=known)
    assert (ids(found), found[0].candidates) == ([None], ("PER-2-116.1",))


def test_a_list_in_spanish_is_matched_by_number_and_states(tmp_path: Path) -> None:
    spanish = "Establecer un mecanismo nacional de prevención de la tortura y de otros tratos crueles"
    path = written(
        tmp_path,
        "N.º de recomendación;Texto de la recomendación;Estado(s) recomendante(s);País examinado;Ciclo\n"
        f"116.2;{spanish};México;Perú;Segundo ciclo\n116.9;{spanish};Noruega;Perú;II\n;{spanish};Suiza;Perú;2\n",
        encoding="cp1252",
    )
    agreeing, others, unnumbered = answers(path, state=None, cycle=None)
    assert ids([agreeing, others, unnumbered]) == ["PER-2-116.2", "PER-2-116.9", None]
    assert agreeing.reason is Reason.NUMBER
    assert 0.9 > agreeing.confidence > others.confidence
    assert agreeing.differs == {"language": "en"}
    assert (unnumbered.reason, unnumbered.candidates) == (Reason.NONE, ("PER-2-116.10",))


def test_a_translation_that_is_held_is_compared(tmp_path: Path) -> None:
    spanish = "Establecer un mecanismo nacional de prevención de la tortura"
    readings = [report(TOLD), report([recommendation("116.2", spanish, ["MEX"])], language="es")]
    merged = merge_review("PER", 2, [source(each, str(n)) for n, each in enumerate(readings)])
    known = [held_of(record) for record in merged.recommendations.values()]
    found = answers(written(tmp_path, f"texto\n{spanish}\n"), known=known)
    assert ids(found) == ["PER-2-116.2"]
    assert found[0].confidence > 0.9


def test_two_rows_of_one_record_say_so(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        f"no,text,by\n116.1,{TEXTS[0]},Chile\n116.1,{TEXTS[0]},Spain\n116.2,{TEXTS[1]},\n116.2,{TEXTS[1]},\n"
        f"116.2,{TEXTS[1]} in all the prisons and police stations,\n",
    )
    found = answers(path)
    assert reasons(found) == ["number_and_text", "number_and_text", "number_and_text", "duplicate", "duplicate"]
    assert [answer.shared_with for answer in found] == [(2,), (1,), (4, 5), (3, 5), (3, 4)]
    assert [answer.confidence for answer in found] == [1.0, 1.0, 1.0, 1.0, 0.5]


def test_what_one_row_says_word_for_word_is_not_taken_by_a_row_that_is_like_it(tmp_path: Path) -> None:
    known = held([recommendation("116.1", TEXTS[0], ["ESP"]), recommendation("116.2", f"{TEXTS[0]} soon", ["ESP"])])
    found = answers(written(tmp_path, f"text\n{TEXTS[0]} at once\n{TEXTS[0]}\n"), known=known)
    assert ids(found) == ["PER-2-116.2", "PER-2-116.1"]


def test_spreadsheets_lose_the_nought_of_116_10(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    for row in (["A list of ours"], [], ["No.", "Recommendation"], [116.1, TEXTS[5]], [116.1, TEXTS[0]], [116.1, None]):
        sheet.append(row)
    workbook.create_sheet("Other")
    workbook.save(tmp_path / "list.xlsx")
    found = answers(tmp_path / "list.xlsx")
    assert ids(found) == ["PER-2-116.10", "PER-2-116.1", None]
    assert found[2].candidates == ("PER-2-116.1", "PER-2-116.10")
    with pytest.raises(UnreadableDocumentError, match="no sheet 'Third', but Sheet, Other"):
        read_list(tmp_path / "list.xlsx", sheet="Third")


@pytest.mark.parametrize(
    "text",
    [
        f"116.1 {TEXTS[0]} (Chile) (Spain);\n116.2 {TEXTS[1]} (Mexico);\n",
        f"{TEXTS[0]}\t116.1\tESP, CHL\n{TEXTS[1]}\t116.2\tMéxico\n",
        f"116.1;PER;{TEXTS[0]}\n116.2;PER;{TEXTS[1]}\n",
    ],
    ids=["all in one cell", "any order", "one State throughout"],
)
def test_columns_without_headers_are_known_by_what_they_hold(text: str, tmp_path: Path) -> None:
    found = answers(written(tmp_path, text), state=None if ";PER;" in text else "PER")
    assert ids(found) == ["PER-2-116.1", "PER-2-116.2"]
    assert reasons(found) == ["number_and_text"] * 2


def test_a_count_of_the_rows_is_no_number(tmp_path: Path) -> None:
    lines = [f"{n},{each.text},116.{n}" for n, each in enumerate(TOLD[:6], 1)]
    path = written(tmp_path, "\n".join(["No.,Recommendation,UPR", *lines, ""]))
    found = answers(path)
    assert {answer.reason for answer in found} == {Reason.TEXT}
    assert all(answer.confidence > 0.9 and not answer.differs for answer in found)


def test_a_plain_number_is_unsure(tmp_path: Path) -> None:
    (found,) = answers(written(tmp_path, "rec no\n9\n"))
    assert (found.held and found.held.id, found.confidence) == ("PER-2-116.9", 0.5)


def test_our_own_ids_are_numbers_too_also_former_ones(tmp_path: Path) -> None:
    known = [replace(each, aliases=("PER-2~0123456789",)) if each.number == "116.2" else each for each in held()]
    path = written(tmp_path, "id\nPER-2-116.1\nPER-2~0123456789\nPER-2-999.9\n")
    found = answers(path, state=None, cycle=None, known=known)
    assert ids(found) == ["PER-2-116.1", "PER-2-116.2", None]
    assert found[1].differs == {"id": "PER-2-116.2"}


def test_columns_can_be_named(tmp_path: Path) -> None:
    path = written(tmp_path, f"what,note\n{TEXTS[0]},{TEXTS[1]}\n")
    assert ids(answers(path, text="note")) == ["PER-2-116.2"]
    assert ids(answers(path, text="1")) == ["PER-2-116.1"]
    with pytest.raises(InvalidParameterError, match="no column 'nope' for the text; the list has: what, note"):
        answers(path, text="nope")


def test_a_position_that_changed_since_is_told(tmp_path: Path) -> None:
    found = answers(written(tmp_path, "no,response\n116.1,Accepted\n116.2,Pendiente\n"))
    assert [answer.differs for answer in found] == [{"position": "pending"}, {}]


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("list.csv", b"", "empty_file"),
        ("list.csv", b"\n\n,,\n", "empty_file"),
        ("list.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "unsupported_format"),
        ("list.xlsx", b"PK\x03\x04 and no more", "damaged_table"),
        ("list.csv", b"a,b\n1,2\n", "unknown_columns"),
        ("list.csv", b"\x00\x01\x02", "unsupported_format"),
        (".", None, "not_a_file"),
        ("absent.csv", None, "file_not_found"),
    ],
)
def test_lists_that_cannot_be_read(name: str, content: bytes | None, code: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UnreadableDocumentError) as refused:
        read_list(path)
    assert refused.value.code == code


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_the_order_of_the_rows_does_not_matter_and_none_is_lost(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    cells = st.tuples(
        st.sampled_from(["", "116.1", "116.3", "116.10", "7"]),
        st.sampled_from(["", *TEXTS, MIGRANTS, f"{TEXTS[0]} soon", "x"]),
        st.sampled_from(["", "Chile", "Uruguay; Philippines", "Nowhere"]),
    )
    rows = data.draw(st.lists(cells, min_size=1, max_size=8))
    shuffled = data.draw(st.permutations(range(len(rows))))

    def told(order: Sequence[int]) -> list[str | None]:
        buffer = io.StringIO()
        csv.writer(buffer).writerows([("no", "text", "by", "#"), *((*rows[n], n) for n in order)])
        path = written(tmp_path_factory.mktemp("lists"), buffer.getvalue())
        found = answers(path)
        assert len(found) == len(rows)
        return ids(found)

    straight = told(range(len(rows)))
    assert told(shuffled) == [straight[place] for place in shuffled]


# The command.


@pytest.fixture
def store(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = make_engine(database_url, pool_size=2)
    for name, reading in (("report.pdf", report(TOLD)), ("add.pdf", addendum([("116.1", "supported")]))):
        (tmp_path / name).write_text(name)
        digest = hashlib.sha256(name.encode()).hexdigest()
        Loader(engine, timedelta(days=36_500)).load(tmp_path / name, digest, reading)
    engine.dispose()
    monkeypatch.setenv("UPR_DATABASE_URL", database_url)
    monkeypatch.setenv("UPR_PUBLIC_URL", "https://upr.example")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.mark.usefixtures("store")
def test_the_list_keeps_its_rows_and_columns(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        f"Our tracker 2013,,\nNo,Recommendation,Office,upr_id\n116.1,{TEXTS[0]},Justice,old\n,,,\n,Nothing of that,,\n",
    )
    ended = run(path, "--state", "Perú", "--cycle", "2")
    assert ended.exit_code == 0, ended.stderr
    title, header, matched, blank, unknown = csv.reader(io.StringIO(ended.stdout))
    assert title[0] == "Our tracker 2013"
    assert header[:4] == ["No", "Recommendation", "Office", "upr_id"]
    assert header.count("upr_id") == 1
    assert matched == [
        *("116.1", TEXTS[0], "Justice", "PER-2-116.1", "https://upr.example/recommendations/PER-2-116.1"),
        *("supported", "", "1.0", "number_and_text", "", "", ""),
    ]
    assert blank == ["", "", "", "", "", "", "", "0.0", "none", "", "", ""]
    assert unknown[8] == "none"
    assert "3 rows: 1 matched, 1 with a confidence of 0.9 or more (1 number_and_text, 2 none)" in ended.stderr


@pytest.mark.usefixtures("store")
def test_as_ndjson_and_to_a_file(tmp_path: Path) -> None:
    path = written(tmp_path, f"to,text,text\nPeru,{TEXTS[0]},x\n")
    out = tmp_path / "out.ndjson"
    assert run(path, "--format", "ndjson", "--out", out).exit_code == 0
    (line,) = map(orjson.loads, out.read_bytes().splitlines())
    assert list(line)[:4] == ["to", "text", "text (2)", "upr_id"]
    assert (line["upr_id"], line["upr_confidence"], line["upr_candidates"]) == ("PER-2-116.1", 0.93, [])
    assert run(path, "--bom", "--out", out).exit_code == 0
    assert out.read_bytes().startswith(b"\xef\xbb\xbfto,text")
    assert not list(tmp_path.glob(".out*"))


@pytest.mark.usefixtures("store")
def test_rows_that_cannot_be_read_are_kept_and_told(tmp_path: Path) -> None:
    path = written(tmp_path, f"country under review,text\nAtlantis,{TEXTS[0]}\nPeru,{TEXTS[1]}\nPeru,\n")
    ended = run(path)
    assert ended.exit_code == 1
    assert len(ended.stdout.splitlines()) == 4
    assert "row 1 was not read: 'Atlantis' is no State that is known" in ended.stderr
    assert "row 3 was not read: neither a text nor a number" in ended.stderr


@pytest.mark.usefixtures("store")
def test_reviews_of_which_nothing_is_held_are_named(tmp_path: Path) -> None:
    ended = run(written(tmp_path, f"to,text\nChile,{TEXTS[0]}\n"), "--cycle", "3")
    assert ended.exit_code == 0
    assert "1 rows are of reviews of which nothing is held: CHL-3" in ended.stderr


@pytest.mark.parametrize("options", [["--state", "Atlantis"], ["--cycle", "9"], ["--format", "pdf"]])
def test_wrong_use(options: list[str], tmp_path: Path) -> None:
    assert run(written(tmp_path, "text\nx\n"), *options).exit_code != 0


def test_ten_thousand_rows_take_seconds(tmp_path: Path) -> None:
    words = " ".join(TEXTS).lower().split()
    told = [
        recommendation(
            f"{n // 100 + 100}.{n % 100 + 1}", " ".join(words[(n * 7 + i * i) % len(words)] for i in range(25))
        )
        for n in range(300)
    ]
    known = held(told)
    lines = [f"{told[n % 300].text[n // 300 :]} and more" for n in range(10_000)]
    path = written(tmp_path, "text\n" + "\n".join(lines) + "\n")
    begun = time.perf_counter()
    found = answers(path, known=known)
    assert len(found) == 10_000
    assert time.perf_counter() - begun < 60


def test_real_rows_lead_to_the_records_of_real_reports(real_documents: Path) -> None:
    """UPR Info's rows as somebody's list, against records that come from the reports alone."""
    reports = [real_documents / "wg_reports" / f"{name}.pdf" for name in ("peru2012", "uruguay2014", "mexico2009")]
    with Sandbox(1) as sandbox:
        read = {path.name: reading for path, _, reading in sandbox.read_all(reports)}
    right = rows_in_all = wrong_and_sure = 0
    for name, reading in read.items():
        assert not isinstance(reading, UnreadableDocumentError)
        state, cycle = reading.document.state_under_review, reading.document.cycle
        assert state
        assert cycle
        known = [held_of(each) for each in merge_review(state, cycle, [source(reading, name)]).recommendations.values()]
        for export in ("1-5.csv", "14-17.csv", "17-20.csv"):
            rows = list_rows(read_list(real_documents / "upr_info" / export))
            mine = [row for row in rows if (row.state, row.cycle) == (state, cycle)]
            for row, answer in zip(mine, match_rows(mine, known), strict=True):
                rows_in_all += 1
                # The right record says so itself: the same words, or nearly, and the row's State among its own.
                fits = answer.held is not None and bool(set(row.states) & set(answer.held.states))
                right += fits and answer.likeness >= 75
                wrong_and_sure += not fits and answer.confidence >= 0.9
    assert rows_in_all > 250
    assert right >= 0.97 * rows_in_all
    assert wrong_and_sure == 0
