#!/usr/bin/env python3
"""redis-py's own tests, as its authors publish them, against redis-server and against slotmark-server.

A test that passes on redis-server and fails on slotmark-server is a difference between the two: the suite fails unless
redis_py_expected.txt names it with a reason. Tests that fail on redis-server 7.0 too (they are for a later version, a
module, another port) say nothing and are left out.

    cargo build && python3 tests/clients/redis_py_suite.py              # both modes, about ten minutes
    python3 tests/clients/redis_py_suite.py --mode cluster -k stream    # some of it

What it needs is fetched from PyPI into target/redis-py-suite, where the reports of all runs stay as well.
"""

import argparse
import pathlib
import re
import socket
import subprocess
import sys
import time
import venv
import xml.etree.ElementTree as ElementTree

REDIS_PY = "8.1.0"
ROOT = pathlib.Path(__file__).resolve().parents[2]
WORK = ROOT / "target" / "redis-py-suite"
EXPECTED = pathlib.Path(__file__).with_name("redis_py_expected.txt")
PYTHON = WORK / "venv" / "bin" / "python"
SOURCE = WORK / f"redis-{REDIS_PY}"

FILES = {
    "standalone": [
        "test_commands.py",
        "test_pipeline.py",
        "test_pubsub.py",
        "test_scripting.py",
        "test_function.py",
        "test_lock.py",
        "test_monitor.py",
        "test_encoding.py",
        "test_keyspace_notifications.py",
        "test_cache.py",
        "test_connection.py",
        "test_connection_pool.py",
        "test_hash.py",
        "test_multiprocessing.py",
        "test_asyncio/test_commands.py",
        "test_asyncio/test_pipeline.py",
        "test_asyncio/test_pubsub.py",
        "test_asyncio/test_scripting.py",
        "test_asyncio/test_lock.py",
        "test_asyncio/test_monitor.py",
        "test_asyncio/test_encoding.py",
    ],
    "cluster": [
        "test_commands.py",
        "test_cluster.py",
        "test_cluster_transaction.py",
        "test_pubsub.py",
        "test_function.py",
        "test_hash.py",
        "test_keyspace_notifications.py",
        "test_asyncio/test_commands.py",
        "test_asyncio/test_cluster.py",
        "test_asyncio/test_cluster_transaction.py",
    ],
}
MARKERS = {
    "standalone": "not redismod and not onlycluster and not ssl",
    "cluster": "not redismod and not onlynoncluster and not ssl",
}
DIRECTIVES = ["enable-debug-command yes", "save ''"]


def run(*words, **options):
    return subprocess.run([str(word) for word in words], check=True, **options)


