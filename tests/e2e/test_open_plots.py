"""The link "open plots", followed in the real webserver, whatever the code location is called."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

import dagster as dg
import pytest

from tests.support.shop import Shop, open_shop

LOCATION = "homes & gardens"
WORKSPACE = f"""
load_from:
  - python_module: {{module_name: json, location_name: another}}
  - python_module: {{module_name: xingu_dagster.definitions, location_name: {LOCATION}}}
"""
NO_QUEUE = """
run_coordinator: {module: dagster._core.run_coordinator, class: DefaultRunCoordinator}
"""
LAUNCH = """
mutation ($keys: [AssetKeyInput!], $location: String!) {
  launchRun(executionParams: {mode: "default", selector: {
    repositoryLocationName: $location, repositoryName: "__repository__",
    jobName: "__ASSET_JOB", assetSelection: $keys}}) {
    __typename ... on LaunchRunSuccess { run { id } } ... on PythonError { message } } }
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A project whose code location has a name of its own; its plots are drawn by a command."""
    shop = open_shop(tmp_path_factory.mktemp("shop"))
    (shop.home / "workspace.yaml").write_text(WORKSPACE)
    shop.code, shop.output = shop.materialize('key:"houses/*"')
    return shop


@contextmanager
def webserver(shop: Shop, *options: str) -> Iterator[str]:
    """Yield the address of a webserver that runs in the folder of the project."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    process = subprocess.Popen(
        [sys.executable, "-m", "dagster_webserver", "--port", port, *options],
        cwd=shop.home,
        env={**os.environ, **shop.environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    address, until = f"http://127.0.0.1:{port}", time.monotonic() + 90
    try:
        while time.monotonic() < until and process.poll() is None:
            try:
                urllib.request.urlopen(f"{address}/server_info", timeout=5).close()
                break
            except OSError:
                time.sleep(0.2)
        yield address
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)


def link_of(shop: Shop, asset: str) -> str:
    with dg.DagsterInstance.local_temp(str(shop.home / ".dagster")) as instance:
        event = instance.get_latest_materialization_event(dg.AssetKey(asset.split("/")))
    assert event
    assert event.asset_materialization
    shown = str(event.asset_materialization.metadata["open plots"].value)
    return re.findall(r"\((/notebook\?.*)\)", shown)[0]


def get(address: str) -> str:
    with urllib.request.urlopen(address, timeout=60) as answer:
        return answer.read().decode()


def test_the_link_opens_plots_with_plotly_from_the_same_webserver(shop):
    assert shop.code == 0, shop.output
    link = link_of(shop, "houses/plots")
    assert f"repoLocName={quote(LOCATION)}" in link
    with webserver(shop) as address:
        page = get(address + link)
        library = json.loads(re.findall(r'query.set\("path", (".*?")\)', page)[0])
        script = get(f"{address}/notebook?path={quote(library)}&repoLocName={quote(LOCATION)}")
    assert page.count('<figure class="xingu-plot') == 8
    assert 'id="xingu-packed"' in script


def test_a_run_that_the_ui_has_launched_links_to_its_own_location(shop):
    (shop.home / "other.yaml").write_text(WORKSPACE.replace(LOCATION, "elsewhere"))
    configuration = shop.home / "dagster.yaml"
    configuration.write_text(configuration.read_text() + NO_QUEUE)  # a queue needs the daemon
    keys = [{"path": ["houses", "plots"]}]
    with webserver(shop, "-w", "other.yaml") as address:
        asked = {"query": LAUNCH, "variables": {"keys": keys, "location": "elsewhere"}}
        request = urllib.request.Request(
            f"{address}/graphql",
            json.dumps(asked).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            told = json.load(answer)
        run_id = told["data"]["launchRun"]["run"]["id"]
        wait_for(shop, run_id)
        link = link_of(shop, "houses/plots")
        assert "repoLocName=elsewhere" in link
        assert '<figure class="xingu-plot' in get(address + link)


def wait_for(shop: Shop, run_id: str) -> None:
    until = time.monotonic() + 90
    with dg.DagsterInstance.local_temp(str(shop.home / ".dagster")) as instance:
        while time.monotonic() < until:
            run = instance.get_run_by_id(run_id)
            if run and run.is_finished:
                assert run.is_success
                return
            time.sleep(0.2)
    raise AssertionError(f"the run {run_id} did not end")
