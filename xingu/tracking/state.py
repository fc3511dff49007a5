"""Look at a control DB without creating or changing anything in it."""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, Engine, NullPool, create_engine, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from xingu.errors import ControlDbError
from xingu.sources import Databases
from xingu.tracking.database import HEAD, NICKNAME, control_url, version_of
from xingu.tracking.schema import tables

Schema = Literal["missing", "older", "current", "newer"]
_LOCKED = ("locked", "busy")


@dataclass(frozen=True, slots=True)
class ControlState:
    """State of a control DB.

    Attributes:
        schema: Its schema, compared with that of this version of Xingu; ``missing``: there is no
            database yet, or none of its tables; ``older``: it is migrated when it is next used.
        writable: Whether trains can be recorded.
    """

    schema: Schema
    writable: bool


def control_state(databases: Databases, prefix: str) -> ControlState:
    """Return the state of the control DB.

    Args:
        databases: Databases by nickname.
        prefix: Prefix of all table names.

    Raises:
        ControlDbError: If it cannot be reached.
    """
    file = databases.file(NICKNAME)
    if file is not None and not file.exists():
        return ControlState("missing", writable=True)
    url = control_url(databases)
    try:
        # A process that writes to a SQLite file is not waited for.
        options = {"timeout": 0} if url.get_backend_name() == "sqlite" else {}
        engine = create_engine(url, poolclass=NullPool, connect_args=options)
        with engine.connect() as connection:
            schema = _schema_of(engine, prefix)
            return ControlState(schema, _is_writable(engine, connection, schema, prefix))
    except (SQLAlchemyError, OSError, ImportError) as error:
        reason = str(getattr(error, "orig", None) or error).strip()
        raise ControlDbError(
            f"the control DB ({databases.address(NICKNAME)}) cannot be reached: {reason}; check "
            "that it runs, and XINGU_DB_URL.",
            database=NICKNAME,
        ) from None


def _schema_of(engine: Engine, prefix: str) -> Schema:
    version = version_of(engine, f"{prefix}xingu_version")
    if version is None:
        is_xingu_2 = inspect(engine).has_table(tables(prefix).training.name)
        return "older" if is_xingu_2 else "missing"
    if version == HEAD:
        return "current"
    return "older" if version < HEAD else "newer"


def _is_writable(engine: Engine, connection: Connection, schema: Schema, prefix: str) -> bool:
    if engine.dialect.name == "sqlite":
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            connection.exec_driver_sql("ROLLBACK")
        except SQLAlchemyError as error:
            return any(word in str(error) for word in _LOCKED)  # another process writes
        return True
    if engine.dialect.name != "postgresql":
        return True
    if connection.scalar(text("SHOW transaction_read_only")) == "on":
        return False
    create = text("SELECT has_schema_privilege(current_schema(), 'CREATE')")
    insert = text("SELECT has_table_privilege(:name, 'INSERT')")
    if schema == "current":
        return bool(connection.scalar(insert, {"name": tables(prefix).training.name}))
    return bool(connection.scalar(create))
