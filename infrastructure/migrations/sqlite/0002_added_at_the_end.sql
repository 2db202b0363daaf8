-- REPLACE deletes without asking the trigger against deletion; so what is added may stand nowhere but at the end.
-- This also holds positions and versions dense whatever writes them.
CREATE TRIGGER event_is_added_at_the_end BEFORE INSERT ON event
WHEN new.position <> (SELECT coalesce(max(position), 0) + 1 FROM event)
  OR new.version <> (SELECT coalesce(max(version), 0) + 1 FROM event WHERE stream_id = new.stream_id)
BEGIN SELECT RAISE(ABORT, 'an event is added only at the end of the log and of its stream'); END;
