import csv
import io
import itertools
import json
import shutil
from datetime import date
from pathlib import Path

import openpyxl
import pytest

from services.core.domain.errors import UnreadableDocumentError
from services.ingest.datasets import data_set_for
from services.ingest.datasets.contents import Contents
from services.ingest.datasets.uhri import Uhri
from services.ingest.reading import Reading

SAMPLES = Path(__file__).parent / "samples"


def contents(path: Path) -> Contents:
    data_set = data_set_for(path)
    assert data_set is not None
    return Contents(data_set, path)


def readings(path: Path) -> list[Reading]:
    with contents(path) as held:
        return list(held.readings())


@pytest.mark.parametrize(
    ("name", "parser"),
    [
        ("upr-info.csv", "upr_info_csv"),
        ("upr-info-uwazi.json", "upr_info_uwazi"),
        ("uhri.csv", "uhri"),
        ("uhri.json", "uhri"),
        ("README.md", None),
    ],
)
def test_a_data_set_is_known_by_its_content_whatever_its_name(name: str, parser: str | None, tmp_path: Path) -> None:
    path = tmp_path / "something.pdf"
    shutil.copy(SAMPLES / name, path)
    data_set = data_set_for(path)
    assert (data_set.parser if data_set else None) == parser


@pytest.mark.parametrize(
    "content", [b"", b"\x00" * 100, b"[]", b"{", b"PK\x03\x04 cut", b"%PDF-1.4", b"\xff\xfe", b"a,b\n"]
)
def test_other_files_are_no_data_sets(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_bytes(content)
    assert data_set_for(path) is None
    assert data_set_for(tmp_path) is None
    assert data_set_for(tmp_path / "absent.csv") is None


@pytest.mark.parametrize("name", ["upr-info.csv", "upr-info-uwazi.json", "uhri.csv", "uhri.json"])
def test_every_row_is_told_or_kept_out_with_an_issue(name: str) -> None:
    with contents(SAMPLES / name) as held:
        told = list(held.readings())
        observed = [each for several in held.observations() for each in several]
    assert held.tally.told == held.tally.rows > 0
    assert len(observed) == held.tally.observations
    assert held.tally.pledges == sum(len(reading.pledges) for reading in told)
    assert set(held.tally.kept_out) <= {issue.code for issue in held.issues}


def test_leaving_the_contents_removes_the_rows_from_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with contents(SAMPLES / "uhri.json"):
        assert list(tmp_path.iterdir())
    assert not list(tmp_path.iterdir())


def test_damaged_json_is_one_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "cut.json"
    path.write_bytes((SAMPLES / "uhri.json").read_bytes()[:2000])
    with pytest.raises(UnreadableDocumentError) as error:
        contents(path)
    assert error.value.code == "damaged_json"


# UPR Info


def test_rows_of_one_recommendation_are_one_with_all_its_states() -> None:
    first, pledges, other = readings(SAMPLES / "upr-info.csv")
    assert (first.document.state_under_review, first.document.session, first.document.cycle) == ("XAL", 14, 2)
    told = {each.text: each for each in first.recommendations}
    assert told["Ratify the Optional Protocol to the Convention against Torture"].recommending_states == ("XBM", "XCM")
    growers = told['Protéger the café growers of São Tomás, "the old ones", from evictions']
    assert (growers.number, growers.position, growers.position_phrase) == (None, "noted", "Noted")
    assert told["Share its experience with sea level rise"].recommending_states == ()
    assert [pledge.text for pledge in pledges.pledges] == ["The State commits itself to build twelve schools"]
    assert not pledges.recommendations
    assert other.document.state_under_review == "XBM"


def test_labels_hang_on_rows_and_pledges() -> None:
    first, pledges, _ = readings(SAMPLES / "upr-info.csv")
    row = 1 + [each.text[:6] for each in first.recommendations].index("Ratify")
    labels = {(label.scheme, label.label, label.code) for label in first.labels if label.row == row}
    assert labels == {
        ("upr-info-issue", "International instruments", None),
        ("upr-info-issue", "Torture and other CID treatment", None),
        ("action", "Specific action", "5"),
    }
    assert {label.pledge for label in pledges.labels} == {1}


@pytest.mark.parametrize(
    ("encoding", "newline"), [("utf-8", "\n"), ("utf-8-sig", "\r\n"), ("cp1252", "\r\n"), ("utf-16", "\n")]
)
def test_encodings_and_line_ends_make_no_difference(encoding: str, newline: str, tmp_path: Path) -> None:
    text = (SAMPLES / "upr-info.csv").read_bytes().decode("mac_roman")
    path = tmp_path / "export.csv"
    path.write_bytes(text.replace("\r", newline).encode(encoding))
    assert readings(path) == readings(SAMPLES / "upr-info.csv")


def test_the_order_of_the_rows_makes_no_difference(tmp_path: Path) -> None:
    header, *rows = (SAMPLES / "upr-info.csv").read_bytes().rstrip(b"\r").split(b"\r")
    path = tmp_path / "export.csv"
    path.write_bytes(b"\r".join([header, *rows[::-1]]))
    assert readings(path) == readings(SAMPLES / "upr-info.csv")


def test_a_row_of_another_width_is_kept_out(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text(
        "To,Text,From,Response,Session\nAlderia,A text\nAlderia,B,Costamar,Noted,14,more\n", encoding="utf-8"
    )
    with contents(path) as held:
        assert held.tally.kept_out == {"malformed_row": 2}


def test_the_site_of_upr_info_tells_ids_and_days() -> None:
    with contents(SAMPLES / "upr-info-uwazi.json") as held:
        (reading,) = held.readings()
    assert reading.document.published_on == "2026-02-02"
    death_penalty = reading.recommendations[0]
    assert death_penalty.external_ids == ("upr-info:shared2",)
    assert death_penalty.recommending_states == ("XBM", "XCM")
    assert (death_penalty.position, death_penalty.position_detail) == ("noted", "not_supported")


# UHRI


def test_rows_of_the_upr_become_recommendations() -> None:
    (reading,) = readings(SAMPLES / "uhri.json")
    told = {each.external_ids[0][-2:]: each for each in reading.recommendations}
    assert reading.document.session == 14  # adopted at the 22nd session of the Council
    assert told["01"].text == "Ratify the Optional Protocol & visit prisons often"
    assert (told["01"].number, told["01"].recommending_states) == ("116.1", ("XCM", "XBM"))
    assert (told["02"].number, told["02"].text) == ("81.41", "Abolish the death penalty")
    assert (told["02"].position, told["02"].position_detail) == ("noted", "partial")
    assert (told["03"].number, told["03"].paragraph, told["03"].position) == (None, "67", None)
    assert (told["04"].paragraph, told["04"].recommending_states) == ("79(a)", ("XBM", "XCM"))
    assert (told["06"].position, told["06"].position_detail) == ("noted", "partial")
    labels = {(label.scheme, label.code) for label in reading.labels if label.recommendation == "116.1"}
    assert {("sdg-target", "16.1"), ("sdg", "16")} <= labels


def test_rows_of_other_mechanisms_become_observations() -> None:
    with contents(SAMPLES / "uhri.json") as held:
        concern, advice = [each for several in held.observations() for each in several]
    assert concern.external_id == "uhri-00000000-0000-4000-8000-000000000009"
    assert (concern.kind, concern.body, concern.states) == ("concern", "CAT", ("XAL",))
    assert concern.text == "4.The Committee reminds the State party of its obligations."
    assert concern.date == "2013-01-12"
    assert (advice.kind, advice.body, advice.symbol, advice.states) == ("unknown", "SR Torture", None, ())


def test_what_is_no_recommendation_or_of_nobody_known_is_kept_out() -> None:
    with contents(SAMPLES / "uhri.json") as held:
        assert held.tally.kept_out == {
            "response_row": 1,
            "unknown_state": 2,
            "unknown_session": 1,
            "empty_row": 1,
            "several_states_under_review": 1,
        }


def test_the_table_and_the_workbook_say_the_same(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    lines = (SAMPLES / "uhri.csv").read_text(encoding="utf-8")

    for cells in csv.reader(io.StringIO(lines)):
        sheet.append([float(cell) if cell.replace(".", "").isdecimal() else cell for cell in cells])
    path = tmp_path / "export.bin"
    workbook.save(path)
    with contents(path) as held, contents(SAMPLES / "uhri.csv") as table:
        assert list(held.readings()) == list(table.readings())
        assert list(held.observations()) == list(table.observations())
        assert held.as_of == table.as_of == "2026-04-13"


def test_real_exports_are_told_to_the_last_row(real_documents: Path) -> None:
    rows = recommendations = pledges = 0
    for path in sorted((real_documents / "upr_info").glob("*.csv")):
        with contents(path) as held:
            assert held.tally.told == held.tally.rows
            assert not held.tally.kept_out
            rows += held.tally.rows
            recommendations += held.tally.recommendations
            pledges += held.tally.pledges
    assert (rows, recommendations, pledges) == (42_013, 41_066, 947)


def test_real_samples_of_uhri_are_understood(real_documents: Path) -> None:
    with contents(real_documents / "uhri" / "manual_recs_uhri_schema.csv") as held:
        assert held.tally.recommendations == held.tally.rows == 2978
        sierra = next(r for r in held.readings() if r.document.state_under_review == "SLE")
    # The field names the last State alone; the text names them all.
    assert any(len(each.recommending_states) > 3 for each in sierra.recommendations)
    with contents(real_documents / "uhri" / "egypt_c2_uhri_schema.csv") as held:
        (egypt,) = held.readings()
    assert (len(egypt.recommendations), egypt.document.session) == (300, 20)
    details = [each.position_detail for each in egypt.recommendations]
    assert details.count("partial") == 23


def changed_on(tmp_path: Path, days: list[str | None]) -> Path:
    """UHRI's sample, of which each row last changed on another day; None: it does not tell."""
    rows = json.loads((SAMPLES / "uhri.json").read_text(encoding="utf-8"))
    for row, day in zip(rows, itertools.chain(days, itertools.repeat("2024-01-01T00:00:00")), strict=False):
        row["PublicationDateOnUhri"] = day
    path = tmp_path / "uhri.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    return path


@pytest.mark.parametrize("day", ["2025-06-02T10:00:00.123", None])
def test_what_is_newer_comes_whole(day: str | None, tmp_path: Path) -> None:
    """One new row of a review brings all its rows: what a data set says of a review stands for all it says."""
    with contents(SAMPLES / "uhri.json") as held:
        everything = list(held.readings())
        shares = held.shares
    path = changed_on(tmp_path, [day])
    with Contents(Uhri(), path, since=date(2025, 6, 2)) as newer:
        (reading,) = newer.readings()
        assert list(newer.observations()) == []
        assert (newer.shares, newer.left_out) == (1, shares - 1)
    whole = next(each for each in everything if each.document.state_under_review == "XAL")
    assert reading.recommendations == whole.recommendations
    assert len(reading.recommendations) > 1


def test_nothing_leaves_an_export_that_tells_nothing_newer(tmp_path: Path) -> None:
    with Contents(Uhri(), changed_on(tmp_path, []), since=date(2025, 6, 2)) as newer:
        assert (newer.shares, list(newer.readings()), list(newer.observations())) == (0, [], [])


def test_an_export_that_names_no_days_comes_whole() -> None:
    with contents(SAMPLES / "upr-info.csv") as held:
        shares = held.shares
    data_set = data_set_for(SAMPLES / "upr-info.csv")
    assert data_set is not None
    with Contents(data_set, SAMPLES / "upr-info.csv", since=date(2025, 6, 2)) as newer:
        assert (newer.shares, newer.left_out) == (shares, 0)


def test_uhri_tells_which_report_its_rows_were_taken_from() -> None:
    cited = {reading.document.state_under_review: reading.document.cites for reading in readings(SAMPLES / "uhri.json")}
    assert cited["XAL"] == ("A/HRC/22/15",)
