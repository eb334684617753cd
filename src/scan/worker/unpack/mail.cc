// Mails and mailboxes, by GMime, which reads leniently. A mail that can be read in more than one way goes to ClamAV as
// a whole too.
#include <gmime/gmime.h>
#include <iconv.h>
#include <algorithm>
#include <array>

#include "base/text.h"
#include "scan/worker/unpack/unpacker.h"

namespace redoubt::scan {

namespace {

constexpr size_t kMailsMax = 1000;
constexpr size_t kHeadLinesRead = 20;
constexpr size_t kHeadBytesRead = 4096;
constexpr size_t kKnownHeadersMin = 2;
constexpr size_t kTextPartBytesMax = size_t{1} << 20;
constexpr size_t kPartBlockBytes = size_t{64} << 10;

// What mails of the last thirty years are written in besides what glibc knows without a file.
constexpr std::array kCharsets = {
    "WINDOWS-1251", "KOI8-R",  "KOI8-U", "WINDOWS-1252", "ISO-8859-1", "ISO-8859-2",  "ISO-8859-5", "ISO-8859-15",
    "WINDOWS-1250", "GB18030", "GBK",    "BIG5",         "SHIFT_JIS",  "ISO-2022-JP", "EUC-JP",     "EUC-KR"};

constexpr std::array<std::string_view, 16> kHeaders = {
    "from",       "to",       "subject",      "date",          "received",     "return-path",
    "message-id", "reply-to", "mime-version", "content-type",  "delivered-to", "content-transfer-encoding",
    "cc",         "sender",   "x-mailer",     "dkim-signature"};

template <class T>
struct Unref {
  void operator()(T* object) const { g_object_unref(object); }
};
template <class T>
using Owned = std::unique_ptr<T, Unref<T>>;

bool looks_like_mail(std::string_view content) {
  content = content.substr(0, kHeadBytesRead);
  size_t known = 0;
  for (size_t line_number = 0; line_number < kHeadLinesRead && !content.empty(); ++line_number) {
    const size_t end = content.find('\n');
    const std::string_view line = content.substr(0, end);
    content.remove_prefix(end == std::string_view::npos ? content.size() : end + 1);
    const bool opens_mailbox = line_number == 0 && line.starts_with("From ");
    if (line.empty() || line == "\r") break;
    if (opens_mailbox || line[0] == ' ' || line[0] == '\t') continue;
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) return known >= kKnownHeadersMin;
    const std::string name = base::fold_case(line.substr(0, colon));
    known += static_cast<size_t>(std::count(kHeaders.begin(), kHeaders.end(), name));
  }
  return known >= kKnownHeadersMin;
}

// GMime wants a byte array of its own; this one lends it the bytes and takes them away before it could free them.
class LentBytes {
 public:
  explicit LentBytes(std::string_view bytes)
      : array_(g_byte_array_new_take(reinterpret_cast<guint8*>(const_cast<char*>(bytes.data())), bytes.size())),
        stream_(g_mime_stream_mem_new()) {
    g_mime_stream_mem_set_byte_array(GMIME_STREAM_MEM(stream_.get()), array_);
    g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(stream_.get()), FALSE);
  }
  ~LentBytes() {
    stream_.reset();
    (void)g_byte_array_steal(array_, nullptr);
    g_byte_array_unref(array_);
  }
  LentBytes(const LentBytes&) = delete;
  LentBytes& operator=(const LentBytes&) = delete;
  GMimeStream* stream() { return stream_.get(); }

 private:
  GByteArray* array_;
  Owned<GMimeStream> stream_;
};

