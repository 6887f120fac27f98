"""What hostile and broken servers do, by name, and what asking them for a PDF must come to."""

import gzip
import io
import struct
import zipfile
import zlib
from dataclasses import dataclass

from tests.ingest.fetching.hostile_server import Behaviour, Connection
from tests.ingest.fetching.samples import LOGIN, PAGE, PDF

FETCHED = "fetched"
HUGE = 1_000_000_000


@dataclass(frozen=True)
class Expected:
    """A behaviour with its outcome: `FETCHED`, or a code. `slow`: it is told by the deadline alone.

    `may_be_missing`: asked for as an address made by rule. `asked`: how many requests it takes (None: it may vary).
    """

    behaviour: Behaviour
    outcome: str
    slow: bool = False
    may_be_missing: bool = False
    asked: int | None = 1


def raw(*parts: bytes, pause: float = 0.0) -> Behaviour:
    """These bytes, and nothing else."""
    return lambda it: it.send(*parts, pause=pause)


def head(*lines: str, status: str = "200 OK") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode("latin-1")


def answering(status: int = 200, body: bytes = b"", **headers: str) -> Behaviour:
    return lambda it: it.answer(status, body, **headers)


def redirecting(to: str, status: int = 302) -> Behaviour:
    return lambda it: it.answer(status, b"", Location=to)


def dripping(start: bytes, part: bytes) -> Behaviour:
    """Goes on as long as anybody listens, slowly."""

    def drip(it: Connection) -> None:
        it.send(start)
        while not it.server.stopped.wait(0.02):
            it.send(part)

    return drip


def flooding(start: bytes, part: bytes) -> Behaviour:
    """Goes on as long as anybody listens, as fast as it can."""

    def flood(it: Connection) -> None:
        it.send(start)
        while not it.server.stopped.is_set():
            it.send(part)

    return flood


def holding(start: bytes) -> Behaviour:
    """Says this, and then nothing more."""

    def hold(it: Connection) -> None:
        it.send(start)
        it.server.stopped.wait(5)

    return hold


def resetting(it: Connection) -> None:
    it.socket.setsockopt(1, 13, struct.pack("ii", 1, 0))  # SO_LINGER of 0 s: closing resets


def in_turn(*behaviours: Behaviour) -> Behaviour:
    """One after the other, and the last one from then on."""
    left = list(behaviours)

    def behave(it: Connection) -> None:
        (left.pop(0) if len(left) > 1 else left[0])(it)

    return behave


def onwards(it: Connection) -> None:
    """Leads from each address to a new one."""
    it.answer(302, b"", Location=f"{it.request.path}?{len(it.server.log)}")


def chunked(*chunks: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)


def bomb(size: int) -> bytes:
    return gzip.compress(bytes(size))


