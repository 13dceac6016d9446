"""Jobs that behave well and badly, copied into a scratch backend as backend/jobs/segmentimage.py.

The job's `image` names what to do; `output` is where it writes.
"""

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from backend import protocol
from backend.protocol import BackendError

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"


def run(job, report):
    """Do what the job's image says."""
    return globals()[job.image](Path(job.output), report)


def well(output, report):
    report.progress(0.5, "half")
    report.log("a word")
    print("a warning", file=sys.stderr)
    output.write_text("whole")
    return {"output": str(output), "pid": str(os.getpid())}


def surroundings(output, report):
    output.write_text(json.dumps({"environ": dict(os.environ), "cwd": os.getcwd(), "backend": protocol.__file__}))
    return {"output": str(output)}


def stray(output, report):
    print("a print")
    os.write(1, b"raw bytes \xff\n")
    ctypes.CDLL(None).printf(b"from C\n")
    ctypes.CDLL(None).fflush(None)
    subprocess.run([sys.executable, "-c", "print('from a child')"], check=True)
    return well(output, report)


def refuses(output, report):
    raise BackendError("The image is not an image. Give another.")


def bug(output, report):
    return 1 // 0


def memory(output, report):
    raise MemoryError


def gpu_memory(output, report):
    raise type("OutOfMemoryError", (RuntimeError,), {})("CUDA out of memory")


def leaves(output, report):
    protocol.partial_path(output).write_text("half")
    os._exit(7)


def leaves_quietly(output, report):
    os._exit(0)


def crashes(output, report):
    print("about to crash", file=sys.stderr, flush=True)
    os.kill(os.getpid(), signal.SIGSEGV)


def garbage(output, report):
    report._stream.write("Traceback? no, worse\n")
    report._stream.flush()
    time.sleep(60)


def strange(output, report):
    report._stream.write('{"kind": "surprise"}\n')
    report._stream.flush()
    time.sleep(60)


def silent(output, report):
    protocol.partial_path(output).write_text("half")
    output.with_suffix(".pid").write_text(str(os.getpid()))
    time.sleep(60)


def stubborn(output, report):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    silent(output, report)


def family(output, report):
    child = subprocess.Popen([sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE)
    child.stdout.readline()
    output.with_suffix(".child").write_text(str(child.pid))
    silent(output, report)


def orphan(output, report):
    """Ends while what it forked still holds the wire open."""
    if os.fork() == 0:
        output.with_suffix(".child").write_text(str(os.getpid()))
        time.sleep(60)
    while not output.with_suffix(".child").exists():
        time.sleep(0.01)
    os._exit(3)


def crashes_at_exit(output, report):
    import atexit

    atexit.register(os.abort)
    return well(output, report)
