"""The command `xingu completion`: print the script that completes `xingu` in a shell."""

import click

LINES = {
    "bash": 'eval "$(xingu completion bash)"    # in ~/.bashrc',
    "zsh": 'eval "$(xingu completion zsh)"    # in ~/.zshrc',
    "fish": "xingu completion fish | source    # in ~/.config/fish/config.fish",
}


@click.command(epilog="\b\n" + "\n".join(LINES.values()))
@click.argument("shell", type=click.Choice([*LINES]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script that completes `xingu` in a shell.

    It completes commands, options and ids of DataProviders. Add one of the lines below to the
    configuration of the shell.
    """
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    assert found  # noqa: S101 - click has a class for each of LINES
    root = context.find_root()
    click.echo(found(root.command, {}, root.info_name or "xingu", "_XINGU_COMPLETE").source())
