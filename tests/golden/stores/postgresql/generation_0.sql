CREATE TABLE golden (
    partition_key text DEFAULT ''::text NOT NULL,
    app_id text NOT NULL,
    sequence_id integer NOT NULL,
    "position" text NOT NULL,
    status text NOT NULL,
    state jsonb NOT NULL,
    created_at timestamp without time zone DEFAULT CURRENT_TIMESTAMP
);
INSERT INTO golden VALUES ('alice', 'chat-1', 0, 'ask', 'completed', '{"n": [1, 2.5, null, true], "text": "café"}', '2026-11-22 12:04:23.049415');
INSERT INTO golden VALUES ('alice', 'chat-1', 2, 'think', 'failed', '{"text": "why?"}', '2026-11-22 12:04:23.049861');
INSERT INTO golden VALUES ('alice', 'a:b{%}', 7, 'step', 'completed', '{"list": [], "empty": {}}', '2026-11-22 12:04:23.049971');
INSERT INTO golden VALUES ('', 'chat-1', 1, 'ask', 'completed', '{"of": "the default partition"}', '2026-11-22 12:04:23.050048');
INSERT INTO golden VALUES ('alice', 'chat-1', 1, 'ask', 'completed', '{"text": "late"}', '2026-11-22 12:04:23.050115');
ALTER TABLE ONLY golden
    ADD CONSTRAINT golden_pkey PRIMARY KEY (partition_key, app_id, sequence_id, "position");
CREATE INDEX golden_created_at_index ON golden USING btree (created_at);
