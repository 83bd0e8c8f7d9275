"""A Slurm of one node: two processors of this machine, in a folder of its own, without systemd and accounting."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

import psutil
from servers import free_port, wait_for

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "srun")
CONFIGURATION = """\
ClusterName=one
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmctldPort={controller_port}
SlurmdPort={node_port}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
MpiDefault=none
SwitchType=switch/none
ReturnToService=2
MinJobAge=300
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0
KillWait=2
OverTimeLimit=0
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 Boards=1 SocketsPerBoard=1 CoresPerSocket=2 ThreadsPerCore=1 \
    RealMemory={memory}
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def missing() -> str:
    """What keeps a Slurm from being started here; nothing where it can be."""
    path = f"{os.environ['PATH']}:/usr/sbin"
    if found := [name for name in PROGRAMS if not shutil.which(name, path=path)]:
        return f"no {', '.join(found)}: apt-get install slurm-wlm munge"
    if not find_spec("snakemake_executor_plugin_slurm"):
        return "no executor: pip install -c constraints.txt -e '.[slurm]'"
    return "" if os.geteuid() == 0 else "Slurm's node wants root"


@contextmanager
def one_node_slurm() -> Iterator[dict[str, str]]:
    """Start it, and end it with all of its jobs; gives the environment in which its programs find it."""
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))  # a socket's path has at most 107 characters
    variables = os.environ | {
        "SLURM_CONF": f"{folder}/slurm.conf",
        "PATH": f"{folder}/bin:{os.environ['PATH']}:/usr/sbin",
    }
    daemons: list[subprocess.Popen] = []

    def begin(*command: str) -> None:
        output = (folder / f"{Path(command[0]).name}.said").open("w")
        daemons.append(subprocess.Popen(command, env=variables, stdout=output, stderr=output, start_new_session=True))

    def said() -> str:
        return "\n".join(file.read_text()[-2000:] for file in [*folder.glob("*.log"), *folder.glob("*.said")])

    try:
        (folder / "state").mkdir()
        (folder / "spool").mkdir()
        (folder / "bin").mkdir()
        # Snakemake takes all of Slurm's variables from the command that starts a job's step.
        (folder / "bin/srun").write_text(
            f'#!/bin/sh\nSLURM_CONF={folder}/slurm.conf exec {shutil.which("srun")} "$@"\n'
        )
        (folder / "bin/srun").chmod(0o755)
        (folder / "munge.key").write_bytes(os.urandom(64))
        (folder / "munge.key").chmod(0o600)
        host = socket.gethostname().partition(".")[0]
        values = {"folder": folder, "host": host, "memory": 8000}
        ports = {"controller_port": free_port(), "node_port": free_port()}
        (folder / "slurm.conf").write_text(CONFIGURATION.format(**values, **ports))
        files = {"key-file": "key", "pid-file": "pid", "log-file": "log", "seed-file": "seed", "socket": "socket"}
        begin("munged", "--foreground", "--force", *(f"--{key}={folder}/munge.{end}" for key, end in files.items()))
        wait_for((folder / "munge.socket").exists, said, 30)
        begin("slurmctld", "-D", "-c", "-i")
        begin("slurmd", "-D", "-c")
        idle = ["sinfo", "--noheader", "--format", "%T"]
        wait_for(lambda: subprocess.run(idle, env=variables, capture_output=True).stdout.strip() == b"idle", said, 30)
        yield variables
    finally:
        # What a job began may outlive it, where its node was taken for dead.
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get("SLURM_CONF") == variables["SLURM_CONF"] and process.pid not in [
                    daemon.pid for daemon in daemons
                ]:
                    process.kill()
        for daemon in reversed(daemons):
            daemon.terminate()
        for daemon in daemons:
            daemon.wait()
        shutil.rmtree(folder)
