"""Settings of the sensors that train models and estimate batches by themselves."""

from pydantic import BaseModel

from xingu.config.declare import setting
from xingu.config.kinds import Flag


class AutomationFields(BaseModel):
    """Automation."""

    sensor_seconds: int = setting(
        60,
        "XINGU_SENSOR_SECONDS",
        "Least time between two ticks of the sensors that train models and estimate batches.",
        ge=1,
    )
    sensors_running: Flag = setting(
        False,
        "XINGU_SENSORS_RUNNING",
        "Run these sensors as soon as the project is loaded; else somebody starts them in the UI.",
    )
    sensor_per_dataprovider: Flag = setting(
        False,
        "XINGU_SENSOR_PER_DATAPROVIDER",
        "Build one of these sensors for each DataProvider, in place of one for all.",
    )
