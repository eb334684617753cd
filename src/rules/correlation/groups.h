// The groups of every correlation and the hosts that their events come from, in bounded memory: over a limit the group
// that was touched longest ago is given up. Used by correlator.cc. One thread at a time.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "rules/correlation/correlator.h"
#include "rules/correlation/group.h"
#include "rules/correlation/state_bytes.h"

namespace redoubt::rules::correlation {

struct HeldGroup;

// Of a host, a boot or a correlation, in what is read back.
constexpr size_t kIdLengthMax = 256;

// The time on a host, as its events tell: it goes on over a boot.
struct HostClock {
  int64_t newest_us = 0;
  std::map<std::pair<int64_t, uint64_t>, HeldGroup*> due;  // by time and the group's number: windows that will be over
};

// One boot of a host: its place in the order of numbers.
struct Source {
  std::string host_id, boot_id, host_name;
  uint64_t sequence = 0;  // the highest that was taken
  uint64_t touched = 0;   // the later, the higher
  HostClock* clock = nullptr;
};

struct HeldGroup {
  Group group;
  std::string name;  // the group's values, as in Observation
  uint32_t correlation = 0;
  uint32_t source = 0;  // of the latest event
  uint64_t number = 0;  // unique while the correlator runs
  int64_t due_us = 0;   // where it stands in its host's `due`; 0: nowhere
  size_t bytes = 0;     // as accounted
  std::list<HeldGroup>::iterator self;
};

class Groups {
 public:
  Groups(std::span<const Correlation> correlations, const CorrelatorOptions& limits);

  // The one with the name, moved to the young end; made where there is none.
  HeldGroup& touch(uint32_t correlation, const std::string& name, uint32_t source);
  // After its entries changed: its memory, its time. It is gone if it is empty.
  void settle(HeldGroup& held);
  void remove(HeldGroup& held);
  // Gives up the oldest groups past the limits.
  void make_room();

  uint32_t source_of(std::string_view host_id, std::string_view boot_id);
  Source& source(uint32_t number) { return sources_[number]; }
  const Source& source(uint32_t number) const { return sources_[number]; }

  // None held, the same limits.
  Groups emptied() const { return {correlations_, limits_}; }
  void write(ByteWriter& writer, std::span<const std::string> keys) const;
  // Into empty groups; `correlation_of` finds a correlation by its key, or none.
  void read(ByteReader& reader, const std::map<std::string, uint32_t, std::less<>>& correlation_of);

  GivenUp given_up;
  size_t bytes() const { return bytes_; }
  size_t count() const;

 private:
  struct OfCorrelation {
    std::list<HeldGroup> by_age;  // touched longest ago first
    std::unordered_map<std::string_view, HeldGroup*> by_name;
    size_t bytes = 0;
  };

  void forget_idle(uint32_t correlation, const HeldGroup& kept);
  void give_up_oldest(uint32_t correlation);
  void arm(HeldGroup& held);
  void disarm(HeldGroup& held);
  Source& add_source(const std::string& host_id, const std::string& boot_id);
  void compact_sources();
  void read_group(ByteReader& reader, const uint32_t* correlation, uint32_t sources);

  std::span<const Correlation> correlations_;
  CorrelatorOptions limits_;
  std::vector<OfCorrelation> of_;
  std::map<std::string, HostClock, std::less<>> clocks_;  // by host
  std::vector<Source> sources_;
  std::map<std::pair<std::string, std::string>, uint32_t, std::less<>> number_of_;
  size_t bytes_ = 0;
  uint64_t next_number_ = 1;
  uint64_t clock_ = 0;
};

}  // namespace redoubt::rules::correlation
