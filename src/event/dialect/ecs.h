// Documents after the Elastic Common Schema, nested or with dotted names. Inside this folder only. One thread.
#pragma once

#include "event/dialect/member_map.h"
#include "event/dialect/record.h"

namespace redoubt::event::dialect {

class EcsReader {
 public:
  static bool knows(const Record& record);
  void add(const Record& record, BatchBuilder& batch);

 private:
  MemberMap map_{NameFamily::ecs};
};

}  // namespace redoubt::event::dialect
