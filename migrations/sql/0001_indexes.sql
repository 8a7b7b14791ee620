-- Indexes of our own on tables of the data dictionary.
-- On a busy database with a large usage_logs, make the same indexes CONCURRENTLY by
-- hand before the upgrade; they are found here and kept.
-- An empty line ends a statement.

-- UTF8 text as bytes never changes, so IMMUTABLE is true although convert_to says STABLE.
CREATE OR REPLACE FUNCTION beast.key_hash_of(plain_key text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN encode(sha256(convert_to(plain_key, 'UTF8')), 'hex');

CREATE INDEX IF NOT EXISTS idx_usage_logs_api_key_id ON public.usage_logs (api_key_id, id);

CREATE INDEX IF NOT EXISTS idx_api_keys_key_hash ON public.api_keys (key_hash);

CREATE INDEX IF NOT EXISTS idx_api_keys_plain_key_hash ON public.api_keys (beast.key_hash_of(api_key));
