#include "scan/wire.h"

#include <sys/socket.h>
#include <sys/uio.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace redoubt::scan::wire {

namespace {

enum class Tag : uint8_t { setup = 1, hello, request, report, rules, part, page, catalogue };

// Room for the list counts of a page, and for a report of a few rules beside it.
constexpr size_t kPageBytes = kPacketBytesMax / 2;
constexpr size_t kBesidePageBytes = kPacketBytesMax / 4;

class Writer {
 public:
  explicit Writer(Tag tag) { u8(static_cast<uint8_t>(tag)); }

  void u8(uint8_t value) { bytes_.push_back(static_cast<char>(value)); }
  void u64(uint64_t value) {
    for (int shift = 0; shift < 64; shift += 8) u8(static_cast<uint8_t>(value >> shift));
  }
  void text(std::string_view value, size_t size_max) {
    value = value.substr(0, size_max);
    u64(value.size());
    bytes_.append(value);
  }
  size_t size() const { return bytes_.size(); }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// Reads past the end or past a limit mark the reader bad and give zeros; finish() tells.
class Reader {
 public:
  Reader(std::string_view bytes, Tag tag) : rest_(bytes) {
    if (u8() != static_cast<uint8_t>(tag)) good_ = Good::no;
  }

  uint8_t u8() { return static_cast<uint8_t>(take(1)[0]); }
  uint64_t u64() {
    const std::string_view raw = take(8);
    uint64_t value = 0;
    for (size_t i = 0; i < 8; ++i) value |= uint64_t{static_cast<uint8_t>(raw[i])} << (8 * i);
    return value;
  }
  std::string text(size_t size_max) {
    const uint64_t size = u64();
    if (size > size_max || size > rest_.size()) {
      good_ = Good::no;
      return {};
    }
    std::string value(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return value;
  }
  size_t count(size_t count_max) {
    const uint64_t count = u64();
    if (count <= count_max) return count;
    good_ = Good::no;
    return 0;
  }
  size_t index(size_t count) {
    const uint64_t value = u64();
    if (value < count) return value;
    good_ = Good::no;
    return 0;
  }
  bool is_good() const { return good_ == Good::yes; }
  void refuse() { good_ = Good::no; }
  Status finish() const {
    if (good_ == Good::yes && rest_.empty()) return {};
    return fail(Errc::corrupt, "malformed packet between pool and worker");
  }

 private:
  enum class Good { no, yes };
  static constexpr std::string_view kZeros{"\0\0\0\0\0\0\0\0", 8};

  // `size` at most 8.
  std::string_view take(size_t size) {
    if (rest_.size() < size) {
      good_ = Good::no;
      return kZeros.substr(0, size);
    }
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  std::string_view rest_;
  Good good_ = Good::yes;
};

void write_page(Writer& out, const Page& page) {
  out.u64(page.objects.size());
  for (const InnerObject& object : page.objects) {
    out.u64(object.parent);
    out.text(object.name, kTextBytesMax);
    out.text(object.mime_type, kWordBytesMax);
    out.text(object.sha256, kWordBytesMax);
    out.u64(object.size_bytes);
    out.text(object.remark, kTextBytesMax);
  }
  out.u64(page.not_scanned.size());
  for (const std::string& line : page.not_scanned) out.text(line, kTextBytesMax);
  out.u64(page.links.size());
  for (const std::string& link : page.links) out.text(link, kLinkBytesMax);
}

Page read_page(Reader& in) {
  Page page;
  const size_t objects = in.count(kObjectsMax);
  for (size_t i = 0; i < objects && in.is_good(); ++i) {
    InnerObject object;
    object.parent = in.index(kObjectsMax);
    object.name = in.text(kTextBytesMax);
    object.mime_type = in.text(kWordBytesMax);
    object.sha256 = in.text(kWordBytesMax);
    object.size_bytes = in.u64();
    object.remark = in.text(kTextBytesMax);
    page.objects.push_back(std::move(object));
  }
  const size_t lines = in.count(kNotScannedMax);
  for (size_t i = 0; i < lines; ++i) page.not_scanned.push_back(in.text(kTextBytesMax));
  const size_t links = in.count(kLinksMax);
  for (size_t i = 0; i < links; ++i) page.links.push_back(in.text(kLinkBytesMax));
  return page;
}

// In parts that fit a packet each: the last has what is left, maybe nothing.
std::vector<Page> split(const Page& whole) {
  std::vector<Page> pages(1);
  size_t bytes = 0;
  const auto room_for = [&](size_t more) -> Page& {
    if (bytes + more > kPageBytes) {
      pages.emplace_back();
      bytes = 0;
    }
    bytes += more;
    return pages.back();
  };
  for (size_t i = 0; i < std::min(whole.objects.size(), kObjectsMax); ++i) {
    room_for(2 * kTextBytesMax + 2 * kWordBytesMax).objects.push_back(whole.objects[i]);
  }
  for (size_t i = 0; i < std::min(whole.not_scanned.size(), kNotScannedMax); ++i) {
    room_for(kTextBytesMax).not_scanned.push_back(whole.not_scanned[i]);
  }
  for (size_t i = 0; i < std::min(whole.links.size(), kLinksMax); ++i) {
    room_for(kLinkBytesMax).links.push_back(whole.links[i]);
  }
  return pages;
}

std::string packet_of(const Page& page) {
  Writer out(Tag::page);
  write_page(out, page);
  return out.take();
}

Result<Answer> decode_page(std::string_view packet) {
  Reader in(packet, Tag::page);
  Page page = read_page(in);
  TRY_STATUS(in.finish());
  return page;
}

Result<Answer> decode_part(std::string_view packet) {
  Reader in(packet, Tag::part);
  Part part;
  part.object = in.index(kObjectsMax);
  part.name = in.text(kTextBytesMax);
  const uint8_t kind = in.u8();
  if (kind > static_cast<uint8_t>(Part::Kind::opened)) in.refuse();
  TRY_STATUS(in.finish());
  part.kind = static_cast<Part::Kind>(kind);
  return part;
}

}  // namespace

std::string encode(const Setup& setup) {
  Writer out(Tag::setup);
  out.u64(setup.memory_bytes_max);
  out.u64(static_cast<uint64_t>(setup.object_time_ms_max));
  return out.take();
}

std::vector<std::string> encode_catalogue(const std::vector<LoadedRule>& rules) {
  std::vector<std::string> packets;
  const size_t all = std::min(rules.size(), kLoadedRulesMax);
  for (size_t done = 0; done < all; done += kCatalogueRulesMax) {
    const size_t count = std::min(kCatalogueRulesMax, all - done);
    Writer out(Tag::catalogue);
    out.u64(count);
    for (size_t i = done; i < done + count; ++i) {
      out.text(rules[i].name, kTextBytesMax);
      out.text(rules[i].file, kTextBytesMax);
    }
    packets.push_back(out.take());
  }
  return packets;
}

std::string encode(const Hello& hello) {
  Writer out(Tag::hello);
  out.text(hello.error, kErrorBytesMax);
  out.text(hello.engine_version, kTextBytesMax);
  out.text(hello.jail, kTextBytesMax);
  out.u64(hello.refused_total);
  const size_t count = std::min(hello.refused.size(), kRefusedRulesMax);
  out.u64(count);
  for (size_t i = 0; i < count; ++i) {
    out.text(hello.refused[i].file, kTextBytesMax);
    out.u64(hello.refused[i].line);
    out.text(hello.refused[i].message, kTextBytesMax);
  }
  return out.take();
}

std::string encode(const Request& request) {
  Writer out(Tag::request);
  out.text(request.name, kTextBytesMax);
  out.u8(static_cast<uint8_t>(request.relay));
  const size_t count = std::min(request.passwords.size(), kPasswordsMax);
  out.u64(count);
  for (size_t i = 0; i < count; ++i) out.text(request.passwords[i], kPasswordBytesMax);
  return out.take();
}

std::string encode(const Part& part) {
  Writer out(Tag::part);
  out.u64(part.object);
  out.text(part.name, kTextBytesMax);
  out.u8(static_cast<uint8_t>(part.kind));
  return out.take();
}

std::vector<std::string> encode(const Report& report) {
  Writer out(Tag::report);
  out.u8(static_cast<uint8_t>(report.verdict));
  out.u8(static_cast<uint8_t>(report.future));
  out.u64(static_cast<uint64_t>(report.cpu.all_ns));
  out.u64(static_cast<uint64_t>(report.cpu.yara_ns));
  out.text(report.error, kErrorBytesMax);
  out.text(report.mime_type, kTextBytesMax);
  const size_t count = std::min(report.found.size(), kDetectionsMax);
  out.u64(count);
  for (size_t i = 0; i < count; ++i) {
    out.text(report.found[i].rule, kTextBytesMax);
    out.text(report.found[i].importance, kWordBytesMax);
    out.text(report.found[i].description, kTextBytesMax);
    out.u64(report.found[i].object);
  }
  std::vector<Page> pages = split(report.page);
  if (out.size() > kBesidePageBytes) pages.emplace_back();
  write_page(out, pages.back());
  pages.pop_back();
  std::vector<std::string> packets;
  for (const Page& page : pages) packets.push_back(packet_of(page));
  packets.push_back(out.take());
  return packets;
}

Result<Setup> decode_setup(std::string_view packet) {
  Reader in(packet, Tag::setup);
  Setup setup;
  setup.memory_bytes_max = in.u64();
  setup.object_time_ms_max = static_cast<int64_t>(in.u64());
  TRY_STATUS(in.finish());
  return setup;
}

Result<Hello> decode_hello(std::string_view packet) {
  Reader in(packet, Tag::hello);
  Hello hello;
  hello.error = in.text(kErrorBytesMax);
  hello.engine_version = in.text(kTextBytesMax);
  hello.jail = in.text(kTextBytesMax);
  hello.refused_total = in.u64();
  const size_t count = in.count(kRefusedRulesMax);
  for (size_t i = 0; i < count; ++i) {
    RefusedRule refused;
    refused.file = in.text(kTextBytesMax);
    refused.line = in.u64();
    refused.message = in.text(kTextBytesMax);
    hello.refused.push_back(std::move(refused));
  }
  TRY_STATUS(in.finish());
  return hello;
}

Result<std::variant<Catalogue, Hello>> decode_greeting(std::string_view packet) {
  if (packet.empty() || packet[0] != static_cast<char>(Tag::catalogue)) {
    TRY(Hello hello, decode_hello(packet));
    return hello;
  }
  Reader in(packet, Tag::catalogue);
  Catalogue catalogue;
  const size_t count = in.count(kCatalogueRulesMax);
  for (size_t i = 0; i < count; ++i) {
    LoadedRule rule;
    rule.name = in.text(kTextBytesMax);
    rule.file = in.text(kTextBytesMax);
    catalogue.rules.push_back(std::move(rule));
  }
  TRY_STATUS(in.finish());
  return catalogue;
}

Result<Request> decode_request(std::string_view packet) {
  Reader in(packet, Tag::request);
  Request request;
  request.name = in.text(kTextBytesMax);
  const uint8_t relay = in.u8();
  if (relay > static_cast<uint8_t>(Relay::clamav)) in.refuse();
  const size_t count = in.count(kPasswordsMax);
  for (size_t i = 0; i < count; ++i) request.passwords.push_back(in.text(kPasswordBytesMax));
  TRY_STATUS(in.finish());
  request.relay = static_cast<Relay>(relay);
  return request;
}

Result<Answer> decode_answer(std::string_view packet) {
  const char tag = packet.empty() ? '\0' : packet.front();
  if (tag == static_cast<char>(Tag::part)) return decode_part(packet);
  if (tag == static_cast<char>(Tag::page)) return decode_page(packet);
  return decode_report(packet);
}

Result<Report> decode_report(std::string_view packet) {
  Reader in(packet, Tag::report);
  Report report;
  const uint8_t verdict = in.u8();
  const uint8_t future = in.u8();
  // A worker has judged when it answers: `processing` is none of its words.
  if (verdict < static_cast<uint8_t>(Verdict::not_detected) || verdict > static_cast<uint8_t>(Verdict::timeout)) {
    in.refuse();
  }
  if (future > static_cast<uint8_t>(Future::retires)) in.refuse();
  const uint64_t cpu_ns = in.u64();
  const uint64_t yara_cpu_ns = in.u64();
  if (cpu_ns > kCpuNsMax || yara_cpu_ns > cpu_ns) in.refuse();
  report.error = in.text(kErrorBytesMax);
  report.mime_type = in.text(kTextBytesMax);
  const size_t count = in.count(kDetectionsMax);
  for (size_t i = 0; i < count; ++i) {
    FoundRule found;
    found.rule = in.text(kTextBytesMax);
    found.importance = in.text(kWordBytesMax);
    found.description = in.text(kTextBytesMax);
    found.object = in.index(kObjectsMax);
    report.found.push_back(std::move(found));
  }
  report.page = read_page(in);
  TRY_STATUS(in.finish());
  report.verdict = static_cast<Verdict>(verdict);
  report.future = static_cast<Future>(future);
  report.cpu = {static_cast<int64_t>(cpu_ns), static_cast<int64_t>(yara_cpu_ns)};
  return report;
}

std::string encode_rules(const std::vector<RuleFile>& files) {
  Writer out(Tag::rules);
  out.u64(files.size());
  for (const RuleFile& file : files) {
    out.text(file.path, kErrorBytesMax);
    out.text(file.text, kRuleFileBytesMax);
  }
  return out.take();
}

Result<std::vector<RuleFile>> decode_rules(std::string_view blob) {
  Reader in(blob, Tag::rules);
  std::vector<RuleFile> files;
  const size_t count = in.count(kRuleFilesMax);
  for (size_t i = 0; i < count; ++i) {
    RuleFile file;
    file.path = in.text(kErrorBytesMax);
    file.text = in.text(kRuleFileBytesMax);
    files.push_back(std::move(file));
  }
  TRY_STATUS(in.finish());
  return files;
}

Status send_packet(int socket, std::string_view bytes, int descriptor) {
  iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  if (descriptor >= 0) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &descriptor, sizeof(int));
  }
  while (sendmsg(socket, &message, MSG_NOSIGNAL) < 0) {
    if (errno != EINTR) return base::fail_errno("send packet");
  }
  return {};
}

Result<Packet> receive_packet(int socket) {
  // Packets are small as a rule: memory for the largest is not made anew for each.
  thread_local std::string buffer(kPacketBytesMax, '\0');
  Packet packet;
  iovec part{buffer.data(), buffer.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t count = -1;
  do {
    count = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  } while (count < 0 && errno == EINTR);
  if (count < 0 && errno != ECONNRESET) return base::fail_errno("receive packet");
  if (count <= 0) return fail(Errc::unavailable, "the other side is gone");
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    int descriptor = -1;
    std::memcpy(&descriptor, CMSG_DATA(header), sizeof(int));
    packet.descriptor = base::UniqueFd(descriptor);
  }
  if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) return fail(Errc::corrupt, "packet is too large");
  packet.bytes.assign(buffer, 0, static_cast<size_t>(count));
  return packet;
}

}  // namespace redoubt::scan::wire
