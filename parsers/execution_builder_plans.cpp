// The part of ExecutionBuilder that ties plans to their executions.
#include <algorithm>
#include <utility>

#include "parsers/execution_builder.h"
#include "parsers/plan_text.h"

namespace ectoscope {
namespace {

constexpr size_t kLoosePlans =
    8;  // of one run; a function that runs a thousand statements has more

/// Stamps are cut to milliseconds, or to seconds.
Micros stamp_error(const Execution& execution) {
  return execution.has(Execution::kCoarseTime) ? Micros(1'000'000) : Micros(1000);
}

/// Whether `inner` ran while `outer` did.  One backend runs one statement at a time, so then it is
/// the same one or nested in it.
bool contained(const Execution& inner, const Execution& outer) {
  const Micros error = stamp_error(outer);
  return inner.started_at + error >= outer.started_at && inner.ended_at <= outer.ended_at + error;
}

}  // namespace

std::shared_ptr<const Plan> ExecutionBuilder::read(const Message& message) {
  PlanReading reading = read_plan(message.sql, message.duration);
  if (reading.problem != PlanProblem::kNone) ++drops_.plans[static_cast<size_t>(reading.problem)];
  if (reading.plan == nullptr) return nullptr;
  const auto& nodes = reading.plan->nodes;
  const bool as_it_is = std::all_of(nodes.begin(), nodes.end(), [this](const PlanNode& node) {
    return resolver_.shown_schema(node.schema) == node.schema;
  });
  if (as_it_is) return std::move(reading.plan);
  auto plan = std::make_shared<Plan>(*reading.plan);  // VERBOSE, and of a tenant
  for (PlanNode& node : plan->nodes)
    node.schema = resolver_.shown_schema(node.schema);
  return plan;
}

void ExecutionBuilder::on_plan(Session& session, const LogRecord& record, const Message& message) {
  ++fidelity_.plans;
  PendingExecution plan;
  plan.execution.position = position_base_ + record.offset;
  plan.execution.started_at = record.at - message.duration;
  plan.execution.ended_at = record.at;
  plan.execution.duration = message.duration;
  plan.execution.flags = Execution::kPlanOnly | Execution::kHasPlan;
  if (session.statement.open) session.statement.execution.flags |= Execution::kHasPlan;
  if (!resolve(session, record, query_of_plan(message.sql, scratch_), plan)) return;
  plan.plan = read(message);
  const QueryId query = plan.execution.query;
  if (session.statement.open || session.bind.open) {  // a run is under way
    if (session.bind.open) {
      session.bind.planned = true;
      session.bind.plan_query = query;
    }
    if (plan.plan != nullptr && session.loose_plans.size() < kLoosePlans) {
      session.loose_plans.push_back(std::move(plan));
    }
    return;
  }
  if (session.last.known && session.last.query == query && !session.last.own_plan) {
    session.last.own_plan = true;
    if (Execution* last = recent(session.last)) {
      last->flags |= Execution::kHasPlan;
      if (plan.plan != nullptr) add_plan(session.last.number, std::move(plan.plan), nullptr);
    } else {
      ++drops_.late_parts;
    }
    return;
  }
  auto& plans = session.plans;
  if (plans.front().open) {  // full: the oldest has waited the longest
    --session.plans_open;
    ++fidelity_.plan_only;
    build(session, plans.front());
  }
  ++session.plans_open;
  std::move(plans.begin() + 1, plans.end(), plans.begin());
  add_parameters({}, plan);
  plan.open = true;
  plan.own_plan = true;
  plans.back() = std::move(plan);
}

/// The plans that were logged before their own execute, which is this one.  Any other's execute is
/// not logged at all.
void ExecutionBuilder::claim_plans(Session& session, PendingExecution& pending) {
  for (PendingExecution& plan : session.plans) {
    if (!plan.open) continue;
    const bool own = plan.execution.query == pending.execution.query;
    if (!own && !contained(plan.execution, pending.execution)) continue;
    plan.open = false;
    --session.plans_open;
    pending.execution.flags |= Execution::kHasPlan;
    pending.own_plan = pending.own_plan || own;
    if (plan.plan != nullptr) session.loose_plans.push_back(std::move(plan));
  }
  decide_plans(session);
}

void ExecutionBuilder::decide_plans(Session& session) {
  if (session.plans_open == 0) return;
  session.plans_open = 0;
  auto& plans = session.plans;
  for (size_t i = 0; i < plans.size(); ++i) {
    if (!plans[i].open) continue;
    plans[i].open = false;
    // A later plan of the same backend that spans this one is of the statement around it.
    const bool nested = std::any_of(
        plans.begin() + static_cast<std::ptrdiff_t>(i) + 1, plans.end(), [&](const auto& later) {
          return later.open && contained(plans[i].execution, later.execution) &&
                 later.execution.duration > plans[i].execution.duration;
        });
    if (nested) {
      if (plans[i].plan != nullptr) session.loose_plans.push_back(std::move(plans[i]));
      continue;
    }
    ++fidelity_.plan_only;
    build(session, plans[i]);
  }
}

/// Of what was logged while `pending` ran, its own plan and those of statements nested in it.
void ExecutionBuilder::claim_loose_plans(Session& session, const PendingExecution& pending,
                                         uint64_t number) {
  bool own_seen = pending.plan != nullptr;
  for (PendingExecution& loose : session.loose_plans) {
    const bool since =
        loose.execution.started_at + stamp_error(pending.execution) >= pending.execution.started_at;
    if (!own_seen && since && loose.execution.query == pending.execution.query) {
      own_seen = true;
      add_plan(number, std::move(loose.plan), nullptr);
    } else if (contained(loose.execution, pending.execution)) {
      add_plan(number, std::move(loose.plan), &loose.execution);
    }
  }
  session.loose_plans.clear();
}

void ExecutionBuilder::add_plan(uint64_t number, std::shared_ptr<const Plan> plan,
                                const Execution* nested) {
  plans_.push_back(
      {number, nested != nullptr, nested == nullptr ? Execution{} : *nested, std::move(plan)});
}

/// Readies planned_ for the first `count` of batch_.
void ExecutionBuilder::give_out_plans(size_t count) {
  planned_.clear();
  if (plans_.empty()) return;
  std::stable_sort(plans_.begin(), plans_.end(),
                   [](const PlanRow& a, const PlanRow& b) { return a.number < b.number; });
  size_t taken = 0;
  for (; taken < plans_.size() && plans_[taken].number < given_out_ + count; ++taken) {
    PlanRow& row = plans_[taken];
    const size_t at = row.number - given_out_;
    PlannedRun& run = planned_.emplace_back();
    run.at = at;
    run.execution = row.nested ? row.execution : batch_[at];
    if (row.nested) run.execution.trace_id = batch_[at].trace_id;
    run.plan = std::move(row.plan);
  }
  plans_.erase(plans_.begin(), plans_.begin() + static_cast<std::ptrdiff_t>(taken));
}

}  // namespace ectoscope
