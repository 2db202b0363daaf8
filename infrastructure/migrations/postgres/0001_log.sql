-- The log on PostgreSQL 15 or newer. Landed migrations are never edited.
--
-- Two roles without login own what they do: kundwebb_log reads and appends events and keeps the rows beside them,
-- kundwebb_keys holds the keys of the streams in a schema of its own. A connection of the program works as kundwebb_log
-- and meets keys only through the functions below; a role that is given the schema kundwebb alone (a backup, a report)
-- never sees one.
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'kundwebb_log') THEN CREATE ROLE kundwebb_log NOLOGIN; END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'kundwebb_keys') THEN CREATE ROLE kundwebb_keys NOLOGIN; END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;

CREATE SCHEMA IF NOT EXISTS kundwebb;
CREATE SCHEMA IF NOT EXISTS kundwebb_keys;

CREATE TABLE kundwebb.event (
    position bigint PRIMARY KEY,
    stream_id uuid NOT NULL,
    version bigint NOT NULL CHECK (version > 0),
    type text NOT NULL,
    schema_version smallint NOT NULL,
    recorded_at bigint NOT NULL,
    actor uuid NOT NULL,
    employer text,
    command_id uuid NOT NULL,
    correlation uuid NOT NULL,
    facts text NOT NULL,
    sealed bytea,
    key_id uuid,
    leaf_hash bytea NOT NULL CHECK (length(leaf_hash) = 32),
    CONSTRAINT event_stream_version UNIQUE (stream_id, version)
);
-- Sealed bytes do not get smaller by compression.
ALTER TABLE kundwebb.event ALTER COLUMN sealed SET STORAGE EXTERNAL;

CREATE FUNCTION kundwebb.event_is_never_changed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'a stored event is never changed or deleted';
END $$;
CREATE TRIGGER event_is_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON kundwebb.event
    FOR EACH STATEMENT EXECUTE FUNCTION kundwebb.event_is_never_changed();

-- What is added stands at the end of the log and of its stream, whatever adds it.
CREATE FUNCTION kundwebb.event_is_added_at_the_end() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF EXISTS (
        SELECT FROM (SELECT count(*) AS many, min(position) AS first, max(position) AS last FROM added) a
        WHERE a.many > 0 AND (a.last - a.first + 1 <> a.many
            OR a.first <> (SELECT coalesce(max(position), 0) + 1 FROM kundwebb.event WHERE position < a.first))
    ) OR EXISTS (
        SELECT FROM (SELECT stream_id, count(*) AS many, min(version) AS first, max(version) AS last
                     FROM added GROUP BY stream_id) s
        WHERE s.last - s.first + 1 <> s.many
            OR (s.first > 1 AND NOT EXISTS (SELECT FROM kundwebb.event e
                                            WHERE e.stream_id = s.stream_id AND e.version = s.first - 1))
    ) THEN
        RAISE EXCEPTION 'an event is added only at the end of the log and of its stream';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER event_is_added_at_the_end AFTER INSERT ON kundwebb.event
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION kundwebb.event_is_added_at_the_end();

CREATE TABLE kundwebb.case_number (number text PRIMARY KEY, stream_id uuid NOT NULL);
CREATE TABLE kundwebb.series (year integer PRIMARY KEY, last bigint NOT NULL);
CREATE TABLE kundwebb.attachment (attachment_id uuid PRIMARY KEY, stream_id uuid NOT NULL);
CREATE TABLE kundwebb.command_outcome (
    command_id uuid PRIMARY KEY, request bytea NOT NULL, outcome text NOT NULL, expires_at bigint NOT NULL
);
CREATE INDEX command_outcome_expires ON kundwebb.command_outcome USING brin (expires_at);

CREATE TABLE kundwebb.session (session_id bytea PRIMARY KEY, sealed bytea NOT NULL, expires_at bigint NOT NULL);
CREATE TABLE kundwebb.upload (
    upload_id uuid PRIMARY KEY, owner uuid NOT NULL, sealed bytea NOT NULL, expires_at bigint NOT NULL
);
CREATE TABLE kundwebb.draft (
    owner uuid NOT NULL, form uuid NOT NULL, sealed bytea NOT NULL, expires_at bigint NOT NULL,
    PRIMARY KEY (owner, form)
);
CREATE TABLE kundwebb.reaction (name text PRIMARY KEY, position bigint NOT NULL);
CREATE TABLE kundwebb.lease (
    name text PRIMARY KEY, holder uuid NOT NULL, epoch bigint NOT NULL, expires_at bigint NOT NULL
);
CREATE TABLE kundwebb.delivery (
    delivery_id uuid PRIMARY KEY,
    reaction text NOT NULL,
    cause text NOT NULL,
    recipient uuid NOT NULL,
    template text NOT NULL,
    case_id uuid NOT NULL,
    position bigint NOT NULL,
    state text NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at bigint NOT NULL,
    reply text,
    CONSTRAINT delivery_once UNIQUE (cause, recipient, template)
);
CREATE INDEX delivery_due ON kundwebb.delivery (next_attempt_at) WHERE state = 'due';
CREATE TABLE kundwebb.meta (name text PRIMARY KEY, value text NOT NULL);

CREATE TABLE kundwebb_keys.case_key (key_id uuid PRIMARY KEY, wrapped bytea NOT NULL);
CREATE FUNCTION kundwebb_keys.add(ids uuid[], keys bytea[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
    AS $$ BEGIN INSERT INTO kundwebb_keys.case_key SELECT * FROM unnest(ids, keys); END $$;
CREATE FUNCTION kundwebb_keys.find(ids uuid[]) RETURNS SETOF kundwebb_keys.case_key
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog
    AS $$ BEGIN RETURN QUERY SELECT * FROM kundwebb_keys.case_key WHERE case_key.key_id = ANY (ids); END $$;
CREATE FUNCTION kundwebb_keys.missing() RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
    AS $$ SELECT stream_id FROM kundwebb.event WHERE version = 1 AND key_id IS NOT NULL
          AND NOT EXISTS (SELECT FROM kundwebb_keys.case_key WHERE case_key.key_id = event.key_id) LIMIT 1 $$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA kundwebb_keys FROM PUBLIC;
GRANT USAGE ON SCHEMA kundwebb TO kundwebb_log, kundwebb_keys;
GRANT USAGE ON SCHEMA kundwebb_keys TO kundwebb_log;
GRANT USAGE, CREATE ON SCHEMA kundwebb_keys TO kundwebb_keys;
GRANT SELECT, INSERT ON kundwebb.event, kundwebb.case_number, kundwebb.attachment TO kundwebb_log;
GRANT SELECT, INSERT, UPDATE, DELETE ON kundwebb.series, kundwebb.command_outcome, kundwebb.session, kundwebb.upload,
    kundwebb.draft, kundwebb.reaction, kundwebb.lease, kundwebb.delivery, kundwebb.meta TO kundwebb_log;
GRANT SELECT ON kundwebb.event TO kundwebb_keys;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA kundwebb_keys TO kundwebb_log;
-- A node whose login may not change the schema sees that it is there.
GRANT SELECT ON kundwebb._sqlx_migrations TO kundwebb_log;
GRANT kundwebb_log, kundwebb_keys TO CURRENT_USER;
ALTER TABLE kundwebb_keys.case_key OWNER TO kundwebb_keys;
ALTER FUNCTION kundwebb_keys.add(uuid[], bytea[]) OWNER TO kundwebb_keys;
ALTER FUNCTION kundwebb_keys.find(uuid[]) OWNER TO kundwebb_keys;
ALTER FUNCTION kundwebb_keys.missing() OWNER TO kundwebb_keys;
