-- Up Migration

-- By index, whatever the statistics say: the table grows by thousands between two of them, and a plan that was good for
-- one row compares each waiting row with all others. A pass then took longer than a statement may.
ALTER FUNCTION number_revocations(integer) SET enable_seqscan = off;
ALTER FUNCTION number_revocations(integer) SET enable_hashjoin = off;
ALTER FUNCTION number_revocations(integer) SET enable_mergejoin = off;

-- Down Migration

ALTER FUNCTION number_revocations(integer) RESET enable_seqscan;
ALTER FUNCTION number_revocations(integer) RESET enable_hashjoin;
ALTER FUNCTION number_revocations(integer) RESET enable_mergejoin;
