-- Up Migration

-- '$2b$11$…' has its cost at the fifth place.
CREATE INDEX users_cost ON users (substr(password_hash, 5, 2) COLLATE "C");

COMMENT ON INDEX users_cost IS 'Finds the highest bcrypt cost in use at once, so that a login with an unknown address can cost as much.';

-- Down Migration

DROP INDEX users_cost;
