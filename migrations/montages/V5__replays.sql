-- Replays of games: a kind of its own, with what was played.
ALTER TABLE montages.montages
    -- What was played, and whether what is shown is what the replay counts.
    ADD COLUMN replay jsonb,
    DROP CONSTRAINT montages_kind_check,
    ADD CONSTRAINT montages_kind_check CHECK (kind IN ('montage', 'replay') AND (kind = 'replay') = (replay IS NOT NULL));
