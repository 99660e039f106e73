BEGIN TRANSACTION;
CREATE TABLE golden (
      partition_key TEXT DEFAULT '',
      app_id TEXT NOT NULL,
      sequence_id INTEGER NOT NULL,
      position TEXT NOT NULL,
      status TEXT NOT NULL,
      state TEXT NOT NULL,
      created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
      PRIMARY KEY (partition_key, app_id, sequence_id, position));
INSERT INTO "golden" VALUES('alice','chat-1',0,'ask','completed','{"text": "caf\u00e9", "n": [1, 2.5, null, true]}','2024-01-02 03:04:05');
INSERT INTO "golden" VALUES('alice','chat-1',2,'think','failed','{"text": "why?"}','2024-01-02 03:04:05');
INSERT INTO "golden" VALUES('alice','a:b{%}',7,'step','completed','{"empty": {}, "list": []}','2024-01-02 03:04:05');
INSERT INTO "golden" VALUES('','chat-1',1,'ask','completed','{"of": "the default partition"}','2024-01-02 03:04:05');
INSERT INTO "golden" VALUES('alice','chat-1',1,'ask','completed','{"text": "late"}','2024-01-02 03:04:05');
CREATE INDEX golden_created_at_index ON golden (created_at);
COMMIT;
