#include "core/relation.h"

#include <fmt/format.h>

#include <utility>

#include "core/error.h"

namespace repld {

RelationPtr RelationCache::store(Relation relation) {
  RelationPtr& known = by_oid_[relation.oid];
  known = std::make_shared<const Relation>(std::move(relation));
  return known;
}

RelationPtr RelationCache::find(uint32_t oid) const {
  const auto found = by_oid_.find(oid);
  if (found == by_oid_.end()) {
    throw Error(ErrorKind::protocol,
                fmt::format("change of relation {}, which was never described", oid));
  }
  return found->second;
}

}  // namespace repld
