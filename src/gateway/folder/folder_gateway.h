// The folder gateway as a whole: watchers find files, a queue, couriers carry them, the desk gets their verdicts. Life
// of a file: watcher.h → here → courier.h → mover.h (take) → scan_desk.h → mover.h (place).
#pragma once

#include <memory>

#include "base/result.h"
#include "gateway/folder/mover.h"
#include "gateway/folder/settings.h"
#include "gateway/scanner.h"

namespace redoubt::gateway::folder {

class FolderGateway {
 public:
  // Finishes or undoes what a run before had under way, and goes on. The scanner outlives it.
  static Result<std::unique_ptr<FolderGateway>> start(Settings settings, Scanner& scanner, StepHook hook = {});
  ~FolderGateway();

  // Files that have no verdict yet go back into their input folders. Joins everything; once.
  void stop();

 private:
  struct State;
  explicit FolderGateway(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace redoubt::gateway::folder
