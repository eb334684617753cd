// The containers of this host that events may still name: those that run and, for a while, those that are gone.
// Bounded. Ring thread only.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "sensor/container/container.h"

namespace redoubt::sensor {

class ContainerTable {
 public:
  // A container that was made. Null if it is known and runs (a container has a cgroup in many hierarchies), and where
  // the table is full of running ones.
  std::shared_ptr<Container> begin(std::string_view id, std::string_view cgroup_path, int64_t now_ns);
  // A cgroup is gone. The container if it ran and this was its own cgroup, in whichever hierarchy; else null.
  std::shared_ptr<Container> end(std::string_view cgroup_path, int64_t now_ns);
  // Ends those that have none of these: what was not told because records were lost.
  std::vector<std::shared_ptr<Container>> end_others(const std::unordered_set<const Container*>& running,
                                                     int64_t now_ns);

  // Whose cgroup it is, or in whose it lies; one that the path names and that is not known is added. Null if none.
  std::shared_ptr<Container> of_path(std::string_view cgroup_path, int64_t now_ns);
  // By a version 2 cgroup that note_cgroup() told.
  std::shared_ptr<Container> of_cgroup(uint64_t cgroup_id) const;
  void note_cgroup(uint64_t cgroup_id, const std::shared_ptr<Container>& container);
  void forget_cgroup(uint64_t cgroup_id) { by_cgroup_.erase(cgroup_id); }

  // Forgets those that ended kEndedLifeNs ago.
  void expire(int64_t now_ns);
  size_t size() const { return by_id_.size(); }

  static constexpr size_t kContainersMax = 8192;
  static constexpr size_t kCgroupsMax = 65536;
  static constexpr int64_t kEndedLifeNs = 30'000'000'000;
  // A container that is being made may have no process yet.
  static constexpr int64_t kBirthNs = 5'000'000'000;

 private:
  struct Entry {
    std::shared_ptr<Container> container;
    int64_t ended_ns = 0;  // 0: runs
  };
  struct Ended {
    std::string id;
    int64_t due_ns;
  };
  std::shared_ptr<Container> add(std::string_view id, std::string_view cgroup_path, int64_t now_ns);
  std::shared_ptr<Container> named_above(std::string_view cgroup_path) const;
  void finish(Entry& entry, int64_t now_ns);
  void erase(const Ended& ended);

  std::unordered_map<std::string, Entry> by_id_;
  std::unordered_map<std::string, std::shared_ptr<Container>> by_path_;  // those whose id a path alone does not show
  std::unordered_map<uint64_t, std::shared_ptr<Container>> by_cgroup_;
  std::deque<Ended> ended_;  // oldest first; may name one that was made again
};

}  // namespace redoubt::sensor
