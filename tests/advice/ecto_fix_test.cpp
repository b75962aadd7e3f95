#include "advice/ecto_fix.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ectoscope {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

Query select(const std::string& table, std::vector<Predicate> predicates) {
  Query query;
  query.operation = Operation::kSelect;
  query.tables = {table};
  query.predicates = std::move(predicates);
  for (const Predicate& predicate : query.predicates) {
    if (predicate.column != "id" && !predicate.column.ends_with("_id")) continue;
    query.key_table = predicate.table;
    query.key_column = predicate.column;
    break;
  }
  return query;
}

Predicate equal(const std::string& table, const std::string& column, bool list = false) {
  return {table, column, "=", 1, list, false, false};
}

Query with_text(Query query, const char* text) {
  query.text = text;
  return query;
}

Query with_order_and_limit(Query query) {
  query.order_by = {{"comments", "inserted_at", true}};
  query.has_limit = true;
  return query;
}

Query locking(Query query) {
  query.locks_rows = true;
  return query;
}

Query figure(Query query) {
  query.aggregate = true;
  return query;
}

Query joined(Query query) {
  query.has_join = true;
  return query;
}

const Query kUsers = select("users", {});
const Query kPosts = select("posts", {});
const Query kCategories = select("categories", {});

struct Case {
  const char* why;
  Remedy remedy;
  Query child;
  const Query* parent;
  const char* advice;  // a part of it
  const char* ecto;
  std::vector<std::string> varying = {};
};

Query by_key(Query query, const std::string& column) {
  query.key_form = KeyForm::kSingle;
  query.key_table = query.tables[0];
  query.key_column = column;
  return query;
}

Predicate wrapped(const std::string& table, const std::string& column) {
  return {table, column, "=", 2, false, true, false};
}

Predicate compared(const std::string& table, const std::string& column, const char* op,
                   uint16_t slot = 2) {
  return {table, column, op, slot, false, false, false};
}

const Query kOneUser = by_key(select("users", {equal("users", "id")}), "id");
const Query kSetting = by_key(select("settings", {equal("settings", "key")}), "key");
const Query kPostsByStatus =
    with_text(by_key(select("posts", {equal("posts", "status")}), "status"),
              R"(SELECT p0."id", p0."user_id" FROM "posts" AS p0 WHERE (p0."status" = $1))");
const Query kStock = by_key(
    select("stock", {equal("stock", "warehouse_id"), equal("stock", "sku")}), "warehouse_id");