def zip_of(*names: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in names:
            archive.writestr(name, b"<x/>")
    return packed.getvalue()


GZIP = "Content-Encoding: gzip"
CHUNKED = "Transfer-Encoding: chunked"
CLOUDFLARE = b"<!DOCTYPE html><html><head><title>Just a moment...</title></head><body></body></html>"
F5 = b"<html><body>The requested URL was rejected. Please consult with your administrator.</body></html>"
LIE = PDF + b"x" * 5_000

BEHAVIOURS: dict[str, Expected] = {
    # ── connections ──
    "closes at once": Expected(raw(), "bad_answer", asked=2),
    "resets": Expected(resetting, "connection_failed", asked=2),
    "says nothing": Expected(holding(b""), "timeout", slow=True, asked=2),
    "drips its head": Expected(dripping(b"HTTP/1.1 200 OK\r\nX: ", b"x"), "timeout", slow=True, asked=2),
    "drips its body": Expected(dripping(head("Content-Length: 90000"), b"%PDF-"), "timeout", slow=True, asked=2),
    "drips without end": Expected(dripping(head(CHUNKED), b"1\r\nx\r\n"), "timeout", slow=True, asked=2),
    "stalls in the middle": Expected(holding(head("Content-Length: 900") + PDF), "timeout", slow=True, asked=2),
    "says 100 for ever": Expected(dripping(b"", b"HTTP/1.1 100 Go on\r\n\r\n"), "timeout", slow=True, asked=2),
    # ── answers that are no HTTP ──
    "speaks another protocol": Expected(raw(b"220 mail.example.org ESMTP\r\n"), "bad_answer", asked=2),
    "HTTP 0.9": Expected(raw(PDF), "bad_answer", asked=2),
    "a head without end": Expected(
        flooding(b"HTTP/1.1 200 OK\r\n", b"X: " + b"x" * 9_000 + b"\r\n"), "bad_answer", asked=None
    ),
    "a header with NUL": Expected(raw(head("X: \0")), "bad_answer", asked=2),
    "a header without a name": Expected(raw(head(": x")), "bad_answer", asked=2),
    "two lengths": Expected(raw(head("Content-Length: 5", "Content-Length: 6") + b"%PDF-1"), "bad_answer", asked=2),
    "a negative length": Expected(raw(head("Content-Length: -5") + PDF), "bad_answer", asked=2),
    "a length in words": Expected(raw(head("Content-Length: many") + PDF), "bad_answer", asked=2),
    "a broken chunk": Expected(raw(head(CHUNKED) + b"zz\r\nxx\r\n"), "bad_answer", asked=2),
    "status 999": Expected(answering(999, PDF), "unexpected_status"),
    "switches protocols": Expected(
        raw(head("Upgrade: x", "Connection: Upgrade", status="101 Go")), "bad_answer", asked=2
    ),
    # ── lengths ──
    "less than announced": Expected(raw(head("Content-Length: 5000") + PDF), "incomplete", asked=2),
    "more than announced": Expected(raw(head(f"Content-Length: {len(PDF)}") + LIE), "incomplete", asked=2),
    "less, then whole": Expected(
        in_turn(raw(head("Content-Length: 5000") + PDF), answering(200, PDF)), FETCHED, asked=2
    ),
    "chunks that break off": Expected(raw(head(CHUNKED) + chunked(PDF)), "incomplete", asked=2),
    "chunks without end": Expected(flooding(head(CHUNKED), chunked(PDF * 900)), "too_large"),
    "more than any file announced": Expected(raw(head(f"Content-Length: {HUGE}") + PDF), "too_large"),
    "a length beyond all numbers": Expected(raw(head(f"Content-Length: {10**19}") + PDF), "too_large"),
    "more than any file, unannounced": Expected(flooding(head(), PDF * 900), "too_large"),
    "a PDF cut off where it closes": Expected(raw(head() + PDF[:40]), "incomplete", asked=2),
    "a ZIP cut off where it closes": Expected(raw(head() + zip_of("word/document.xml")[:60]), "incomplete", asked=2),
    "nothing with 200": Expected(answering(200), "empty_answer", asked=2),
    "202 with nothing": Expected(answering(202), "not_ready", asked=2),
    "202, then the file": Expected(in_turn(answering(202, Retry_After="0"), answering(200, PDF)), FETCHED, asked=2),
    "204": Expected(raw(head(status="204 None")), "no_content"),
    "a part that was not asked for": Expected(
        answering(206, PDF[:20], Content_Range=f"bytes 0-19/{len(PDF)}"), "unexpected_status"
    ),
    "304 without a question": Expected(raw(head(status="304 Same")), "unexpected_status"),
    # ── packing ──
    "a gzip bomb": Expected(answering(200, bomb(50_000_000), Content_Encoding="gzip"), "too_large"),
    "a gzip bomb in a bomb": Expected(
        answering(200, gzip.compress(bomb(50_000_000)), Content_Encoding="gzip"), "wrong_type"
    ),
    "gzip twice": Expected(answering(200, PDF, Content_Encoding="gzip, gzip"), "unknown_encoding"),
    "gzip cut off": Expected(answering(200, gzip.compress(LIE)[:-9], Content_Encoding="gzip"), "incomplete", asked=2),
    "gzip that is none": Expected(answering(200, PDF, Content_Encoding="gzip"), "damaged_encoding", asked=2),
    "gzip in too many pieces": Expected(
        answering(200, gzip.compress(b"%") * 2_000, Content_Encoding="gzip"), "damaged_encoding", asked=2
    ),
    "gzip with a broken sum": Expected(
        answering(200, gzip.compress(PDF)[:-8] + b"\0" * 8, Content_Encoding="gzip"), "damaged_encoding", asked=2
    ),
    "gzip as it should be": Expected(answering(200, gzip.compress(PDF), Content_Encoding="gzip"), FETCHED),
    "deflate, not asked for": Expected(
        answering(200, zlib.compress(PDF), Content_Encoding="deflate"), "unknown_encoding"
    ),
    "brotli, not asked for": Expected(answering(200, b"\x0b\x02\x80", Content_Encoding="br"), "unknown_encoding"),
    "zstd, not asked for": Expected(answering(200, b"\x28\xb5\x2f\xfd", Content_Encoding="zstd"), "unknown_encoding"),
    # ── files that are none ──
    "a page as PDF": Expected(answering(200, PAGE, Content_Type="application/pdf"), "wrong_type"),
    "a page for what is missing": Expected(answering(200, PAGE), "missing", may_be_missing=True),
    "a page, then a PDF in it": Expected(answering(200, PAGE + PDF, Content_Type="application/pdf"), "wrong_type"),
    "a login page as PDF": Expected(answering(200, LOGIN, Content_Type="application/pdf"), "login_needed"),
    "a login page for what may be missing": Expected(answering(200, LOGIN), "login_needed", may_be_missing=True),
    "a program as PDF": Expected(answering(200, b"MZ\x90\0" * 99, Content_Type="application/pdf"), "wrong_type"),
    "an archive as PDF": Expected(answering(200, zip_of("a.exe"), Content_Type="application/pdf"), "wrong_type"),
    "an archive of too many names": Expected(answering(200, zip_of(*map(str, range(10_001)))), "wrong_type"),
    "an error as JSON with 200": Expected(answering(200, b'{"error": "no such document"}'), "wrong_type"),
    "blanks": Expected(answering(200, b"  \r\n" * 50), "wrong_type"),
    "a PDF called a page": Expected(answering(200, PDF, Content_Type="text/html"), FETCHED),
    "a PDF without a type": Expected(raw(head() + PDF), FETCHED),
    # ── refusals ──
    "401": Expected(answering(401, WWW_Authenticate="Basic"), "login_needed"),
    "403": Expected(answering(403, PAGE), "forbidden"),
    "404": Expected(answering(404, PAGE), "missing"),
    "404 with an endless page": Expected(flooding(head(status="404 None"), PAGE), "missing"),
    "404 with a bomb": Expected(answering(404, bomb(50_000_000), Content_Encoding="gzip"), "missing"),
    "410": Expected(answering(410), "missing"),
    "418": Expected(answering(418), "unexpected_status"),
    "451": Expected(answering(451), "withheld"),
    "500": Expected(answering(500, PAGE), "server_error", asked=2),
    "500, then the file": Expected(in_turn(answering(500), answering(200, PDF)), FETCHED, asked=2),
    "503 for a year": Expected(answering(503, Retry_After="31536000"), "asked_to_wait"),
    "503 until another century": Expected(answering(503, Retry_After="Fri, 01 Jan 2100 00:00:00 GMT"), "asked_to_wait"),
    "503 until yesterday": Expected(
        answering(503, Retry_After="Sat, 01 Jan 2000 00:00:00 GMT"), "server_error", asked=2
    ),
    "503 until nonsense": Expected(answering(503, Retry_After="99999999999999999999999"), "asked_to_wait"),
    "429 without end": Expected(answering(429), "too_many_requests", asked=2),
    "429 for minus one second": Expected(answering(429, Retry_After="-1"), "too_many_requests", asked=2),
    "429 for words": Expected(answering(429, Retry_After="later, please"), "too_many_requests", asked=2),
    "429, then the file": Expected(in_turn(answering(429, Retry_After="0"), answering(200, PDF)), FETCHED, asked=2),
    # ── bot walls ──
    "a Cloudflare challenge": Expected(answering(403, PAGE, cf_mitigated="challenge"), "challenged"),
    "a Cloudflare challenge by its page": Expected(answering(503, CLOUDFLARE), "challenged"),
    "an AWS challenge with 202": Expected(answering(202, x_amzn_waf_action="challenge"), "challenged"),
    "an AWS captcha with 405": Expected(answering(405, x_amzn_waf_action="captcha"), "challenged"),
    "an F5 refusal with 200": Expected(answering(200, F5, Content_Type="application/pdf"), "challenged"),
    # ── redirects ──
    "a redirect to itself": Expected(redirecting("/"), "redirect_loop"),
    "redirects without end": Expected(onwards, "too_many_redirects", asked=11),
    "a redirect to nowhere": Expected(raw(head("Content-Length: 0", status="302 Found")), "bad_redirect"),
    "a redirect to what is no address": Expected(redirecting("http://[::1"), "bad_redirect"),
    "a redirect to a private network": Expected(redirecting("http://10.0.0.1/a.pdf"), "refused_address"),
    "a redirect to a cloud's secrets": Expected(redirecting("http://169.254.169.254/latest/"), "refused_address"),
    "a redirect to a private network in IPv6": Expected(redirecting("http://[::ffff:10.0.0.1]/"), "refused_address"),
    "a redirect to a number": Expected(redirecting("http://167772161/"), "refused_address"),
    "a redirect to a local name": Expected(redirecting("http://printer/"), "refused_address"),
    "a redirect to a file": Expected(redirecting("file:///etc/passwd"), "refused_address"),
    "a redirect to a script": Expected(redirecting("javascript:alert(1)"), "refused_address"),
    "a redirect with a password": Expected(redirecting("http://a:b@127.0.0.1/"), "refused_address"),
    "a redirect to another port": Expected(redirecting("http://example.org:22/"), "refused_address"),
    # ── headers ──
    "ten thousand headers": Expected(raw(head(*["X: y"] * 10_000) + PDF), FETCHED),
    "headers of no language": Expected(answering(200, PDF, ETag='"\xff\xfe"', Content_Type="\x80\xff"), FETCHED),
    "a length with a plus": Expected(raw(head(f"Content-Length: +{len(PDF)}") + PDF), "bad_answer", asked=2),
}
