"""Peak memory and time of copying, saving and loading a large package, on disk and S3.

The package has one large file (random bytes) and a few small ones. S3 is a server of moto in a
process of its own, so its figures are those of moto, and only their memory says anything about S3.
Every step runs in a process of its own, whose peak memory (RSS) includes Python, pandas and s3fs
(the line "imports only").

Usage: python benchmarks/transfer.py [megabytes] [folder]
"""

import multiprocessing
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import boto3
from inventory import manifest
from upath import UPath

from xingu.files.sealed import seal
from xingu.registry.manifest import describe_files, read_manifest, verify
from xingu.registry.transfer import copy_package

LIMIT = 300  # MB


def main(megabytes: int = 1_000, folder: str | None = None) -> None:
    """Make the package, copy it in each direction, and print."""
    with tempfile.TemporaryDirectory(dir=folder) as root:
        make_package(Path(root) / "source", megabytes)
        server = start_server()
        try:
            disk, s3 = Path(root), "s3://bench"
            print(f"{megabytes:,} MB in one file; MB of peak memory, seconds\n")
            report("imports only", nothing, "", "")
            report("disk → disk", copy, f"{disk}/source", f"{disk}/copy")
            report("disk → disk, again", copy, f"{disk}/source", f"{disk}/copy")
            report("disk → S3", copy, f"{disk}/source", f"{s3}/one")
            report("S3 → S3", copy, f"{s3}/one", f"{s3}/two")
            report("S3 → disk", copy, f"{s3}/two", f"{disk}/back")
            report("verify on S3", check, f"{s3}/two", "")
        finally:
            server.terminate()


def make_package(folder: Path, megabytes: int) -> None:
    """Write the files and the manifest of a package."""
    (folder / "estimator").mkdir(parents=True)
    with (folder / "estimator" / "large.bin").open("wb") as file:
        for _ in range(megabytes):
            file.write(os.urandom(10**6))
    for number in range(10):
        (folder / f"small_{number}").write_bytes(os.urandom(10_000))
    written = manifest("train", "session").model_copy(update={"files": describe_files(folder)})
    (folder / "manifest.json").write_bytes(seal(written.model_dump_json()))


def start_server() -> subprocess.Popen:
    """Start a server of moto with a bucket; the environment leads there."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    quiet = subprocess.DEVNULL
    server = subprocess.Popen(command, stdout=quiet, stderr=quiet)
    os.environ |= {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    while True:
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.2)
    boto3.client("s3").create_bucket(Bucket="bench")
    return server


def report(name: str, step, source: str, target: str) -> None:
    """Run a step in a process of its own, and print its figures."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        peak, seconds = pool.apply(measured, (step, source, target))
    verdict = "met" if peak < LIMIT else "MISSED"
    print(f"{name:<22}{peak:>8.0f}{seconds:>8.1f}   target < {LIMIT} MB   {verdict}", flush=True)


def measured(step, source: str, target: str) -> tuple[float, float]:
    begin = time.perf_counter()
    step(source, target)
    seconds = time.perf_counter() - begin
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, seconds


def nothing(_source: str, _target: str) -> None:
    UPath("s3://bench").exists()


def copy(source: str, target: str) -> None:
    copy_package(UPath(source), UPath(target), read_manifest(UPath(source)))


def check(source: str, _target: str) -> None:
    verify(UPath(source), read_manifest(UPath(source)))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]), *sys.argv[2:])
