"""`xingu deploy`, `rollback`, `approve`: change the train that a target serves."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from xingu_dagster.cli.output import JSON, print_json

if TYPE_CHECKING:
    from xingu.deploy.execute import Deployed
    from xingu.deploy.record import Plan
    from xingu.deploy.route import Route

logger = logging.getLogger(__name__)

VERSION = 1
"""Version of the JSON documents."""
OF_PLANS = ("train_id", "only_plan", "output", "no_db")
"""Options for making a plan; a stored plan has its own."""
PULL = click.option(
    "--pull",
    is_flag=True,
    help="Take trains from TRAINED_MODELS_PATH__SOURCE and XINGU_DB_URL__SOURCE: for a process in "
    "the target's own environment.",
)
COMMENT = click.option("--comment", default="", help="Text for the ledger of the target.")
TARGET = click.option("--target", required=True, help="Name of the target, of DEPLOY_TARGETS.")


@click.command(short_help="Deploy trains to a target, after gates, approvals and a proof.")
@click.option("--dps", "--data-providers", metavar="ID,…", help="Ids of the DataProviders.")
@click.option("--to", "target", metavar="TARGET", help="Name of the target, of DEPLOY_TARGETS.")
@click.option("--train", "train_id", metavar="TRAIN", help="A train; default: the current one "
              "of the target before in the chain, or of the project.")  # fmt: skip
@click.option("--plan", "only_plan", is_flag=True, help="Show what would be done, and do nothing.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path),
              help="With --plan: write the plan to this file.")  # fmt: skip
@click.option("--apply", "plan_file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="Execute the plan of a file, if nothing has changed since.")  # fmt: skip
@click.option("--no-db", is_flag=True, help="Copy the models alone, no rows of the control DB.")
@PULL
@COMMENT
@JSON
def deploy(dps: str | None, target: str | None, plan_file: Path | None, **options: Any) -> None:
    """Deploy the current trains of DataProviders to a target.

    Gates, recorded checks, git and approvals are verified first; the package is copied, verified at
    the target, and has to estimate its golden rows there as before; rows of the control DB are
    copied; then the target's pointer is moved, in one step. If anything fails, the target serves
    what it served before. Nothing is deployed unless all given DataProviders can be.

    Exit codes: 3 if a gate, check or another rule refuses a train, 4 if only approvals are missing.
    """
    from xingu.deploy.plan import make_plan
    from xingu.deploy.route import route_to
    from xingu.options import split_names

    if plan_file is not None:
        if dps or target or any(options[name] for name in OF_PLANS):
            raise click.UsageError("--apply goes with --pull, --comment and --json only.")
        _apply(plan_file, options)
        return
    names = split_names(dps or _configured())
    if not names or not target:
        raise click.UsageError("Name the DataProviders with --dps and the target with --to.")
    if options["train_id"] and len(names) > 1:
        raise click.UsageError("--train is for a single DataProvider.")
    if options["output"] and not options["only_plan"]:
        raise click.UsageError("-o writes a plan; give --plan too.")
    route = route_to(_workspace(), target, pull=options["pull"])
    train_id, with_rows = options["train_id"], not options["no_db"]
    plans = [make_plan(route, name, train_id, with_rows=with_rows) for name in names]
    if options["only_plan"]:
        _show_plans(route, plans, options)
    else:
        _execute(route, plans, options)


@click.command(short_help="Return to a train that a target served before.")
@click.argument("dp")
@click.option("--to", "train_id", metavar="TRAIN", required=True,
              help="The train, or `previous`: the one that was current before.")  # fmt: skip
@TARGET
@COMMENT
@JSON
def rollback(dp: str, train_id: str, target: str, comment: str, as_json: bool) -> None:
    """Make a train that TARGET served before current there again.

    Nothing is copied: the package at the target is verified and estimates its golden rows, then the
    pointer moves. It needs no approval, because the train had what it needed when it was deployed.
    """
    from xingu.deploy.plan import make_plan, previous_train, require_served
    from xingu.deploy.route import route_within

    route = route_within(_workspace(), target)
    if train_id == "previous":
        train_id = previous_train(route, dp)
    require_served(route, dp, train_id)
    plan = make_plan(route, dp, train_id, with_rows=False)
    _execute(route, [plan], {"comment": comment, "as_json": as_json})


@click.command(short_help="Approve the deploy of a train to a target.")
@click.argument("dp")
@click.argument("train")
@TARGET
@PULL
@COMMENT
@JSON
def approve(dp: str, train: str, target: str, pull: bool, comment: str, as_json: bool) -> None:
    """Approve the deploy of TRAIN of DP to a target.

    The approval is for exactly this package and this target, is recorded in the target's ledger
    with your user name, and expires (DEPLOY_APPROVAL_DAYS). Nobody can approve a train of their
    own.
    """
    from xingu.deploy.approvals import approve as record
    from xingu.deploy.approvals import approved_by
    from xingu.deploy.route import route_to
    from xingu.texts import counted
    from xingu_dagster.cli.output import minutes_of

    route = route_to(_workspace(), target, pull=pull)
    models = route.source.models
    manifest = models.manifest(dp, train)
    package = models.package_record(dp, train).manifest_sha256
    entry = record(route, manifest, package, comment)
    given, needed = approved_by(route, manifest, package), route.rules.approvals
    expires = entry.deployment and entry.deployment.expires
    until = expires.isoformat() if expires else None
    if as_json:
        content = {"dataprovider_id": dp, "train_id": train, "target": target, "package": package}
        people = {"user": route.user, "expires": until, "approvals": given, "needed": needed}
        print_json({"version": VERSION, **content, **people})
        return
    click.echo(
        f"{route.user} approved {dp} {train} for {target}, until {minutes_of(until)} UTC: "
        f"{len(given)} of {counted(needed, 'approval')}."
    )


def _workspace() -> Any:
    from xingu.config import Settings
    from xingu.workspace import Workspace

    return Workspace(Settings.load())


def _configured() -> str:
    from xingu_dagster.cli.settings import configured

    return configured("DATAPROVIDER_LIST")


def _show_plans(route: "Route", plans: list["Plan"], options: dict[str, Any]) -> None:
    from xingu_dagster.cli.deploy_output import print_plan

    document = {"version": VERSION, "plans": [one.model_dump(mode="json") for one in plans]}
    if file := options["output"]:
        import json

        file.write_text(json.dumps(document, indent=1) + "\n")
    if options["as_json"]:
        print_json(document)
    else:
        for plan in plans:
            print_plan(plan, route)
        if file:
            click.echo(f"Written to {file}; `xingu deploy --apply {file}` executes it.")
    kinds = {refusal.kind for plan in plans for refusal in plan.refusals}
    if kinds:
        click.get_current_context().exit(4 if kinds == {"approval"} else 3)


def _apply(file: Path, options: dict[str, Any]) -> None:
    from xingu.deploy.plan import make_plan
    from xingu.deploy.route import RELEASED, route_to
    from xingu.deploy.stored import read_plans, require_unchanged

    stored = read_plans(file)
    pull = options["pull"] or any(one.source == RELEASED for one in stored)
    route = route_to(_workspace(), stored[0].target, pull=pull)
    plans = [
        make_plan(route, one.dataprovider_id, one.train_id, with_rows=one.with_rows)
        for one in stored
    ]
    require_unchanged(file, stored, plans)
    _execute(route, plans, options)


def _execute(route: "Route", plans: list["Plan"], options: dict[str, Any]) -> None:
    from xingu.deploy.execute import Reason, execute
    from xingu_dagster.cli.deploy_output import print_deployed, progress

    _refuse(plans)
    done: list[Deployed] = []
    try:
        for plan in plans:
            watch: Callable[[Any], None] = progress(plan)
            result = execute(route, plan, Reason(options["comment"]), watch)
            done.append(result)
            if not options["as_json"]:
                print_deployed(result)
    finally:  # those before one that failed are deployed
        _report(route, [one for one in done if one.changed])
    if options["as_json"]:
        print_json({"version": VERSION, "deployed": [_document(one) for one in done]})


def _report(route: "Route", done: Sequence["Deployed"]) -> None:
    """Let Dagster's graph show what the target serves, if the project has an instance.

    A failure is logged alone.
    """
    from xingu_dagster.instance import instance_folder

    home = route.target.home
    if not done or not instance_folder(home).is_dir():
        return
    from xingu_dagster.phases.deploy import report_deploy
    from xingu_dagster.running import open_instance

    try:
        with open_instance(home) as instance:
            for one in done:
                report_deploy(instance, one, route)
    except Exception as error:  # noqa: BLE001 - it is deployed, whatever the history says
        logger.warning("Dagster's history does not show the deploy: %s", error)


def _refuse(plans: Sequence["Plan"]) -> None:
    """Refuse all plans if one of them is refused; all reasons are in one text."""
    from xingu.errors import ApprovalMissingError, DeployRefusedError

    found: list[DeployRefusedError] = []
    for plan in plans:
        try:
            plan.check()
        except DeployRefusedError as error:
            found.append(error)
    if found:
        worst = ApprovalMissingError
        if not all(isinstance(one, ApprovalMissingError) for one in found):
            worst = DeployRefusedError
        raise worst(" ".join(map(str, found)))


def _document(done: "Deployed") -> dict[str, Any]:
    plan = done.plan
    return {
        "dataprovider_id": plan.dataprovider_id,
        "train_id": plan.train_id,
        "target": plan.target,
        "action": plan.action,
        "changed": done.changed,
        "replaced": plan.replaces,
        "package": plan.package,
        "files": done.copied.files if done.copied else 0,
        "bytes": done.copied.bytes if done.copied else 0,
        "rows": dict(done.rows) if done.rows is not None else None,
        "golden_rows": done.proven,
        "entry": done.entry,
    }
