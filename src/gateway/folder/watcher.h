// Finds the files of one input folder that are ready to be taken: those that the kernel says were closed after writing
// or moved in, and, by a sweep now and then, all that have stayed as they are for a while (network file systems tell
// nothing, and what is told can be lost). One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <thread>

#include "base/file.h"
#include "gateway/folder/claims.h"
#include "gateway/folder/settings.h"
#include "gateway/stop_flag.h"

namespace redoubt::gateway::folder {

class Watcher {
 public:
  // `offer` takes a file that has been claimed, or says false: no room, later.
  using Offer = std::function<bool(const std::string& relative)>;

  Watcher(const FolderSet& set, Claims& claims, const StopFlag& stop, Offer offer);
  ~Watcher();
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  void start();
  void join();  // once the flag is set

 private:
  struct Candidate {
    FileState state;
    int64_t since_ms = 0;  // unchanged
    enum class Ready : uint8_t { no, yes } ready = Ready::no;
  };

  void run();
  void reset_watches();
  void watch_folder(const std::string& relative);
  void wait_for_events(int64_t time_ms);
  void take_event(int watch, uint32_t mask, const std::string& name);
  void sweep();
  void see(const std::string& relative, const FileState& state);
  void hand_over();

  const FolderSet& set_;
  Claims& claims_;
  const StopFlag& stop_;
  const Offer offer_;
  base::UniqueFd inotify_;
  std::map<int, std::string> folders_;  // by watch
  std::set<std::string> watched_;       // the same by name
  std::map<std::string, Candidate> candidates_;
  int64_t next_sweep_ms_ = 0;
  enum class Reach : uint8_t { unknown, good, lost } reach_ = Reach::unknown;
  std::thread thread_;
};

// Names that programs give to files they are still writing: hidden ones, *.part, *.tmp and the like.
bool is_temporary_name(const std::string& relative);

}  // namespace redoubt::gateway::folder
