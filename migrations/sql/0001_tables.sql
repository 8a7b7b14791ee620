-- The 35 tables of the data dictionary.
-- A table that exists is left alone, so an older database is adopted as it is.
-- An empty line ends a statement.

CREATE TABLE IF NOT EXISTS public.application_parameter_profiles (
  id serial NOT NULL,
  profile_name text NOT NULL,
  description text,
  qps integer DEFAULT 1000 NOT NULL,
  burst integer DEFAULT 1000 NOT NULL,
  log_level text DEFAULT 'info' NOT NULL,
  sqs_batch_size integer DEFAULT 10 NOT NULL,
  sqs_flush_ms integer DEFAULT 100 NOT NULL,
  sqs_buffer_size integer DEFAULT 50000 NOT NULL,
  sqs_timeout_ms integer DEFAULT 3000 NOT NULL,
  db_max_open integer DEFAULT 150 NOT NULL,
  db_max_idle integer DEFAULT 75 NOT NULL,
  db_conn_lifetime_min integer DEFAULT 10 NOT NULL,
  db_conn_idle_min integer DEFAULT 5 NOT NULL,
  cache_ttl integer DEFAULT 9 NOT NULL,
  config_poll integer DEFAULT 300 NOT NULL,
  cache_pool_size integer DEFAULT 600 NOT NULL,
  cache_min_idle integer DEFAULT 120 NOT NULL,
  cache_max_retries integer DEFAULT 1 NOT NULL,
  cache_dial_ms integer DEFAULT 500 NOT NULL,
  cache_read_ms integer DEFAULT 500 NOT NULL,
  cache_write_ms integer DEFAULT 500 NOT NULL,
  created_at timestamptz DEFAULT now() NOT NULL,
  updated_at timestamptz DEFAULT now() NOT NULL,
  CONSTRAINT application_parameter_profiles_pkey PRIMARY KEY (id),
  CONSTRAINT application_parameter_profiles_profile_name_key UNIQUE (profile_name)
);

CREATE TABLE IF NOT EXISTS public.application_parameters (
  id serial NOT NULL,
  key text NOT NULL,
  value text NOT NULL,
  updated_at timestamptz DEFAULT now() NOT NULL,
  CONSTRAINT application_parameters_pkey PRIMARY KEY (id),
  CONSTRAINT application_parameters_key_key UNIQUE (key)
);

CREATE TABLE IF NOT EXISTS public.asset_categories (
  id serial NOT NULL,
  category_name text NOT NULL,
  description text DEFAULT '' NOT NULL,
  display_order integer DEFAULT 100 NOT NULL,
  enabled boolean DEFAULT true NOT NULL,
  created_at timestamptz DEFAULT now() NOT NULL,
  CONSTRAINT asset_categories_pkey PRIMARY KEY (id)
);

CREATE TABLE IF NOT EXISTS public.cron_execution_logs (
  id uuid NOT NULL,
  job_name text,
  started_at timestamptz,
  completed_at timestamptz,
  status text,
  rows_affected integer,
  error_message text,
  CONSTRAINT cron_execution_logs_pkey PRIMARY KEY (id)
);

CREATE TABLE IF NOT EXISTS public.cron_reset_logs (
  id uuid NOT NULL,
  reset_type text,
  keys_reset integer,
  started_at timestamptz,
  completed_at timestamptz,
  status text,
  error_message text,
  CONSTRAINT cron_reset_logs_pkey PRIMARY KEY (id)
);

CREATE TABLE IF NOT EXISTS public.cron_reset_summary (
  id uuid NOT NULL,
  reset_date date,
  total_keys integer,
  total_usage_before bigint,
  total_usage_after bigint,
  created_at timestamptz,
  CONSTRAINT cron_reset_summary_pkey PRIMARY KEY (id)
);

CREATE TABLE IF NOT EXISTS public.demo_leads (
  id uuid DEFAULT gen_random_uuid() NOT NULL,
  email text,
  name text,
  company text,
  use_case text,
  created_at timestamptz DEFAULT now() NOT NULL,
  CONSTRAINT demo_leads_pkey PRIMARY KEY (id)
);

