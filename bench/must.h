// What a bench cannot go on without: an error ends it, and the servers that it started.
#pragma once

#include <sys/types.h>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/result.h"

namespace redoubt::bench {

// Nobody's destructor runs when a bench gives up, from whatever thread.
inline void end_children() {
  std::error_code error;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task", error)) {
    std::ifstream children(task.path() / "children");
    for (pid_t pid = 0; children >> pid;) kill(pid, SIGTERM);
  }
}

[[noreturn]] inline void give_up(const std::string& why) {
  std::fprintf(stderr, "bench: %s\n", why.c_str());
  end_children();
  std::exit(1);
}

template <class T>
T must(Result<T> result) {
  if (!result) give_up(result.error().message);
  return *std::move(result);
}
inline void must(const Status& status) {
  if (!status) give_up(status.error().message);
}

}  // namespace redoubt::bench
