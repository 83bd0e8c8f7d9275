"""Servers that tests begin on this machine: a port for each, and when it is ready."""

import socket
import time
from collections.abc import Callable


def free_port() -> int:
    """A port that nobody listens to."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(condition: Callable[[], bool], said: Callable[[], str], seconds: float = 60) -> None:
    """Wait until a condition holds.

    Raises:
        TimeoutError: with what the server said, if it does not in time.
    """
    ends = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > ends:
            raise TimeoutError(said())
        time.sleep(0.1)
