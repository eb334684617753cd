// What the pool and a worker say to each other: one packet a message over a SOCK_SEQPACKET pair, descriptors beside it.
// A worker has touched hostile bytes, so what it sends is parsed as hostile: every string and count has a limit.
// Values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "scan/loaded_rule.h"
#include "scan/refused_rule.h"
#include "scan/verdict.h"

namespace redoubt::scan::wire {

constexpr size_t kPacketBytesMax = size_t{128} << 10;
constexpr size_t kTextBytesMax = 512;
constexpr size_t kErrorBytesMax = 4096;
constexpr size_t kWordBytesMax = 128;  // a MIME type, a hash, an importance
constexpr size_t kDetectionsMax = 100;
constexpr size_t kObjectsMax = 2000;
constexpr size_t kNotScannedMax = 50;
constexpr size_t kLinksMax = 200;
constexpr size_t kLinkBytesMax = 1024;
constexpr size_t kPasswordsMax = 200;
constexpr size_t kPasswordBytesMax = 128;
constexpr size_t kRefusedRulesMax = 100;
constexpr size_t kCatalogueRulesMax = 100;  // in one packet
constexpr size_t kLoadedRulesMax = 50'000;
constexpr uint64_t kCpuNsMax = uint64_t{24} * 3600 * 1'000'000'000;  // more than any object may take
// What a worker may send for one object before its report; more is an attack.
constexpr size_t kPagesMax = 64;
constexpr size_t kPartsMax = 10'001;
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
  uint64_t refused_total = 0;
  std::vector<RefusedRule> refused;  // the first of them
};

// Worker to pool, any number before the hello: the rules that are in force.
struct Catalogue {
  std::vector<LoadedRule> rules;
};

// Whether the pool hands parts of an object on to ClamAV.
enum class Relay : uint8_t { none, clamav };

// Pool to worker, one an object; its content is the descriptor.
struct Request {
  std::string name;
  std::vector<std::string> passwords;  // to try on what is encrypted
  Relay relay = Relay::none;
};

// Worker to pool, any number before the report: an object that ClamAV has to see. The descriptor is a memory file with
// its content; for the object that was handed in there is none, the pool has it.
struct Part {
  size_t object = 0;
  std::string name;  // with the names of its containers: "a.zip/b.exe"
  // opened: all that is in it came before, as parts of their own; only what is said of it as a whole is asked for.
  enum class Kind : uint8_t { closed, opened } kind = Kind::closed;
};

// Worker to pool, any number before the report: what does not fit into one packet, in order.
struct Page {
  std::vector<InnerObject> objects;
  std::vector<std::string> not_scanned;
  std::vector<std::string> links;
};

struct FoundRule {
  std::string rule;
  std::string importance;
  std::string description;
  size_t object = 0;
};

enum class Future : uint8_t { stays, retires };

// Worker to pool, one a request, the last packet about it.
struct Report {
  Verdict verdict = Verdict::error;
  Future future = Future::stays;  // retires: the worker ends after this report, near its time limit
  WorkerCpu cpu;
  std::string error;
  std::string mime_type;
  std::vector<FoundRule> found;
  Page page;  // in the packet: its last part, what fits beside the rest
};

std::string encode(const Setup& setup);
std::string encode(const Hello& hello);
// The first kLoadedRulesMax, in packets.
std::vector<std::string> encode_catalogue(const std::vector<LoadedRule>& rules);
std::string encode(const Request& request);
std::string encode(const Part& part);
// As many packets as it takes, pages before the report. Longer texts are cut, and what is past a limit is left out.
std::vector<std::string> encode(const Report& report);

// corrupt for anything that encode() does not write.
Result<Setup> decode_setup(std::string_view packet);
Result<Hello> decode_hello(std::string_view packet);
// What a worker says before it judges.
Result<std::variant<Catalogue, Hello>> decode_greeting(std::string_view packet);
Result<Request> decode_request(std::string_view packet);
// What a worker says about an object, one packet.
using Answer = std::variant<Part, Page, Report>;
Result<Answer> decode_answer(std::string_view packet);
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
