"""Parts of a service that predicts: follow a pointer, check rows, answer in JSON.

They need `xingu-core` alone and no web framework; `examples/serving` connects them to FastAPI.
"""

from xingu.errors import InvalidRowsError
from xingu.serving.follower import Follower
from xingu.serving.rows import estimations_of, frame_of

__all__ = ["Follower", "InvalidRowsError", "estimations_of", "frame_of"]
