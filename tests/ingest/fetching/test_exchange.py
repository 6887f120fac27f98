"""What protects a single request: certificates, the guard, and nothing from the environment."""

import ipaddress
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine

from services.core.domain.errors import SettingsError
from services.core.runtime.egress import EgressProxy
from services.core.runtime.guard import AddressRules, IPAddress, Resolve
from services.core.store.archive import Archive
from services.ingest.fetching.fetcher import Fetcher, user_agent
from services.ingest.fetching.outcomes import NotFetchedError
from services.ingest.settings import IngestSettings
from tests.ingest.fetching.conftest import MakeFetcher
from tests.ingest.fetching.hostile_server import HostileServer, serving
from tests.ingest.fetching.samples import PDF

PDFS = frozenset({"pdf"})
TLS = Path(__file__).with_name("tls")


@contextmanager
def encrypted(certificate: str) -> Iterator[HostileServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / certificate)
    with serving(context) as server:
        server.paths["/a.pdf"] = lambda it: it.answer(200, PDF)
        yield server


def resolving_to(*answers: str) -> Resolve:
    """Each time the next of these addresses."""
    left = [ipaddress.ip_address(answer) for answer in answers]

    def resolve(_host: str, _port: int) -> list[IPAddress]:
        return [left.pop(0) if len(left) > 1 else left[0]]

    return resolve


def refusal(fetcher: Fetcher, address: str) -> NotFetchedError:
    with pytest.raises(NotFetchedError) as refused:
        fetcher(address, kinds=PDFS)
    return refused.value


@pytest.mark.parametrize(
    ("certificate", "code"),
    [("expired.pem", "tls_expired"), ("another.pem", "tls_wrong_host"), ("alone.pem", "tls_untrusted")],
)
def test_a_certificate_that_is_not_accepted(certificate: str, code: str, make_fetcher: MakeFetcher) -> None:
    with encrypted(certificate) as server:
        refused = refusal(make_fetcher(), server.url("/a.pdf"))
    assert (refused.code, refused.host_refuses, server.log) == (code, True, [])
    assert "certificate not accepted" in refused.detail


def test_a_server_that_speaks_no_tls(make_fetcher: MakeFetcher, server: HostileServer) -> None:
    refused = refusal(make_fetcher(), server.url("/a.pdf").replace("http:", "https:"))
    assert refused.code == "tls_failed"
    assert "TLS failed" in refused.detail


def test_an_authority_that_an_operator_trusts(engine: Engine, archive: Archive) -> None:
    settings = IngestSettings(fetch_allow_loopback=True, fetch_ca_file=TLS / "authority.pem", contact="a@example.org")
    fetcher = Fetcher.from_settings(settings, engine, archive)
    with encrypted("server.pem") as server:
        assert fetcher(server.url("/a.pdf"), kinds=PDFS).kind == "pdf"
    assert server.log[-1].headers["user-agent"].endswith("(+a@example.org)")
    with pytest.raises(SettingsError, match="UPR_FETCH_CA_FILE"):
        Fetcher.from_settings(IngestSettings(fetch_ca_file=TLS / "none.pem"), engine, archive)


def test_https_never_leads_to_http(make_fetcher: MakeFetcher, server: HostileServer) -> None:
    with encrypted("server.pem") as safe:
        safe.paths["/"] = lambda it: it.answer(301, Location=server.url("/a.pdf"))
        assert refusal(make_fetcher(), safe.url("/")).code == "redirect_downgrade"
    assert server.log == []
    with encrypted("server.pem") as safe:
        server.paths["/"] = lambda it: it.answer(301, Location=safe.url("/a.pdf"))
        assert make_fetcher()(server.url("/"), kinds=PDFS).final_address == safe.url("/a.pdf")


def test_a_name_that_leads_into_a_private_network(make_fetcher: MakeFetcher) -> None:
    strict = AddressRules(allow_http=True)
    fetcher = make_fetcher(rules=strict, resolve=resolving_to("10.0.0.7"))
    refused = refusal(fetcher, "http://docs.example.org/a.pdf")
    assert (refused.code, "10.0.0.7" in refused.detail) == ("refused_address", True)


def test_a_name_that_changes_its_mind(make_fetcher: MakeFetcher, server: HostileServer) -> None:
    """The address that is checked is the one that is connected to, at each request anew."""
    resolve = resolving_to("127.0.0.1", "127.0.0.1", "192.168.0.1")
    server.paths["/a.pdf"] = lambda it: it.answer(200, PDF)
    fetcher = make_fetcher(
        rules=AddressRules(allow_http=True, allow_loopback=True, ports=(server.port,)), resolve=resolve
    )
    address = f"http://docs.example.org:{server.port}/a.pdf"
    assert fetcher(address, kinds=PDFS).kind == "pdf"
    assert refusal(fetcher, address).code == "refused_address"
    assert len(server.log) == 2


def test_a_name_that_does_not_exist(make_fetcher: MakeFetcher) -> None:
    def nobody(_host: str, _port: int) -> list[IPAddress]:
        raise OSError("no such name")

    fetcher = make_fetcher(resolve=nobody)
    assert refusal(fetcher, "http://docs.example.org/a.pdf").code == "unknown_host"


def test_proxies_of_the_environment_are_not_asked(
    make_fetcher: MakeFetcher, server: HostileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    server.paths["/a.pdf"] = lambda it: it.answer(200, PDF)
    assert make_fetcher()(server.url("/a.pdf"), kinds=PDFS).kind == "pdf"


def test_headers_of_the_caller_stay_with_the_host(make_fetcher: MakeFetcher, server: HostileServer) -> None:
    with serving() as other:
        other.paths["/a.pdf"] = lambda it: it.answer(200, PDF)
        server.paths["/"] = lambda it: it.answer(302, Location=other.url("/a.pdf"))
        headers = {"Accept": "application/pdf", "User-Agent": "Mozilla/5.0", "Host": "elsewhere"}
        make_fetcher()(server.url("/").replace("http", "HTTP"), kinds=PDFS, headers=headers)
    first, second = server.log[-1].headers, other.log[-1].headers
    assert first["accept"] == "application/pdf"
    assert first["user-agent"].startswith("OpenUPR/")
    assert first["host"] == f"127.0.0.1:{server.port}"
    assert "accept" not in second


def test_a_contact_that_cannot_stand_in_a_header() -> None:
    assert user_agent("a@example.org").endswith("(+a@example.org)")
    assert user_agent(None).endswith("(no contact is set)")
    with pytest.raises(SettingsError, match="UPR_CONTACT"):
        user_agent("a@example.org\r\nX: y")


def test_a_proxy_that_is_not_there(make_fetcher: MakeFetcher) -> None:
    fetcher = make_fetcher(proxy=EgressProxy("127.0.0.1", 1), resolve=resolving_to("8.8.8.8"))
    refused = refusal(fetcher, "http://docs.example.org/a.pdf")
    assert (refused.code, refused.host_refuses) == ("proxy_failed", True)