const std::vector<Case> kReads = {
    {"has_many", Remedy::kPreload, select("posts", {equal("posts", "user_id")}), &kUsers,
     "Preload :posts for all users at once (:post if it is a has_one).",
     "Repo.preload(users, :posts)"},
    {"has_many, parent not seen", Remedy::kPreload, select("posts", {equal("posts", "user_id")}),
     nullptr, "Preload :posts for all users at once", "Repo.preload(users, :posts)"},
    {"the key is not named after the parent", Remedy::kPreload,
     select("posts", {equal("posts", "author_id")}), &kUsers,
     "if User has_many :posts with foreign_key: :author_id", "Repo.preload(users, :posts)"},
    {"a multi-tenant prefix", Remedy::kPreload,
     select("acme.order_items", {equal("acme.order_items", "order_id")}), nullptr,
     "Preload :order_items", "Repo.preload(orders, :order_items)"},
    {"belongs_to", Remedy::kPreload, select("users", {equal("users", "id")}), &kPosts,
     "if Post belongs_to :user", "Repo.preload(posts, :user)"},
    {"belongs_to, parent not seen", Remedy::kPreload, select("users", {equal("users", "id")}),
     nullptr, "if they belong_to :user", "Repo.preload(records, :user)"},
    {"a tree", Remedy::kPreload, select("categories", {equal("categories", "id")}), &kCategories,
     "if Category belongs_to :parent", "Repo.preload(categories, :parent)"},
    {"a filter besides the key", Remedy::kPreload,
     select("posts", {equal("posts", "user_id"), equal("posts", "status")}), &kUsers,
     "Preload :posts", "Repo.preload(users, posts: from(p in Post, where: p.status == ^status))"},
    {"a limit for each parent", Remedy::kPreload,
     with_order_and_limit(select("comments", {equal("comments", "post_id")})), &kPosts,
     "a limit in a preload query counts for all parents",
     "ranked = from(c in Comment, select: %{id: c.id, rank: over(row_number(), partition_by: "
     "c.post_id, order_by: [desc: c.inserted_at])})\n"
     "first_comments = from(c in Comment, join: r in subquery(ranked), on: r.id == c.id and "
     "r.rank <= ^limit)\nRepo.preload(posts, comments: first_comments)"},
    {"many_to_many", Remedy::kPreload, joined(select("tags", {equal("post_tags", "post_id")})),
     &kPosts, "through post_tags", "Repo.preload(posts, :tags)"},
    {"a preload of one record in a loop", Remedy::kPreload,
     joined(select("tags", {equal("post_tags", "post_id", true)})), &kPosts,
     "give Repo.preload the whole list", "Repo.preload(posts, :tags)"},
    {"the same for has_many", Remedy::kPreload,
     select("comments", {equal("comments", "post_id", true)}), &kPosts,
     "give Repo.preload the whole list", "Repo.preload(posts, :comments)"},
    {"get_by", Remedy::kPreload, select("users", {equal("users", "email")}), nullptr,
     "Load the users of all emails in one query before the loop",
     "users = Repo.all(from(u in User, where: u.email in ^emails))\n"
     "users_by_email = Map.new(users, &{&1.email, &1})"},
    {"a column that many rows share", Remedy::kPreload,
     with_order_and_limit(select("posts", {equal("posts", "status")})), nullptr,
     "Load the posts of all statuses",
     "posts = Repo.all(from(p in Post, where: p.status in ^statuses))\n"
     "posts_by_status = Enum.group_by(posts, & &1.status)"},
    {"rows are locked", Remedy::kPreload, locking(select("products", {equal("products", "id")})),
     nullptr, "in the order of the key",
     "products = Repo.all(from(p in Product, where: p.id in ^ids, order_by: p.id, lock: \"FOR "
     "UPDATE\"))"},
    {"no equality at all", Remedy::kPreload, select("users", {}), nullptr, "in one query before it",
     ""},
    {"what ran before found one row, and cannot have the keys of a loop", Remedy::kPreload,
     select("products", {equal("products", "id")}), &kOneUser, "for all records at once",
     "Repo.preload(records, :product)"},
    {"a setting likewise", Remedy::kPreload, select("posts", {equal("posts", "author_id")}),
     &kSetting, "Preload :posts for all authors at once", "Repo.preload(authors, :posts)"},
    {"found by what many rows share", Remedy::kPreload, select("users", {equal("users", "id")}),
     &kPostsByStatus, "if Post belongs_to :user", "Repo.preload(posts, :user)"},
    {"rows that were not deleted, of late", Remedy::kPreload,
     select("posts", {equal("posts", "user_id"), compared("posts", "deleted_at", "IS NULL", 0),
                      compared("posts", "published_at", "IS NOT NULL", 0),
                      compared("posts", "inserted_at", ">="), compared("posts", "inserted_at", "<"),
                      compared("posts", "status", "<>"), compared("users", "state", "=")}),
     &kUsers, "Preload :posts",
     "Repo.preload(users, posts: from(p in Post, where: is_nil(p.deleted_at) and not "
     "is_nil(p.published_at) and p.inserted_at >= ^inserted_at_from and p.inserted_at < "
     "^inserted_at_to and p.status != ^status))"},
    {"another column than the key's varies",
     Remedy::kPreload,
     kStock,
     nullptr,
     "Load the stocks of all skus in one query before the loop, and look them up by sku inside.",
     "stocks = Repo.all(from(s in Stock, where: s.sku in ^skus and s.warehouse_id == "
     "^warehouse_id))\nstocks_by_sku = Map.new(stocks, &{&1.sku, &1})",
     {"stock.sku"}},
    {"two columns vary",
     Remedy::kPreload,
     kStock,
     nullptr,
     "of all warehouse_ids and skus in one query before the loop, and look them up by warehouse_id "
     "and sku inside.",
     "stocks = Repo.all(from(s in Stock, where: s.warehouse_id in ^warehouse_ids and s.sku in "
     "^skus))\nstocks_by_warehouse_id_sku = Map.new(stocks, &{{&1.warehouse_id, &1.sku}, &1})",
     {"stock.warehouse_id", "stock.sku"}},
    {"a count for each status of one user",
     Remedy::kGroupBy,
     with_text(select("tasks", {equal("tasks", "user_id"), equal("tasks", "status")}),
               R"(SELECT count(*) FROM "tasks")"),
     nullptr,
     "Compute the count for all statuses",
     "from(t in Task, where: t.status in ^statuses and t.user_id == ^user_id, group_by: t.status, "
     "select: {t.status, count()}) |> Repo.all() |> Map.new()",
     {"tasks.status"}},
    {"a count for each user and status",
     Remedy::kGroupBy,
     with_text(select("tasks", {equal("tasks", "user_id"), equal("tasks", "status")}),
               R"(SELECT count(*) FROM "tasks")"),
     nullptr,
     "for all user_ids and statuses",
     "from(t in Task, where: t.user_id in ^user_ids and t.status in ^statuses, group_by: "
     "[t.user_id, t.status], select: {{t.user_id, t.status}, count()}) |> Repo.all() |> Map.new()",
     {"tasks.user_id", "tasks.status"}},
    {"a column varies that stands in a function: no code would be right",
     Remedy::kPreload,
     select("posts", {equal("posts", "user_id"), wrapped("posts", "slug")}),
     nullptr,
     "in one query before it",
     "",
     {"posts.slug"}},
    {"count", Remedy::kGroupBy,
     with_text(select("comments", {equal("comments", "post_id")}),
               R"(SELECT count(*) FROM "comments" AS c0 WHERE (c0."post_id" = $1))"),
     &kPosts, "Compute the count for all post_ids",
     "from(c in Comment, where: c.post_id in ^post_ids, group_by: c.post_id, select: {c.post_id, "
     "count()}) |> Repo.all() |> Map.new()"},
    {"sum with a filter", Remedy::kGroupBy,
     with_text(select("orders", {equal("orders", "user_id"), equal("orders", "status")}),
               R"(SELECT sum(o0."total_cents") FROM "orders" AS o0)"),
     &kUsers, "Compute the sum",
     "from(o in Order, where: o.user_id in ^user_ids and o.status == ^status, group_by: o.user_id, "
     "select: {o.user_id, sum(o.total_cents)}) |> Repo.all() |> Map.new()"},
    {"exists?", Remedy::kGroupBy,
     with_text(select("orders", {equal("orders", "user_id")}), R"(SELECT $2 FROM "orders" LIMIT)"),
     &kUsers, "Ask once which of the user_ids have orders",
     "from(o in Order, where: o.user_id in ^user_ids, distinct: true, select: o.user_id) |> "
     "Repo.all() |> MapSet.new()"},
    {"redundant get", Remedy::kMemoize, select("users", {equal("users", "id")}), nullptr,
     "Load it once", "user = Repo.get!(User, id)  # once, then pass user on"},
    {"redundant get_by", Remedy::kMemoize, select("settings", {equal("settings", "key")}), nullptr,
     "Load it once", "setting = Repo.get_by!(Setting, key: key)  # once, then pass setting on"},
    {"redundant list", Remedy::kMemoize, select("posts", {equal("posts", "user_id")}), nullptr,
     "Load it once", "posts = Repo.all(query)  # once, then pass posts on"},
    {"redundant count", Remedy::kMemoize, figure(select("settings", {equal("settings", "key")})),
     nullptr, "Load it once", "result = Repo.one(query)  # once, then pass result on"},
    {"redundant page", Remedy::kMemoize,
     with_order_and_limit(select("settings", {equal("settings", "key")})), nullptr, "Load it once",
     "settings = Repo.all(query)  # once, then pass settings on"},
    {"double mount", Remedy::kSharedMount, select("users", {equal("users", "id")}), nullptr,
     "mounts twice",
     "if connected?(socket), do: assign(socket, :user, Repo.get!(User, id)), else: assign(socket, "
     ":user, nil)\n# or, where a plug has it in conn.assigns:\nassign_new(socket, :user, fn -> "
     "Repo.get!(User, id) end)"},
    {"slow", Remedy::kReadPlan, select("posts", {}), nullptr, "Read its plan",
     "Repo.explain(:all, query, analyze: true, buffers: true)"},
    {"nothing to say", Remedy::kNone, select("posts", {}), nullptr, "", ""},
};

