-- Our own schema: what the data dictionary does not know.
-- An empty line ends a statement.

CREATE SCHEMA IF NOT EXISTS beast;

CREATE TABLE IF NOT EXISTS beast.dead_letters (
  id uuid DEFAULT gen_random_uuid() NOT NULL,
  received_at timestamptz DEFAULT now() NOT NULL,
  reason text NOT NULL,
  body bytea NOT NULL,
  CONSTRAINT dead_letters_pkey PRIMARY KEY (id)
);

CREATE TABLE IF NOT EXISTS beast.seeds (
  name text NOT NULL,
  applied_at timestamptz DEFAULT now() NOT NULL,
  CONSTRAINT seeds_pkey PRIMARY KEY (name)
);

CREATE TABLE IF NOT EXISTS beast.usage_batches (
  batch_id uuid NOT NULL,
  node text NOT NULL,
  records integer NOT NULL,
  written_at timestamptz DEFAULT now() NOT NULL,
  CONSTRAINT usage_batches_pkey PRIMARY KEY (batch_id)
);

CREATE INDEX IF NOT EXISTS idx_usage_batches_written_at ON beast.usage_batches (written_at);

CREATE TABLE IF NOT EXISTS beast.usage_hourly (
  hour timestamptz NOT NULL,
  key_id text NOT NULL,
  source text NOT NULL,
  status text NOT NULL,
  cached boolean NOT NULL,
  calls bigint DEFAULT 0 NOT NULL,
  duration_ms_sum bigint DEFAULT 0 NOT NULL,
  CONSTRAINT usage_hourly_pkey PRIMARY KEY (hour, key_id, source, status, cached)
);

CREATE TABLE IF NOT EXISTS beast.usage_ledger (
  key_id text NOT NULL,
  month integer NOT NULL,
  answered bigint DEFAULT 0 NOT NULL,
  refused bigint DEFAULT 0 NOT NULL,
  CONSTRAINT usage_ledger_pkey PRIMARY KEY (key_id, month)
);
