"""The words of clips, for searches by text: tags, types of labels, notes, and what campaigns and triggers describe.

Each text that is written is followed by `write` in the same transaction, which reads all of them again. A word is a run
of letters and digits of any language; the vector has each as it is, and by its English stem.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import reduce
from typing import Any

from sqlalchemy import ColumnElement, Connection, exists, func, select, text
from sqlalchemy.dialects.postgresql import TSQUERY

from storage.rows import is_given
from storage.statements.prepared import Prepared
from storage.tables import clip_texts, clips
from triggers.errors import InvalidInput

MAX_WORDS = 20
PREFIX = "*"

MAX_CHARACTERS = 200_000
"""Of all texts of a clip; those that come after are not found. In PostgreSQL a vector has at most 1 MB."""
PUNCTUATION = r"[!-/:-@[-`{-~]+"
"""ASCII without letters, digits and blanks; what is above ASCII is for PostgreSQL's parser."""
_WRITE = Prepared(
    text("""
    INSERT INTO clip_texts (clip_id, words)
    SELECT c.id, to_tsvector('simple', t.words) || to_tsvector('english', t.words)
    FROM clips c CROSS JOIN LATERAL (
        SELECT left(regexp_replace(concat_ws(' ',
            array_to_string(c.tags, ' '),
            (SELECT string_agg(DISTINCT type, ' ') FROM labels l, unnest(l.types) AS type WHERE l.clip_id = c.id),
            (SELECT string_agg(n.text, ' ' ORDER BY n.id) FROM clip_notes n WHERE n.clip_id = c.id),
            (SELECT string_agg(DISTINCT d.description, ' ') FROM clip_fires l
                JOIN campaign_versions v USING (campaign, version)
                CROSS JOIN LATERAL (
                    SELECT v.settings ->> 'describe' AS description
                    UNION ALL SELECT s.value ->> 'describe' FROM jsonb_array_elements(v.settings -> 'triggers') AS s
                    WHERE s.value ->> 'name' = l.trigger
                ) AS d WHERE l.clip_id = c.id)
        ), CAST(:punctuation AS text), ' ', 'g'), CAST(:most AS integer)) AS words
        OFFSET 0  -- or each of the two vectors would read all of these texts for itself
    ) AS t
    WHERE c.id = ANY (CAST(:ids AS text[]))
    ORDER BY c.id
    ON CONFLICT (clip_id) DO UPDATE SET words = excluded.words
""")
)
_of_clips = select(clip_texts.c.clip_id).where(is_given(clip_texts.c.clip_id)).order_by(clip_texts.c.clip_id)
_LOCK = Prepared(_of_clips.with_for_update())


def write(connection: Connection, clip_ids: Collection[str]) -> None:
    """Bring the words of clips up to date.

    Their rows are locked first, and read in a statement of its own after that: of two transactions that write texts of
    one clip, the later sees what the earlier has written.
    """
    ids = sorted(clip_ids)
    _LOCK.rows(connection, ids=ids)
    _WRITE.rows(connection, ids=ids, punctuation=PUNCTUATION, most=MAX_CHARACTERS)


def words_of(written: str) -> list[str]:
    """The words of a text that somebody searches for; one that ends with `*` stands for all that begin like it.

    InvalidInput for a text without a word, or with more than MAX_WORDS.

    >>> words_of("wet cut-in brak*")
    ['wet', 'cut', 'in', 'brak*']
    """
    words = []
    for run in written.split():
        of_run = [word for word in re.sub(PUNCTUATION, " ", run).split() if any(map(str.isalnum, word))]
        if of_run and run.endswith(PREFIX):
            of_run[-1] += PREFIX
        words += of_run
    if not words:
        raise InvalidInput(f"text({written[:60]!r}) has no word", remedy="write words of letters or digits")
    if len(words) > MAX_WORDS:
        raise InvalidInput(f"text(...) has {len(words)} words, more than {MAX_WORDS}", remedy="search for fewer words")
    return words


def has_words(words: Sequence[str]) -> ColumnElement[bool]:
    """The condition that the texts of a clip have each of these words."""
    of_clip = select(1).where(clip_texts.c.clip_id == clips.c.id, match_words(words))
    return exists(of_clip.correlate(clips))


def match_words(words: Sequence[str]) -> ColumnElement[bool]:
    """The same on a row of `clip_texts`, where an index answers it."""
    asked = reduce(lambda one, other: one.op("&&", return_type=TSQUERY())(other), map(_query, words))
    return clip_texts.c.words.op("@@", is_comparison=True)(asked)


def _query(word: str) -> ColumnElement[Any]:
    if word.endswith(PREFIX):
        return func.to_tsquery("simple", f"'{word.removesuffix(PREFIX)}':*", type_=TSQUERY)
    as_it_is, by_stem = (func.plainto_tsquery(by, word, type_=TSQUERY) for by in ("simple", "english"))
    return as_it_is.op("||", return_type=TSQUERY())(by_stem)  # the English one of `in`, which says nothing, is empty
