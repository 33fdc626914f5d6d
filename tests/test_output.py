"""Tests of the output of `scripts/test`."""

import logging


def test_log_stays_off_the_terminal() -> None:
    """All log handlers are pytest's, which print only the log of failed tests."""
    handlers = logging.getLogger().handlers
    assert handlers
    assert not [one for one in handlers if type(one) is logging.StreamHandler]
