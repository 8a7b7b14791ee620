-- Row triggers that NOTIFY beast_changes.
-- A transaction that sets beast.quiet to 'on' makes none: the writer's counters change
-- thousands of times a second and are nobody's business.
-- An empty line ends a statement.

-- The hash that requests find a row of api_keys by.
CREATE OR REPLACE FUNCTION beast.found_by(api_keys_row jsonb) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE
  WHEN api_keys_row ->> 'key_hash' ~ '^[0-9a-f]{64}$' THEN api_keys_row ->> 'key_hash'
  ELSE beast.key_hash_of(api_keys_row ->> 'api_key')
END;

-- Tells every process which row of a watched table changed.  A row of api_keys also tells
-- the hash that requests find it by: the stored one, or that of a key still kept plain.
CREATE OR REPLACE FUNCTION beast.notify_change() RETURNS trigger
LANGUAGE plpgsql AS $function$
DECLARE
  fresh jsonb := to_jsonb(NEW);
  stale jsonb := to_jsonb(OLD);
  present jsonb := coalesce(fresh, stale);
  notice jsonb := jsonb_build_object(
    'table', TG_TABLE_NAME, 'op', TG_OP, 'id', present ->> 'id');
BEGIN
  IF TG_TABLE_NAME = 'api_keys' THEN
    notice := notice || jsonb_build_object(
      'key_hash', beast.found_by(present),
      'usage_lowered', coalesce(
        (fresh ->> 'current_usage')::bigint < (stale ->> 'current_usage')::bigint,
        false));
    IF beast.found_by(stale) <> beast.found_by(fresh) THEN
      PERFORM pg_notify('beast_changes',
        (notice || jsonb_build_object('key_hash', beast.found_by(stale)))::text);
    END IF;
  END IF;
  PERFORM pg_notify('beast_changes', notice::text);
  RETURN NULL;
END
$function$;

CREATE OR REPLACE TRIGGER beast_notify_change
AFTER INSERT OR UPDATE OR DELETE ON public.api_keys
FOR EACH ROW WHEN (current_setting('beast.quiet', true) IS DISTINCT FROM 'on')
EXECUTE FUNCTION beast.notify_change();

CREATE OR REPLACE TRIGGER beast_notify_change
AFTER INSERT OR UPDATE OR DELETE ON public.rate_limit_template
FOR EACH ROW WHEN (current_setting('beast.quiet', true) IS DISTINCT FROM 'on')
EXECUTE FUNCTION beast.notify_change();

CREATE OR REPLACE TRIGGER beast_notify_change
AFTER INSERT OR UPDATE OR DELETE ON public.application_parameters
FOR EACH ROW WHEN (current_setting('beast.quiet', true) IS DISTINCT FROM 'on')
EXECUTE FUNCTION beast.notify_change();

CREATE OR REPLACE TRIGGER beast_notify_change
AFTER INSERT OR UPDATE OR DELETE ON public.application_parameter_profiles
FOR EACH ROW WHEN (current_setting('beast.quiet', true) IS DISTINCT FROM 'on')
EXECUTE FUNCTION beast.notify_change();

CREATE OR REPLACE TRIGGER beast_notify_change
AFTER INSERT OR UPDATE OR DELETE ON public.report_parameters
FOR EACH ROW WHEN (current_setting('beast.quiet', true) IS DISTINCT FROM 'on')
EXECUTE FUNCTION beast.notify_change();

CREATE OR REPLACE TRIGGER beast_notify_change
AFTER INSERT OR UPDATE OR DELETE ON public.exchange_feeds
FOR EACH ROW WHEN (current_setting('beast.quiet', true) IS DISTINCT FROM 'on')
EXECUTE FUNCTION beast.notify_change();

CREATE OR REPLACE TRIGGER beast_notify_change
AFTER INSERT OR UPDATE OR DELETE ON public.exchange_asset_map
FOR EACH ROW WHEN (current_setting('beast.quiet', true) IS DISTINCT FROM 'on')
EXECUTE FUNCTION beast.notify_change();

CREATE OR REPLACE TRIGGER beast_notify_change
AFTER INSERT OR UPDATE OR DELETE ON public.asset_categories
FOR EACH ROW WHEN (current_setting('beast.quiet', true) IS DISTINCT FROM 'on')
EXECUTE FUNCTION beast.notify_change();

CREATE OR REPLACE TRIGGER beast_notify_change
AFTER INSERT OR UPDATE OR DELETE ON public.webhook_subscriptions
FOR EACH ROW WHEN (current_setting('beast.quiet', true) IS DISTINCT FROM 'on')
EXECUTE FUNCTION beast.notify_change();

CREATE OR REPLACE TRIGGER beast_notify_change
AFTER INSERT OR UPDATE OR DELETE ON public.payment_links
FOR EACH ROW WHEN (current_setting('beast.quiet', true) IS DISTINCT FROM 'on')
EXECUTE FUNCTION beast.notify_change();
