// Sends parts of an object to the pool, which hands them to ClamAV: the content goes as a memory file, since a jailed
// process has no other way to give bytes away without copying them through a socket. One thread, inside the jail.
#pragma once

#include "scan/worker/object_judge.h"

namespace redoubt::scan {

class PartSender final : public PartSink {
 public:
  explicit PartSender(int socket) : socket_(socket) {}
  Status send(const wire::Part& part, std::optional<std::string_view> content) override;

 private:
  int socket_;
};

}  // namespace redoubt::scan
