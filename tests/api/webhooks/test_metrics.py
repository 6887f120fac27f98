from prometheus_client import CollectorRegistry, generate_latest
from sqlalchemy import Engine, text

from services.api.webhooks.metrics import DeliveryMetrics, QueueMetrics
from tests.api.webhooks.conftest import Subscribe


def test_what_is_owed_is_told(engine: Engine, subscribe: Subscribe) -> None:
    running, off = (subscribe(f"http://127.0.0.1:{port}/")["id"] for port in (9001, 9002))
    with engine.begin() as connection:
        connection.execute(text("UPDATE webhook_endpoints SET status = 'disabled' WHERE id = :id"), {"id": off})
        for number, (endpoint, minutes) in enumerate(((running, -5), (running, -1), (running, 9), (off, -60))):
            connection.execute(
                text(
                    "INSERT INTO webhook_deliveries (id, endpoint, seq, event, type, match, due_at) VALUES "
                    "(:id, :endpoint, :seq, 'evt', 'x', 'entered', now() + :minutes * interval '1 minute')"
                ),
                {"id": f"dlv_{number}", "endpoint": endpoint, "seq": number, "minutes": minutes},
            )
        connection.execute(text("UPDATE change_head SET seq = seq + 7"))
    registry = CollectorRegistry()
    registry.register(QueueMetrics(engine))
    done = DeliveryMetrics(registry)
    done.settled({"delivered": 2, "failed": 0})
    done.tried("succeeded", 120)
    done.fanned_out(3)
    told = dict(line.rsplit(" ", 1) for line in generate_latest(registry).decode().splitlines() if line[0] != "#")
    assert told['upr_webhook_queue_deliveries{state="due"}'] == "2.0"
    assert told['upr_webhook_queue_deliveries{state="later"}'] == "1.0"
    assert told['upr_webhook_queue_deliveries{state="held"}'] == "1.0"
    assert told['upr_webhook_endpoints{status="disabled"}'] == "1.0"
    assert 290 < float(told["upr_webhook_oldest_due_seconds"]) < 400
    assert float(told["upr_webhook_fanout_lag_changes"]) == 7
    assert told['upr_webhook_deliveries_total{outcome="delivered"}'] == "2.0"
    assert told['upr_webhook_try_duration_seconds_count{outcome="succeeded"}'] == "1.0"
    assert told["upr_webhook_fanned_out_total"] == "3.0"
