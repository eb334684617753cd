#include "sensor/dns/dns_message.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <span>

#include "base/ascii.h"

namespace redoubt::sensor {

namespace {

constexpr size_t kHeadBytes = 12;
constexpr size_t kDomainNameBytesMax = 255;
constexpr int kHopsMax = 16;
constexpr int kLabelsMax = 128;
constexpr size_t kRawBytesMax = 64;     // of data without a form of its own
constexpr size_t kTextBytesMax = 1024;  // of one record's data
constexpr uint16_t kAnswerFlag = 0x8000;
constexpr uint16_t kOpcodeMask = 0x7800;
constexpr uint16_t kResponseCodeMask = 0xF;
constexpr unsigned kJump = 0xC0;

struct NumberName {
  uint16_t number;
  std::string_view name;
};

enum : uint16_t {
  kA = 1,
  kNs = 2,
  kCname = 5,
  kSoa = 6,
  kPtr = 12,
  kMx = 15,
  kTxt = 16,
  kAaaa = 28,
  kSrv = 33,
  kDname = 39
};

constexpr auto kRecordTypes = std::to_array<NumberName>(
    {{kA, "A"},         {kNs, "NS"},   {kCname, "CNAME"}, {kSoa, "SOA"},   {10, "NULL"},  {kPtr, "PTR"},
     {13, "HINFO"},     {kMx, "MX"},   {kTxt, "TXT"},     {kAaaa, "AAAA"}, {kSrv, "SRV"}, {35, "NAPTR"},
     {kDname, "DNAME"}, {41, "OPT"},   {43, "DS"},        {44, "SSHFP"},   {46, "RRSIG"}, {47, "NSEC"},
     {48, "DNSKEY"},    {50, "NSEC3"}, {52, "TLSA"},      {64, "SVCB"},    {65, "HTTPS"}, {99, "SPF"},
     {251, "IXFR"},     {252, "AXFR"}, {255, "ANY"},      {256, "URI"},    {257, "CAA"}});

constexpr auto kResponseCodes = std::to_array<NumberName>(
    {{0, "NOERROR"}, {1, "FORMERR"}, {2, "SERVFAIL"}, {3, "NXDOMAIN"}, {4, "NOTIMP"}, {5, "REFUSED"}, {9, "NOTAUTH"}});

std::string name_of_number(std::span<const NumberName> table, uint16_t number, std::string_view prefix) {
  const auto row = std::find_if(table.begin(), table.end(), [&](const NumberName& r) { return r.number == number; });
  return row != table.end() ? std::string(row->name) : std::string(prefix) + std::to_string(number);
}

// As zone files write what is no ordinary letter: a backslash and three decimal digits.
void add_byte(std::string& text, unsigned char byte, std::string_view special) {
  if (byte <= ' ' || byte >= 0x7F) {
    text += '\\';
    for (const int power : {100, 10, 1}) text += static_cast<char>('0' + byte / power % 10);
    return;
  }
  if (special.find(static_cast<char>(byte)) != std::string_view::npos) text += '\\';
  text += static_cast<char>(byte);
}

// A message and how far it is read. What does not fit makes it fail, and all reads after that.
class MessageReader {
 public:
  explicit MessageReader(std::string_view bytes) : bytes_(bytes) {}

  bool failed() const { return failed_; }
  size_t at() const { return at_; }

  uint8_t read_byte() {
    if (at_ >= bytes_.size()) {
      failed_ = true;
      return 0;
    }
    return static_cast<uint8_t>(bytes_[at_++]);
  }
  uint16_t read_u16() {
    const unsigned high = read_byte();
    return static_cast<uint16_t>(high << 8 | read_byte());
  }
  uint32_t read_u32() {
    const uint32_t high = read_u16();
    return high << 16 | read_u16();
  }
  std::string_view read(size_t size) {
    if (size > bytes_.size() - at_) {
      failed_ = true;
      return {};
    }
    at_ += size;
    return bytes_.substr(at_ - size, size);
  }
  std::string read_name();

