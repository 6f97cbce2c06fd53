"""The same work by others: a panel of three, a judge, a synthesis, each call a second at a loopback provider.

    python benchmarks/peers.py --install DIR          once: makes an environment for each peer with pip
    python benchmarks/peers.py --peers DIR [--at 1,20,100] [--waves 3] [--rounds 3] [--only ours,router] [--json PATH]

Who takes part: this plugin behind a real proxy; the same five calls bare through litellm.Router; a published script's
structure of fusion by hand, as threads of one process and as a process per question; optillm's `moa` as its proxy
server; llm-consortium through its Python API. Each wave asks `--at` questions at once; a round's figures are over its
waves (five times as many at concurrency 1), the table's are the medians of the rounds.

`over`: milliseconds beyond the critical path, which is the calls that a peer makes one after another, counted at the
provider at concurrency 1 (`in_a_row`, of `calls` in all: optillm asks for three choices in one call, llm-consortium's
arbiter writes the answer). `lost`: runs with an error or fewer than three answers. Memory and CPU are those of the peer's
process tree; the client's are not in those of the two servers. `connections`: opened to the provider per run, which over
TLS is a handshake each. `provider`: the provider's share of a core.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any, Protocol

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import chart
import measure
import provider as tests_provider
from contestants import Outcome, question
from loopback import Loopback, post
from proxy import START_SECONDS, Proxy, came_up, free_port, fusion, member, stop

# llm-consortium 0.8.0 imports scikit-learn and does not ask for it.
INSTALLS = {"seed": ["anthropic"], "optillm": ["optillm"], "llm-consortium": ["llm", "llm-consortium", "scikit-learn"]}
ARBITER = (
    "<synthesis_output><analysis>Clear.</analysis><synthesis>Buy it.</synthesis><confidence>0.9</confidence>"
    "<needs_iteration>false</needs_iteration></synthesis_output>"
)
SEATS = 3
MOST_PROCESSES = 100
"""Where a question is a process: more at once measure the machine's memory."""


class Contestant(Protocol):
    """Somebody who does the work."""

    pid: int

    def go(self, at_once: int, waves: int, tag: str) -> list[Outcome]:
        """The outcomes of all runs."""

    def stop(self) -> None:
        """End its process."""


class Server:
    """A contestant that is asked over HTTP."""

    def __init__(self, process: subprocess.Popen[Any], root: str, key: str, model: str) -> None:
        self.process, self.root, self.key, self.model = process, root, key, model
        self.pid = process.pid

    def go(self, at_once: int, waves: int, tag: str) -> list[Outcome]:
        """Ask in waves."""
        outcomes: list[Outcome] = []
        for wave in range(waves):
            tags = [f"{tag}w{wave}n{n}" for n in range(at_once)]
            outcomes += asyncio.run(self._wave(tags))
        return outcomes

    async def _wave(self, tags: list[str]) -> list[Outcome]:
        return list(await asyncio.gather(*(self._ask(tag) for tag in tags)))

    async def _ask(self, tag: str) -> Outcome:
        body = {"model": self.model, "messages": [{"role": "user", "content": question(tag)}]}
        started = time.perf_counter()
        try:
            status, headers, raw = await post(f"{self.root}/v1/chat/completions", body, self.key)
        except (OSError, EOFError, TimeoutError) as error:
            return time.perf_counter() - started, 0, f"{type(error).__name__}: {error}"
        took = time.perf_counter() - started
        text = raw.decode(errors="replace")
        if status != 200 or json.loads(text)["choices"][0]["message"]["content"].startswith("Error"):
            return took, 0, f"{status}: {text[:150]}"
        return took, int(headers.get("x-fusion-panel", "3/3").partition("/")[0]), None

    def stop(self) -> None:
        """By its pid."""
        stop(self.process)


class Ours(Server):
    """The plugin behind a real proxy."""

    def __init__(self, base_url: str) -> None:
        models = [member(name, base_url) for name in ("m1", "m2", "m3", "judge", "synth")]
        models.append(fusion("fusion/all", limits={"quorum": SEATS}, client_trace="summary"))
        self.proxy = Proxy(
            {
                "model_list": models,
                "litellm_settings": {
                    "callbacks": ["litellm_fusion.plugin.fusion_hook"], "telemetry": False,
                    "custom_provider_map": [{"provider": "fusion", "custom_handler": "litellm_fusion.plugin.fusion_llm"}],
                    "fusion_settings": {"max_runs": 1000, "max_runs_per_key": 1000},
                },
                "general_settings": {"master_key": "os.environ/LITELLM_MASTER_KEY", "cancel_on_disconnect": True},
            }
        )  # fmt: skip
        super().__init__(self.proxy.process, self.proxy.base_url, self.proxy.master_key, "fusion/all")

    def stop(self) -> None:
        """As the tests do."""
        self.proxy.stop()


