"""Options of one run: settings that a run can override for itself, and options of runs alone.

An option is named as the variable of its setting, in lower case. `resolve` merges what the parts of
a run give; it validates all options before a phase starts, and names the part that gave a bad one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from xingu.errors import SettingsError
from xingu.names import MAX_NAME

SETTINGS = "settings"
"""Origin of options that a run does not give."""

InForce = dict[str, dict[str, Any]]
"""``{"value": …, "from": …}`` by variable of a setting, or by option."""


def split_names(value: Any) -> Any:
    """Return the names in a text with commas, as variables and tags have them."""
    if not isinstance(value, str):
        return value
    return tuple(name.strip() for name in value.split(",") if name.strip())


Names = Annotated[tuple[str, ...], BeforeValidator(split_names)]


class RunOptions(BaseModel):
    """Options of one run."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    hyperopt_strategy: str = Field(
        "last",
        min_length=1,
        description="Origin of the hyperparameters. last: the newest compatible ones in the "
        "control DB, else, or if the declaration was changed since, those of the DataProvider; "
        "self: search now; dp: those of the DataProvider; or a train id or session id.",
    )
    hyperopt_evaluations: int = Field(
        0,
        ge=0,
        description="Largest number of trials of a search (strategy self); 0: as the DataProvider "
        "declares.",
    )
    refresh_sources: bool = Field(
        False, description="Read external data again, even if the cache has it."
    )
    sample_rows: int = Field(
        0,
        ge=0,
        description="Largest number of rows of each source, for tests of the code; the same rows "
        "give the same sample. Such a train never becomes current. 0: all rows.",
    )
    pre_req_train_or_session_ids: Names = Field(
        (),
        description="Trains or sessions of prerequisites, in order of preference. A prerequisite "
        "that none of them names is used with its train of this run, else its current one.",
    )
    train_session_id: str = Field(
        "", max_length=MAX_NAME, description="Id of the train session; empty: derived from the run."
    )
    train_id: str = Field(
        "",
        max_length=MAX_NAME,
        description="Train that estimates the batch, or is deployed; empty: that of this run, "
        "else the current one.",
    )
    register_only: bool = Field(
        False,
        description="Accept the train without making it current; the one before it stays so.",
    )
    save_sets: bool = Field(
        True, description="Record index and target of every set in the control DB."
    )
    batch_predict_save_estimations: bool = Field(
        False, description="Record the estimations of the batch in the control DB."
    )


@dataclass(frozen=True, slots=True)
class ResolvedOptions:
    """The options in force, and where each came from.

    Attributes:
        values: The options.
        origins: Origin by option, of those that the run gives.
    """

    values: RunOptions
    origins: Mapping[str, str]

    def used(self, *names: str) -> InForce:
        """Return value and origin of some options, as a train records them."""
        values = self.values.model_dump(mode="json")
        return {
            name: {"value": values[name], "from": self.origins.get(name, SETTINGS)}
            for name in names
        }


def resolve(defaults: RunOptions, given: Mapping[str, Mapping[str, Any]]) -> ResolvedOptions:
    """Merge the options that a run gives into those of the settings.

    Args:
        defaults: The options of the settings.
        given: Options by their origin; later origins win.

    Raises:
        SettingsError: If options do not exist or cannot be used; the text names all of them, with
            their origins.
    """
    origins = {name: origin for origin, options in given.items() for name in options}
    values = {name: value for options in given.values() for name, value in options.items()}
    try:
        merged = RunOptions.model_validate({**dict(defaults), **values})
    except ValidationError as error:
        problems = [
            f"{origins.get(name, SETTINGS)}: {name}: {item['msg']}"
            for item in error.errors(include_url=False)
            for name in [str(item["loc"][0])]
        ]
        raise SettingsError(f"Options of the run: {'; '.join(problems)}.") from None
    return ResolvedOptions(merged, origins)
