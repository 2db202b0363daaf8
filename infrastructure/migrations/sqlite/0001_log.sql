-- The log on SQLite. Landed migrations are never edited.
CREATE TABLE event (
    position INTEGER PRIMARY KEY,
    stream_id BLOB NOT NULL CHECK (length(stream_id) = 16),
    version INTEGER NOT NULL CHECK (version > 0),
    type TEXT NOT NULL,
    schema_version INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    actor BLOB NOT NULL CHECK (length(actor) = 16),
    employer TEXT,
    command_id BLOB NOT NULL CHECK (length(command_id) = 16),
    correlation BLOB NOT NULL CHECK (length(correlation) = 16),
    facts TEXT NOT NULL,
    sealed BLOB,
    key_id BLOB,
    leaf_hash BLOB NOT NULL CHECK (length(leaf_hash) = 32),
    CONSTRAINT event_stream_version UNIQUE (stream_id, version)
) STRICT;
CREATE TRIGGER event_is_never_changed BEFORE UPDATE ON event
BEGIN SELECT RAISE(ABORT, 'a stored event is never changed'); END;
CREATE TRIGGER event_is_never_deleted BEFORE DELETE ON event
BEGIN SELECT RAISE(ABORT, 'a stored event is never deleted'); END;

CREATE TABLE case_key (key_id BLOB PRIMARY KEY, wrapped BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE case_number (number TEXT PRIMARY KEY, stream_id BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE series (year INTEGER PRIMARY KEY, last INTEGER NOT NULL) STRICT;
CREATE TABLE attachment (attachment_id BLOB PRIMARY KEY, stream_id BLOB NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE command_outcome (
    command_id BLOB PRIMARY KEY, request BLOB NOT NULL, outcome TEXT NOT NULL, expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX command_outcome_expires ON command_outcome (expires_at);

CREATE TABLE session (
    session_id BLOB PRIMARY KEY, sealed BLOB NOT NULL, expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE upload (
    upload_id BLOB PRIMARY KEY, owner BLOB NOT NULL, sealed BLOB NOT NULL, expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE draft (
    owner BLOB NOT NULL, form BLOB NOT NULL, sealed BLOB NOT NULL, expires_at INTEGER NOT NULL,
    PRIMARY KEY (owner, form)
) STRICT, WITHOUT ROWID;

CREATE TABLE reaction (name TEXT PRIMARY KEY, position INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE lease (
    name TEXT PRIMARY KEY, holder BLOB NOT NULL, epoch INTEGER NOT NULL, expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE delivery (
    delivery_id BLOB PRIMARY KEY,
    reaction TEXT NOT NULL,
    cause TEXT NOT NULL,
    recipient BLOB NOT NULL,
    template TEXT NOT NULL,
    case_id BLOB NOT NULL,
    position INTEGER NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_attempt_at INTEGER NOT NULL,
    reply TEXT,
    CONSTRAINT delivery_once UNIQUE (cause, recipient, template)
) STRICT, WITHOUT ROWID;
CREATE INDEX delivery_due ON delivery (next_attempt_at) WHERE state = 'due';

CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