class Optillm(Server):
    """optillm's proxy server, its approach named in the model."""

    def __init__(self, base_url: str, python: Path, folder: Path) -> None:
        port = free_port()
        env = {**os.environ, "OPENAI_API_KEY": "x", "HOME": str(folder)}
        env.pop("PYTHONPATH", None)
        command = [str(python.parent / "optillm"), "--base-url", base_url, "--port", str(port), "--log", "error"]
        with (folder / "optillm.log").open("wb") as log:
            process = subprocess.Popen(command, env=env, cwd=folder, stdout=log, stderr=log)
        super().__init__(process, f"http://127.0.0.1:{port}", "x", "moa-m1")
        if came_up(process, f"{self.root}/health", START_SECONDS):
            return
        self.stop()
        raise RuntimeError((folder / "optillm.log").read_text()[-2000:])


class Script:
    """A contestant that is a library: `contestants.py` in its environment."""

    def __init__(self, kind: str, base_url: str, python: Path, folder: Path) -> None:
        env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        command = [str(python), str(Path(__file__).with_name("contestants.py")), kind, base_url, str(folder)]
        self.log = folder / f"{kind}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, env=env, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
            )
        self.pid = self.process.pid
        self._line()

    def _line(self) -> str:
        assert self.process.stdout is not None  # noqa: S101
        for line in self.process.stdout:
            if line.startswith(("ready", "[")):
                return line
        raise RuntimeError(self.log.read_text()[-2000:])

    def go(self, at_once: int, waves: int, tag: str) -> list[Outcome]:
        """Let it ask."""
        assert self.process.stdin is not None  # noqa: S101
        self.process.stdin.write(json.dumps({"at": at_once, "waves": waves, "tag": tag}) + "\n")
        self.process.stdin.flush()
        return [(seconds, came, error) for seconds, came, error in json.loads(self._line())]

    def stop(self) -> None:
        """By its pid."""
        self.process.terminate()
        self.process.wait(10)


def start(name: str, base_url: str, peers: Path, folder: Path) -> Contestant:
    """One contestant, ready to be asked."""
    python = {key: peers / key / "bin" / "python" for key in INSTALLS}
    match name:
        case "ours":
            return Ours(base_url)
        case "router":
            return Script("router", base_url, Path(sys.executable), folder)
        case "optillm":
            return Optillm(base_url, python["optillm"], folder)
        case "llm-consortium":
            return Script("consortium", base_url, python["llm-consortium"], folder)
    return Script({"seed threads": "seed", "seed processes": "seed_process"}[name], base_url, python["seed"], folder)


NAMES = ("ours", "router", "seed threads", "seed processes", "optillm", "llm-consortium")


def in_a_row(calls: list[list[Any]]) -> tuple[int, int]:
    """How many calls of a run were made one after another, and how many in all: the usual counts over the runs."""
    runs: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for run, _, started, ended in calls:
        runs[run].append((started, ended if ended is not None else float("inf")))
    counted: Counter[tuple[int, int]] = Counter()
    for spans in runs.values():
        row, free = 0, -1.0
        for started, ended in sorted(spans, key=lambda span: span[1]):
            if started >= free:
                row, free = row + 1, ended
        counted[row, len(spans)] += 1
    return counted.most_common(1)[0][0]


def one_round(asked: argparse.Namespace, name: str, number: int, paths: dict[str, tuple[int, int]]) -> list[dict[str, Any]]:
    """One contestant at every concurrency."""
    text = json.dumps(tests_provider.ANALYSIS)
    call = {"seconds": asked.call_seconds}
    plans = {"m1": call, "m2": call, "m3": call, "judge": {**call, "text": text}, "synth": call}
    served = Loopback({**plans, "arbiter": {**call, "text": ARBITER}})
    rows = []
    contestant: Contestant | None = None
    with tempfile.TemporaryDirectory(prefix="fusion-peers-") as folder:
        try:
            contestant = start(name, served.base_url, asked.peers, Path(folder))
            contestant.go(2, 1, "warm")
            served.reset()
            contestant.go(1, 1, "path")
            paths[name] = in_a_row(served.seen()["calls"])
            floor = paths[name][0] * asked.call_seconds
            for at_once in map(int, asked.at.split(",")):
                if name == "seed processes" and at_once > MOST_PROCESSES:
                    continue
                waves = asked.waves * (5 if at_once == 1 else 1)
                served.reset()
                before, started = served.seen(), time.perf_counter()
                with measure.Watch(contestant.pid) as watch:
                    outcomes = contestant.go(at_once, waves, f"r{number}a{at_once}")
                    wall = time.perf_counter() - started
                    time.sleep(1.5)  # some log behind the answer
                after = served.seen()
                over = [(seconds - floor) * 1e3 for seconds, _, _ in outcomes]
                errors = [error for _, _, error in outcomes if error]
                if errors:
                    print(f"  {name} at {at_once}: {Counter(errors).most_common(2)}", file=sys.stderr, flush=True)
                rows.append({
                    "who": name, "at": at_once, "runs": len(outcomes), "over_p50_ms": measure.at(over, 0.5),
                    "over_p99_ms": measure.at(over, 0.99), "lost": sum(came < SEATS for _, came, _ in outcomes),
                    "cpu_ms": watch.cpu * 1e3 / len(outcomes), "peak_mb": watch.peak_mb,
                    "connections": (after["connections"] - before["connections"] - 1) / len(outcomes),
                    "provider": (after["cpu"] - before["cpu"]) / wall,
                })  # fmt: skip
                print(
                    f"  round {number + 1}: {name} at {at_once}: {rows[-1]['over_p50_ms']:.0f} ms", file=sys.stderr, flush=True
                )
        finally:
            if contestant is not None:
                contestant.stop()
            served.stop()
    return rows


