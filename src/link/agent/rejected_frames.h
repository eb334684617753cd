// Where frames go that the node will never take: one file a frame, for whoever looks into it; bounded. One thread.
#pragma once

#include <cstddef>
#include <string>

#include "event/frame.h"

namespace redoubt::link {

class RejectedFrames {
 public:
  static constexpr size_t kFilesMax = 64;
  static constexpr size_t kBytesMax = size_t{64} << 20;

  explicit RejectedFrames(std::string directory);
  // Past the limits the frame is not kept; that is logged.
  void set_aside(const event::Frame& frame) const;

 private:
  std::string directory_;
};

}  // namespace redoubt::link
