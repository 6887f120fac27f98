"""What every test can use. Fixtures of one kind live in a module of their own, named here."""

import signal

pytest_plugins = ["tests.golden_fixtures", "tests.postgres_fixtures"]

# A run that was started in the background ignores Ctrl-C or a closed terminal, and every process inherits that from it.
# Tests of what these do start processes that a person would have started from a terminal.
for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, usual)
