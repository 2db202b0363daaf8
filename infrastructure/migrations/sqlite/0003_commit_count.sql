-- Grows with every commit, also of what is no event: so a WAL of an earlier time is told from one that follows on the file.
CREATE TABLE commit_count (one INTEGER PRIMARY KEY CHECK (one = 1), commits INTEGER NOT NULL) STRICT;
INSERT INTO commit_count VALUES (1, 0);
