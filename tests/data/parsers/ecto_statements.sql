/* leading: job=7 */ SELECT 1 /* mid /* nested */ */ + 1;
--;;
ALTER TABLE "orders" ALTER COLUMN "status" TYPE varchar(255), ALTER COLUMN "status" SET NOT NULL
--;;
ALTER TABLE "posts" ADD COLUMN "token" uuid DEFAULT gen_random_uuid() NOT NULL
--;;
ALTER TABLE "products" ALTER COLUMN "price_cents" TYPE bigint
--;;
ALTER TABLE "users" ADD COLUMN "nickname" varchar(255)
--;;
CREATE INDEX "posts_status_inserted_at_index" ON "posts" ("status", "inserted_at")
--;;
CREATE INDEX CONCURRENTLY "comments_user_id_index" ON "comments" ("user_id")
--;;
CREATE TABLE IF NOT EXISTS "schema_migrations" ("version" bigint, "inserted_at" timestamp(0), PRIMARY KEY ("version"))
--;;
DELETE FROM "orders" WHERE "id" = $1
--;;
DELETE FROM "posts" WHERE "id" = $1
--;;
INSERT INTO "audit_logs" ("action","actor","inserted_at","target_id") VALUES ($1,$2,$3,$4),($5,$6,$7,$8),($9,$10,$11,$12),($13,$14,$15,$16),($17,$18,$19,$20),($21,$22,$23,$24),($25,$26,$27,$28),($29,$30,$31,$32),($33,$34,$35,$36),($37,$38,$39,$40),($41,$42,$43,$44)
--;;
INSERT INTO "audit_logs" ("action","actor","inserted_at","target_id") VALUES ($1,$2,$3,$4),($5,$6,$7,$8),($9,$10,$11,$12),($13,$14,$15,$16),($17,$18,$19,$20),($21,$22,$23,$24),($25,$26,$27,$28),($29,$30,$31,$32),($33,$34,$35,$36),($37,$38,$39,$40),($41,$42,$43,$44),($45,$46,$47,$48)
--;;
INSERT INTO "audit_logs" ("action","actor","inserted_at","target_id") VALUES ($1,$2,$3,$4),($5,$6,$7,$8),($9,$10,$11,$12),($13,$14,$15,$16),($17,$18,$19,$20),($21,$22,$23,$24),($25,$26,$27,$28),($29,$30,$31,$32),($33,$34,$35,$36),($37,$38,$39,$40),($41,$42,$43,$44),($45,$46,$47,$48),($49,$50,$51,$52)
--;;
INSERT INTO "audit_logs" ("action","actor","inserted_at","target_id") VALUES ($1,$2,$3,$4),($5,$6,$7,$8),($9,$10,$11,$12),($13,$14,$15,$16),($17,$18,$19,$20),($21,$22,$23,$24),($25,$26,$27,$28),($29,$30,$31,$32),($33,$34,$35,$36),($37,$38,$39,$40),($41,$42,$43,$44),($45,$46,$47,$48),($49,$50,$51,$52),($53,$54,$55,$56)
--;;
INSERT INTO "audit_logs" ("action","actor","inserted_at","target_id") VALUES ($1,$2,$3,$4),($5,$6,$7,$8),($9,$10,$11,$12),($13,$14,$15,$16),($17,$18,$19,$20),($21,$22,$23,$24),($25,$26,$27,$28),($29,$30,$31,$32),($33,$34,$35,$36),($37,$38,$39,$40),($41,$42,$43,$44),($45,$46,$47,$48),($49,$50,$51,$52),($53,$54,$55,$56),($57,$58,$59,$60)
--;;
INSERT INTO "audit_logs" ("action","actor","inserted_at","target_id") VALUES ($1,$2,$3,$4),($5,$6,$7,$8),($9,$10,$11,$12),($13,$14,$15,$16),($17,$18,$19,$20),($21,$22,$23,$24),($25,$26,$27,$28),($29,$30,$31,$32),($33,$34,$35,$36),($37,$38,$39,$40),($41,$42,$43,$44),($45,$46,$47,$48),($49,$50,$51,$52),($53,$54,$55,$56),($57,$58,$59,$60),($61,$62,$63,$64)
--;;
INSERT INTO "audit_logs" ("action","actor","inserted_at","target_id") VALUES ($1,$2,$3,$4),($5,$6,$7,$8),($9,$10,$11,$12),($13,$14,$15,$16),($17,$18,$19,$20),($21,$22,$23,$24),($25,$26,$27,$28),($29,$30,$31,$32),($33,$34,$35,$36),($37,$38,$39,$40),($41,$42,$43,$44),($45,$46,$47,$48),($49,$50,$51,$52),($53,$54,$55,$56),($57,$58,$59,$60),($61,$62,$63,$64),($65,$66,$67,$68)
--;;
INSERT INTO "audit_logs" ("action","actor","inserted_at","target_id") VALUES ($1,$2,$3,$4),($5,$6,$7,$8),($9,$10,$11,$12),($13,$14,$15,$16),($17,$18,$19,$20),($21,$22,$23,$24),($25,$26,$27,$28),($29,$30,$31,$32),($33,$34,$35,$36),($37,$38,$39,$40),($41,$42,$43,$44),($45,$46,$47,$48),($49,$50,$51,$52),($53,$54,$55,$56),($57,$58,$59,$60),($61,$62,$63,$64),($65,$66,$67,$68),($69,$70,$71,$72)
--;;
INSERT INTO "audit_logs" ("action","actor","target_id","inserted_at") VALUES ($1,$2,$3,$4) RETURNING "id"
--;;
INSERT INTO "comments" ("body","post_id","user_id","inserted_at","updated_at") VALUES ($1,$2,$3,$4,$5) RETURNING "id"
--;;
INSERT INTO "events" ("kind","payload","workspace_id","inserted_at") VALUES ($1,$2,$3,$4) RETURNING "id"
--;;
INSERT INTO "order_items" ("order_id","price_cents","product_id","qty") VALUES ($1,$2,$3,$4) RETURNING "id"
--;;
INSERT INTO "order_items" ("order_id","price_cents","product_id","qty") VALUES ($1,$2,$3,$4),($5,$6,$7,$8),($9,$10,$11,$12)
--;;
INSERT INTO "order_items" ("order_id","price_cents","product_id","qty") VALUES ($1,$2,$3,$4),($5,$6,$7,$8),($9,$10,$11,$12),($13,$14,$15,$16)
--;;
INSERT INTO "orders" ("ref","status","total_cents","user_id","inserted_at","updated_at") VALUES ($1,$2,$3,$4,$5,$6) RETURNING "id"
--;;
INSERT INTO "posts" ("body","status","title","user_id","inserted_at","updated_at") VALUES ($1,$2,$3,$4,$5,$6) RETURNING "id"
--;;
INSERT INTO "products" ("name","price_cents","sku","stock","inserted_at","updated_at") VALUES ($1,$2,$3,$4,$5,$6) ON CONFLICT ("sku") DO UPDATE SET "price_cents" = EXCLUDED."price_cents","updated_at" = EXCLUDED."updated_at" RETURNING "id"
--;;
INSERT INTO "products" ("name","price_cents","sku","stock","inserted_at","updated_at") VALUES ($1,$2,$3,$4,$5,$6) RETURNING "id"
--;;
INSERT INTO "schema_migrations" ("version","inserted_at") VALUES ($1,$2)
--;;
INSERT INTO "users" ("email","inserted_at","updated_at") VALUES ($1,$2,$3) RETURNING "id"
--;;
INSERT INTO "users" ("email","name","inserted_at","updated_at") VALUES ($1,$2,$3,$4) RETURNING "id"
--;;
INSERT INTO "users" ("email","name","org_id","inserted_at","updated_at") VALUES ($1,$2,$3,$4,$5) RETURNING "id"
--;;
LOCK TABLE "schema_migrations" IN SHARE UPDATE EXCLUSIVE MODE
--;;
SELECT $body$a 'dollar' quoted $1 -- text
with newline$body$, $$;$$, E'esc\'aped\n', U&'\0061'
--;;
SELECT 'Grüße, 世界 🐘'::text AS greeting, $1::text
--;;
SELECT a."id", b."weird ""col" FROM (SELECT 1 AS id) a, (SELECT 2 AS "weird ""col") b WHERE true
--;;
SELECT a0."id", a0."actor", a0."action", a0."target_id", a0."inserted_at" FROM "audit_logs" AS a0 WHERE (a0."id" = 1) LIMIT 1
--;;
SELECT a0."id", a0."key", a0."value" FROM "app_settings" AS a0 WHERE (a0."key" = $1)
--;;
SELECT c0."id" FROM "comments" AS c0 WHERE (c0."id" > $1) ORDER BY c0."id" LIMIT 100
--;;
SELECT c0."id", c0."body", c0."post_id", c0."user_id", c0."inserted_at", c0."updated_at" FROM "comments" AS c0 ORDER BY c0."id" LIMIT 20 OFFSET $1
--;;
SELECT c0."id", c0."body", c0."post_id", c0."user_id", c0."inserted_at", c0."updated_at" FROM "comments" AS c0 WHERE (c0."id" > $1) ORDER BY c0."id" LIMIT $2
--;;
SELECT c0."id", c0."body", c0."post_id", c0."user_id", c0."inserted_at", c0."updated_at" FROM "comments" AS c0 WHERE (c0."post_id" = $1)
--;;
SELECT c0."id", c0."body", c0."post_id", c0."user_id", c0."inserted_at", c0."updated_at" FROM "comments" AS c0 WHERE (c0."post_id" = $1) ORDER BY c0."inserted_at"
--;;
SELECT c0."id", c0."body", c0."post_id", c0."user_id", c0."inserted_at", c0."updated_at" FROM "comments" AS c0 WHERE (c0."post_id" = ANY($1))
--;;
SELECT c0."id", c0."body", c0."post_id", c0."user_id", c0."inserted_at", c0."updated_at", c0."post_id" FROM "comments" AS c0 WHERE (c0."post_id" = $1) ORDER BY c0."post_id"
--;;
SELECT c0."id", c0."body", c0."post_id", c0."user_id", c0."inserted_at", c0."updated_at", c0."post_id" FROM "comments" AS c0 WHERE (c0."post_id" = ANY($1)) ORDER BY c0."post_id"
--;;
SELECT c0."user_id", count(c0."id"), max(c0."body") FROM "comments" AS c0 GROUP BY c0."user_id"
--;;
SELECT count(*) FROM "comments" AS c0 WHERE (c0."post_id" = $1)
--;;
SELECT count(*) FROM "import_rows" AS i0 INNER JOIN "users" AS u1 ON u1."id" = i0."id" WHERE (i0."batch" = $1)
--;;
SELECT count(*) FROM "orders" AS o0 WHERE (o0."user_id" = $1)
--;;
SELECT count(*) FROM "posts" AS p0 WHERE (p0."user_id" = $1)
--;;
SELECT count(*) FROM "tags" AS t0
--;;
SELECT count(DISTINCT p0."body") FROM "posts" AS p0
--;;
SELECT count(o0."id"), max(o0."ref") FROM "orders" AS o0 WHERE ((o0."status" = $1) AND (o0."total_cents" > 600))
--;;
SELECT e0."id", e0."workspace_id", e0."kind", e0."payload", e0."inserted_at" FROM "events" AS e0 WHERE (e0."workspace_id" = $1) ORDER BY e0."id" LIMIT 20
--;;
SELECT e0."id", e0."workspace_id", e0."kind", e0."payload", e0."inserted_at" FROM "events" AS e0 WHERE (e0."workspace_id" = $1) ORDER BY e0."inserted_at" DESC LIMIT 20
--;;
SELECT id,
       email
  FROM users -- a line comment with 'quote' and "dq"
 WHERE id = $1
   AND name <> 'it''s; /* not a comment */'
