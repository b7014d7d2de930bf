-- Up Migration

CREATE TABLE mail_requests (
  id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  purpose   text NOT NULL,
  email     text NOT NULL,
  signup_id uuid,
  asked_at  timestamptz NOT NULL
);

COMMENT ON TABLE mail_requests IS 'Mails that strangers asked for. Nobody has looked yet whether there is an account, so the answer takes the same time for every address.';
COMMENT ON COLUMN mail_requests.signup_id IS 'The row of signups, for the purpose sign_up.';

CREATE TABLE signups (
  id            uuid PRIMARY KEY,
  email         text NOT NULL,
  username      text NOT NULL,
  password_hash text NOT NULL,
  asked_at      timestamptz NOT NULL,
  sweep_on      date NOT NULL
);

CREATE INDEX signups_email ON signups (lower(email COLLATE "C"));
CREATE INDEX signups_sweep_on ON signups (sweep_on);

COMMENT ON TABLE signups IS 'With REQUIRE_VERIFIED_EMAIL=on: who signed up and has not entered the code yet. No accounts.';
COMMENT ON COLUMN signups.sweep_on IS 'Earliest day to delete the row.';

CREATE TABLE mails (
  id         uuid PRIMARY KEY,
  purpose    text NOT NULL,
  user_id    uuid REFERENCES users (id) ON DELETE CASCADE,
  signup_id  uuid REFERENCES signups (id) ON DELETE CASCADE,
  email      text,
  asked_at   timestamptz NOT NULL,
  due_at     timestamptz NOT NULL,
  give_up_at timestamptz NOT NULL,
  attempts   integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  refusals   integer NOT NULL DEFAULT 0 CHECK (refusals >= 0),
  limited    boolean NOT NULL DEFAULT true,
  done_at    timestamptz,
  outcome    text CHECK (outcome IN ('sent', 'refused', 'late', 'dropped')),
  last_error text,
  sweep_on   date NOT NULL,
  CONSTRAINT mails_for_a_user_or_a_signup CHECK (num_nonnulls(user_id, signup_id) = 1),
  CONSTRAINT mails_done_with_an_outcome CHECK ((done_at IS NULL) = (outcome IS NULL))
);

CREATE INDEX mails_due ON mails ((purpose <> 'reset_password'), due_at) WHERE done_at IS NULL;
CREATE INDEX mails_of_user ON mails (user_id, purpose, asked_at);
CREATE INDEX mails_of_signup ON mails (signup_id);
CREATE INDEX mails_sweep_on ON mails (sweep_on);
CREATE UNIQUE INDEX mails_open ON mails (user_id, purpose)
  WHERE done_at IS NULL AND purpose IN ('verify_email', 'reset_password', 'change_email', 'address_taken', 'invitation');

COMMENT ON TABLE mails IS 'The outbox: what is sent to whom. No texts and no codes: a code is made when its mail is sent.';
COMMENT ON COLUMN mails.email IS 'Where it goes, if that is not the present address of the account or the sign-up.';
COMMENT ON COLUMN mails.due_at IS 'The next attempt. While a mail is being sent: the end of the lease, after which another instance sends it.';
COMMENT ON COLUMN mails.give_up_at IS 'After this the mail is not sent any more.';
COMMENT ON COLUMN mails.attempts IS 'How often it was taken to be sent. Only the last one who took it may write its outcome.';
COMMENT ON COLUMN mails.refusals IS 'How often the mail server has refused it for now; a pause of the mail server does not count.';
COMMENT ON COLUMN mails.limited IS 'Whether the limit of its address counts. Not for warnings to a verified address: nobody may use them up.';
COMMENT ON COLUMN mails.last_error IS 'Codes of the last failure. No text of the mail server, which may repeat the address.';
COMMENT ON COLUMN mails.sweep_on IS 'Earliest day to delete the row.';
COMMENT ON INDEX mails_open IS 'Who asks again while a mail waits gets one mail.';

CREATE TABLE codes (
  code_hash  bytea PRIMARY KEY CHECK (octet_length(code_hash) = 32),
  mail_id    uuid NOT NULL,
  purpose    text NOT NULL,
  user_id    uuid REFERENCES users (id) ON DELETE CASCADE,
  signup_id  uuid REFERENCES signups (id) ON DELETE CASCADE,
  email      text NOT NULL,
  expires_at timestamptz NOT NULL,
  sweep_on   date NOT NULL,
  CONSTRAINT codes_for_a_user_or_a_signup CHECK (num_nonnulls(user_id, signup_id) = 1)
);

CREATE INDEX codes_of_user ON codes (user_id);
CREATE INDEX codes_of_signup ON codes (signup_id);
CREATE INDEX codes_sweep_on ON codes (sweep_on);

COMMENT ON TABLE codes IS 'Codes that were mailed. Each is deleted by its use; a password change deletes all of the user.';
COMMENT ON COLUMN codes.code_hash IS 'SHA-256 of the code, which has 130 random bits.';
COMMENT ON COLUMN codes.mail_id IS 'The mail that carried it. A new mail replaces the codes of older ones; a repeated attempt of one mail adds a code.';
COMMENT ON COLUMN codes.email IS 'The address that it proves.';
COMMENT ON COLUMN codes.sweep_on IS 'Earliest day to delete the row.';

CREATE TABLE mailings (
  mail_id      uuid PRIMARY KEY,
  address_hash bytea NOT NULL CHECK (octet_length(address_hash) = 32),
  purpose      text NOT NULL,
  sent_at      timestamptz NOT NULL,
  sweep_on     date NOT NULL
);

CREATE INDEX mailings_of_address ON mailings (address_hash, purpose, sent_at);
CREATE INDEX mailings_sweep_on ON mailings (sweep_on);

COMMENT ON TABLE mailings IS 'Which mails went to which address, for the limit of an address. No foreign key: who deletes an account and signs up again is counted on.';
COMMENT ON COLUMN mailings.address_hash IS 'SHA-256 of the address in lower case.';
COMMENT ON COLUMN mailings.sweep_on IS 'Earliest day to delete the row.';

COMMENT ON COLUMN users.email_verified IS 'The user has entered a code that was mailed to the address.';
COMMENT ON COLUMN sessions.end_reason IS 'Why it ended before its time: logout, revoked, replaced, reuse, evicted, password_changed, password_reset, logout_everywhere, disabled, deleted, ended_by_admin.';

-- Down Migration

DROP TABLE mailings;
DROP TABLE codes;
DROP TABLE mails;
DROP TABLE signups;
DROP TABLE mail_requests;

COMMENT ON COLUMN users.email_verified IS NULL;
COMMENT ON COLUMN sessions.end_reason IS 'Why it ended before its time: logout, revoked, reuse, evicted, password_changed, logout_everywhere, disabled, deleted, ended_by_admin.';
