CREATE TABLE IF NOT EXISTS notes (
    id text PRIMARY KEY,
    text text NOT NULL,
    written timestamptz NOT NULL DEFAULT now()
);
