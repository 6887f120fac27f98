import os
import signal

import pytest

from services.up import stopping
from services.up.stopping import Stopped, StopRequests


def test_at_first_a_signal_raises_wherever_the_program_is() -> None:
    with StopRequests(), pytest.raises(Stopped):
        os.kill(os.getpid(), signal.SIGTERM)


def test_only_the_first_signal_raises() -> None:
    with StopRequests() as requests:
        with pytest.raises(Stopped):
            os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        assert not requests.urgent


def test_later_signals_are_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "SECONDS_BETWEEN_REQUESTS", 0)
    with StopRequests() as requests:
        requests.only_note()
        requests.check()
        os.kill(os.getpid(), signal.SIGHUP)
        assert not requests.urgent
        with pytest.raises(Stopped):
            requests.check()
        os.kill(os.getpid(), signal.SIGINT)
        assert requests.urgent


def test_an_ignored_signal_stays_ignored() -> None:
    earlier = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with StopRequests():
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, earlier)


def test_signals_are_given_back() -> None:
    before = [signal.getsignal(number) for number in stopping.SIGNALS]
    with StopRequests():
        pass
    assert [signal.getsignal(number) for number in stopping.SIGNALS] == before
