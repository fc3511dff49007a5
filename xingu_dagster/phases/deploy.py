"""The phase `deploy`: one step for each target, which makes the target serve a train.

The steps exist if DEPLOY_TARGETS names targets. A train goes to the first target of a chain from
the project, and to each further one from the target before it. The settings of a target are read
when its step runs.
"""

import time
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import dagster as dg

from xingu.names import key_part
from xingu.values import Facts, Label
from xingu_dagster.metadata import Metadata, namespaced, rounded
from xingu_dagster.options import DEPLOY
from xingu_dagster.phases.build import Results, build_phase
from xingu_dagster.phases.step import PhaseStep
from xingu_dagster.phases.upstream import VERSION
from xingu_dagster.spec import ProviderSpec
from xingu_dagster.translator import XinguTranslator

if TYPE_CHECKING:
    from xingu.deploy.execute import Deployed
    from xingu.deploy.route import Route


def build_deploys(provider: ProviderSpec) -> list[dg.AssetsDefinition]:
    """Build the assets ``<dp>/deploy/<target>``; none without targets."""
    return [
        _build_deploy(provider, chain, at)
        for chain in provider.resource.chains
        for at in range(len(chain))
    ]


def _build_deploy(provider: ProviderSpec, chain: Sequence[str], at: int) -> dg.AssetsDefinition:
    target, before = chain[at], chain[at - 1 : at]
    path = _path(target)
    key_of = provider.translator.get_asset_key
    origin = f"from `{before[0]}`" if before else "from the project"
    spec = provider.asset_spec(
        *path,
        deps=[
            provider.asset_key("model"),
            provider.asset_key("trainset_metrics"),
            *(provider.asset_key(*_path(name)) for name in before),
            *(key_of(pre_req, path) for pre_req in provider.pre_reqs),
        ],
        kinds=["deploy"],
        description=f"The model that the target `{target}` serves; it is deployed {origin}.",
    )
    return build_phase(
        provider, DEPLOY, [spec], partial(deploy, target=target), part=key_part(target)
    )


def deploy(step: PhaseStep, target: str) -> Results:
    """Deploy a train to a target, and materialize what it serves."""
    from xingu.deploy.execute import Reason, execute
    from xingu.deploy.plan import make_plan
    from xingu.deploy.route import route_to

    started = time.perf_counter()
    route = route_to(step.workspace, target)
    plan = make_plan(route, step.spec.id, _train_id(step, route))
    done = execute(route, plan, Reason(run_id=step.context.run.run_id), _log(step, target))
    label = Label(plan.package[:16], Facts(train_id=plan.train_id))
    value: dict[str, Any] = {"target": target, "train_id": plan.train_id, "package": plan.package}
    seconds = time.perf_counter() - started
    yield step.keep(_path(target), value, label, seconds, _metadata(done, route))


def report_deploy(instance: dg.DagsterInstance, done: "Deployed", route: "Route") -> None:
    """Record a deploy that no run has made, so that the graph shows what the target serves.

    Args:
        instance: The instance of the project, whose assets have the usual keys.
        done: What was done.
        route: The way to the target.
    """
    plan = done.plan
    key = XinguTranslator().get_asset_key(plan.dataprovider_id, _path(plan.target))
    version = {VERSION: plan.package[:16]}
    instance.report_runless_asset_event(
        dg.AssetMaterialization(key, metadata=namespaced(_metadata(done, route)), tags=version)
    )


def _path(target: str) -> tuple[str, str]:
    return DEPLOY, key_part(target)


def _train_id(step: PhaseStep, route: "Route") -> str | None:
    """Return the train of the config, or that of the run or the project; None: the source's."""
    from xingu.deploy.route import PROJECT

    if requested := step.options.train_id:
        return requested
    return step.current_train(step.spec.id) if route.source_name == PROJECT else None


def _log(step: PhaseStep, target: str) -> Any:
    return lambda part: step.context.log.info(f"{step.spec.id} → {target}: {part}")


def _metadata(done: "Deployed", route: "Route") -> Metadata:
    plan, difference = done.plan, done.plan.difference
    metadata: dict[str, Any] = {
        "serves": plan.train_id,
        "action": plan.action if done.changed or plan.action == "rows" else "nothing",
        "replaced": plan.replaces or "",
        "from": f"{route.source_name} ({route.origin})",
        "package": plan.package,
        "git_commit": plan.commit or "",
        "approvals": ", ".join(plan.approvals),
        "ledger_entry": done.entry or "",
        "golden_rows": done.proven or 0,
        "files": plan.files,
        **{f"gate {name}": text for name, text in plan.gates.items()},
    }
    if difference is not None and not difference.problem:
        metadata["changed_estimations"] = rounded(difference.changed)
        if difference.mean_absolute is not None and difference.max_absolute is not None:
            metadata["mean_difference"] = rounded(difference.mean_absolute)
            metadata["max_difference"] = rounded(difference.max_absolute)
    return {name: value for name, value in metadata.items() if value != ""}
