"""The command `xingu init`: write a project that trains a first model."""

from pathlib import Path

import click

NEXT = """
Next:
{change}  xingu train                  # train the models and estimate their batches
  xingu ui                     # graph, metrics and plots in a browser
  xingu new NAME --from FILE   # write a model for data of yours
"""
DESCRIPTIONS = {
    "dataproviders/apartments.py": "the example: a model of the prices of apartments",
    "data/apartments_sold.csv": "made-up data that it learns from",
    "data/apartments_for_sale.csv": "made-up apartments whose prices it estimates",
    "dagster.yaml": "where Dagster keeps runs and logs",
    "workspace.yaml": "what the Dagster UI loads",
    "pyproject.toml": "dependencies, and what dagster and dg load",
    ".env.example": "settings; none is needed to begin",
    ".gitignore": "leaves out what runs make, and .env",
    "Makefile": "make train, make ui, make check",
    "README.md": "what is here, and how to go on",
    "Dockerfile": "an image with the UI",
}


@click.command(short_help="Make a project that trains a first model.")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--ci", type=click.Choice(["github", "gitlab", "jenkins"]),
              help="Add a workflow that checks and trains.")  # fmt: skip
@click.option("--docker", is_flag=True, help="Add a Dockerfile.")
def init(folder: Path, ci: str | None, docker: bool) -> None:
    """Make a project in FOLDER, with a small example that trains at once.

    In a folder that exists, it adds what is missing and changes nothing that is there.
    """
    from xingu_dagster.scaffold import write_project

    made = write_project(folder, ci, docker=docker)
    if made.written:
        click.echo(f"Wrote to {made.folder}:")
        width = max(map(len, made.written))
        for name in made.written:
            click.echo(f"  {name.ljust(width)}  {DESCRIPTIONS.get(name, '')}".rstrip())
    else:
        click.echo(f"Nothing is missing in {made.folder}.")
    if made.kept:
        click.echo(f"Left as they were: {', '.join(made.kept)}")
    if not made.example:
        click.echo("The example was left out, because dataproviders/ has models already.")
    for hint in made.hints:
        click.echo(f"Note: {hint}")
    here = made.folder == Path.cwd()
    change = "" if here else f"  cd {click.format_filename(folder)}\n"
    click.echo(NEXT.format(change=change), nl=False)
