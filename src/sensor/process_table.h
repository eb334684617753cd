// The processes of this host that events may still name: the running ones and, for a while, the ended ones. Bounded.
// Ring thread only.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "sensor/container/container.h"
#include "sensor/privilege/privilege_decode.h"
#include "sensor/process/process_record.h"

namespace redoubt::sensor {

// A process for as long as the host runs: numbers are used again, the pair is not.
struct ProcessKey {
  uint32_t pid = 0;
  uint64_t start_ns = 0;
  friend bool operator==(const ProcessKey&, const ProcessKey&) = default;
};

inline ProcessKey key_of(const rd_actor& actor) { return {actor.pid, actor.start_ns}; }

enum class HashState { none, pending, known };

// What a process runs; shared by those that forked without exec.
struct Image {
  std::string executable;  // empty for kernel threads and for what could not be found out
  std::string name;
  std::string command_line;
  std::string directory;
  std::string tty;
  std::string script;   // empty unless the program was started for one
  uint32_t places = 0;  // rd_program_place
  rd_program program{};
  HashState hash_state = HashState::none;
  std::string sha256;
};

// vanished: no longer runs, but its end was not told; it may still come.
enum class Life { running, vanished, ended };
enum class Counted { no, yes };

struct Process {
  ProcessKey key;
  ProcessKey parent;
  std::string entity_id;
  std::shared_ptr<Image> image;          // never null
  std::shared_ptr<Container> container;  // null on the host
  std::string comm;                      // as the last record of it said
  std::optional<Identity> identity;      // the same
  uint32_t pid_namespace = 0;            // 0: not known, as its number there
  uint32_t virtual_pid = 0;
  uint32_t children = 0;          // entries of the table that name it as parent
  Counted counted = Counted::no;  // among its parent's children
  Life life = Life::running;
};

class ProcessTable {
 public:
  explicit ProcessTable(size_t processes_max);

  // Null if it is not known. Pointers stay good until the next insert() or expire().
  Process* find(const ProcessKey& key);
  // Adds one that is not there yet; makes room by forgetting the longest ended. Null if there is no room: all run.
  Process* insert(Process process);
  void end(Process& process, Life how, int64_t now_ns);
  // Forgets those that ended kEndedLifeNs ago and have no known children.
  void expire(int64_t now_ns);
  size_t size() const { return entries_.size(); }

  template <class Visit>
  void for_each(Visit&& visit) {
    for (auto& [key, process] : entries_) visit(process);
  }

  static constexpr int64_t kEndedLifeNs = 5'000'000'000;

 private:
  struct KeyHash {
    size_t operator()(const ProcessKey& key) const {
      return static_cast<size_t>(key.start_ns * 0x9E3779B97F4A7C15U ^ key.pid);
    }
  };
  struct Ended {
    ProcessKey key;
    int64_t due_ns;
  };
  void erase(const ProcessKey& key);
  bool make_room();

  size_t processes_max_;
  std::unordered_map<ProcessKey, Process, KeyHash> entries_;
  std::deque<Ended> due_;        // ended, to be forgotten, oldest first
  std::deque<ProcessKey> kept_;  // ended, but named by their children; may hold keys that are gone
};

}  // namespace redoubt::sensor
