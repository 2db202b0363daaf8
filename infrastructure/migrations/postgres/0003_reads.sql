-- The read log (LAW-20) in a schema of its own: the program reads and appends, and never changes. The keys of its months
-- lie with the other keys.
CREATE SCHEMA IF NOT EXISTS kundwebb_reads;

CREATE TABLE kundwebb_reads.read_log (
    position bigint PRIMARY KEY,
    recorded_at bigint NOT NULL,
    month text NOT NULL,
    sealed bytea NOT NULL,
    leaf_hash bytea NOT NULL CHECK (length(leaf_hash) = 32)
);
ALTER TABLE kundwebb_reads.read_log ALTER COLUMN sealed SET STORAGE EXTERNAL;
-- By what the rows of a case are found: a keyed digest of its id.
CREATE TABLE kundwebb_reads.read_case (position bigint NOT NULL, token bytea NOT NULL, PRIMARY KEY (position, token));
CREATE INDEX read_case_by_token ON kundwebb_reads.read_case (token, position);

CREATE FUNCTION kundwebb_reads.reading_is_never_changed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'a stored reading is never changed or deleted';
END $$;
CREATE TRIGGER read_log_is_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON kundwebb_reads.read_log
    FOR EACH STATEMENT EXECUTE FUNCTION kundwebb_reads.reading_is_never_changed();
CREATE TRIGGER read_case_is_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON kundwebb_reads.read_case
    FOR EACH STATEMENT EXECUTE FUNCTION kundwebb_reads.reading_is_never_changed();
CREATE FUNCTION kundwebb_reads.reading_is_added_at_the_end() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF EXISTS (SELECT FROM kundwebb_reads.read_log WHERE position >= NEW.position) THEN
        RAISE EXCEPTION 'a reading is added only at the end';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER read_log_is_added_at_the_end BEFORE INSERT ON kundwebb_reads.read_log
    FOR EACH ROW EXECUTE FUNCTION kundwebb_reads.reading_is_added_at_the_end();

CREATE TABLE kundwebb_keys.read_key (month text PRIMARY KEY, wrapped bytea NOT NULL);
CREATE FUNCTION kundwebb_keys.add_read_keys(months text[], keys bytea[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
    AS $$ BEGIN INSERT INTO kundwebb_keys.read_key SELECT * FROM unnest(months, keys); END $$;
CREATE FUNCTION kundwebb_keys.read_keys() RETURNS SETOF kundwebb_keys.read_key
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog
    AS $$ BEGIN RETURN QUERY SELECT * FROM kundwebb_keys.read_key; END $$;
CREATE FUNCTION kundwebb_keys.destroy_read_key(destroyed text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
    AS $$ BEGIN DELETE FROM kundwebb_keys.read_key WHERE month = destroyed; END $$;

REVOKE ALL ON FUNCTION kundwebb_keys.add_read_keys(text[], bytea[]), kundwebb_keys.read_keys(),
    kundwebb_keys.destroy_read_key(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION kundwebb_keys.add_read_keys(text[], bytea[]), kundwebb_keys.read_keys(),
    kundwebb_keys.destroy_read_key(text) TO kundwebb_log;
GRANT USAGE ON SCHEMA kundwebb_reads TO kundwebb_log;
GRANT SELECT, INSERT ON kundwebb_reads.read_log, kundwebb_reads.read_case TO kundwebb_log;
ALTER TABLE kundwebb_keys.read_key OWNER TO kundwebb_keys;
ALTER FUNCTION kundwebb_keys.add_read_keys(text[], bytea[]) OWNER TO kundwebb_keys;
ALTER FUNCTION kundwebb_keys.read_keys() OWNER TO kundwebb_keys;
ALTER FUNCTION kundwebb_keys.destroy_read_key(text) OWNER TO kundwebb_keys;
