-- Up Migration

ALTER TABLE mail_requests ADD COLUMN request_id uuid, ADD COLUMN ip text, ADD COLUMN user_agent text;

COMMENT ON COLUMN mail_requests.ip IS 'Who asks, for the audit log: request, address and device. The row is gone within seconds.';

-- Down Migration

ALTER TABLE mail_requests DROP COLUMN request_id, DROP COLUMN ip, DROP COLUMN user_agent;