 private:
  std::string_view bytes_;
  size_t at_ = 0;
  bool failed_ = false;
};

std::string MessageReader::read_name() {
  std::string name;
  size_t wire_bytes = 0;
  size_t behind = 0;  // where reading goes on after the first jump
  int hops = 0;
  for (int labels = 0; labels < kLabelsMax; ++labels) {
    const unsigned size = read_byte();
    if (failed_) return {};
    if (size == 0) {
      if (hops > 0) at_ = behind;
      return name.empty() ? "." : name;
    }
    if ((size & kJump) == kJump) {
      const size_t target = (size & ~kJump) << 8 | read_byte();
      if (hops == 0) behind = at_;
      // Only backwards: a name that points at itself or forth is none.
      if (failed_ || ++hops > kHopsMax || target + 2 >= at_) break;
      at_ = target;
      continue;
    }
    wire_bytes += size + 1;
    if ((size & kJump) != 0 || wire_bytes > kDomainNameBytesMax) break;
    const std::string_view label = read(size);
    if (failed_) return {};
    if (!name.empty()) name += '.';
    for (const char byte : label) add_byte(name, static_cast<unsigned char>(base::lower_ascii(byte)), ".\\");
  }
  failed_ = true;
  return {};
}

std::string address_in(std::string_view data, int family) {
  char text[INET6_ADDRSTRLEN] = {};
  inet_ntop(family, data.data(), text, sizeof text);
  return text;
}

// Its strings, one behind the other.
std::string strings_text(std::string_view data) {
  std::string text;
  while (!data.empty() && text.size() < kTextBytesMax) {
    const auto size = std::min<size_t>(static_cast<uint8_t>(data.front()), data.size() - 1);
    for (const char byte : data.substr(1, size)) {
      byte == ' ' ? text += ' ' : (add_byte(text, static_cast<unsigned char>(byte), "\\"), text);
    }
    data.remove_prefix(size + 1);
  }
  return text;
}

// RFC 3597.
std::string raw_text(std::string_view data) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text = "\\# " + std::to_string(data.size()) + " ";
  for (const char c : data.substr(0, kRawBytesMax)) {
    const auto byte = static_cast<unsigned char>(c);
    text += {kHex[byte / 16], kHex[byte % 16]};
  }
  return text;
}

// The data of a record, which is the next `data.size()` bytes of the reader. Names in it may point anywhere before.
std::string data_text(MessageReader reader, uint16_t type, std::string_view data) {
  std::string text;
  switch (type) {
    case kA:
      if (data.size() == 4) return address_in(data, AF_INET);
      break;
    case kAaaa:
      if (data.size() == 16) return address_in(data, AF_INET6);
      break;
    case kNs:
    case kCname:
    case kPtr:
    case kDname: text = reader.read_name(); break;
    case kSoa:
      text = reader.read_name();
      text += " " + reader.read_name();
      break;
    case kMx:
      text = std::to_string(reader.read_u16());
      text += " " + reader.read_name();
      break;
    case kSrv:
      for (int i = 0; i < 3; ++i) text += std::to_string(reader.read_u16()) + " ";
      text += reader.read_name();
      break;
    case kTxt: return strings_text(data);
    default: break;
  }
  return text.empty() || reader.failed() ? raw_text(data) : text;
}

std::optional<DnsAnswer> read_answer(MessageReader& reader) {
  reader.read_name();
  const uint16_t type = reader.read_u16();
  reader.read_u16();  // class
  DnsAnswer answer;
  answer.ttl_s = reader.read_u32();
  const uint16_t size = reader.read_u16();
  const MessageReader at_data = reader;
  const std::string_view data = reader.read(size);
  if (reader.failed()) return std::nullopt;
  answer.type = name_of_number(kRecordTypes, type, "TYPE");
  answer.text = data_text(at_data, type, data);
  const bool is_address = (type == kA && size == 4) || (type == kAaaa && size == 16);
  answer.kind = is_address ? DnsAnswer::Kind::address : DnsAnswer::Kind::other;
  return answer;
}

}  // namespace

std::optional<DnsMessage> parse_dns(std::string_view bytes) {
  if (bytes.size() < kHeadBytes) return std::nullopt;
  MessageReader reader(bytes);
  DnsMessage message;
  message.id = reader.read_u16();
  const uint16_t flags = reader.read_u16();
  const uint16_t questions = reader.read_u16();
  const uint16_t answers = reader.read_u16();
  reader.read_u32();  // the other counts
  if ((flags & kOpcodeMask) != 0 || questions != 1) return std::nullopt;
  message.name = reader.read_name();
  message.type = name_of_number(kRecordTypes, reader.read_u16(), "TYPE");
  reader.read_u16();  // class
  if (reader.failed()) return std::nullopt;
  if ((flags & kAnswerFlag) == 0) return message;
  message.direction = DnsMessage::Direction::answer;
  message.response_code = name_of_number(kResponseCodes, flags & kResponseCodeMask, "RCODE");
  for (size_t i = 0; i < std::min<size_t>(answers, kDnsAnswersMax); ++i) {
    std::optional<DnsAnswer> answer = read_answer(reader);
    if (!answer) break;
    message.answers.push_back(*std::move(answer));
  }
  return message;
}

}  // namespace redoubt::sensor
