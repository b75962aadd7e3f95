// What to do about incidents, transactions and migrations.
#pragma once

#include "core/finding.h"

namespace ectoscope {

/// For the remedies kMulti, kShortTransaction, kLockOrder, kRetry, kRaiseTimeout,
/// kHandleConstraint and kPoolSize; an empty Fix for any other.
Fix incident_fix(const AdviceRequest& request);

/// kSafeMigration: the safe form of exactly that DDL, or of that change of data.
Fix migration_fix(const AdviceRequest& request);

}  // namespace ectoscope