Query write(Operation operation, const std::string& table, std::vector<Predicate> predicates,
            const char* text) {
  Query query = select(table, std::move(predicates));
  query.operation = operation;
  query.text = text;
  query.returning = query.text.find("RETURNING") != std::string::npos;
  return query;
}

const std::vector<Case> kWrites = {
    {"inserts", Remedy::kInsertAll,
     write(Operation::kInsert, "audit_logs", {}, R"(INSERT INTO "audit_logs" VALUES ($1))"),
     nullptr, "Collect the audit_logs", "Repo.insert_all(AuditLog, audit_logs)"},
    {"inserts that give back", Remedy::kInsertAll,
     write(Operation::kInsert, "posts", {}, R"(INSERT INTO "posts" VALUES ($1) RETURNING "id")"),
     nullptr, "Collect the posts", "Repo.insert_all(Post, posts, returning: true)"},
    {"jobs", Remedy::kInsertAll,
     write(Operation::kInsert, "oban_jobs", {}, R"(INSERT INTO "oban_jobs" VALUES ($1))"), nullptr,
     "Build all jobs first", "Oban.insert_all(jobs)"},
    {"upserts", Remedy::kUpsertAll,
     write(Operation::kInsert, "settings", {},
           R"(INSERT INTO "settings" VALUES ($1) ON CONFLICT ("key") DO UPDATE SET "value" = $2)"),
     nullptr, "unique by the conflict target",
     "Repo.insert_all(Setting, settings, on_conflict: {:replace_all_except, [:id, :inserted_at]}, "
     "conflict_target: :key)"},
    {"upserts that do nothing", Remedy::kUpsertAll,
     write(Operation::kInsert, "tags", {},
           R"(INSERT INTO "tags" VALUES ($1) ON CONFLICT ("org_id","name") DO NOTHING)"),
     nullptr, "Upsert all tags",
     "Repo.insert_all(Tag, tags, on_conflict: :nothing, conflict_target: [:org_id, :name])"},
    {"updates", Remedy::kUpdateAll,
     write(Operation::kUpdate, "products", {equal("products", "id")},
           R"(UPDATE "products" SET "price_cents" = $1, "updated_at" = $2 WHERE "id" = $3)"),
     nullptr, "Update all products in one statement",
     "from(p in Product, where: p.id in ^ids) |> Repo.update_all(set: [price_cents: ^price_cents, "
     "updated_at: ^now])\n# or, each with its own values (rows need all NOT NULL columns):\n"
     "Repo.insert_all(Product, rows, on_conflict: {:replace, [:price_cents, :updated_at]}, "
     "conflict_target: :id)"},
    {"increments", Remedy::kUpdateAll,
     write(Operation::kUpdate, "products", {equal("products", "id")},
           R"(UPDATE "products" AS p0 SET "stock" = p0."stock" - $1 WHERE (p0."id" = $2))"),
     nullptr, "Update all products in one statement.",
     "from(p in Product, where: p.id in ^ids) |> Repo.update_all(inc: [stock: ^stock])"},
    {"deletes", Remedy::kDeleteAll,
     write(Operation::kDelete, "cart_items", {equal("cart_items", "id")},
           R"(DELETE FROM "cart_items" WHERE "id" = $1)"),
     nullptr, "Delete all cart_items",
     "from(c in CartItem, where: c.id in ^ids) |> Repo.delete_all()"},
    {"deletes of one order's lines",
     Remedy::kDeleteAll,
     write(Operation::kDelete, "lines", {equal("lines", "order_id"), equal("lines", "sku")},
           R"(DELETE FROM "lines" WHERE "order_id" = $1 AND "sku" = $2)"),
     nullptr,
     "Delete all lines",
     "from(l in Line, where: l.sku in ^skus and l.order_id == ^order_id) |> Repo.delete_all()",
     {"lines.sku"}},
    {"a slow insert", Remedy::kReadPlan, write(Operation::kInsert, "posts", {}, ""), nullptr,
     "what it waits for", ""},
};

TEST(EctoFix, SaysWhatToWrite) {
  for (const auto* cases : {&kReads, &kWrites}) {
    for (const Case& c : *cases) {
      const Fix fix = advise(c.remedy, c.child, c.parent, c.varying);
      EXPECT_THAT(fix.advice, HasSubstr(c.advice)) << c.why;
      EXPECT_EQ(fix.ecto, c.ecto) << c.why;
    }
  }
}

TEST(EctoFix, TakesAQueryOfWhichNothingIsKnown) {
  const Query nothing;
  for (int remedy = 0; remedy <= static_cast<int>(Remedy::kReadPlan); ++remedy)
    EXPECT_NO_THROW(advise(static_cast<Remedy>(remedy), nothing, &nothing)) << remedy;
  EXPECT_THAT(advise(Remedy::kNone, nothing, nullptr).advice, IsEmpty());
}

}  // namespace
}  // namespace ectoscope
