"""Reading a journal: the rows that count, in the order in which they were written."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from models.errors import DataUnusable
from models.journal_files import Counting, File, Piece, counting, listed, owners
from models.journal_tables import CUT, TABLES
from models.place import Place
from stream_schemas.wearer import SEXES

TRIES = 3
"""A file that was merged away since the listing is looked for again, so often."""
READ_FAILURES = (pa.ArrowException, OSError, KeyError, ValueError)


class Journal:
    """A journal as it was when it was listed.

    Parameters
    ----------
    place : str, Path or Place
        Folder or URL.

    Raises
    ------
    PlaceUnusable
        If it cannot be listed.
    """

    def __init__(self, place: str | Path | Place) -> None:
        self.place = Place.of(place)
        self.tables: dict[str, Counting] = _counting(self.place)

    def read(self, table: str, *, columns: Sequence[str] | None = None, wearer: str | None = None) -> pa.Table | None:
        """Read the rows of a table that count, of all wearers or of one; None if there are no files of it.

        Raises
        ------
        DataUnusable
            If a file is damaged; the sentence names it.
        """
        for left in reversed(range(TRIES)):
            try:
                parts = [part for _, part in self._parts(table, columns, wearer)]
            except FileNotFoundError as error:
                if not left:
                    raise DataUnusable(f"{self.place.name} changes while it is read ({error}): try again.") from error
                self.tables = _counting(self.place)
            else:
                return _joined(parts) if parts else None
        raise AssertionError("unreachable")

    def _parts(self, table: str, columns: Sequence[str] | None, wearer: str | None) -> Iterator[tuple[Piece, pa.Table]]:
        for piece in self.tables[table].pieces if table in self.tables else ():
            yield piece, self.part(piece, columns=columns, wearer=wearer)

    def part(self, piece: Piece, *, columns: Sequence[str] | None = None, wearer: str | None = None) -> pa.Table:
        """Read one piece.

        Raises
        ------
        DataUnusable
            If its file is damaged.
        FileNotFoundError
            If it is there no more.
        """
        try:
            rows = read_piece(self.place, piece, columns)
            if wearer is not None:
                rows = rows.filter(pc.equal(pc.cast(rows["wearer_id"], pa.string()), wearer))
        except FileNotFoundError:
            raise
        except READ_FAILURES as error:
            raise DataUnusable(damage(self.place, piece.file, error)) from error
        return rows


def _counting(place: Place) -> dict[str, Counting]:
    """Files first: an owner's mark is there before its files."""
    files = listed(place)
    return counting(files, owners(place))


def read_piece(place: Place, piece: Piece, columns: Sequence[str] | None = None) -> pa.Table:
    """Read the rows of a piece, with page checksums where the file has them; Arrow's errors and OSError pass."""
    wanted = None if columns is None else [*columns, *([] if piece.whole or CUT in columns else [CUT])]
    with (
        place.files.open_input_file(place.full(piece.file.path)) as file,
        pq.ParquetFile(file, page_checksum_verification=True, pre_buffer=True) as parquet,
    ):
        held = parquet.schema_arrow
        _check(piece.file, held)
        rows = parquet.read(None if wanted is None else [name for name in wanted if name in held.names])
    if not piece.whole:
        rows = rows.filter(pc.and_(pc.greater(rows[CUT], piece.low), pc.less_equal(rows[CUT], piece.high)))
    return rows if columns is None else rows.select([name for name in columns if name in rows.column_names])


def damage(place: Place, file: File, error: BaseException) -> str:
    """Say that a file cannot be read, and what to do."""
    reason = str(error).strip().rstrip(".").splitlines() or [type(error).__name__]
    return (
        f"{place.name}/{file.path} is damaged or no Parquet file ({reason[0]}): move it out of the journal; "
        "its rows are missing then."
    )


def _check(file: File, held: pa.Schema) -> None:
    """A column that is not what the table says is damage too: a flipped bit in a footer can make another schema."""
    if file.written is None or file.table not in TABLES:
        return
    for column in TABLES[file.table].columns:
        if column.name not in held.names or held.field(column.name).type != column.type:
            raise ValueError(f"column {column.name} is missing or not {column.type}")


def _joined(parts: Sequence[pa.Table]) -> pa.Table:
    """Join tables; where some files hold codes or dictionaries and others text, text it is."""
    mixed = {
        name
        for part in parts
        for name in part.column_names
        if any(name in other.column_names and other[name].type != part[name].type for other in parts)
    }
    return pa.concat_tables([_as_text(part, mixed) for part in parts], promote_options="permissive")


def _as_text(part: pa.Table, mixed: set[str]) -> pa.Table:
    for name in mixed & set(part.column_names):
        values = part[name]
        if pa.types.is_dictionary(values.type):
            values = values.cast(pa.string())
        elif name == "sex" and pa.types.is_integer(values.type):
            values = pa.chunked_array([pc.take(pa.array(SEXES), values.combine_chunks())])
        part = part.set_column(part.schema.get_field_index(name), name, values)
    return part
