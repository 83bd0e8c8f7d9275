"""The first signal is an exception, later ones are passed over, and handlers are given back."""

import os
import signal

import pytest

from ndgm.pipeline.interruption import SIGNALS, Interrupted, interruptible


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_the_first_signal_is_raised_and_a_second_one_is_passed_over(number: signal.Signals, code: int) -> None:
    """An impatient user presses Ctrl-C twice."""
    before = signal.getsignal(number)
    cleared = []
    with pytest.raises(Interrupted) as ended, interruptible():
        try:
            os.kill(os.getpid(), number)
        finally:
            os.kill(os.getpid(), number)
            cleared.append(number)
    assert (ended.value.signal, ended.value.exit_code, cleared) == (number, code, [number])
    assert signal.getsignal(number) is before


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_that_was_ignored_stays_ignored(number: signal.Signals) -> None:
    """In the background of a shell, Ctrl-C is meant for another program; under nohup, so is the end of the terminal."""
    before = signal.signal(number, signal.SIG_IGN)
    try:
        with interruptible():
            os.kill(os.getpid(), number)
        assert signal.getsignal(number) is signal.SIG_IGN
    finally:
        signal.signal(number, before)


@pytest.mark.parametrize("after", [ImportError("numpy"), None], ids=["turned into another", "lost"])
def test_an_exception_that_others_turn_or_lose_is_an_interruption_all_the_same(after: Exception | None) -> None:
    """As numpy's modules in C do while they load: the signal came all the same."""
    with pytest.raises(Interrupted) as ended, interruptible():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        except KeyboardInterrupt:
            if after:
                raise after from None
    assert ended.value.signal == signal.SIGTERM


def test_a_fault_without_a_signal_is_a_fault() -> None:
    with pytest.raises(ImportError, match="numpy"), interruptible():
        raise ImportError("numpy")
