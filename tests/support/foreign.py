"""Foreign projects of Dagster that use Xingu as a library."""

import textwrap

import dagster as dg

HOUSES = """
from tests.support import toys

class Houses(toys.Houses):
    '''Prices of houses of {team}.'''

    id = "houses"
    team = "{team}"

    def post_process_after_train(self, model):
        self.trained_by = self.team
"""


def write_team(home, team):
    """Write the folder ``<home>/<team>/dataproviders`` and return it."""
    folder = home / team / "dataproviders"
    folder.mkdir(parents=True)
    (folder / "houses.py").write_text(textwrap.dedent(HOUSES.format(team=team)))
    return folder


def run(definitions, *selection, instance=None, **options):
    """Materialize assets given by Dagster's selection."""
    graph = definitions.resolve_asset_graph()
    keys = dg.AssetSelection.from_string(" or ".join(selection)).resolve(graph)
    job = definitions.resolve_implicit_global_asset_job_def()
    return job.execute_in_process(
        instance=instance or dg.DagsterInstance.ephemeral(), asset_selection=sorted(keys), **options
    )