def fetch():
    """redis-py with its tests, and what they import."""
    if SOURCE.is_dir() and PYTHON.exists():
        return
    WORK.mkdir(parents=True, exist_ok=True)
    venv.create(WORK / "venv", with_pip=True)
    pip = [PYTHON, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    needs = ["pytest", "pytest-asyncio", "pytest-timeout", "numpy", "xxhash"]
    run(*pip, "install", f"redis=={REDIS_PY}", *needs)
    run(*pip, "download", "--no-deps", "--no-binary", ":all:", "-d", WORK, f"redis=={REDIS_PY}")
    run("tar", "xzf", WORK / f"redis-{REDIS_PY}.tar.gz", "-C", WORK)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Standalone:
    """One server in a folder of its own."""

    def __init__(self, engine, arguments):
        binary = "redis-server" if engine == "redis" else arguments.server
        self.port = free_port()
        folder = WORK / "data" / f"{engine}-{self.port}"
        folder.mkdir(parents=True, exist_ok=True)
        words = [binary, "--port", self.port]
        for directive in DIRECTIVES:
            name, value = directive.split(" ", 1)
            words += [f"--{name}", value.strip("'")]
        self.process = subprocess.Popen(
            [str(word) for word in words], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise SystemExit(f"{binary} does not listen on port {self.port}") from None
                time.sleep(0.05)

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


class Cluster:
    """Three primaries with a replica each, as `loadgen cluster up` starts them."""

    def __init__(self, engine, arguments):
        self.loadgen, self.name = arguments.loadgen, f"redis-py-{engine}"
        words = [self.loadgen, "cluster", "up", self.name, "--engine", engine, "--replicas", 1, "-p", 0]
        for directive in DIRECTIVES:
            words += ["--node-arg", directive]
        told = run(*words, stdout=subprocess.PIPE, text=True).stdout
        self.port = int(re.search(r"redis-cli -c -p (\d+)", told)[1])

    def stop(self):
        run(self.loadgen, "cluster", "down", self.name, stdout=subprocess.DEVNULL)


def outcomes(report):
    """What became of each test: passed, skipped, failed."""
    found = {}
    for case in ElementTree.parse(report).iter("testcase"):
        name = f"{case.get('classname').removeprefix('tests.')}::{case.get('name')}"
        bad = case.find("failure") if case.find("failure") is not None else case.find("error")
        if bad is not None:
            found[name] = "failed: " + (bad.get("message") or "").split("\n")[0][:200]
        else:
            found[name] = "skipped" if case.find("skipped") is not None else "passed"
    return found


def test(engine, mode, arguments):
    server = (Standalone if mode == "standalone" else Cluster)(engine, arguments)
    report = WORK / f"{engine}-{mode}.xml"
    words = [PYTHON, "-m", "pytest", "-q", "--no-header", "--tb=short", "-p", "no:cacheprovider"]
    words += ["--timeout", 60, "-m", MARKERS[mode], "--junitxml", report]
    words += ["--redis-url", f"redis://127.0.0.1:{server.port}/0"]
    if arguments.k:
        words += ["-k", arguments.k]
    words += [f"tests/{name}" for name in FILES[mode]]
    log = WORK / f"{engine}-{mode}.log"
    try:
        with log.open("w") as output:
            subprocess.run(
                [str(word) for word in words], cwd=SOURCE, stdout=output, stderr=subprocess.STDOUT, check=False
            )
    finally:
        server.stop()
    return outcomes(report)


def expected(mode):
    """Tests that may fail, by name, with the reason."""
    reasons = {}
    for line in EXPECTED.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            where, name, reason = line.split(None, 2)
            if where in (mode, "both"):
                reasons[name] = reason
    return reasons


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mode", choices=["standalone", "cluster", "both"], default="both")
    parser.add_argument("--server", default=ROOT / "target/debug/slotmark-server", help="the node to test")
    parser.add_argument("--loadgen", default=ROOT / "target/debug/loadgen", help="what starts the clusters")
    parser.add_argument("-k", default="", metavar="EXPRESSION", help="only tests that match, as pytest's -k")
    parser.add_argument("--reuse", action="store_true", help="take redis-server's outcomes from the last run")
    arguments = parser.parse_args()
    fetch()
    differs = False
    for mode in ["standalone", "cluster"] if arguments.mode == "both" else [arguments.mode]:
        if arguments.reuse:
            stock = outcomes(WORK / f"redis-{mode}.xml")
        else:
            stock = test("redis", mode, arguments)
        ours = test("slotmark", mode, arguments)
        both = [name for name in stock if stock[name] == "passed" and name in ours]
        failed = [name for name in both if ours[name].startswith("failed")]
        skipped = [name for name in both if ours[name] == "skipped"]
        reasons = expected(mode)
        passed = len(both) - len(failed) - len(skipped)
        print(f"{mode}: {len(both)} tests pass on redis-server; {passed} of them on slotmark-server")
        for name in skipped:
            print(f"  skipped {name}")
        for name in failed:
            note = f"expected: {reasons[name]}" if name in reasons else ours[name]
            print(f"  {'known ' if name in reasons else 'FAILED'} {name}: {note}")
        differs = differs or bool(skipped) or any(name not in reasons for name in failed)
        for name in reasons:
            if ours.get(name) == "passed":
                print(f"  passes now, and need not be expected to fail: {name}")
    sys.exit(1 if differs else 0)


if __name__ == "__main__":
    main()
