"""Say what the demo has made: where models, metrics and plots are, and what the models score."""

from pathlib import Path

import pandas as pd

from xingu.config import Settings
from xingu.names import key_part
from xingu.provider.discovery import DataProviderFactory
from xingu.registry.store import ModelStore
from xingu.values import ValueStore


def main() -> None:
    """Print the summary of every DataProvider that has a current model."""
    settings = Settings.load()
    values = ValueStore(settings.place(settings.values))
    models = ModelStore(settings.place(settings.models))
    plots = settings.place(settings.plots)
    for dp_id in DataProviderFactory(None, settings.project_home / settings.dataproviders_folder):
        train_id = models.current(dp_id)
        if train_id is None:
            continue
        metrics = values.read((key_part(dp_id), "trainset_metrics"))
        estimations = values.folder((key_part(dp_id), "batch", "estimations"))
        latest = estimations / str(values.find((key_part(dp_id), "batch", "estimations")))
        print(f"\n{dp_id}, train {train_id}\n")
        print(_table(metrics.value))
        print(f"\n  model        {_short(models.package(dp_id, train_id))}")
        print(f"  metrics      {_short(values.folder((key_part(dp_id), 'trainset_metrics')))}")
        print(f"  plots        {_short(plots / key_part(dp_id) / train_id)}")
        print(f"  estimations  {_short(latest)}")
    print("\nWhat is current, and its history: .venv/bin/xingu inventory")
    print("Open the Dagster UI with: make ui   (http://127.0.0.1:3000)")


def _table(metrics: pd.DataFrame) -> str:
    sets = [name for name in metrics["set"].unique() if pd.notna(name)]
    table = metrics.pivot_table(index="name", columns="set", values="value_number", sort=False)
    text = table.reindex(columns=sets).to_string(float_format="{:.4g}".format, na_rep="")
    lines = [line for line in text.splitlines() if not line.startswith("name ")]
    return "\n".join(f"  {line}" for line in lines)


def _short(path: object) -> str:
    """The path from the current folder, where it is below that."""
    place = Path(str(path))
    return str(place.relative_to(Path.cwd())) if place.is_relative_to(Path.cwd()) else str(path)


if __name__ == "__main__":
    main()
