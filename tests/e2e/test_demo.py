"""README command one: `litellm-fusion demo` with a real proxy, the simulated provider and the real openai client."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-c", "from litellm_fusion.cli import app; app()", "demo", "--simulated"]


@pytest.fixture
def env(tmp_path):
    kept = {key: value for key, value in os.environ.items() if not key.endswith("_API_KEY")}
    return {**kept, "PYTHONPATH": str(ROOT), "COLUMNS": "160", "TMPDIR": str(tmp_path)}


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_it_shows_a_fused_streamed_answer_with_its_trace_and_leaves_nothing_behind(env, tmp_path):
    done = subprocess.run(COMMAND, env=env, capture_output=True, text=True, timeout=150, cwd=tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "SIMULATED PROVIDER" in done.stdout
    assert "asking 3 models" in done.stdout
    assert "[simulated] You asked:" in done.stdout
    assert re.search(r"route\s+│ fused", done.stdout)
    for role in ("member 1", "member 2", "member 3", "judge", "synthesizer"):
        assert role in done.stdout
    assert "consensus" in done.stdout
    assert re.search(r"5 calls.*\$0\.00\d\d", done.stdout)
    pid = re.search(r"pid (\d+)", done.stdout)
    assert pid is not None
    assert not is_running(int(pid[1]))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("sent", "seconds"), [(signal.SIGINT, 2.5), (signal.SIGTERM, 2.5)], ids=["ctrl-c", "terminate"])
def test_interrupted_it_takes_its_proxy_with_it(env, tmp_path, sent, seconds):
    demo = subprocess.Popen(COMMAND, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=tmp_path)
    time.sleep(seconds)  # the proxy is starting by then
    children = Path(f"/proc/{demo.pid}/task/{demo.pid}/children")
    pids = [int(pid) for pid in children.read_text().split()] if children.exists() else []

    demo.send_signal(sent)
    output, _ = demo.communicate(timeout=60)

    assert demo.returncode == 130, output
    assert not any(is_running(pid) for pid in pids)
    assert list(tmp_path.iterdir()) == []
