// Name look-ups as events. The first query of a process for a name and type is told at once, and so is the first
// answer; repeats within kWindowNs are counted and told as one event when it ends. What cannot be kept is told at once:
// nothing is lost for want of room. Ring thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "redoubt/event.pb.h"
#include "sensor/decoded.h"
#include "sensor/dns/address_names.h"
#include "sensor/dns/dns_message.h"
#include "sensor/dns/dns_record.h"
#include "sensor/dns/dns_streams.h"

namespace redoubt::sensor {

// An event that lacks what the process table knows. `since_ns` is not 0 where it stands for several.
struct LookupTold {
  rd_head head;
  uint64_t since_ns = 0;
  v1::Event event;
};

class Lookups {
 public:
  explicit Lookups(AddressNames& names, size_t questions_max = kQuestionsMax)
      : names_(names), questions_max_(questions_max) {}

  using Tell = std::function<void(LookupTold&&)>;
  // An rd_dns, aligned to 8 bytes. A piece of a connection gives the events of the messages that it ends. A message
  // that is none of DNS, or an answer that nobody asked for, gives no event.
  Decoded take(std::string_view record, int64_t now_ns, const Tell& tell);
  // Tells the repeats of windows that have ended.
  void expire(int64_t now_ns, const Tell& tell);
  // Tells all repeats.
  void finish(const Tell& tell) { expire(INT64_MAX, tell); }

  size_t size() const { return by_name_.size(); }

  static constexpr size_t kQuestionsMax = 2048;
  static constexpr int64_t kWindowNs = 60'000'000'000;

 private:
  struct Question {
    std::string key;
    rd_head head;  // of the latest query
    std::string server;
    uint16_t server_port;
    const char* transport;
    std::string name;
    std::string type;
    uint16_t id;  // of the latest query
    uint64_t begin_ns;
    uint64_t repeats = 0;
    std::string answer;  // that was told last: code and data
  };
  void take_message(const rd_dns& raw, std::string_view bytes, int64_t now_ns, const Tell& tell);
  void take_query(const rd_dns& raw, const DnsMessage& message, const Tell& tell);
  void take_answer(const rd_dns& raw, const DnsMessage& message, int64_t now_ns, const Tell& tell);
  static v1::Event describe(const Question& question, const char* action);
  void drop_oldest(const Tell& tell);

  AddressNames& names_;
  DnsStreams streams_;
  size_t questions_max_;
  std::list<Question> questions_;  // the oldest first
  std::unordered_map<std::string_view, std::list<Question>::iterator> by_name_;
};

}  // namespace redoubt::sensor
