import httpx
import pytest

from benchmarks.serving import free_port
from services.core.domain.errors import SettingsError
from services.core.runtime.metrics import PoolMetrics, metrics_served, process_registry
from services.core.runtime.settings import CoreSettings
from services.core.store.engine import make_engine


def test_a_worker_shows_itself_where_it_is_told_to(database_url: str) -> None:
    engine = make_engine(database_url, pool_size=3)
    registry = process_registry("deliver")
    registry.register(PoolMetrics(engine))
    settings, silent = CoreSettings(worker_port=free_port()), 1.0
    address = f"http://127.0.0.1:{settings.worker_port}"
    with metrics_served(settings, registry, lambda: silent), engine.connect():
        text = httpx.get(f"{address}/metrics").text
        assert httpx.get(f"{address}/healthz").status_code == 200
        silent = 1000.0
        assert httpx.get(f"{address}/healthz").status_code == 503
        assert httpx.get(f"{address}/").status_code == 404
        with pytest.raises(SettingsError, match="cannot listen"), metrics_served(settings, registry, lambda: silent):
            pass
    engine.dispose()
    assert 'upr_build_info{service="deliver"' in text
    assert 'upr_database_connections{state="in_use"} 1.0' in text
    assert "upr_database_connections_limit 3.0" in text
    with metrics_served(CoreSettings(), registry, lambda: silent), pytest.raises(httpx.ConnectError):
        httpx.get(f"{address}/metrics")
