// Alerts as Falco writes them, one JSON object a line: the event that the alert is about. Inside this folder only. One
// thread.
#pragma once

#include "event/dialect/member_map.h"
#include "event/dialect/record.h"

namespace redoubt::event::dialect {

class FalcoReader {
 public:
  static bool knows(const Record& record);
  void add(const Record& record, BatchBuilder& batch);

 private:
  MemberMap map_{NameFamily::falco};
};

}  // namespace redoubt::event::dialect
