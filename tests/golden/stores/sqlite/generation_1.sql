BEGIN TRANSACTION;
CREATE TABLE "golden" (
  write_number INTEGER PRIMARY KEY,
  partition_key TEXT NOT NULL DEFAULT '',
  app_id TEXT NOT NULL,
  sequence_id INTEGER NOT NULL,
  position TEXT NOT NULL,
  status TEXT NOT NULL,
  state TEXT NOT NULL,
  created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  codec INTEGER,
  UNIQUE (partition_key, app_id, sequence_id, position));
INSERT INTO "golden" VALUES(1,'alice','chat-1',0,'ask','completed','{"text":"café","n":[1,2.5,null,true]}','2026-11-22 11:50:40.426650',0);
INSERT INTO "golden" VALUES(2,'alice','chat-1',2,'think','failed','{"text":"why?"}','2026-11-22 11:50:40.427997',0);
INSERT INTO "golden" VALUES(3,'alice','a:b{%}',7,'step','completed','{"empty":{},"list":[]}','2026-11-22 11:50:40.428286',0);
INSERT INTO "golden" VALUES(4,'','chat-1',1,'ask','completed','{"of":"the default partition"}','2026-11-22 11:50:40.428510',0);
INSERT INTO "golden" VALUES(5,'alice','chat-1',1,'ask','completed','{"text":"late"}','2026-11-22 11:50:40.428760',0);
INSERT INTO "golden" VALUES(6,'bob','chat-2',9007199254740993,'end','odd','{"text":"\u0000 \ud83d","x":Infinity}','2026-11-22 11:50:40.429053',2);
INSERT INTO "golden" VALUES(7,'alice','chat-1',2,'write','completed','{"at":{"__persistry__":["datetime","2026-11-22T00:00:00+00:00"]}}','2026-11-22 11:50:40.429325',1);
CREATE TABLE "golden_heads" (
  partition_key TEXT NOT NULL, app_id TEXT NOT NULL, last_write INTEGER NOT NULL,
  PRIMARY KEY (partition_key, app_id)) WITHOUT ROWID
;
INSERT INTO "golden_heads" VALUES('','chat-1',4);
INSERT INTO "golden_heads" VALUES('alice','chat-1',7);
INSERT INTO "golden_heads" VALUES('alice','a:b{%}',3);
INSERT INTO "golden_heads" VALUES('bob','chat-2',6);
CREATE INDEX "golden_heads_order" ON "golden_heads" (partition_key, last_write DESC);
CREATE TRIGGER "golden_saved" AFTER INSERT ON "golden" BEGIN
  INSERT INTO "golden_heads" (partition_key, app_id, last_write)
  VALUES (coalesce(NEW.partition_key, ''), NEW.app_id, NEW.rowid)
  ON CONFLICT (partition_key, app_id) DO UPDATE SET last_write = excluded.last_write;
END;
CREATE TRIGGER "golden_deleted" AFTER DELETE ON "golden" BEGIN
  DELETE FROM "golden_heads"
  WHERE partition_key = coalesce(OLD.partition_key, '') AND app_id = OLD.app_id AND last_write = OLD.rowid;
  INSERT INTO "golden_heads" (partition_key, app_id, last_write)
  SELECT coalesce(OLD.partition_key, ''), OLD.app_id, max(rowid) FROM "golden"
  WHERE partition_key = OLD.partition_key AND app_id = OLD.app_id HAVING max(rowid) IS NOT NULL
  ON CONFLICT (partition_key, app_id) DO UPDATE SET last_write = excluded.last_write;
END;
CREATE VIEW "golden_generation" AS SELECT 1 AS generation_1;
COMMIT;
