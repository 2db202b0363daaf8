-- The read log (LAW-20) in a file of its own. Landed migrations are never edited.
CREATE TABLE read_log (
    position INTEGER PRIMARY KEY,
    recorded_at INTEGER NOT NULL,
    month TEXT NOT NULL,
    sealed BLOB NOT NULL,
    leaf_hash BLOB NOT NULL CHECK (length(leaf_hash) = 32)
) STRICT;
CREATE TRIGGER read_log_is_never_changed BEFORE UPDATE ON read_log
BEGIN SELECT RAISE(ABORT, 'a stored reading is never changed'); END;
CREATE TRIGGER read_log_is_never_deleted BEFORE DELETE ON read_log
BEGIN SELECT RAISE(ABORT, 'a stored reading is never deleted'); END;
CREATE TRIGGER read_log_is_added_at_the_end BEFORE INSERT ON read_log
WHEN new.position <= (SELECT coalesce(max(position), 0) FROM read_log)
BEGIN SELECT RAISE(ABORT, 'a reading is added only at the end'); END;

-- By what the rows of a case are found: a keyed digest of its id.
CREATE TABLE read_case (position INTEGER NOT NULL, token BLOB NOT NULL, PRIMARY KEY (position, token))
STRICT, WITHOUT ROWID;
CREATE INDEX read_case_by_token ON read_case (token, position);
CREATE TRIGGER read_case_is_never_changed BEFORE UPDATE ON read_case
BEGIN SELECT RAISE(ABORT, 'by what a reading is found is never changed'); END;
CREATE TRIGGER read_case_is_never_deleted BEFORE DELETE ON read_case
BEGIN SELECT RAISE(ABORT, 'by what a reading is found is never deleted'); END;

-- The keys of the months, wrapped; destroyed at the end of their retention.
CREATE TABLE read_key (month TEXT PRIMARY KEY, wrapped BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TRIGGER read_key_is_never_changed BEFORE UPDATE ON read_key
BEGIN SELECT RAISE(ABORT, 'the key of a month is never changed'); END;