--;;
SELECT j0."id", j0."state", j0."queue", j0."args", j0."attempted_at", j0."scheduled_at" FROM "jobs" AS j0 WHERE (j0."id" = $1)
--;;
SELECT o0."id" FROM "orders" AS o0 WHERE (o0."user_id" < 300)
--;;
SELECT o0."id", o0."qty", o0."price_cents", o0."order_id", o0."product_id", o0."order_id" FROM "order_items" AS o0 WHERE (o0."order_id" = $1) ORDER BY o0."order_id"
--;;
SELECT o0."id", o0."status", o0."total_cents", o0."ref", o0."user_id", o0."inserted_at", o0."updated_at" FROM "orders" AS o0 WHERE ((o0."ref"::bigint = $1) AND (o0."id" <= 400000))
--;;
SELECT o0."id", o0."status", o0."total_cents", o0."ref", o0."user_id", o0."inserted_at", o0."updated_at" FROM "orders" AS o0 WHERE (o0."id" = $1)
--;;
SELECT o0."id", o0."status", o0."total_cents", o0."ref", o0."user_id", o0."inserted_at", o0."updated_at" FROM "orders" AS o0 WHERE (o0."status" = $1) ORDER BY o0."id" LIMIT 100
--;;
SELECT o0."id", o0."status", o0."total_cents", o0."ref", o0."user_id", o0."inserted_at", o0."updated_at" FROM "orders" AS o0 WHERE (o0."user_id" = $1) LIMIT 2
--;;
SELECT o0."id", o0."status", o0."total_cents", o0."ref", o0."user_id", o0."inserted_at", o0."updated_at" FROM "orders" AS o0 WHERE (o0."user_id" = $1) LIMIT 20
--;;
SELECT o0."id", o0."status", o0."total_cents", o0."ref", o0."user_id", o0."inserted_at", o0."updated_at" FROM "orders" AS o0 WHERE (o0."user_id" = $1) ORDER BY o0."id" DESC LIMIT 3
--;;
SELECT o0."product_id", sum(o0."qty" * o0."price_cents") FROM "order_items" AS o0 INNER JOIN "orders" AS o1 ON o1."id" = o0."order_id" WHERE (o1."status" != 'refunded') GROUP BY o0."product_id" ORDER BY sum(o0."qty" * o0."price_cents") DESC LIMIT 10
--;;
SELECT p0."id", p0."sku", p0."name", p0."price_cents", p0."stock", p0."inserted_at", p0."updated_at" FROM "products" AS p0 WHERE (p0."id" = $1)
--;;
SELECT p0."id", p0."sku", p0."name", p0."price_cents", p0."stock", p0."inserted_at", p0."updated_at" FROM "products" AS p0 WHERE (p0."id" = $1) FOR UPDATE
--;;
SELECT p0."id", p0."sku", p0."name", p0."price_cents", p0."stock", p0."inserted_at", p0."updated_at" FROM "products" AS p0 WHERE (p0."id" = ANY($1))
--;;
SELECT p0."id", p0."sku", p0."name", p0."price_cents", p0."stock", p0."inserted_at", p0."updated_at" FROM "products" AS p0 WHERE (p0."id" > $1) ORDER BY p0."id" LIMIT $2
--;;
SELECT p0."id", p0."title", p0."body", p0."status", p0."user_id", p0."inserted_at", p0."updated_at" FROM "posts" AS p0 WHERE (p0."id" = $1)
--;;
SELECT p0."id", p0."title", p0."body", p0."status", p0."user_id", p0."inserted_at", p0."updated_at" FROM "posts" AS p0 WHERE (p0."id" = ANY($1))
--;;
SELECT p0."id", p0."title", p0."body", p0."status", p0."user_id", p0."inserted_at", p0."updated_at" FROM "posts" AS p0 WHERE (p0."status" = 'published') ORDER BY p0."id" DESC LIMIT $1 OFFSET $2
--;;
SELECT p0."id", p0."title", p0."body", p0."status", p0."user_id", p0."inserted_at", p0."updated_at" FROM "posts" AS p0 WHERE (p0."title" ILIKE $1) LIMIT 50
--;;
SELECT p0."id", p0."title", p0."body", p0."status", p0."user_id", p0."inserted_at", p0."updated_at" FROM "posts" AS p0 WHERE (p0."user_id" < $1)
--;;
SELECT p0."id", p0."title", p0."body", p0."status", p0."user_id", p0."inserted_at", p0."updated_at" FROM "posts" AS p0 WHERE (p0."user_id" = $1) LIMIT 5
--;;
SELECT p0."id", p0."title", p0."body", p0."status", p0."user_id", p0."inserted_at", p0."updated_at" FROM "posts" AS p0 WHERE (p0."user_id" = $1) LIMIT 6
--;;
SELECT p0."id", p0."title", p0."body", p0."status", p0."user_id", p0."inserted_at", p0."updated_at" FROM "posts" AS p0 WHERE (p0."user_id" = $1) ORDER BY p0."id" DESC LIMIT 10
--;;
SELECT p0."id", p0."title", p0."body", p0."status", p0."user_id", p0."inserted_at", p0."updated_at" FROM "posts" AS p0 WHERE (p0."user_id" = $1) ORDER BY p0."id" DESC LIMIT 5
--;;
SELECT p0."id", p0."title", p0."body", p0."status", p0."user_id", p0."inserted_at", p0."updated_at" FROM "posts" AS p0 WHERE (p0."user_id" = $1) ORDER BY p0."id" LIMIT 5
--;;
SELECT p0."id", p0."title", p0."body", p0."status", p0."user_id", p0."inserted_at", p0."updated_at" FROM "posts" AS p0 WHERE (p0."user_id" = ANY($1)) LIMIT 50
--;;
SELECT p0."id", p0."title", p0."body", p0."status", p0."user_id", p0."inserted_at", p0."updated_at", c2."id", c2."body", c2."post_id", c2."user_id", c2."inserted_at", c2."updated_at", u1."id", u1."email", u1."name", u1."org_id", u1."inserted_at", u1."updated_at" FROM "posts" AS p0 INNER JOIN "users" AS u1 ON u1."id" = p0."user_id" LEFT OUTER JOIN "comments" AS c2 ON c2."post_id" = p0."id" WHERE (p0."user_id" = $1)
--;;
SELECT s0."version" FROM "schema_migrations" AS s0
--;;
SELECT sum(o0."total_cents") FROM "orders" AS o0 WHERE (o0."user_id" = $1)
--;;
SELECT t0."id", t0."name" FROM "tags" AS t0
--;;
SELECT t0."id", t0."name" FROM "tags" AS t0 LIMIT 10
--;;
SELECT t0."id", t0."name" FROM "tags" AS t0 LIMIT 20
--;;
SELECT t0."id", t0."name" FROM "tags" AS t0 LIMIT 5
--;;
SELECT t0."id", t0."name" FROM "tags" AS t0 WHERE (t0."id" = $1)
--;;
SELECT t0."id", t0."name", p1."post_id"::bigint FROM "tags" AS t0 INNER JOIN "post_tags" AS p1 ON t0."id" = p1."tag_id" WHERE (p1."post_id" = ANY($1)) ORDER BY p1."post_id"::bigint
--;;
SELECT u0."id", u0."email", u0."name", u0."org_id", u0."inserted_at", u0."updated_at" FROM "users" AS u0 WHERE ((u0."org_id" = $1) AND (u0."id" <= 20000)) LIMIT 8
--;;
SELECT u0."id", u0."email", u0."name", u0."org_id", u0."inserted_at", u0."updated_at" FROM "users" AS u0 WHERE (lower(u0."email") = $1)
--;;
SELECT u0."id", u0."email", u0."name", u0."org_id", u0."inserted_at", u0."updated_at" FROM "users" AS u0 WHERE (u0."email" = $1)
--;;
SELECT u0."id", u0."email", u0."name", u0."org_id", u0."inserted_at", u0."updated_at" FROM "users" AS u0 WHERE (u0."id" = $1)
--;;
SELECT u0."id", u0."email", u0."name", u0."org_id", u0."inserted_at", u0."updated_at" FROM "users" AS u0 WHERE (u0."id" = ANY($1))
--;;
SELECT u0."id", u0."email", u0."name", u0."org_id", u0."inserted_at", u0."updated_at" FROM "users" AS u0 WHERE (u0."id" > $1) ORDER BY u0."id" LIMIT $2
--;;
SELECT u0."id", u0."email", u0."name", u0."org_id", u0."inserted_at", u0."updated_at", u0."id" FROM "users" AS u0 WHERE (u0."id" = $1)
--;;
SELECT u0."id", u0."email", u0."name", u0."org_id", u0."inserted_at", u0."updated_at", u0."id" FROM "users" AS u0 WHERE (u0."id" = ANY($1))
--;;
SET LOCAL statement_timeout = '40ms'
--;;
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ
--;;
UPDATE "jobs" AS j0 SET "attempted_at" = $1 WHERE (j0."id" IN (SELECT sj0."id" FROM "jobs" AS sj0 WHERE (((sj0."state" = 'available') AND (sj0."queue" = 'default')) AND (sj0."scheduled_at" <= $2)) ORDER BY sj0."scheduled_at", sj0."id" LIMIT 1 FOR UPDATE SKIP LOCKED)) RETURNING j0."id", j0."state", j0."queue", j0."args", j0."attempted_at", j0."scheduled_at"
--;;
UPDATE "orders" SET "total_cents" = $1, "updated_at" = $2 WHERE "id" = $3
--;;
UPDATE "posts" AS p0 SET "updated_at" = $1 WHERE (p0."id" = $2)
--;;
UPDATE "posts" SET "title" = $1, "updated_at" = $2 WHERE "id" = $3
--;;
UPDATE "posts" SET "updated_at" = $1 WHERE "id" = $2
--;;
UPDATE "products" AS p0 SET "stock" = p0."stock" + $1 WHERE (p0."id" = $2)
--;;
UPDATE "products" SET "stock" = $1, "updated_at" = $2 WHERE "id" = $3
--;;
UPDATE "users" SET "name" = $1, "updated_at" = $2 WHERE "id" = $3
--;;
begin
--;;
commit
--;;
rollback