std::string_view name_of_problem(GMimeParserWarning problem) {
  switch (static_cast<int>(problem)) {
    case GMIME_WARN_MALFORMED_MULTIPART: return "a multipart without parts";
    case GMIME_WARN_TRUNCATED_MESSAGE: return "the message is cut";
    case GMIME_WARN_MALFORMED_MESSAGE: return "the message is malformed";
    case GMIME_CRIT_INVALID_HEADER_NAME: return "an invalid header name";
    case GMIME_CRIT_CONFLICTING_HEADER: return "conflicting headers";
    case GMIME_CRIT_CONFLICTING_PARAMETER: return "conflicting parameters of a header";
    case GMIME_CRIT_MULTIPART_WITHOUT_BOUNDARY: return "a multipart without a boundary";
    case GMIME_CRIT_NESTING_OVERFLOW: return "parts are nested too deep";
    case GMIME_CRIT_PART_WITHOUT_HEADERS_OR_CONTENT: return "a part without headers or content";
    default: return {};
  }
}

// One mail or mailbox on its way to children.
class MailReader {
 public:
  MailReader(Unpacking& to) : to_(to), options_(g_mime_parser_options_new()) {
    g_mime_parser_options_set_warning_callback(options_, on_problem, this);
  }
  ~MailReader() { g_mime_parser_options_free(options_); }
  MailReader(const MailReader&) = delete;
  MailReader& operator=(const MailReader&) = delete;

  Unpacked read(std::string_view content);

 private:
  static void on_problem(gint64 offset, GMimeParserWarning problem, const gchar* item, gpointer user);
  static void on_text(GMimeObject* parent, GMimeObject* part, gpointer user);
  static void on_part(GMimeObject* parent, GMimeObject* part, gpointer user);
  void read_message(GMimeMessage* message);
  void add_part(GMimePart* part);
  void add_message(GMimeMessagePart* part);
  void add(Child child, const MemberBuffer& buffer, const std::optional<Refusal>& refused);
  void note(std::string_view why) {
    result_.coverage = Unpacked::Coverage::part;
    if (result_.remark.empty()) result_.remark = "mail: " + std::string(why);
  }

  Unpacking& to_;
  GMimeParserOptions* options_;
  size_t parts_ = 0;
  Unpacked result_{Unpacked::Coverage::whole, ""};
};

void MailReader::on_problem(gint64 /*offset*/, GMimeParserWarning problem, const gchar* /*item*/, gpointer user) {
  const std::string_view name = name_of_problem(problem);
  if (!name.empty()) static_cast<MailReader*>(user)->note(name);
}

Unpacked MailReader::read(std::string_view content) {
  LentBytes bytes(content);
  const Owned<GMimeParser> parser(g_mime_parser_new_with_stream(bytes.stream()));
  g_mime_parser_set_persist_stream(parser.get(), TRUE);
  const bool is_mailbox = content.starts_with("From ");
  g_mime_parser_set_format(parser.get(), is_mailbox ? GMIME_FORMAT_MBOX : GMIME_FORMAT_MESSAGE);
  for (size_t mails = 0; mails == 0 || (is_mailbox && g_mime_parser_eos(parser.get()) == FALSE); ++mails) {
    if (mails == kMailsMax) {
      note("more than " + std::to_string(kMailsMax) + " mails in a mailbox");
      break;
    }
    const Owned<GMimeMessage> message(g_mime_parser_construct_message(parser.get(), options_));
    if (!message) {
      note("what follows is no mail");
      break;
    }
    read_message(message.get());
    if (to_.budget.spent()) break;
  }
  if (const auto& spent = to_.budget.spent()) note(spent->why);
  return result_;
}

// Texts before all: an attachment may need the password that stands below it.
void MailReader::read_message(GMimeMessage* message) {
  if (const char* subject = g_mime_message_get_subject(message)) to_.passwords.add_from_text(subject);
  GMimeObject* top = g_mime_message_get_mime_part(message);
  if (top == nullptr) {
    note("a message without content");
    return;
  }
  g_mime_message_foreach(message, on_text, this);
  g_mime_message_foreach(message, on_part, this);
}