CREATE TABLE IF NOT EXISTS public.email_senders (
  id uuid DEFAULT gen_random_uuid() NOT NULL,
  display_name varchar(255) NOT NULL,
  email varchar(255) NOT NULL,
  reply_to varchar(255) DEFAULT '' NOT NULL,
  created_at timestamptz DEFAULT now() NOT NULL,
  CONSTRAINT email_senders_pkey PRIMARY KEY (id),
  CONSTRAINT email_senders_email_key UNIQUE (email)
);

CREATE TABLE IF NOT EXISTS public.email_templates (
  id uuid DEFAULT gen_random_uuid() NOT NULL,
  topic varchar(100) NOT NULL,
  name varchar(255) NOT NULL,
  subject varchar(500) DEFAULT '' NOT NULL,
  content text NOT NULL,
  created_at timestamptz DEFAULT now() NOT NULL,
  CONSTRAINT email_templates_pkey PRIMARY KEY (id)
);

CREATE TABLE IF NOT EXISTS public.email_translations (
  id uuid DEFAULT gen_random_uuid() NOT NULL,
  template_name varchar NOT NULL,
  lang varchar NOT NULL,
  field_name varchar NOT NULL,
  field_value text NOT NULL,
  created_at timestamptz DEFAULT now(),
  CONSTRAINT email_translations_pkey PRIMARY KEY (id),
  CONSTRAINT email_translations_template_name_lang_field_name_key UNIQUE (template_name, lang, field_name)
);

CREATE TABLE IF NOT EXISTS public.exchange_asset_map (
  id serial NOT NULL,
  exchange_name text NOT NULL,
  asset text NOT NULL,
  exchange_symbol text NOT NULL,
  enabled boolean DEFAULT true NOT NULL,
  category text DEFAULT 'Infrastructure' NOT NULL,
  CONSTRAINT exchange_asset_map_pkey PRIMARY KEY (id),
  CONSTRAINT exchange_asset_map_exchange_name_asset_key UNIQUE (exchange_name, asset)
);

CREATE INDEX IF NOT EXISTS idx_exchange_asset_map_asset ON public.exchange_asset_map (asset);

CREATE INDEX IF NOT EXISTS idx_exchange_asset_map_exchange ON public.exchange_asset_map (exchange_name);

CREATE TABLE IF NOT EXISTS public.exchange_feeds (
  id serial NOT NULL,
  exchange_name text NOT NULL,
  display_name text NOT NULL,
  ws_endpoint text NOT NULL,
  subscribe_format text DEFAULT 'json' NOT NULL,
  pair_suffix text DEFAULT 'USD' NOT NULL,
  symbol_template text NOT NULL,
  symbol_separator text DEFAULT '-' NOT NULL,
  parse_regex text,
  source_tag text NOT NULL,
  subscribe_template text,
  trade_channel_match text,
  price_path text,
  symbol_path text,
  timestamp_path text,
  timestamp_format text DEFAULT 'rfc3339',
  ping_interval_sec integer DEFAULT 0,
  ping_message text,
  symbol_style text DEFAULT 'standard',
  msg_is_array boolean DEFAULT false,
  array_path text,
  enabled boolean DEFAULT true NOT NULL,
  notes text,
  created_at timestamptz DEFAULT now() NOT NULL,
  updated_at timestamptz DEFAULT now() NOT NULL,
  CONSTRAINT exchange_feeds_pkey PRIMARY KEY (id),
  CONSTRAINT exchange_feeds_exchange_name_key UNIQUE (exchange_name)
);

CREATE INDEX IF NOT EXISTS idx_exchange_feeds_enabled ON public.exchange_feeds (enabled);

CREATE TABLE IF NOT EXISTS public.map_pins (
  id uuid DEFAULT gen_random_uuid() NOT NULL,
  type text,
  lat double precision,
  lng double precision,
  region text,
  caption text,
  media_url text,
  date timestamptz,
  status text,
  media_urls jsonb,
  CONSTRAINT map_pins_pkey PRIMARY KEY (id)
);

