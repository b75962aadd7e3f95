#include "advice/incident_fixes.h"

#include <gtest/gtest.h>

#include "advice/ddl_text.h"
#include "advice/ecto_fix.h"
#include "core/ddl.h"

namespace ectoscope {
namespace {

Query query(Operation operation, const std::string& table, std::string text = {},
            uint16_t ddl = 0) {
  Query one;
  one.operation = operation;
  one.tables = {table};
  one.text = std::move(text);
  one.ddl = ddl;
  one.inserted_rows = 1;
  return one;
}

Fix fix(Remedy remedy, const Query* about, const Observation& worst = {},
        std::string_view kind = "lock_wait", const Query* parent = nullptr) {
  return advise({kind, remedy, about, parent, &worst});
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST(IncidentFixes, AMultiOfBothWrites) {
  const Query order = query(Operation::kInsert, "orders");
  const Query stock = query(Operation::kUpdate, "products");
  EXPECT_EQ(fix(Remedy::kMulti, &stock, {}, "non_atomic_writes", &order).ecto,
            "Multi.new()\n"
            "|> Multi.insert(:order, Order.changeset(%Order{}, attrs))\n"
            "|> Multi.update(:product, Product.changeset(product, attrs))\n"
            "|> Repo.transaction()");
  const Query job = query(Operation::kInsert, "oban_jobs");
  EXPECT_EQ(fix(Remedy::kMulti, &job, {}, "non_atomic_writes", &order).ecto,
            "Multi.new()\n"
            "|> Multi.insert(:order, Order.changeset(%Order{}, attrs))\n"
            "|> Oban.insert(:job, Worker.new(args))\n"
            "|> Repo.transaction()");
}

TEST(IncidentFixes, ConstraintsByTheirKind) {
  const Query insert = query(Operation::kInsert, "users");
  const struct {
    const char* evidence;
    const char* constraint;
    std::vector<std::string> columns;
    const char* ecto;
  } cases[] = {
      {"total_unique",
       "users_email_index",
       {"users.email"},
       "unique_constraint(changeset, :email, name: :users_email_index)"},
      {"total_unique",
       "",
       {"users.org_id", "users.slug"},
       "unique_constraint(changeset, [:org_id, :slug])"},
      {"total_foreign_key",
       "posts_user_id_fkey",
       {"posts.user_id"},
       "foreign_key_constraint(changeset, :user_id, name: :posts_user_id_fkey)"},
      {"total_check", "positive", {}, "check_constraint(changeset, :field, name: :positive)"},
      {"total_exclusion",
       "no_overlap",
       {},
       "exclusion_constraint(changeset, :field, name: :no_overlap)"},
      {"total_not_null", "", {"users.name"}, "validate_required(changeset, [:name])"},
  };
  for (const auto& one : cases) {
    Observation worst;
    worst.evidence[one.evidence] = 1;
    worst.constraint = one.constraint;
    worst.columns = one.columns;
    const Fix found = fix(Remedy::kHandleConstraint, &insert, worst, "constraint_violation");
    EXPECT_EQ(found.ecto.substr(0, found.ecto.find('\n')), one.ecto) << one.evidence;
    EXPECT_FALSE(found.advice.empty());
  }
}

TEST(IncidentFixes, NeedNoStatement) {
  for (const Remedy remedy :
       {Remedy::kShortTransaction, Remedy::kLockOrder, Remedy::kRetry, Remedy::kRaiseTimeout,
        Remedy::kPoolSize, Remedy::kMulti, Remedy::kHandleConstraint}) {
    EXPECT_FALSE(fix(remedy, nullptr).advice.empty()) << static_cast<int>(remedy);
  }
  EXPECT_EQ(fix(Remedy::kSafeMigration, nullptr).advice, "");
}

TEST(IncidentFixes, AClientsTimeoutIsTheClients) {
  Observation worst;
  worst.evidence["total_client_cancels"] = 1;
  EXPECT_FALSE(has(fix(Remedy::kRaiseTimeout, nullptr, worst).ecto, "statement_timeout"));
  EXPECT_TRUE(has(fix(Remedy::kRaiseTimeout, nullptr).ecto, "statement_timeout"));
}

TEST(MigrationFixes, TheSafeFormOfExactlyThatDdl) {
  const struct {
    const char* sql;
    uint16_t ddl;
    const char* part;
  } cases[] = {
      {R"(CREATE INDEX "posts_status_inserted_at_index" ON "posts" ("status", "inserted_at"))",
       kDdlBuildsIndex, "create index(:posts, [:status, :inserted_at], concurrently: true)"},
      {R"(CREATE UNIQUE INDEX "u" ON "app"."users" USING btree (lower(email)) WHERE (deleted_at IS NULL))",
       kDdlBuildsIndex,
       "create unique_index(:users, [\"lower(email)\"], name: :u, where: \"(deleted_at IS NULL)\", "
       "concurrently: true)"},
      {R"(create index import_rows_batch_index on import_rows(batch))", kDdlBuildsIndex,
       "create index(:import_rows, [:batch], concurrently: true)"},
      {R"(CREATE INDEX "i" ON "posts" USING gin ("tags") WHERE (kind = $1))", kDdlBuildsIndex,
       "name: :i, using: \"gin\", where: \"...\", concurrently: true)"},
      {R"(DROP INDEX "posts_status_index")", kDdlDropsIndex,
       "name: :posts_status_index, concurrently"},
      {R"(ALTER TABLE "posts" ADD COLUMN "token" uuid DEFAULT gen_random_uuid() NOT NULL)",
       kDdlVolatileDefault, "add :token, :uuid  # no default"},
      {R"(ALTER TABLE "posts" ALTER COLUMN "views" TYPE bigint)", kDdlChangesType,
       "add :views_new, :bigint"},
      {R"(ALTER TABLE "orders" ALTER COLUMN "status" SET NOT NULL)", kDdlSetsNotNull,
       "check: \"status IS NOT NULL\", validate: false)"},
      {R"(ALTER TABLE "posts" ADD CONSTRAINT "posts_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id"))",
       kDdlForeignKey, "modify :user_id, references(:users, validate: false)"},
      {R"(ALTER TABLE "posts" ADD COLUMN "user_id" bigint CONSTRAINT "f" REFERENCES "users"("id"))",
       kDdlForeignKey, "add :user_id, references(:users, validate: false)"},
      {R"(ALTER TABLE "posts" ADD CONSTRAINT "positive" CHECK (views > $1))", kDdlCheck,
       "create constraint(:posts, :positive, check: \"...\", validate: false)"},
      {R"(ALTER TABLE "users" ADD CONSTRAINT "users_email_key" UNIQUE ("email"))", kDdlUnique,
       "UNIQUE USING INDEX users_email_key"},
      {R"(UPDATE "posts" SET "status" = $1)", 0, "repo().update_all"},
  };
  for (const auto& one : cases) {
    const Query about =
        query(Operation::kDdl, has(one.sql, "users\" USING") ? "users" : "posts", one.sql, one.ddl);
    const std::string migration = fix(Remedy::kSafeMigration, &about).migration;
    EXPECT_TRUE(has(migration, one.part)) << one.sql << "\n" << migration;
  }
}

TEST(MigrationFixes, ARenameLeavesTheNameInTheDatabase) {
  const Query column = query(Operation::kDdl, "posts",
                             R"(ALTER TABLE "posts" RENAME COLUMN "title" TO "name")", kDdlRenames);
  EXPECT_EQ(fix(Remedy::kSafeMigration, &column).ecto, "field :name, :type, source: :title");
  const Query table =
      query(Operation::kDdl, "posts", R"(ALTER TABLE "posts" RENAME TO "articles")", kDdlRenames);
  EXPECT_TRUE(has(fix(Remedy::kSafeMigration, &table).ecto, "schema \"posts\""));
}

TEST(MigrationFixes, OddTextIsNoTrouble) {
  for (const char* sql : {"", "CREATE INDEX", "CREATE INDEX ON", "ALTER TABLE", "ALTER TABLE \"x",
                          "CREATE INDEX i ON t (((", "DROP INDEX"}) {
    for (uint16_t bit = 1; bit <= kDdlRewrites; bit = static_cast<uint16_t>(bit << 1U)) {
      const Query about = query(Operation::kDdl, "posts", sql, bit);
      EXPECT_FALSE(bit != kDdlCreatesTable && fix(Remedy::kSafeMigration, &about).advice.empty())
          << sql;
    }
  }
}

}  // namespace
}  // namespace ectoscope
