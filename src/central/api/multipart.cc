#include "central/api/multipart.h"

#include <strings.h>
#include <algorithm>

namespace redoubt::central {

namespace {

constexpr std::string_view kFormType = "multipart/form-data";
constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kHeadEnd = "\r\n\r\n";
constexpr size_t kPaddingBytesMax = 128;  // blanks behind a delimiter

bool is_blank(char c) { return c == ' ' || c == '\t'; }

bool same_word(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::string_view cut_at(std::string_view& text, char end) {
  const size_t at = std::min(text.find(end), text.size());
  const std::string_view part = text.substr(0, at);
  text.remove_prefix(std::min(at + 1, text.size()));
  return part;
}

// A quoted value up to its closing mark. Senders differ in what they escape: a backslash stands for itself but before a
// quotation mark or another backslash.
Result<std::string> take_quoted(std::string_view& text) {
  std::string value;
  text.remove_prefix(1);
  while (!text.empty()) {
    char c = text.front();
    text.remove_prefix(1);
    if (c == '"') return value;
    if (c == '\\' && !text.empty() && (text.front() == '"' || text.front() == '\\')) {
      c = text.front();
      text.remove_prefix(1);
    }
    value += c;
  }
  return fail(Errc::invalid_argument, "form: a quotation mark is not closed");
}

struct Parameter {
  std::string_view key;
  std::string value;
};

// The next of `; key=value; key="value"`; nothing at the end.
Result<std::optional<Parameter>> take_parameter(std::string_view& text) {
  while (!text.empty() && (text.front() == ';' || is_blank(text.front()))) text.remove_prefix(1);
  if (text.empty()) return std::nullopt;
  const size_t equals = text.find_first_of("=;");
  if (equals == std::string_view::npos || text[equals] == ';') {
    return fail(Errc::invalid_argument, "form: a parameter without a value");
  }
  Parameter parameter{.key = trimmed(text.substr(0, equals)), .value = {}};
  text.remove_prefix(equals + 1);
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  if (text.empty() || text.front() != '"') {
    parameter.value = trimmed(cut_at(text, ';'));
    return parameter;
  }
  TRY(parameter.value, take_quoted(text));
  return parameter;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// RFC 8187: UTF-8'en'percent%20encoded. What is not: as it stands.
std::string decode_extended(const std::string& text) {
  constexpr std::string_view kCharset = "utf-8'";
  const size_t quote = text.find('\'', kCharset.size());
  if (!same_word(text.substr(0, kCharset.size()), kCharset) || quote == std::string::npos) return text;
  std::string value;
  for (size_t i = quote + 1; i < text.size(); ++i) {
    const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
    if (text[i] != '%' || high < 0 || low < 0) {
      value += text[i];
      continue;
    }
    value += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return value;
}

Status parse_disposition(std::string_view value, PartHead& head) {
  if (!same_word(trimmed(cut_at(value, ';')), "form-data")) {
    return fail(Errc::invalid_argument, "form: a part that is not form-data");
  }
  while (true) {
    TRY(const auto parameter, take_parameter(value));
    if (!parameter) return {};
    if (same_word(parameter->key, "name")) head.name = parameter->value;
    if (same_word(parameter->key, "filename") && !head.file_name) head.file_name = parameter->value;
    if (same_word(parameter->key, "filename*")) head.file_name = decode_extended(parameter->value);
  }
}

}  // namespace

Result<std::string> form_boundary(std::string_view content_type) {
  if (!same_word(trimmed(cut_at(content_type, ';')), kFormType)) {
    return fail(Errc::invalid_argument, "the body must be " + std::string(kFormType));
  }
  while (true) {
    TRY(auto parameter, take_parameter(content_type));
    if (!parameter) return fail(Errc::invalid_argument, "form: Content-Type names no boundary");
    if (!same_word(parameter->key, "boundary")) continue;
    const std::string& boundary = parameter->value;
    const bool printable = std::all_of(boundary.begin(), boundary.end(), [](char c) { return c >= ' ' && c <= '~'; });
    if (boundary.empty() || boundary.size() > kBoundaryBytesMax || !printable || boundary.back() == ' ') {
      return fail(Errc::invalid_argument, "form: a boundary has 1 to 70 printable characters");
    }
    return std::move(parameter->value);
  }
}

Result<PartHead> parse_part_head(std::string_view lines) {
  PartHead head;
  while (!lines.empty()) {
    const size_t end = std::min(lines.find(kLineEnd), lines.size());
    std::string_view line = lines.substr(0, end);
    lines.remove_prefix(std::min(end + kLineEnd.size(), lines.size()));
    const std::string_view key = trimmed(cut_at(line, ':'));
    const std::string_view value = trimmed(line);
    if (same_word(key, "content-disposition")) TRY_STATUS(parse_disposition(value, head));
    const bool plain = same_word(value, "binary") || same_word(value, "8bit") || same_word(value, "7bit");
    if (same_word(key, "content-transfer-encoding") && !plain) {
      return fail(Errc::invalid_argument, "form: parts are taken as they are, without a transfer encoding");
    }
  }
  if (head.name.empty()) return fail(Errc::invalid_argument, "form: a part without a name");
  return head;
}

Status MultipartReader::write(std::string_view bytes) {
  if (place_ == Place::epilogue) return {};
  pending_ += bytes;
  Step last = Step::done;
  while (last == Step::done) {
    TRY(last, step());
  }
  pending_.erase(0, at_);
  at_ = 0;
  return {};
}

Status MultipartReader::finish() const {
  if (place_ == Place::epilogue) return {};
  return fail(Errc::invalid_argument,
              place_ == Place::preamble ? "form: its boundary does not appear in the body" : "form: it is cut off");
}

Result<MultipartReader::Step> MultipartReader::step() {
  switch (place_) {
    case Place::preamble: return read_preamble();
    case Place::delimiter_end: return read_delimiter_end();
    case Place::head: return read_head();
    case Place::content: return read_content();
    case Place::epilogue: at_ = pending_.size(); return Step::needs_more;
  }
  return Step::needs_more;
}

Result<MultipartReader::Step> MultipartReader::read_preamble() {
  const size_t found = rest().find(delimiter_);
  const size_t kept = std::min(rest().size(), delimiter_.size() - 1);
  const size_t passed = found != std::string_view::npos ? found : rest().size() - kept;
  preamble_bytes_ += passed;
  if (preamble_bytes_ > kPreambleBytesMax) {
    return fail(Errc::invalid_argument, "form: its boundary does not appear at its beginning");
  }
  at_ += passed;
  if (found == std::string_view::npos) return Step::needs_more;
  at_ += delimiter_.size();
  place_ = Place::delimiter_end;
  return Step::done;
}

// Behind a delimiter: two dashes end the form, blanks and a line end begin a part.
Result<MultipartReader::Step> MultipartReader::read_delimiter_end() {
  if (rest().size() < kLineEnd.size()) return Step::needs_more;
  if (rest().starts_with("--")) {
    place_ = Place::epilogue;
    return Step::done;
  }
  const size_t padding = std::min(rest().find_first_not_of(" \t"), rest().size());
  if (padding > kPaddingBytesMax) return fail(Errc::invalid_argument, "form: a delimiter that does not end");
  if (rest().size() < padding + kLineEnd.size()) return Step::needs_more;
  if (!rest().substr(padding).starts_with(kLineEnd)) {
    return fail(Errc::invalid_argument, "form: a delimiter that goes on in its line");
  }
  if (++parts_ > kPartsMax) {
    return fail(Errc::invalid_argument, "form: more than " + std::to_string(kPartsMax) + " parts");
  }
  // The line end stays: a head without lines is this one and an empty line.
  at_ += padding;
  place_ = Place::head;
  return Step::done;
}

Result<MultipartReader::Step> MultipartReader::read_head() {
  const size_t end = rest().find(kHeadEnd);
  // Its end may have come in part.
  if (std::min(end, rest().size() - std::min(rest().size(), kHeadEnd.size() - 1)) > kPartHeadBytesMax) {
    return fail(Errc::invalid_argument, "form: the head of a part has more than 8 KiB");
  }
  if (end == std::string_view::npos) return Step::needs_more;
  TRY(const PartHead head, parse_part_head(rest().substr(0, end).substr(std::min(end, kLineEnd.size()))));
  TRY_STATUS(sink_.begin_part(head));
  at_ += end + kHeadEnd.size();
  place_ = Place::content;
  return Step::done;
}

Result<MultipartReader::Step> MultipartReader::read_content() {
  const size_t found = rest().find(delimiter_);
  const size_t kept = std::min(rest().size(), delimiter_.size() - 1);
  const std::string_view content = rest().substr(0, found != std::string_view::npos ? found : rest().size() - kept);
  if (!content.empty()) TRY_STATUS(sink_.part_bytes(content));
  at_ += content.size();
  if (found == std::string_view::npos) return Step::needs_more;
  at_ += delimiter_.size();
  TRY_STATUS(sink_.end_part());
  place_ = Place::delimiter_end;
  return Step::done;
}

}  // namespace redoubt::central
