// Windows event log records as JSON: flat as NXLog and Logstash write them, nested as the event's XML, and in ECS
// documents of Winlogbeat. Sysmon's fields are those that Sigma's rules name. Inside this folder only. One thread.
#pragma once

#include "event/dialect/member_map.h"
#include "event/dialect/record.h"

namespace redoubt::event::dialect {

class WindowsReader {
 public:
  static bool knows(const Record& record);
  void add(const Record& record, BatchBuilder& batch);

 private:
  MemberMap map_{NameFamily::sigma};
};

}  // namespace redoubt::event::dialect
