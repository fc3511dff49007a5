"""Keys and edges of the graph, against a snapshot that a reviewer can read."""

from pathlib import Path

from tests.support.project import Project
from tests.support.toys import Houses, Taxes

SNAPSHOT = Path(__file__).with_name("edges.txt")


def test_the_graph_has_the_promised_keys_and_edges(tmp_path):
    graph = Project(tmp_path, [Houses, Taxes]).definitions.resolve_asset_graph()
    lines = []
    for key in sorted(graph.get_all_asset_keys()):
        parents = sorted(parent.to_user_string() for parent in graph.get(key).parent_keys)
        lines.append(f"{key.to_user_string()} <- {' '.join(parents)}")
    assert [line.rstrip() for line in lines] == SNAPSHOT.read_text().splitlines()


def test_there_is_one_step_per_phase(tmp_path):
    job = Project(tmp_path, [Houses, Taxes]).definitions.resolve_implicit_global_asset_job_def()
    phases = ("prepare", "tune", "fit", "evaluate", "batch_raw", "batch")
    assert {node.name for node in job.nodes} >= {
        f"{dp}__{phase}" for dp in ("houses", "taxes") for phase in phases
    }
    assert len(job.nodes) == 14  # and the outside data of each