def medians(rows: list[dict[str, Any]], paths: dict[str, tuple[int, int]]) -> list[dict[str, Any]]:
    """One row for each contestant and concurrency; runs and lost runs are sums."""
    grouped: dict[tuple[str, int], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        grouped[row["who"], row["at"]].append(row)
    made = []
    for (who, at_once), group in grouped.items():
        told: dict[str, Any] = {"who": who, "at": at_once, "in_a_row": paths[who][0], "calls": paths[who][1]}
        for key in ("runs", "lost"):
            told[key] = sum(row[key] for row in group)
        for key in ("over_p50_ms", "over_p99_ms", "cpu_ms", "peak_mb", "connections", "provider"):
            told[key] = statistics.median(row[key] for row in group)
        made.append(told)
    return sorted(made, key=lambda row: (row["at"], NAMES.index(row["who"])))


def install(folder: Path) -> None:
    """An environment for each peer, from the package index that pip is set up for."""
    for name, packages in INSTALLS.items():
        venv.create(folder / name, with_pip=True)
        subprocess.run([str(folder / name / "bin" / "pip"), "install", "-q", *packages], check=True)


def versions(peers: Path) -> dict[str, str]:
    """What the peers' environments hold."""
    code = "import importlib.metadata as m, sys; print(*(f'{name}={m.version(name)}' for name in sys.argv[1:]))"
    told = {}
    for name, packages in INSTALLS.items():
        python = peers / name / "bin" / "python"
        if python.exists():
            command = [str(python), "-c", code, *packages]
            told[name] = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    return told


def main() -> None:
    """Print the table, write the plot."""
    options = argparse.ArgumentParser()
    options.add_argument("--install", type=Path)
    options.add_argument("--peers", type=Path, default=Path("peers"))
    options.add_argument("--at", default="", help="1,20,100; with --quick 1,20")
    options.add_argument("--waves", type=int, default=3)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--call-seconds", type=float, default=1.0)
    options.add_argument("--only", default="")
    options.add_argument("--quick", action="store_true", help="one round of one wave at 1 and 20, no plot")
    options.add_argument("--json", default="")
    asked = options.parse_args()
    if asked.install:
        install(asked.install.resolve())
        return
    if asked.quick:
        asked.waves, asked.rounds = 1, 1
    asked.at = asked.at or ("1,20" if asked.quick else "1,20,100")
    asked.peers = asked.peers.resolve()
    there = versions(asked.peers)
    needs = {"seed threads": "seed", "seed processes": "seed", "optillm": "optillm", "llm-consortium": "llm-consortium"}
    names = [name for name in NAMES if needs.get(name, name) in (*there, "ours", "router")]
    names = [name for name in names if not asked.only or name in asked.only.split(",")]
    facts = measure.machine()
    measure.head(f"peers: {asked.rounds} rounds of {asked.waves} waves, calls of {asked.call_seconds} s", facts | there)
    rows: list[dict[str, Any]] = []
    paths: dict[str, tuple[int, int]] = {}
    for number in range(asked.rounds):
        for name in random.Random(number).sample(names, len(names)):  # noqa: S311 - an order
            rows += one_round(asked, name, number, paths)
    made = medians(rows, paths)
    measure.table(made)
    measure.keep(asked.json, facts | there, made)
    if not asked.quick:
        for key, label in (("over_p50_ms", "p50"), ("over_p99_ms", "p99")):
            drawn = {name: [(row["at"], max(row[key], 1.0)) for row in made if row["who"] == name] for name in names}
            chart.lines(
                drawn, measure.PLOTS / f"peers-{label}.svg", title=f"Overhead over the critical path, {label}",
                x="runs at once", y="milliseconds", log_x=True, log_y=True, dots=True,
            )  # fmt: skip


if __name__ == "__main__":
    main()
