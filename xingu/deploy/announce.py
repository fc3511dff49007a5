"""Tell people that a target serves another train, by the channels of alerts."""

from xingu.alerts import Alert
from xingu.deploy.record import Plan
from xingu.deploy.route import Route


def announce(route: Route, plan: Plan, run_id: str = "") -> None:
    """Send one alert about a deploy or a rollback; a channel that fails is logged.

    Args:
        route: The way to the target.
        plan: What was done.
        run_id: The Dagster run; empty outside of one.
    """
    is_rollback = plan.action == "rollback"
    does = "rolled back to" if is_rollback else "serves"
    instead = f" instead of {plan.replaces}" if plan.replaces else ""
    alerts = route.target.usable_alerts
    alerts.send(
        Alert(
            kind="rollback" if is_rollback else "deployment",
            severity="warning" if is_rollback else "info",
            dataprovider_id=plan.dataprovider_id,
            title=f"{plan.dataprovider_id}: {route.name} {does} {plan.train_id}{instead}, by "
            f"{route.user}",
            link=alerts.run_link(run_id),
            run_id=run_id,
            facts={
                "target": route.name,
                "train_id": plan.train_id,
                "replaced": plan.replaces,
                "commit": plan.commit,
                "package": plan.package,
            },
        )
    )
