// Windows event log records as JSON: flat as NXLog and Logstash write them, nested as the event's XML, and in ECS
// documents of Winlogbeat. Sysmon's fields are those that Sigma's rules name. Inside this folder only. One thread.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "event/dialect/member_map.h"
#include "event/dialect/record.h"

namespace redoubt::event::dialect {

// What all shapes of a record have under one name or another; "" with a null data pointer where it is not there.
struct WindowsHeads {
  std::string_view channel;
  std::string_view code;
  std::string_view provider;
  std::string_view host;
  std::string_view time;
  std::string_view type;  // of a registry event
};

class WindowsReader {
 public:
  // Nothing where the record is no Windows event.
  std::optional<WindowsHeads> heads_of(const Record& record);
  void add(const Record& record, const WindowsHeads& heads, BatchBuilder& batch);

 private:
  // What is to be known of a member by its name.
  struct Meaning {
    bool looked_up = false;
    std::string_view WindowsHeads::* head = nullptr;  // which of them it says, if any
    uint8_t rank = 0;                                 // among the names of that head: the lowest counts
    std::string_view own_name;
  };
  static Meaning meaning_of(std::string_view name);
  const Meaning& meaning_of(const Member& member);

  MemberMap map_{NameFamily::sigma};
  std::vector<Meaning> meanings_;  // by the name's number
  Meaning passing_;                // of a name without one
};

}  // namespace redoubt::event::dialect
