-- Loads delivered files into DuckDB. Loading a file twice, or files in another order, gives the same tables.
--
--   duckdb consents.duckdb -c "SET VARIABLE delivery = 'data/export-id=*/date=*/users/*.json.gz'" -f load-delivery.sql
--
-- The pattern may begin with s3:// or gs:// (see https://duckdb.org/docs/extensions/httpfs). Read a folder only once its
-- _SUCCESS is there; a day without events has no files.

CREATE TABLE IF NOT EXISTS consent_event (
  organization_id VARCHAR,
  id              VARCHAR,
  version         INTEGER,
  user_id         VARCHAR,
  status          VARCHAR,
  source          VARCHAR,
  created_at      TIMESTAMPTZ,
  updated_at      TIMESTAMPTZ,
  document        JSON,
  PRIMARY KEY (organization_id, id, version)
);

CREATE TABLE IF NOT EXISTS consent_user (
  organization_id      VARCHAR,
  id                   VARCHAR,
  version              INTEGER,
  organization_user_id VARCHAR,
  created_at           TIMESTAMPTZ,
  updated_at           TIMESTAMPTZ,
  document             JSON,
  PRIMARY KEY (organization_id, id)
);

-- Columns by name and type, so that fields added later change nothing here. A line holds at most 1,000 events.
CREATE OR REPLACE TEMP TABLE delivered_line AS
SELECT "user", events
FROM read_json(
  getvariable('delivery'),
  format = 'newline_delimited',
  columns = {"user": 'JSON', events: 'JSON[]'},
  hive_partitioning = false,
  maximum_object_size = 67108864
);

-- An event is delivered again when a run is repeated, and with a higher version when it was amended.
INSERT OR IGNORE INTO consent_event
SELECT
  event ->> 'organization_id',
  event ->> 'id',
  (event ->> 'version')::INTEGER,
  event -> 'user' ->> 'id',
  event ->> 'status',
  event ->> 'source',
  (event ->> 'created_at')::TIMESTAMPTZ,
  (event ->> 'updated_at')::TIMESTAMPTZ,
  event
FROM (SELECT unnest(events) AS event FROM delivered_line)
QUALIFY row_number() OVER (PARTITION BY event ->> 'organization_id', event ->> 'id', event ->> 'version') = 1;

-- Of each user the newest state: every delivery carries the whole of it.
INSERT INTO consent_user
SELECT
  "user" ->> 'organization_id',
  "user" ->> 'id',
  ("user" ->> 'version')::INTEGER AS version,
  "user" ->> 'organization_user_id',
  ("user" ->> 'created_at')::TIMESTAMPTZ,
  ("user" ->> 'updated_at')::TIMESTAMPTZ,
  "user"
FROM delivered_line
QUALIFY row_number() OVER (PARTITION BY "user" ->> 'organization_id', "user" ->> 'id' ORDER BY version DESC) = 1
ON CONFLICT (organization_id, id) DO UPDATE SET
  version = excluded.version,
  organization_user_id = excluded.organization_user_id,
  updated_at = excluded.updated_at,
  document = excluded.document
WHERE excluded.version > consent_user.version;