CREATE TABLE IF NOT EXISTS public.monthly_report_counts (
  id uuid NOT NULL,
  api_key_id uuid,
  month date,
  count integer,
  CONSTRAINT monthly_report_counts_pkey PRIMARY KEY (id)
);

CREATE TABLE IF NOT EXISTS public.newsletter_subscribers (
  id uuid DEFAULT gen_random_uuid() NOT NULL,
  email text NOT NULL,
  name text,
  source text,
  preferred_lang varchar DEFAULT 'en',
  subscribed boolean DEFAULT true NOT NULL,
  created_at timestamptz DEFAULT now() NOT NULL,
  CONSTRAINT newsletter_subscribers_pkey PRIMARY KEY (id),
  CONSTRAINT newsletter_subscribers_email_key UNIQUE (email)
);

CREATE TABLE IF NOT EXISTS public.newsletter_templates (
  id uuid DEFAULT gen_random_uuid() NOT NULL,
  name text,
  subject text,
  html_body text,
  created_at timestamptz DEFAULT now() NOT NULL,
  updated_at timestamptz DEFAULT now() NOT NULL,
  CONSTRAINT newsletter_templates_pkey PRIMARY KEY (id)
);

CREATE TABLE IF NOT EXISTS public.newsletters (
  id uuid DEFAULT gen_random_uuid() NOT NULL,
  template_id uuid,
  subject text,
  status text,
  recipients integer,
  sent_count integer,
  failed_count integer,
  created_at timestamptz DEFAULT now() NOT NULL,
  sent_at timestamptz,
  CONSTRAINT newsletters_pkey PRIMARY KEY (id)
);

CREATE TABLE IF NOT EXISTS public.page_events (
  id uuid DEFAULT gen_random_uuid() NOT NULL,
  page_path varchar NOT NULL,
  event_type varchar NOT NULL,
  event_target varchar DEFAULT '' NOT NULL,
  event_data jsonb DEFAULT '{}' NOT NULL,
  visitor_id varchar DEFAULT '' NOT NULL,
  session_id varchar DEFAULT '' NOT NULL,
  created_at timestamptz DEFAULT now() NOT NULL,
  CONSTRAINT page_events_pkey PRIMARY KEY (id)
);

CREATE TABLE IF NOT EXISTS public.page_views (
  id uuid DEFAULT gen_random_uuid() NOT NULL,
  page_path varchar NOT NULL,
  page_title varchar DEFAULT '' NOT NULL,
  referrer varchar DEFAULT '' NOT NULL,
  user_agent varchar DEFAULT '' NOT NULL,
  visitor_id varchar DEFAULT '' NOT NULL,
  session_id varchar DEFAULT '' NOT NULL,
  screen_width integer DEFAULT 0 NOT NULL,
  screen_height integer DEFAULT 0 NOT NULL,
  country varchar DEFAULT '' NOT NULL,
  created_at timestamptz DEFAULT now() NOT NULL,
  CONSTRAINT page_views_pkey PRIMARY KEY (id)
);

CREATE TABLE IF NOT EXISTS public.partner_applications (
  id uuid DEFAULT gen_random_uuid() NOT NULL,
  company_name text NOT NULL,
  contact_name text NOT NULL,
  contact_email text NOT NULL,
  aws_account_id text NOT NULL,
  aws_region text NOT NULL,
  vpc_cidr text,
  connection_type text NOT NULL,
  data_provided text,
  estimated_volume text,
  notes text,
  status text DEFAULT 'pending' NOT NULL,
  reviewed_at timestamptz,
  reviewer_notes text,
  api_key_id uuid,
  created_at timestamptz DEFAULT now() NOT NULL,
  CONSTRAINT partner_applications_pkey PRIMARY KEY (id)
);

CREATE INDEX IF NOT EXISTS idx_partner_apps_email ON public.partner_applications (contact_email);

CREATE INDEX IF NOT EXISTS idx_partner_apps_status ON public.partner_applications (status);