void MailReader::on_text(GMimeObject* /*parent*/, GMimeObject* part, gpointer user) {
  if (!GMIME_IS_TEXT_PART(part)) return;
  GMimeDataWrapper* content = g_mime_part_get_content(GMIME_PART(part));
  if (content == nullptr) return;
  GMimeStream* raw = g_mime_data_wrapper_get_stream(content);
  if (raw == nullptr || g_mime_stream_length(raw) > static_cast<gint64>(kTextPartBytesMax)) return;
  char* text = g_mime_text_part_get_text(GMIME_TEXT_PART(part));
  if (text == nullptr) return;
  static_cast<MailReader*>(user)->to_.passwords.add_from_text(text);
  g_free(text);
}

void MailReader::on_part(GMimeObject* /*parent*/, GMimeObject* part, gpointer user) {
  auto& reader = *static_cast<MailReader*>(user);
  if (reader.to_.budget.take_entry()) return;
  ++reader.parts_;
  if (GMIME_IS_MESSAGE_PART(part)) reader.add_message(GMIME_MESSAGE_PART(part));
  if (GMIME_IS_PART(part)) reader.add_part(GMIME_PART(part));
}

void MailReader::add_part(GMimePart* part) {
  Child child;
  if (const char* name = g_mime_part_get_filename(part)) child.name = name;
  if (child.name.empty()) child.name = "part " + std::to_string(parts_);
  MemberBuffer buffer(to_.budget);
  std::optional<Refusal> refused;
  GMimeDataWrapper* content = g_mime_part_get_content(part);
  GMimeStream* raw = content == nullptr ? nullptr : g_mime_data_wrapper_get_stream(content);
  if (raw != nullptr) {
    g_mime_stream_reset(raw);
    const Owned<GMimeStream> decoded(g_mime_stream_filter_new(raw));
    const Owned<GMimeFilter> decoder(g_mime_filter_basic_new(g_mime_data_wrapper_get_encoding(content), FALSE));
    g_mime_stream_filter_add(GMIME_STREAM_FILTER(decoded.get()), decoder.get());
    std::array<char, kPartBlockBytes> block;
    ssize_t size = 0;
    while (!refused && (size = g_mime_stream_read(decoded.get(), block.data(), block.size())) > 0) {
      refused = buffer.append({block.data(), static_cast<size_t>(size)});
    }
  }
  add(std::move(child), buffer, refused);
}

void MailReader::add_message(GMimeMessagePart* part) {
  GMimeMessage* message = g_mime_message_part_get_message(part);
  if (message == nullptr) return;
  Child child;
  if (const char* subject = g_mime_message_get_subject(message)) child.name = subject;
  child.name = (child.name.empty() ? "part " + std::to_string(parts_) : child.name) + ".eml";
  const Owned<GMimeStream> out(g_mime_stream_mem_new());
  g_mime_object_write_to_stream(GMIME_OBJECT(message), nullptr, out.get());
  const GByteArray* bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(out.get()));
  MemberBuffer buffer(to_.budget);
  const auto refused = buffer.append({reinterpret_cast<const char*>(bytes->data), bytes->len});
  add(std::move(child), buffer, refused);
}

void MailReader::add(Child child, const MemberBuffer& buffer, const std::optional<Refusal>& refused) {
  if (refused) {
    child.remark = refused->why + ": only the start was scanned";
    note(refused->why);
  }
  child.content = buffer.bytes();
  to_.add(child);
}

class MailUnpacker final : public Unpacker {
 public:
  Unpacked unpack(const Container& container, Unpacking& to) override {
    if (!looks_like_mail(container.content)) return {};
    return MailReader(to).read(container.content);
  }
};

}  // namespace

std::unique_ptr<Unpacker> open_mail_unpacker() {
  // Kept open for good: a conversion that is loaded is found again without its file.
  for (const char* charset : kCharsets) (void)iconv_open("UTF-8", charset);
  g_mime_init();
  return std::make_unique<MailUnpacker>();
}

}  // namespace redoubt::scan
