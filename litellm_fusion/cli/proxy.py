"""A LiteLLM proxy of our own for a while: a real process on a free loopback port, gone when the block ends."""

from __future__ import annotations

import os
import random
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

START_SECONDS = 90.0
STOP_SECONDS = 10.0
PORTS = range(20_000, 32_000)
"""Below the ports that systems give to outgoing connections (from 32,768 on Linux, 49,152 elsewhere)."""
_START = "import sys; from litellm import run_server; sys.exit(run_server())"
_NOT_INHERITED = ("DATABASE_URL", "DATABASE_HOST", "STORE_MODEL_IN_DB", "LITELLM_SALT_KEY", "CONFIG_FILE_PATH", "PORT")
"""What would make this proxy touch somebody's database or config."""


class ProxyFailed(Exception):
    """The proxy did not come up; the message ends with the tail of its log."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """A running proxy. `url` has no trailing slash; `key` is its random master key."""

    url: str
    key: str
    pid: int
    log: Path
    start_seconds: float


@contextmanager
def running(config: Mapping[str, Any], folder: Path, environ: Mapping[str, str] | None = None) -> Iterator[Proxy]:
    """A proxy with this config, its files in `folder`. Raises ProxyFailed when it does not answer in START_SECONDS."""
    config_path, log = folder / "config.yaml", folder / "proxy.log"
    config_path.write_text(yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True), "utf-8")
    key, port = f"sk-{secrets.token_hex(24)}", free_port()
    env = {name: value for name, value in (environ or os.environ).items() if name not in _NOT_INHERITED}
    checkout = Path(__file__).resolve().parents[2]
    if checkout.name not in (
        "site-packages",
        "dist-packages",
    ):  # the package runs from a checkout: the child must see it
        env["PYTHONPATH"] = os.pathsep.join(filter(None, (str(checkout), env.get("PYTHONPATH"))))
    loopback = ",".join(filter(None, (env.get("NO_PROXY"), "127.0.0.1,localhost")))
    env |= {
        "LITELLM_MASTER_KEY": key,
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "NO_PROXY": loopback,
        "no_proxy": loopback,
        "PYTHONUNBUFFERED": "1",
    }
    command = [sys.executable, "-c", _START, "--config", str(config_path), "--host", "127.0.0.1", "--port", str(port)]
    started = time.monotonic()
    with log.open("wb") as output:
        # A session of its own: Ctrl-C reaches us first, and we end it by its pid.
        process = subprocess.Popen(  # noqa: S603 - our own interpreter with our own arguments
            command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=env, cwd=folder,
            start_new_session=True,
        )  # fmt: skip
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(process, url, log, started)
        yield Proxy(url, key, process.pid, log, time.monotonic() - started)
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process: asked first, then made to."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    """A port of the loopback interface that nobody listens on now, and that no outgoing connection is given either: the
    proxy takes seconds until it listens, and a port of the system's own choice may be gone by then.
    """
    for port in random.sample(PORTS, 50):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise ProxyFailed(f"no free port among 50 of 127.0.0.1:{PORTS.start} to {PORTS.stop - 1}")


def tail(log: Path, lines: int = 25) -> str:
    """The end of a log."""
    try:
        return "\n".join(log.read_text("utf-8", "replace").splitlines()[-lines:])
    except OSError:
        return "(no log)"


def said(log: Path, lines: int = 10) -> str:
    """The end of a log without the frames of its tracebacks."""
    return "\n".join([line for line in tail(log, 400).splitlines() if line[:1].strip()][-lines:])


def _wait(process: subprocess.Popen[bytes], url: str, log: Path, started: float) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while time.monotonic() - started < START_SECONDS:
        if process.poll() is not None:
            raise ProxyFailed(f"the proxy ended at once with code {process.returncode}; its log says:\n{tail(log)}")
        try:
            with opener.open(f"{url}/health/liveliness", timeout=2) as reply:
                if reply.status == 200:
                    return
        except OSError:
            time.sleep(0.2)
    raise ProxyFailed(f"the proxy did not answer within {START_SECONDS:.0f} s; its log says:\n{tail(log)}")
