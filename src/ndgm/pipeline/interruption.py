"""SIGINT, SIGTERM and SIGHUP as one exception; little is imported here, because a signal can come while it loads."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, the wish of a system that shuts down, and a terminal that was closed."""


class Interrupted(KeyboardInterrupt):
    """One of the signals came; event loops let a KeyboardInterrupt through, and nothing else."""

    def __init__(self, number: int) -> None:
        """Remember which signal it was."""
        super().__init__(number)
        self.signal = signal.Signals(number)

    @property
    def exit_code(self) -> int:
        """The exit code by which shells know the signal."""
        return 128 + self.signal

    def line(self, *, goes_on: bool) -> str:
        """One line on what the same command does; `goes_on` says whether it takes up what this one had finished."""
        kept = "what was finished is kept; the same command goes on from there"
        return f"interrupted by {self.signal.name}: {kept if goes_on else 'the same command begins anew'}"


@contextmanager
def interruptible() -> Iterator[None]:
    """Raise `Interrupted` at the first of the signals; later ones do not disturb what is put away after it.

    A signal that was ignored stays ignored, as that of a terminal which a program in the background survives. Code
    that turns the exception into another one, as modules written in C do while they load, or that loses it, ends in
    `Interrupted` all the same.
    """
    came: list[int] = []

    def interrupt(number: int, frame: object) -> None:
        came.append(number)
        for each in before:
            signal.signal(each, signal.SIG_IGN)
        raise Interrupted(number)

    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    before = {number: handler for number, handler in handlers.items() if handler != signal.SIG_IGN}
    for number in before:
        signal.signal(number, interrupt)
    try:
        yield
    except Interrupted:
        raise
    except BaseException:
        if came:
            raise Interrupted(came[0]) from None
        raise
    else:
        if came:
            raise Interrupted(came[0])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
