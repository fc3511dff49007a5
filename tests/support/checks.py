"""Results of the checks of a run."""


def results(run) -> dict:
    """Check evaluations of a run by ``asset check``, without the group."""
    return {
        f"{'/'.join(one.asset_key.path[1:])} {one.check_name}": one
        for one in run.get_asset_check_evaluations()
    }


def figures(evaluation) -> dict:
    return {name: value.value for name, value in evaluation.metadata.items() if name != "details"}
