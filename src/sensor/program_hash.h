// SHA-256 of program files, computed on a thread of its own and remembered by device, inode, size and change time.
// All members are called by the ring thread.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "sensor/process_table.h"

namespace redoubt::sensor {

// For an event that waits, or for one that may come.
enum class Urgency { now, later };

class ProgramHashes {
 public:
  static Result<std::unique_ptr<ProgramHashes>> start();
  ~ProgramHashes();  // joins
  ProgramHashes(const ProgramHashes&) = delete;
  ProgramHashes& operator=(const ProgramHashes&) = delete;

  // Sets the image's hash from memory, or marks it pending and asks for it; neither if the file is too large or too
  // many are asked for. `pid` runs the image.
  void want(const std::shared_ptr<Image>& image, uint32_t pid, Urgency urgency);
  // Sets the hashes that have become ready; an image whose file could not be read or has changed gets none.
  void collect();
  // Becomes readable when there is something to collect.
  int event_fd() const;

 private:
  struct State;
  explicit ProgramHashes(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace redoubt::sensor