CREATE TABLE IF NOT EXISTS public.payment_links (
  id serial NOT NULL,
  link_type text NOT NULL,
  tier text,
  stripe_url text NOT NULL,
  stripe_payment_link_id text,
  amount_usd numeric,
  recurring boolean DEFAULT true NOT NULL,
  enabled boolean DEFAULT true NOT NULL,
  created_at timestamptz DEFAULT now() NOT NULL,
  updated_at timestamptz DEFAULT now() NOT NULL,
  CONSTRAINT payment_links_pkey PRIMARY KEY (id),
  CONSTRAINT payment_links_link_type_check CHECK (link_type IN ('subscription', 'webhook', 'lrs-addon', 'donation'))
);

CREATE TABLE IF NOT EXISTS public.rate_limit_template (
  id uuid DEFAULT gen_random_uuid() NOT NULL,
  tier varchar NOT NULL,
  query_limit integer NOT NULL,
  rate_limit_qps integer NOT NULL,
  burst_limit integer NOT NULL,
  burst_tokens numeric NOT NULL,
  min_wait_seconds numeric NOT NULL,
  description text,
  CONSTRAINT rate_limit_template_pkey PRIMARY KEY (id),
  CONSTRAINT rate_limit_template_tier_key UNIQUE (tier)
);

CREATE TABLE IF NOT EXISTS public.report_parameters (
  id serial NOT NULL,
  key text NOT NULL,
  value text NOT NULL,
  updated_at timestamptz DEFAULT now() NOT NULL,
  CONSTRAINT report_parameters_pkey PRIMARY KEY (id),
  CONSTRAINT report_parameters_key_key UNIQUE (key)
);

CREATE TABLE IF NOT EXISTS public.report_usage_logs (
  id uuid DEFAULT gen_random_uuid() NOT NULL,
  api_key_id text,
  report_type text,
  report_run_date timestamptz,
  asset_filter text,
  start_date_filter timestamptz,
  end_date_filter timestamptz,
  max_rows_returned integer,
  report_duration_ms integer,
  output_format text,
  additional_filters jsonb,
  region text,
  cluster_node text,
  CONSTRAINT report_usage_logs_pkey PRIMARY KEY (id)
);

CREATE TABLE IF NOT EXISTS public.support_tickets (
  id uuid DEFAULT gen_random_uuid() NOT NULL,
  ticket_number text NOT NULL,
  email text,
  name text,
  subject text,
  message text,
  status text DEFAULT 'open' NOT NULL,
  priority text DEFAULT 'normal' NOT NULL,
  category text,
  preferred_lang varchar DEFAULT 'en',
  created_at timestamptz DEFAULT now() NOT NULL,
  updated_at timestamptz DEFAULT now() NOT NULL,
  CONSTRAINT support_tickets_pkey PRIMARY KEY (id),
  CONSTRAINT support_tickets_ticket_number_key UNIQUE (ticket_number)
);

CREATE TABLE IF NOT EXISTS public.usage_logs (
  id uuid DEFAULT gen_random_uuid() NOT NULL,
  user_id text,
  api_key_id text,
  timestamp timestamptz DEFAULT now() NOT NULL,
  ip_address text,
  query_type text,
  duration_ms bigint,
  token_count integer,
  latency_ms bigint,
  status text,
  error text,
  cached boolean,
  asset text,
  cache_age_seconds double precision,
  price double precision,
  source text,
  cluster_node text,
  aws_region text,
  CONSTRAINT usage_logs_pkey PRIMARY KEY (id)
) PARTITION BY RANGE (id);

CREATE TABLE IF NOT EXISTS public.users (
  id uuid DEFAULT gen_random_uuid() NOT NULL,
  email text NOT NULL,
  name text,
  tier text,
  preferred_lang varchar(5),
  created_at timestamptz DEFAULT now() NOT NULL,
  CONSTRAINT users_pkey PRIMARY KEY (id),
  CONSTRAINT users_email_key UNIQUE (email)
);

