// What the pool and a worker say to each other: one packet a message over a SOCK_SEQPACKET pair, descriptors beside it.
// A worker has touched hostile bytes, so what it sends is parsed as hostile: every string and count has a limit.
// Values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "scan/verdict.h"

namespace redoubt::scan::wire {

constexpr size_t kPacketBytesMax = size_t{128} << 10;
constexpr size_t kTextBytesMax = 512;
constexpr size_t kErrorBytesMax = 4096;
constexpr size_t kDetectionsMax = 100;
// The descriptor number under which a worker finds its end of the pair.
constexpr int kWorkerSocket = 3;

// Pool to worker, once; the rule bundle is its descriptor.
struct Setup {
  uint64_t memory_bytes_max = 0;
  int64_t object_time_ms_max = 0;
};

// Worker to pool, once: the rules are compiled and the jail is shut; or why not.
struct Hello {
  std::string error;
  std::string engine_version;
  std::string jail;  // "landlock 7, seccomp, netns, uid 65534"
};

// Pool to worker, one an object; its content is the descriptor.
struct Request {
  std::string name;
};

struct FoundRule {
  std::string rule;
  std::string importance;
  std::string description;
};

enum class Future : uint8_t { stays, retires };

// Worker to pool, one a request.
struct Report {
  Verdict verdict = Verdict::error;
  Future future = Future::stays;  // retires: the worker ends after this report, near its time limit
  std::string error;
  std::string mime_type;
  std::vector<FoundRule> found;
};

std::string encode(const Setup& setup);
std::string encode(const Hello& hello);
std::string encode(const Request& request);
// Longer texts are cut, further detections left out.
std::string encode(const Report& report);

// corrupt for anything that encode() does not write.
Result<Setup> decode_setup(std::string_view packet);
Result<Hello> decode_hello(std::string_view packet);
Result<Request> decode_request(std::string_view packet);
Result<Report> decode_report(std::string_view packet);

struct Packet {
  std::string bytes;
  base::UniqueFd descriptor;
};

// `descriptor` below 0: none. Never raises SIGPIPE.
Status send_packet(int socket, std::string_view bytes, int descriptor);
// unavailable when the other side is gone, corrupt for a packet past the limit.
Result<Packet> receive_packet(int socket);

// The rule files as one blob: what a worker compiles is what the pool read, whatever happens to the directory later.
struct RuleFile {
  std::string path;
  std::string text;
};
std::string encode_rules(const std::vector<RuleFile>& files);
Result<std::vector<RuleFile>> decode_rules(std::string_view blob);

constexpr size_t kRuleFilesMax = 20'000;
constexpr size_t kRuleFileBytesMax = size_t{16} << 20;
constexpr size_t kRuleBlobBytesMax = size_t{128} << 20;

}  // namespace redoubt::scan::wire
