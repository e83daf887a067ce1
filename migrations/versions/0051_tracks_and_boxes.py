"""Whether a track meets a box is a function of the database: a statement that says it in full takes longer than it."""

from collections.abc import Sequence

from alembic import op

revision: str = "0051"
down_revision: str | None = "0050"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# A segment meets a box if their bounds meet, and the box's corners are not all on one side of the segment's line. In
# `numeric` that is exact. Simple expressions only: a query would be planned again for each track, as searches ask for.
_FUNCTION = """
    CREATE FUNCTION track_meets_box(
        track jsonb, west numeric, south numeric, east numeric, north numeric, turned boolean
    ) RETURNS boolean LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
    DECLARE
        last integer := jsonb_array_length(track) - 1;
        turn numeric := 0;
        x1 numeric;
        y1 numeric;
        x2 numeric;
        y2 numeric;
        a numeric;
        b numeric;
        c numeric;
        d numeric;
    BEGIN
        LOOP
            FOR n IN 0..last LOOP
                x2 := round((track -> n ->> 1)::numeric, 15) + turn;
                y2 := round((track -> n ->> 0)::numeric, 15);
                IF x2 BETWEEN west AND east AND y2 BETWEEN south AND north THEN
                    RETURN true;
                END IF;
                IF n > 0 THEN
                    -- The shorter way around the earth.
                    x1 := CASE WHEN x2 - x1 > 180 THEN x1 + 360 WHEN x2 - x1 < -180 THEN x1 - 360 ELSE x1 END;
                    IF least(x1, x2) <= east AND greatest(x1, x2) >= west
                        AND least(y1, y2) <= north AND greatest(y1, y2) >= south
                    THEN
                        a := (x2 - x1) * (south - y1) - (y2 - y1) * (west - x1);
                        b := (x2 - x1) * (south - y1) - (y2 - y1) * (east - x1);
                        c := (x2 - x1) * (north - y1) - (y2 - y1) * (east - x1);
                        d := (x2 - x1) * (north - y1) - (y2 - y1) * (west - x1);
                        IF least(a, b, c, d) <= 0 AND greatest(a, b, c, d) >= 0 THEN
                            RETURN true;
                        END IF;
                    END IF;
                END IF;
                x1 := x2;
                y1 := y2;
            END LOOP;
            turn := CASE turn WHEN 0 THEN 360 WHEN 360 THEN -360 END;
            EXIT WHEN turn IS NULL OR NOT turned;
        END LOOP;
        RETURN false;
    END $$
"""


def upgrade() -> None:
    """Apply."""
    op.execute(_FUNCTION)


def downgrade() -> None:
    """Revert."""
    op.execute("DROP FUNCTION track_meets_box(jsonb, numeric, numeric, numeric, numeric, boolean)")