CREATE TABLE IF NOT EXISTS public.api_keys (
  id uuid DEFAULT gen_random_uuid() NOT NULL,
  user_id uuid,
  key_hash text,
  name text,
  tier text DEFAULT 'free' NOT NULL,
  query_limit integer DEFAULT 1000 NOT NULL,
  current_usage integer DEFAULT 0 NOT NULL,
  last_used timestamptz,
  created_at timestamptz DEFAULT now() NOT NULL,
  revoked boolean DEFAULT false NOT NULL,
  rate_limit_qps integer DEFAULT 10 NOT NULL,
  burst_limit integer DEFAULT 20 NOT NULL,
  burst_tokens numeric DEFAULT 20.0 NOT NULL,
  api_key text NOT NULL,
  last_success timestamptz,
  minimum_wait_seconds numeric DEFAULT 0.1 NOT NULL,
  lrs_enabled boolean DEFAULT false NOT NULL,
  response_format text DEFAULT 'tbc' NOT NULL,
  stripe_customer_id text,
  stripe_subscription_id text,
  stripe_lrs_subscription_id text,
  subscription_status text DEFAULT 'active' NOT NULL,
  tier_effective_date timestamptz,
  payment_failed_at timestamptz,
  CONSTRAINT api_keys_pkey PRIMARY KEY (id),
  CONSTRAINT api_keys_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users (id)
);

CREATE INDEX IF NOT EXISTS idx_api_keys_stripe_customer_id ON public.api_keys (stripe_customer_id) WHERE stripe_customer_id IS NOT NULL;

CREATE INDEX IF NOT EXISTS idx_api_keys_stripe_subscription_id ON public.api_keys (stripe_subscription_id) WHERE stripe_subscription_id IS NOT NULL;

CREATE TABLE IF NOT EXISTS public.email_drafts (
  id uuid DEFAULT gen_random_uuid() NOT NULL,
  template_id uuid,
  sender_id uuid,
  subject varchar(500) DEFAULT '' NOT NULL,
  content text DEFAULT '' NOT NULL,
  recipients text DEFAULT '' NOT NULL,
  cc text DEFAULT '' NOT NULL,
  bcc text DEFAULT '' NOT NULL,
  status varchar(20) DEFAULT 'draft' NOT NULL,
  created_at timestamptz DEFAULT now() NOT NULL,
  updated_at timestamptz DEFAULT now() NOT NULL,
  sent_at timestamptz,
  CONSTRAINT email_drafts_pkey PRIMARY KEY (id),
  CONSTRAINT email_drafts_template_id_fkey FOREIGN KEY (template_id) REFERENCES public.email_templates (id),
  CONSTRAINT email_drafts_sender_id_fkey FOREIGN KEY (sender_id) REFERENCES public.email_senders (id)
);

CREATE TABLE IF NOT EXISTS public.newsletter_translations (
  id uuid DEFAULT gen_random_uuid() NOT NULL,
  newsletter_id uuid NOT NULL,
  lang varchar NOT NULL,
  subject text NOT NULL,
  body_html text NOT NULL,
  auto_translated boolean DEFAULT true,
  reviewed boolean DEFAULT false,
  created_at timestamptz DEFAULT now(),
  updated_at timestamptz DEFAULT now(),
  CONSTRAINT newsletter_translations_pkey PRIMARY KEY (id),
  CONSTRAINT newsletter_translations_newsletter_id_fkey FOREIGN KEY (newsletter_id) REFERENCES public.newsletters (id),
  CONSTRAINT newsletter_translations_newsletter_id_lang_key UNIQUE (newsletter_id, lang)
);

CREATE TABLE IF NOT EXISTS public.support_replies (
  id uuid DEFAULT gen_random_uuid() NOT NULL,
  ticket_id uuid NOT NULL,
  sender text,
  message text,
  attachments jsonb,
  created_at timestamptz DEFAULT now() NOT NULL,
  updated_at timestamptz DEFAULT now() NOT NULL,
  CONSTRAINT support_replies_pkey PRIMARY KEY (id),
  CONSTRAINT support_replies_ticket_id_fkey FOREIGN KEY (ticket_id) REFERENCES public.support_tickets (id)
);

CREATE TABLE IF NOT EXISTS public.transactions (
  id uuid DEFAULT gen_random_uuid() NOT NULL,
  user_id uuid,
  type text,
  stripe_session_id text,
  stripe_charge_id text,
  amount_usd numeric,
  status text,
  donor_name text,
  donor_email text,
  tier text,
  api_key text,
  recurring boolean,
  preferred_lang varchar(5),
  created_at timestamptz DEFAULT now() NOT NULL,
  updated_at timestamptz DEFAULT now() NOT NULL,
  CONSTRAINT transactions_pkey PRIMARY KEY (id),
  CONSTRAINT transactions_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users (id)
);

