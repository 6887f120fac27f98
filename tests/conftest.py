"""What every test can use. Fixtures of one kind live in a module of their own, named here."""

import signal

pytest_plugins = ["tests.golden_fixtures", "tests.postgres_fixtures"]

# A run that was started in the background ignores Ctrl-C, and every process inherits that from it. Tests of what
# Ctrl-C does start processes that a person would have started from a terminal.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
