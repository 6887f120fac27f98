from pathlib import Path

import pytest

from services.ingest.fetching.outcomes import Fetched
from services.ingest.sources import web_pages
from services.ingest.sources.web_pages import Frame, Heading, Link, WebPage

HERE = "https://pages.example.org/en/reviews/index"


def page(tmp_path: Path, html: str | bytes) -> WebPage:
    path = tmp_path / "page"
    path.write_bytes(html if isinstance(html, bytes) else html.encode())
    return WebPage(Fetched(HERE, HERE, 200, {}, "0" * 64, path, "html", 1, unchanged=False))


@pytest.mark.parametrize(
    ("href", "address"),
    [
        ("/files/a.pdf", "https://pages.example.org/files/a.pdf"),
        ("b.pdf", "https://pages.example.org/en/reviews/b.pdf"),
        ("../c.pdf#page=3", "https://pages.example.org/en/c.pdf"),
        ("//other.example.org/d.pdf", "https://other.example.org/d.pdf"),
        (" https://other.example.org/e f.pdf \n", "https://other.example.org/e%20f.pdf"),
        ("/año/Perú – informe.pdf", "https://pages.example.org/a%C3%B1o/Per%C3%BA%20%E2%80%93%20informe.pdf"),
        ("/half%20encoded name.pdf", "https://pages.example.org/half%20encoded%20name.pdf"),
        ("/get.aspx?file=a b&lang=é", "https://pages.example.org/get.aspx?file=a%20b&lang=%C3%A9"),
        ("?page=2", "https://pages.example.org/en/reviews/index?page=2"),
        ("/split\n\tover/lines.pdf", "https://pages.example.org/splitover/lines.pdf"),
    ],
)
def test_a_link_is_a_whole_address(href: str, address: str, tmp_path: Path) -> None:
    assert [link.address for link in page(tmp_path, f'<p><a href="{href}">x</a>').links()] == [address]


NO_WEB_ADDRESSES = (
    *("", " ", "#top", "javascript:void(0)", "JavaScript:alert(1)", "mailto:a@example.org", "tel:+41"),
    *("data:text/html,x", "file:///etc/passwd", "ftp://example.org/a.pdf", "http://[bad"),
    "/" + "long" * 600,
)


@pytest.mark.parametrize("href", NO_WEB_ADDRESSES)
def test_what_is_no_web_address_is_no_link(href: str, tmp_path: Path) -> None:
    assert list(page(tmp_path, f'<a href="{href}">x</a><a>y</a><a href>z</a>').links()) == []


def test_parts_come_in_the_order_of_the_page(tmp_path: Path) -> None:
    html = """<base href="/files/"><nav><a href="home">Home</a></nav>
    <article><h2>Fourth&nbsp;cycle</h2><ul><li>Report: <a href="r_e.pdf">E</a> <a href="r_f.pdf"><span>F</span></a></ul>
    <iframe src="https://frames.example.org/?a=1&amp;b=2"></iframe><p>Words</article><footer><a href="end">End</a>"""
    assert list(page(tmp_path, html).parts("article")) == [
        Heading("Fourth cycle"),
        Link("https://pages.example.org/files/r_e.pdf", "E", "Report: E F"),
        Link("https://pages.example.org/files/r_f.pdf", "F", "Report: E F"),
        Frame("https://frames.example.org/?a=1&b=2"),
    ]
    assert len(list(page(tmp_path, html.replace("article", "main")).links("article"))) == 4


@pytest.mark.parametrize(
    "html", [b"", b"\x00\xff\xfe", b"<" * 1000, b"<a href=", b"<article>" * 5000, b"<!--", b"\xef\xbb\xbf<p>"]
)
def test_what_is_no_page_has_no_parts(html: bytes, tmp_path: Path) -> None:
    assert list(page(tmp_path, html).parts("article")) == []


@pytest.mark.parametrize(
    "html",
    [
        b"<div>" * 2_000 + b'<a href="a.pdf">a</a>' * 15_000,
        b"<p>" + b'<a href="a.pdf">a</a>' * 15_000,
        b"<li>words<b><a href=a.pdf>" * 3_000,
        b"<ul><li>" * 3_000 + b"word " * 100_000 + b"<a href=a.pdf>a",
    ],
)
def test_a_page_without_end_is_read_as_far_as_pages_go(
    html: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_pages, "_MOST_NODES", 10_000)
    assert len(list(page(tmp_path, html).links())) <= 10_000
