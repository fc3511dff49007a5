"""`xingu inventory verify` and `sign`: signatures and checksums of saved trains."""

import sys
from dataclasses import asdict
from pathlib import Path

import click

from xingu.config import Settings
from xingu.registry.audit import Audit, audit, sign_train
from xingu.registry.listing import find_manifest
from xingu.registry.store import ModelStore
from xingu.texts import counted
from xingu.workspace import Workspace
from xingu_dagster.cli.output import JSON, print_json, print_table


@click.command(short_help="Verify checksums and signatures of trains; nothing is loaded.")
@click.argument("trains", nargs=-1)
@click.option("--trusted-keys", "keys", multiple=True, type=click.Path(dir_okay=False),
              help="File of public keys, repeatable; default: XINGU_TRUSTED_KEYS.")  # fmt: skip
@click.option("--all", "every", is_flag=True, help="Verify all saved trains.")
@JSON
def verify(trains: tuple[str, ...], keys: tuple[str, ...], every: bool, as_json: bool) -> None:
    """Verify TRAINS: train ids, session:train, or dp/train; by default the current ones.

    Every file is compared with the manifest. If trusted keys are given, one of them must have
    signed the manifest. Exit code 1: a train is damaged, or is not signed by a trusted key.
    """
    models = _store(keys)
    found = [audit(models, *one) for one in _named(models, trains, every)]
    if as_json:
        print_json({"version": 1, "trains": [asdict(one) for one in found]})
    elif not found:
        click.echo(f"No model was trained yet in {models.root}; `xingu train` trains.")
    else:
        _print(found)
    sys.exit(1 if any(one.problems for one in found) else 0)


@click.command(short_help="Sign a train that was saved without a signature, or with another key.")
@click.argument("train")
def sign(train: str) -> None:
    """Sign TRAIN with SIGNING_KEY, after its files were compared with its manifest.

    Trains are signed when they are saved, if SIGNING_KEY is set. Sign only what you trust.
    """
    models = _store(())
    manifest = find_manifest(models, train)
    sign_train(models, manifest.dataprovider_id, manifest.train_id)
    click.echo(f"Signed {manifest.dataprovider_id}/{manifest.train_id}.")


def _store(keys: tuple[str, ...]) -> ModelStore:
    settings = Settings.load()
    if keys:
        given = tuple(str(Path(key).resolve()) for key in keys)
        settings = settings.model_copy(update={"trusted_keys": given})
    return Workspace(settings).models


def _named(models: ModelStore, trains: tuple[str, ...], every: bool) -> list[tuple[str, str]]:
    if trains:
        manifests = [find_manifest(models, train) for train in trains]
        return [(one.dataprovider_id, one.train_id) for one in manifests]
    dataproviders = models.dataproviders()
    if every:
        return [(one, train) for one in dataproviders for train in models.trains(one)]
    return [(one, train) for one in dataproviders if (train := models.current(one))]


def _print(found: list[Audit]) -> None:
    columns = ["DataProvider", "train", "files", "signature", "checks"]
    rows = [
        [
            one.dataprovider_id,
            one.train_id,
            f"{one.files}",
            f"{one.signature}: {one.signer}" if one.signer else one.signature,
            one.verdict or ("not signed" if one.signer else "not verified"),
        ]
        for one in found
    ]
    print_table("", columns, rows, whole=(1, 2))
    for one in found:
        for problem in one.problems:
            click.secho(f"{one.dataprovider_id}/{one.train_id}: {problem}", fg="red")
    good = sum(not one.problems for one in found)
    if any(one.signature == "not verified" for one in found):
        click.echo("Signatures were not verified, because no trusted key is given.")
    click.echo(f"{good} of {counted(len(found), 'train')} as saved.")