CREATE TABLE IF NOT EXISTS public.report_count (
  id uuid DEFAULT gen_random_uuid() NOT NULL,
  api_key uuid NOT NULL,
  monthly_count integer DEFAULT 0 NOT NULL,
  daily_count integer DEFAULT 0 NOT NULL,
  last_report_date timestamptz DEFAULT now() NOT NULL,
  monthly_limit integer DEFAULT 10 NOT NULL,
  daily_limit integer DEFAULT 5 NOT NULL,
  reset_month integer DEFAULT EXTRACT(MONTH FROM NOW()) NOT NULL,
  CONSTRAINT report_count_pkey PRIMARY KEY (id),
  CONSTRAINT report_count_api_key_fkey FOREIGN KEY (api_key) REFERENCES public.api_keys (id)
);

CREATE TABLE IF NOT EXISTS public.webhook_subscriptions (
  id uuid DEFAULT gen_random_uuid() NOT NULL,
  api_key_id uuid NOT NULL,
  tier text DEFAULT 'webhook_starter' NOT NULL,
  delivery_method text DEFAULT 'both' NOT NULL,
  udp_host text,
  udp_port integer,
  https_url text,
  interval_seconds integer DEFAULT 60 NOT NULL,
  max_assets integer DEFAULT 9 NOT NULL,
  selected_assets text,
  status text DEFAULT 'pending_verification' NOT NULL,
  verification_token text,
  verified_at timestamptz,
  stripe_customer_id text,
  stripe_subscription_id text,
  subscription_status text DEFAULT 'active' NOT NULL,
  monthly_push_count integer DEFAULT 0 NOT NULL,
  last_delivered_at timestamptz,
  created_at timestamptz DEFAULT now() NOT NULL,
  updated_at timestamptz DEFAULT now() NOT NULL,
  CONSTRAINT webhook_subscriptions_pkey PRIMARY KEY (id),
  CONSTRAINT webhook_subscriptions_api_key_id_fkey FOREIGN KEY (api_key_id) REFERENCES public.api_keys (id) ON DELETE CASCADE,
  CONSTRAINT webhook_subscriptions_tier_check CHECK (tier IN ('webhook_starter', 'webhook_standard', 'webhook_professional', 'webhook_enterprise', 'webhook_partner')),
  CONSTRAINT webhook_subscriptions_delivery_method_check CHECK (delivery_method IN ('udp', 'https', 'both')),
  CONSTRAINT webhook_subscriptions_status_check CHECK (status IN ('pending_verification', 'active', 'suspended')),
  CONSTRAINT webhook_subscriptions_subscription_status_check CHECK (subscription_status IN ('active', 'past_due', 'canceled'))
);

CREATE INDEX IF NOT EXISTS idx_webhook_subs_api_key_id ON public.webhook_subscriptions (api_key_id);

CREATE INDEX IF NOT EXISTS idx_webhook_subs_status ON public.webhook_subscriptions (status);

CREATE TABLE IF NOT EXISTS public.webhook_delivery_log (
  id bigserial NOT NULL,
  webhook_subscription_id uuid NOT NULL,
  delivery_id text NOT NULL,
  protocol text NOT NULL,
  status text NOT NULL,
  latency_ms bigint NOT NULL,
  error_message text,
  delivered_at timestamptz DEFAULT now() NOT NULL,
  CONSTRAINT webhook_delivery_log_pkey PRIMARY KEY (id),
  CONSTRAINT webhook_delivery_log_webhook_subscription_id_fkey FOREIGN KEY (webhook_subscription_id) REFERENCES public.webhook_subscriptions (id) ON DELETE CASCADE
);

CREATE INDEX IF NOT EXISTS idx_wdl_status ON public.webhook_delivery_log (status);

CREATE INDEX IF NOT EXISTS idx_wdl_sub_id_delivered ON public.webhook_delivery_log (webhook_subscription_id, delivered_at);
