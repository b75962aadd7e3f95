// Small steps over libpg_query's tree, shared by what reads facts from it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <pg_query.pb-c.h>

#include "parsers/sql_skeleton.h"

namespace ectoscope {

/// The message that a node holds; null when it holds none.  Nodes are every other message of a tree
/// and know more than 200 kinds: looking through them all for the one is most of a walk.
inline const ProtobufCMessage* held_by(const PgQuery__Node& node) {
  // All kinds are pointers to messages in one union.
  return node.node_case == PG_QUERY__NODE__NODE__NOT_SET
             ? nullptr
             : reinterpret_cast<const ProtobufCMessage*>(node.alias);
}

/// Calls `visit(message)` for `message` and all below it, in the order of the fields; where it
/// returns false nothing below that message is visited.
template <typename Visit>
void walk_tree(const ProtobufCMessage* message, const Visit& visit) {
  if (message == nullptr || !visit(*message)) return;
  if (message->descriptor == &pg_query__node__descriptor) {
    walk_tree(held_by(*reinterpret_cast<const PgQuery__Node*>(message)), visit);
    return;
  }
  const auto* bytes = reinterpret_cast<const char*>(message);
  const ProtobufCMessageDescriptor& type = *message->descriptor;
  for (const ProtobufCFieldDescriptor& field : std::span(type.fields, type.n_fields)) {
    if (field.type != PROTOBUF_C_TYPE_MESSAGE) continue;
    const char* const at = bytes + field.offset;
    if (field.label == PROTOBUF_C_LABEL_REPEATED) {
      const size_t count = *reinterpret_cast<const size_t*>(bytes + field.quantifier_offset);
      if (count == 0) continue;
      for (const auto* child :
           std::span(*reinterpret_cast<ProtobufCMessage* const* const*>(at), count))
        walk_tree(child, visit);
      continue;
    }
    const bool one_of = (field.flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
    if (one_of && *reinterpret_cast<const uint32_t*>(bytes + field.quantifier_offset) != field.id) {
      continue;
    }
    walk_tree(*reinterpret_cast<const ProtobufCMessage* const*>(at), visit);
  }
}

/// The message as its own type when it is one.
template <typename Message>
const Message* as(const ProtobufCMessage& message, const ProtobufCMessageDescriptor& type) {
  return message.descriptor == &type ? reinterpret_cast<const Message*>(&message) : nullptr;
}

/// Text of a String node; empty for others.
std::string_view string_of(const PgQuery__Node* node);

/// Repeated fields as a span.
inline std::span<PgQuery__Node* const> nodes(PgQuery__Node* const* first, size_t count) {
  return {first, count};
}

/// Last word of a function's or an operator's possibly qualified name.
std::string_view last_name(std::span<PgQuery__Node* const> names);

/// Under casts and COLLATE; `wrapped` tells that there were any.
const PgQuery__Node* unwrap(const PgQuery__Node* node, bool& wrapped);

/// Slots of values: parameters first, then literals.
class SqlSlots {
 public:
  explicit SqlSlots(const SqlSkeleton& skeleton) : skeleton_(skeleton) {}

  /// Of a parameter or a literal, also under a cast; 0 for anything else.
  [[nodiscard]] uint16_t of(const PgQuery__Node* node) const;

 private:
  const SqlSkeleton& skeleton_;
};

}  // namespace ectoscope
