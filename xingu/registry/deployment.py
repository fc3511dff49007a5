"""Record of a deploy, rollback or approval in the ledger of a target."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field, field_validator

from xingu.masking import masked


class Deployment(BaseModel):
    """Who deployed or approved a train, and on what grounds.

    Attributes:
        user: The user who did it.
        host: Their machine.
        source: Address of the model storage that the package came from; secrets are masked.
        run_id: Id of the Dagster run; empty outside of a run.
        commit: Git commit that the train ran on.
        package: SHA-256 of the manifest, which contains the checksums of all files.
        target: Name of the target.
        gates: What was compared with the gates: numbers, or texts, by name.
        approvals: Users who had approved it.
        replaced: The train that was current before; None if there was none.
        comment: Free text.
        expires: Of an approval: when it becomes invalid (UTC); None: never.
    """

    model_config = ConfigDict(frozen=True)

    user: str = ""
    host: str = ""
    source: str = ""
    run_id: str = ""
    commit: str = ""
    package: str = ""
    target: str = ""
    gates: dict[str, bool | int | float | str | None] = Field(default_factory=dict)
    approvals: tuple[str, ...] = ()
    replaced: str | None = None
    comment: str = ""
    expires: datetime | None = None

    @field_validator("source")
    @classmethod
    def _without_secrets(cls, source: str) -> str:
        return masked(source)
