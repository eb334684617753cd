// The process tree around one process, from stored events: ancestors up to the oldest known, the process itself,
// descendants to a depth and a number. A process that ran several programs (execve keeps it) is one node with one image
// a program. Events may be missing, contradict each other or come from a hostile agent: cycles and floods end at
// limits. Blocks while the store works; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "store/events/event_store.h"

namespace redoubt::central {

struct ProcessImage {
  base::Time time;  // 0: not known
  std::string executable, command_line, sha256, working_directory;
};

struct ProcessNode {
  std::string entity_id;
  std::string parent_entity_id;  // empty: not known
  int64_t pid = 0;
  std::string name;                  // of the last program it ran
  std::vector<ProcessImage> images;  // oldest first
  std::string user;
  std::optional<int64_t> user_id;
  base::Time start, end;  // 0: not known, or still running
  std::optional<int64_t> exit_code;
  bool children_more = false;  // it has children that are not among the nodes
};

struct ProcessTree {
  std::string focus;
  std::vector<ProcessNode> nodes;  // the oldest ancestor first; a parent stands before its children
  bool truncated = false;
};

constexpr uint32_t kTreeDepthDefault = 3;
constexpr uint32_t kTreeDepthMax = 20;
constexpr size_t kTreeNodesMax = 1000;
constexpr size_t kTreeAncestorsMax = 64;

struct TreeRequest {
  std::string entity_id;
  std::string host_id;  // empty: any host; slower
  uint32_t depth = kTreeDepthDefault;
};

// not_found where no stored event knows the process.
Result<ProcessTree> build_process_tree(store::EventStore& events, const TreeRequest& request);

}  // namespace redoubt::central
