"""Figure scripts as notebooks: executed once, made free of chance, and shown as a self-contained web page."""

import asyncio
import html
import os
import re
import signal
import tempfile
from collections.abc import AsyncGenerator, Coroutine, Iterable
from contextlib import asynccontextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.utils import ensure_async
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbformat import NotebookNode

from ndgm.paper import typesetting
from ndgm.store.files import InputError, temporary_folder

LONGEST_FOLDER = 70
"""Bytes of a path to which the names of a folder and a socket can be added."""


def execute(figure: Path, results: Path, tables: Iterable[Path] = ()) -> NotebookNode:
    """Run a jupytext percent script from top to bottom in a kernel of this Python.

    The kernel sees no settings, history or kernels of the user, and speaks through sockets in a folder of its own, so
    that notebooks that run at the same time cannot take each other's ports.

    Args:
        figure: The script.
        results: Folder of the results that it reads and draws into.
        tables: All tables under it that it may read; any, where none is named.

    Returns:
        The notebook with its outputs, tidied.

    Raises:
        InputError: naming the script and the exception, if a cell raises one.
    """
    try:
        notebook = jupytext.read(figure, fmt="py:percent")
    except FileNotFoundError:
        raise InputError(f"{figure}: no such file") from None
    with temporary_folder(_folder_for_sockets()) as folder:
        client = _client(notebook, Path(folder))
        environment = _environment(figure, results, tables, Path(folder))
        try:
            _run(client.async_execute(cwd=str(Path.cwd()), env=environment))
        except CellExecutionError as fault:
            reason = (fault.evalue.splitlines() or [""])[0]
            raise InputError(f"{figure}: {fault.ename}: {reason}") from None
        except DeadKernelError:
            raise InputError(f"{figure}: the notebook's Python ended before the notebook did") from None
    return tidy(notebook)


def check_drawn(figure: Path, results: Path) -> None:
    """Look whether a figure's script, which was executed, has drawn it.

    Raises:
        InputError: naming the script, if it has not.
    """
    if not (results / "figures" / f"{figure.stem}.svg").is_file():
        drawing = f"figures/{figure.stem}.svg"
        raise InputError(f'{figure}: has not drawn {drawing}: it has to end with save(figure, "{figure.stem}")')


def _run(execution: Coroutine[Any, Any, Any]) -> None:
    """Run what is asynchronous; a signal cancels it, and goes on to its handler when what was begun is put away."""
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        task = loop.create_task(execution)
        came: list[int] = []

        def cancel(number: int) -> None:
            came.append(number)
            if len(came) == 1:  # a second one would disturb the putting away
                task.cancel()

        handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
        heard = {number: handler for number, handler in handlers.items() if callable(handler)}
        for number in heard:
            loop.add_signal_handler(number, cancel, number)
        try:
            loop.run_until_complete(task)
        except (asyncio.CancelledError, DeadKernelError):
            if not came:
                raise
        finally:
            for number, handler in heard.items():
                loop.remove_signal_handler(number)
                signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])


def _environment(figure: Path, results: Path, tables: Iterable[Path], folder: Path) -> dict[str, str]:
    """Environment of a kernel that draws a figure and keeps its own files in a folder."""
    return {
        **os.environ,
        "NDGM_RESULTS": str(results),
        "NDGM_FIGURE": figure.stem,
        "NDGM_TABLES": os.pathsep.join(map(str, tables)),
        "MPLBACKEND": "agg",
        "IPYTHONDIR": str(folder),
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }


def _client(notebook: NotebookNode, folder: Path) -> "_Client":
    """Client of a kernel of this Python, which speaks to it through sockets in a folder and ends it."""
    kernel = AsyncKernelManager(
        kernel_spec_manager=KernelSpecManager(kernel_dirs=[]),  # leaves the kernel of this Python alone
        connection_file=str(folder / "kernel.json"),
        transport="ipc",
        ip=str(folder / "kernel"),
    )
    return _Client(
        notebook, km=kernel, timeout=None, record_timing=False, coalesce_streams=True, store_widget_state=False
    )


def _folder_for_sockets() -> str:
    """A folder whose path is short: that of a socket has 107 bytes at most, and batch systems give longer ones."""
    for folder in (tempfile.gettempdir(), "/tmp", "/var/tmp", "/dev/shm"):
        if len(os.fsencode(folder)) <= LONGEST_FOLDER and os.access(folder, os.W_OK | os.X_OK):
            return folder
    return os.curdir


class _Client(NotebookClient):
    """A client that kills its kernel: asked to end, one that still starts or draws says so in a traceback."""

    @asynccontextmanager
    async def async_setup_kernel(self, **options: Any) -> AsyncGenerator[None, None]:
        kernel = self.km
        assert kernel is not None
        try:
            await self.async_start_new_kernel(**options)
            await self.async_start_new_kernel_client()
            yield
        finally:
            if kernel.provisioner is not None and kernel.has_kernel:
                await kernel.provisioner.kill()
                await kernel.provisioner.wait()
            if self.kc is not None:
                self.kc.stop_channels()
            await ensure_async(kernel.cleanup_resources())


def tidy(notebook: NotebookNode) -> NotebookNode:
    """A notebook without what chance and the machine put in: identifiers, addresses, paths, metadata, warnings."""
    cells = []
    for number, cell in enumerate(notebook.cells, start=1):
        cell = NotebookNode({**cell, "id": f"cell-{number}", "metadata": {}})
        if cell.cell_type == "code":
            cell.outputs = [_tidy_output(output) for output in cell.outputs if output.get("name") != "stderr"]
        cells.append(cell)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return nbformat.from_dict({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})


def _tidy_output(output: NotebookNode) -> NotebookNode:
    """An output of a cell without metadata and memory addresses."""
    output = deepcopy(output)
    if "metadata" in output:
        output.metadata = {}
    if "text" in output:
        output.text = _without_addresses(output.text)
    for kind, content in output.get("data", {}).items():
        if kind.startswith("text/"):
            output.data[kind] = _without_addresses(content)
    return output


def _without_addresses(text: str) -> str:
    """Text without memory addresses and without the temporary names that IPython gives to cells."""
    return re.sub(r"\S*ipykernel_\d+/\d+\.py", "cell", re.sub(r" at 0x[0-9a-fA-F]+", "", text))


def page(notebook: NotebookNode, title: str, templates: Path) -> str:
    """A notebook as one web page in the style of the paper, with its pictures inside."""
    shown = deepcopy(notebook)
    for number, cell in enumerate(shown.cells, start=1):
        for output in cell.get("outputs", []):
            if picture := _picture(output.get("data", {}), f"{title}-{number}"):
                output.data = NotebookNode({"text/html": picture})
    return typesetting.page(nbformat.writes(shown), "ipynb", templates, f"--variable=pagetitle:{title}")


def _picture(data: NotebookNode, name: str) -> str:
    """HTML of an output that is a picture, or nothing."""
    alt = html.escape(name)
    if "image/svg+xml" in data:
        return f"<figure>{typesetting.inline_svg(data['image/svg+xml'], name, alt)}</figure>"
    if "image/png" in data:
        return f'<figure><img src="data:image/png;base64,{data["image/png"].strip()}" alt="{alt}"></figure>'
    return ""
