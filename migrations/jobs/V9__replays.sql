-- Replays are jobs that people post: webhooks are told of their ends too.
DROP TRIGGER webhooks ON jobs.jobs;
-- What is left out is the services' own business.
CREATE TRIGGER webhooks AFTER UPDATE OF state ON jobs.jobs FOR EACH ROW
    WHEN (NEW.state IN ('succeeded', 'failed', 'dead', 'cancelled') AND NEW.state IS DISTINCT FROM OLD.state
          AND NEW.kind IN ('montage', 'transcript', 'replay'))
    EXECUTE FUNCTION jobs.tell_webhooks();
