"""The text of PDFs: lines, superscripts, hyphens, sizes; and files that are damaged, locked or something else."""

import io

import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfgen.canvas import Canvas

from services.core.domain.errors import UnreadableDocumentError
from services.ingest.parsers.text.blocks import DocumentText
from services.ingest.parsers.text.pdf import read_pdf


def made(*pages: list[tuple[float, float, str, float, str]], encrypt: StandardEncryption | None = None) -> bytes:
    """A PDF of pages of (x, y, font, size, words)."""
    out = io.BytesIO()
    canvas = Canvas(out, encrypt=encrypt)
    canvas.setTitle("A report")
    for page in pages:
        for x, y, font, size, words in page:
            canvas.setFont(font, size)
            canvas.drawString(x, y, words)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


PLAIN = [
    (72.0, 700.0, "Helvetica", 10.0, "1. The Working Group"),
    (72.0, 688.0, "Helvetica-Bold", 10.0, "held its session"),
]


def refusal(data: bytes) -> str:
    with pytest.raises(UnreadableDocumentError) as refused:
        read_pdf(data)
    assert "\n" not in refused.value.detail
    return refused.value.code


def test_lines_with_page_size_and_edge():
    text = read_pdf(made(PLAIN, [(100.0, 500.0, "Helvetica", 9.0, "On the second page")]))
    assert text.pages == 2
    assert text.properties["Title"] == "A report"
    assert [(b.text, b.page, b.size) for b in text.blocks] == [
        ("1. The Working Group", 1, 10.0),
        ("held its session", 1, 10.0),
        ("On the second page", 2, 9.0),
    ]
    assert text.blocks[2].x == pytest.approx(100.0, abs=2)


def test_footnote_references_are_superscripts():
    line = [(72.0, 700.0, "Helvetica", 10.0, "(Spain);"), (108.5, 704.0, "Helvetica", 6.0, "12")]
    assert read_pdf(made(line)).blocks[0].text == "(Spain); ¹²"


def test_a_footnote_reference_glued_to_a_year_is_told_from_it():
    line = [(72.0, 700.0, "Helvetica", 10.0, "in 2013"), (105.4, 704.0, "Helvetica", 6.0, "12")]
    assert read_pdf(made(line)).blocks[0].text == "in 2013¹²"


def test_what_is_broken_off_a_line_at_a_footnote_reference_goes_back_to_it():
    marked = [(72.0, 700.0, "Helvetica", 10.0, "problems."), (118.0, 708.0, "Helvetica", 6.0, "14")]
    below = [(72.0, 650.0, "Helvetica", 6.0, "15"), (80.0, 646.0, "Helvetica", 9.0, "See the report.")]
    texts = [block.text for block in read_pdf(made(marked + below)).blocks]
    assert texts[0] == "problems.¹⁴"
    assert "See the report." in texts[-1]
    assert "15" in texts[1] or "¹⁵" in texts[1]


def test_numbers_of_the_line_s_own_size_stay():
    assert read_pdf(made([(72.0, 700.0, "Helvetica", 10.0, "ILO Convention No. 169")])).blocks[0].text.endswith("169")


def test_a_hyphen_at_a_line_s_end_stays():
    lines = [(72.0, 700.0, "Helvetica", 10.0, "a full-"), (72.0, 688.0, "Helvetica", 10.0, "time commissioner")]
    text = " ".join(block.text for block in read_pdf(made(lines)).blocks)
    assert text.replace("- ", "-") == "a full-time commissioner"


def test_pages_without_text():
    assert refusal(made([])) == "no_text"


def test_what_is_no_pdf():
    assert refusal(b"PK\x03\x04 a Word document") == "not_a_pdf"
    assert refusal(b"") == "not_a_pdf"


def test_a_pdf_cut_off():
    whole = made(PLAIN)
    for length in (8, len(whole) // 3, len(whole) // 2, len(whole) - 40):
        assert refusal(whole[:length]) == "truncated_pdf"


def test_a_locked_pdf():
    assert refusal(made(PLAIN, encrypt=StandardEncryption("secret", "owner"))) == "encrypted_pdf"


def test_a_pdf_that_only_forbids_printing_is_read():
    data = made(PLAIN, encrypt=StandardEncryption("", "owner", canPrint=0))
    assert read_pdf(data).blocks[0].text == "1. The Working Group"


def test_foreign_bytes_around_a_pdf():
    assert read_pdf(b"\n\n" + made(PLAIN) + b"\0\0\r\n").pages == 1


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_hostile_bytes_are_refused_or_read(data):
    """Whatever byte is changed, the file is read or refused with one of the known codes."""
    damaged = bytearray(made(PLAIN))
    for _ in range(data.draw(st.integers(1, 20))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    outcome: DocumentText | str
    try:
        outcome = read_pdf(bytes(damaged))
    except UnreadableDocumentError as error:
        outcome = error.code
    assert isinstance(outcome, DocumentText) or outcome in {"not_a_pdf", "truncated_pdf", "encrypted_pdf", "no_text"}


def test_bold_lines_where_the_font_tells_its_weight(real_documents):
    blocks = read_pdf((real_documents / "wg_reports" / "libya2011.pdf").read_bytes()).blocks
    bold = {block.text.strip(): block.bold for block in blocks}
    assert bold["II. Conclusions and/or recommendations"]
    assert not bold["effective dialogue with all States."]


def test_every_real_report_reads_as_pdfium_reads_it(real_documents):
    """No words are lost or moved: only spaces, superscripts and line-end hyphens differ."""
    for path in sorted((real_documents / "wg_reports").glob("*.pdf"))[::12]:
        data = path.read_bytes()
        plain = ""
        for page in pypdfium2.PdfDocument(data):
            plain += page.get_textpage().get_text_range() + "\n"
        superscripts = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
        read = "".join(block.text.translate(superscripts) for block in read_pdf(data).blocks)
        assert "".join(read.split()) == "".join(plain.replace("\ufffe", "-").replace("\u00ad", "").split())
