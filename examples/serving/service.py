"""Serve the current Model of a storage over HTTP, and follow its pointer."""

import os
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, Field

from xingu.serving import Follower, InvalidRowsError, estimations_of, frame_of


class Request(BaseModel):
    rows: list[dict[str, Any]] = Field(min_length=1, max_length=10_000)


@asynccontextmanager
async def lifespan(app: FastAPI):
    where = os.environ.get("TRAINED_MODELS_PATH", "models")
    seconds = float(os.environ.get("FOLLOW_SECONDS", "10"))
    with Follower(os.environ["MODEL_ID"], where, seconds=seconds) as app.state.follower:
        yield


app = FastAPI(title="Estimations", lifespan=lifespan)


@app.get("/health")
def health():
    return app.state.follower.status()


@app.get("/model")
def model():
    follower: Follower = app.state.follower
    return {**follower.status(), "features": dict(follower.model.signature().features)}


@app.post("/predict")
def predict(request: Request):
    current = app.state.follower.model  # once: the next access may be a newer one
    try:
        frame = frame_of(current, request.rows)
    except InvalidRowsError as error:
        raise HTTPException(422, error.facts["problems"]) from error
    return {"train_id": current.train_id, "estimations": estimations_of(current, frame)}
