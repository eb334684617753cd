// A client of clamd on a Unix socket: hands over a descriptor, takes the word of the engine. One connection a call, so
// that a restart of clamd costs one call. Replies are read as hostile. Any thread; never waits past its deadline.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/result.h"

namespace redoubt::scan {

struct ClamdReply {
  enum class Kind { clean, found, error } kind = Kind::error;
  std::string text;  // the signature's name, or clamd's words about the error
};

// "fd[10]: Win.Test.EICAR_HDB-1 FOUND". corrupt for what clamd does not say.
Result<ClamdReply> parse_clamd_reply(std::string_view reply);

class ClamdClient {
 public:
  explicit ClamdClient(std::string socket_path) : socket_path_(std::move(socket_path)) {}

  // Deadlines are on the boot clock. unavailable: clamd is away; timeout.
  Result<ClamdReply> scan(const base::UniqueFd& content, int64_t deadline_ns) const;
  // "ClamAV 1.4.6/26889/Thu Apr 27 07:24:47 2023": engine, version and time of its database.
  Result<std::string> version(int64_t deadline_ns) const;
  Status ping(int64_t deadline_ns) const;
  // Asks clamd to read its database anew; it goes on with the old one meanwhile.
  Status reload(int64_t deadline_ns) const;

 private:
  Result<std::string> ask(std::string_view command, int descriptor, int64_t deadline_ns) const;

  std::string socket_path_;
};

}  // namespace redoubt::scan
