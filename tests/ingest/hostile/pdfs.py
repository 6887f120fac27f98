"""PDF documents that loop, swell, crash or say more than they hold."""

import zlib

from tests.ingest.fuzz.hostile import CATALOG, DEEP, pdf_of, stream_of
from tests.ingest.hostile.expected import expects

_BLANKS = b" " * 2**20
PAGES = "<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
PAGE = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R %s >>"


def _packed(content: bytes, filters: str = "/FlateDecode") -> str:
    return f"<< /Length {len(content)} /Filter {filters} >>\nstream\n{content.decode('latin-1')}\nendstream"


def _zeros(mebibytes: int) -> bytes:
    """So many blanks, packed: a mebibyte that ends at a whole byte, again and again."""
    packer = zlib.compressobj(1)
    first = packer.compress(_BLANKS) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(_BLANKS) + packer.flush(zlib.Z_FULL_FLUSH)
    return first + again * (mebibytes - 1) + packer.flush()


@expects("too_many_pages")
def million_pages() -> bytes:
    return pdf_of(
        CATALOG, f"<< /Type /Pages /Kids [{'3 0 R ' * 1_000_000}] /Count 1000000 >>", PAGE % "", stream_of("")
    )


@expects("truncated_pdf")
def pages_that_hold_themselves() -> bytes:
    return pdf_of(CATALOG, "<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 2 >>")


@expects("truncated_pdf")
def pages_five_thousand_deep() -> bytes:
    deep = [f"<< /Type /Pages /Kids [{number} 0 R] /Count 1 >>" for number in range(3, 5003)]
    return pdf_of(CATALOG, *deep, "<< /Type /Page >>")


@expects("no_text")
def two_billion_pages_declared() -> bytes:
    return pdf_of(CATALOG, f"<< /Type /Pages /Kids [3 0 R] /Count {2**31 - 1} >>", "<< /Type /Page >>")


@expects("parse_crashed")
def drawing_that_draws_itself() -> bytes:
    drawing = "/Resources << /XObject << /F 5 0 R >> >>"
    form = f"<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] {drawing} /Length 11 >>\nstream\n/F Do /F Do\nendstream"
    return pdf_of(CATALOG, PAGES, PAGE % drawing, stream_of("/F Do"), form)


@expects("parse_crashed")
def page_that_inflates_to_a_gigabyte() -> bytes:
    return pdf_of(CATALOG, PAGES, PAGE % "", _packed(_zeros(1024)))


@expects("no_text")
def page_packed_twice() -> bytes:
    return pdf_of(CATALOG, PAGES, PAGE % "", _packed(zlib.compress(_zeros(64)), "[/FlateDecode /FlateDecode]"))


@expects("truncated_pdf")
def arrays_in_arrays() -> bytes:
    return pdf_of(CATALOG, f"<< /Type /Pages /Kids {'[' * DEEP}{']' * DEEP} /Count 1 >>")


@expects("truncated_pdf")
def reference_to_itself() -> bytes:
    return pdf_of("1 0 R", "2 0 R")


@expects("no_text")
def length_that_is_itself() -> bytes:
    return pdf_of(CATALOG, PAGES, PAGE % "", "<< /Length 4 0 R >>\nstream\nBT (116.1 Ratify) Tj ET\nendstream")


@expects("truncated_pdf")
def table_that_leads_to_itself() -> bytes:
    return pdf_of(CATALOG, "<< /Type /Pages /Kids [] /Count 0 >>", trailer="/Root 1 0 R /Prev 20")


@expects("no_text")
def script_and_embedded_file() -> bytes:
    """Neither is looked at."""
    names = "/Names << /EmbeddedFiles << /Names [(bomb.exe) 5 0 R] >> >>"
    script = "/OpenAction << /S /JavaScript /JS (while (true) { app.alert(1); }) >>"
    file = "<< /Type /Filespec /F (bomb.exe) /EF << /F 6 0 R >> >>"
    catalog = f"<< /Type /Catalog /Pages 2 0 R {names} {script} >>"
    return pdf_of(catalog, PAGES, PAGE % "", stream_of(""), file, _packed(_zeros(64)))


@expects("encrypted_pdf")
def locked_with_a_password() -> bytes:
    words = f"/O <{'5a' * 32}> /U <{'a5' * 32}>"
    locked = f"<< /Filter /Standard /V 1 /R 2 {words} /P -4 >>"
    trailer = f"/Root 1 0 R /Encrypt 5 0 R /ID [<{'00' * 16}> <{'00' * 16}>]"
    return pdf_of(CATALOG, PAGES, PAGE % "", stream_of(""), locked, trailer=trailer)


@expects("truncated_pdf")
def header_alone() -> bytes:
    return b"%PDF-1.7"


@expects("truncated_pdf")
def cut_off() -> bytes:
    return pdf_of(CATALOG, PAGES, PAGE % "", stream_of("BT (116.1) Tj ET"))[:-40]


@expects("truncated_pdf")
def archive_behind_a_header() -> bytes:
    """A PDF to some readers, an archive to others."""
    return b"%PDF-1.7\n" + b"PK\x03\x04" + bytes(200) + b"PK\x05\x06" + bytes(18)


@expects("html_instead_of_document")
def web_page_with_a_header() -> bytes:
    return b"<html><body>%PDF-1.7 sign in</body></html>"


@expects("no_text")
def page_of_endless_size() -> bytes:
    text = stream_of("BT /F1 1e30 Tf (116.1 Ratify the Convention (Chile)) Tj ET " * 2000)
    return pdf_of(CATALOG, PAGES, PAGE.replace("600 800", "1e30 1e30") % "", text)


@expects("truncated_pdf")
def half_a_million_objects() -> bytes:
    return pdf_of("<< >>", *("null" for _ in range(500_000)))
